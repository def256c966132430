# SPDX-License-Identifier: MIT
"""Tell lab what a program is doing.

    import lab

    with lab.operation("fetch"):            # an operation of this process
        with lab.operation("parse"):        # inside another: a part of it
            ...

    op = lab.begin("upload")                # or by hand, across callbacks
    lab.suspend(op)
    lab.resume(op)
    lab.end(op)

    lab.watch_asyncio()                     # every asyncio task becomes an operation
    lab.watch_trio(), lab.watch_gevent()    # and trio's tasks, and gevent's greenlets

Under `lab run --ops` each call asks the kernel for a file that does not exist (access(2)), which lab
sees and which has no effect. Elsewhere it does nothing.
"""

import collections.abc
import contextlib
import contextvars
import functools
import itertools
import os
import weakref

LISTENS = "LAB_MARKERS" in os.environ

_prefix = ""  # of IDs: "t" where lab itself loads this, beside a copy that a program may have
_numbers = itertools.count(1)
_current = contextvars.ContextVar("lab_current", default=None)


def _say(verb, op, name=None):
    if LISTENS:
        text = f"lab:{verb}:{op}" if name is None else f"lab:{verb}:{op}:{name}"
        os.access(text.replace("\0", "?"), os.F_OK)


def begin(name="", parent=None):
    """Begin an operation, or a part of PARENT. Return its ID, for the other calls."""
    number = next(_numbers)
    op = f"{_prefix}{number}" if parent is None else f"{parent}.{number}"
    _say("begin", op, str(name))
    return op


def suspend(op):
    """OP waits, and its thread does something else."""
    _say("suspend", op)


def resume(op):
    """OP goes on, in this thread."""
    _say("resume", op)


def end(op):
    """OP has ended."""
    _say("end", op)


@contextlib.contextmanager
def operation(name=""):
    """What is done inside is an operation; a part of the one around it, if there is one."""
    op = begin(name, _current.get())
    token = _current.set(op)
    try:
        yield op
    finally:
        _current.reset(token)
        end(op)


class _Watched(collections.abc.Coroutine):
    """A coroutine that says when it goes on and when it waits. It runs in a context of its own."""

    def __init__(self, coro, name):
        self._coro = coro
        self._op = begin(name)
        self._began = False
        suspend(self._op)

    def _step(self, step, *args):
        if not self._began:
            self._began = True
            _current.set(self._op)
        resume(self._op)
        try:
            result = step(*args)
        except BaseException:
            end(self._op)
            raise
        suspend(self._op)
        return result

    def send(self, value):
        return self._step(self._coro.send, value)

    def throw(self, *exc_info):
        return self._step(self._coro.throw, *exc_info)

    def close(self):
        self._coro.close()

    def __await__(self):
        return self

    def __iter__(self):
        return self

    def __next__(self):
        return self.send(None)

    def __getattr__(self, attribute):
        return getattr(self._coro, attribute)


def _factory_around(original):
    def factory(loop, coro, **options):
        import asyncio

        # What asyncio.run() is given is the program itself, not one of its operations.
        if loop.is_running():
            coro = _Watched(coro, getattr(coro, "__qualname__", type(coro).__qualname__))
        if original is not None:
            return original(loop, coro, **options)
        return asyncio.Task(coro, loop=loop, **options)

    factory.lab = True
    return factory


def watch_asyncio():
    """Every task that a running loop is given from now on is an operation, uvloop's loops included."""
    from asyncio import events

    if not LISTENS:
        return
    original = events._set_running_loop

    def _set_running_loop(loop):
        if loop is not None:
            try:
                factory = loop.get_task_factory()
                if not hasattr(factory, "lab"):
                    loop.set_task_factory(_factory_around(factory))
            except (AttributeError, NotImplementedError):
                pass  # a loop without task factories: its tasks are not marked
        original(loop)

    events._set_running_loop = _set_running_loop


class _Instrument:
    """What trio says of its tasks."""

    def __init__(self):
        self._ops = {}

    def task_spawned(self, task):
        # trio's own tasks, and the program itself, are children of the first task.
        nursery = task.parent_nursery
        if nursery is not None and nursery.parent_task.parent_nursery is not None:
            self._ops[task] = begin(task.name.rpartition(".")[2])
            suspend(self._ops[task])

    def before_task_step(self, task):
        if task in self._ops:
            resume(self._ops[task])

    def after_task_step(self, task):
        if task in self._ops:
            suspend(self._ops[task])

    def task_exited(self, task):
        if task in self._ops:
            end(self._ops.pop(task))


def watch_trio(module=None):
    """Every trio task is an operation, except that of trio.run() itself. MODULE has run()."""
    if module is None:
        import trio as module
    if not LISTENS:
        return
    original = module.run

    def run(*args, instruments=(), **options):
        return original(*args, instruments=[*instruments, _Instrument()], **options)

    module.run = functools.wraps(original)(run)


def watch_gevent():
    """Every gevent.Greenlet of this thread is an operation, from its first run on."""
    import greenlet
    from gevent.greenlet import Greenlet

    if not LISTENS:
        return
    ops = weakref.WeakKeyDictionary()
    # gevent calls a greenlet dead, too, that is about to run for the first time.
    is_dead = greenlet.greenlet.dead.__get__

    def trace(event, args):
        if before is not None:
            before(event, args)
        if event not in ("switch", "throw"):
            return
        origin, target = args
        if origin in ops:
            if is_dead(origin):
                end(ops.pop(origin))
            else:
                suspend(ops[origin])
        if target in ops:
            resume(ops[target])
        elif isinstance(target, Greenlet) and not is_dead(target):
            ops[target] = begin(getattr(target._run, "__qualname__", target.name))

    before = greenlet.settrace(trace)
