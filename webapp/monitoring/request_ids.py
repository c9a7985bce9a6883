"""The id of the request that this thread answers."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextvars import ContextVar, copy_context
from functools import partial
from typing import Final, ParamSpec, TypeVar

from webapp.redaction import mask

HEADER: Final = "X-Request-ID"
SENT_AS: Final = "X-Client-Request-Id"
"""The header that other servers get it in, after the one that OpenAI logs."""

_WELL_FORMED: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")

_P = ParamSpec("_P")
_T = TypeVar("_T")

_current: ContextVar[str | None] = ContextVar("request_id", default=None)


def find_request_id() -> str | None:
    """Find the id of the request that this thread answers, or None."""
    return _current.get()


def set_request_id(request_id: str | None) -> None:
    """Make `request_id` that of this thread, until it answers another request."""
    _current.set(request_id)


def choose_request_id(given: str | None) -> str:
    """Choose the id that a client or proxy sends, if it can be one, or a new one.

    A key is not an id: whoever sends one by mistake would find it in logs.
    """
    if given and _WELL_FORMED.fullmatch(given) and mask(given) == given:
        return given
    return os.urandom(16).hex()


class RequestPool(ThreadPoolExecutor):
    """Runs functions in threads that have the id of the request that submitted them.

    They have its other context variables as well.
    """

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        return super().submit(partial(copy_context().run, fn, *args, **kwargs))


class SameThread(Executor):
    """Runs each function in the thread that submits it, before anything else there."""

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        done: Future[_T] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:
            done.set_exception(error)
        return done
