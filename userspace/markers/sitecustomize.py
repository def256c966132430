# SPDX-License-Identifier: MIT
"""What `lab run --python` puts in front of a Python program, which itself stays as it is.

Tasks of asyncio (uvloop's too) and trio, and gevent's greenlets, become operations; threads and multiprocessing workers get the names that they have in
Python. The sitecustomize module that would have been loaded instead is loaded after it.
"""

import os
import sys

_here = os.path.dirname(os.path.abspath(__file__))


def _name_thread(name):
    import threading

    try:
        with open(f"/proc/self/task/{threading.get_native_id()}/comm", "w") as comm:
            comm.write(name[:15])
    except (OSError, UnicodeError):
        pass


def _name_threads(threading):
    original = getattr(threading.Thread, "_set_native_id", None)
    if original is None:
        return

    def _set_native_id(self):
        original(self)
        if self is not threading.main_thread():
            _name_thread(self.name)

    threading.Thread._set_native_id = _set_native_id


def _name_workers(process):
    original = process.BaseProcess._bootstrap

    def _bootstrap(self, *args, **kwargs):
        _name_thread(self.name)
        return original(self, *args, **kwargs)

    process.BaseProcess._bootstrap = _bootstrap


def _when_imported(module, action):
    """Do it as soon as the program imports MODULE: a program that never does pays nothing."""
    import importlib.abc
    import importlib.util

    class Finder(importlib.abc.MetaPathFinder):
        def find_spec(self, name, path, target=None):
            if name != module:
                return None
            sys.meta_path.remove(self)
            spec = importlib.util.find_spec(name)
            if spec is None or spec.loader is None:
                return spec
            execute = spec.loader.exec_module

            def exec_module(loaded):
                execute(loaded)
                try:
                    action(loaded)
                except Exception as error:  # this Python is made otherwise: it goes on unwatched
                    print(f"lab: {module} is not watched: {error!r}", file=sys.stderr)

            spec.loader.exec_module = exec_module
            return spec

    sys.meta_path.insert(0, Finder())


def _markers():
    import importlib.util

    if "_lab_markers" in sys.modules:
        return sys.modules["_lab_markers"]
    spec = importlib.util.spec_from_file_location("_lab_markers", os.path.join(_here, "lab.py"))
    markers = importlib.util.module_from_spec(spec)
    sys.modules["_lab_markers"] = markers
    spec.loader.exec_module(markers)
    markers._prefix = "t"
    return markers


def _go_on():
    """As if this had not been here."""
    sys.path[:] = [p for p in sys.path if os.path.abspath(p or ".") != _here]
    hook = sys.modules.pop("sitecustomize", None)
    try:
        import sitecustomize  # noqa: F401
    except ImportError:
        sys.modules["sitecustomize"] = hook  # the import that is under way takes it from there


_when_imported("asyncio.base_events", lambda _module: _markers().watch_asyncio())
_when_imported("trio._core._run", lambda module: _markers().watch_trio(module))
_when_imported("gevent.greenlet", lambda _module: _markers().watch_gevent())
_when_imported("multiprocessing.process", _name_workers)
_when_imported("threading", _name_threads)
_go_on()
