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

Under `lab run --ops` each call asks the kernel for a file that does not exist (access(2)), which lab
sees and which has no effect. Elsewhere it does nothing.
"""

import collections.abc
import contextlib
import contextvars
import itertools
import os

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


def _task_factory(loop, coro, **options):
    import asyncio

    # What asyncio.run() is given is the program itself, not one of its operations.
    if loop.is_running():
        coro = _Watched(coro, getattr(coro, "__qualname__", type(coro).__qualname__))
    return asyncio.Task(coro, loop=loop, **options)


def watch_asyncio():
    """Every task that a running asyncio loop is given from now on is an operation."""
    from asyncio import base_events

    if not LISTENS:
        return
    original = base_events.BaseEventLoop.__init__

    def __init__(self, *args, **kwargs):
        original(self, *args, **kwargs)
        self.set_task_factory(_task_factory)

    base_events.BaseEventLoop.__init__ = __init__
