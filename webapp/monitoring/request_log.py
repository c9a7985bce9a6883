"""The outermost WSGI layer: an id for each request, a line in the log and counts at its end.

A line has the rule of the route and no path: paths and queries hold tokens of shares, ids, and
what readers search for.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Final

from webapp.monitoring.metrics import count_request
from webapp.monitoring.request_ids import (
    HEADER,
    choose_request_id,
    find_request_id,
    set_request_id,
)

if TYPE_CHECKING:
    from types import TracebackType
    from typing import TypeAlias

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    _Failure: TypeAlias = (
        tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None] | None
    )

log = logging.getLogger("readback.requests")

_ROUTE: Final = "readback.route"
_HEADER: Final = HEADER.lower()
_METHODS: Final = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})


def note_route(environ: WSGIEnvironment, rule: str | None) -> None:
    """Note the rule that the URL of a request matches; None if it matches none."""
    environ[_ROUTE] = rule


class RequestLog:
    """Gives each request to `app` an id, and reports it when its answer has ended.

    `clock` returns seconds.
    """

    def __init__(
        self, app: WSGIApplication, *, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._app = app
        self._clock = clock

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        request_id = choose_request_id(environ.get("HTTP_X_REQUEST_ID"))
        set_request_id(request_id)
        answer = _Answer(environ, request_id, self._clock)

        def start_with_id(
            status: str, headers: list[tuple[str, str]], failure: _Failure = None, /
        ) -> Callable[[bytes], object]:
            answer.status = int(status[:3])
            own = [value for name, value in headers if name.lower() == _HEADER]
            # The API's answers have the id that the model server gave them.
            answer.other_id = own[0] if own else None
            added = [] if own else [(HEADER, request_id)]
            return start(status, headers + added, failure)

        try:
            answer.body = self._app(environ, start_with_id)
        except BaseException:
            answer.close()
            raise
        return answer


class _Answer:
    """The body of an answer; the server closes it at its end, or when the client has gone."""

    def __init__(
        self, environ: WSGIEnvironment, request_id: str, clock: Callable[[], float]
    ) -> None:
        self.body: Iterable[bytes] = ()
        self.status = 500
        self.other_id: str | None = None
        self._environ = environ
        self._request_id = request_id
        self._clock = clock
        self._started = clock()
        self._size = 0

    def __iter__(self) -> Iterator[bytes]:
        for piece in self.body:
            self._size += len(piece)
            yield piece

    def close(self) -> None:
        try:
            close = getattr(self.body, "close", None)
            if close is not None:
                close()
        finally:
            seconds = self._clock() - self._started
            given = self._environ["REQUEST_METHOD"]
            method = given if given in _METHODS else "other"
            route = self._environ.get(_ROUTE) or "none"
            count_request(method, route, self.status, seconds)
            if log.isEnabledFor(logging.INFO):
                fields = {
                    "method": method,
                    "route": route,
                    "status": self.status,
                    "milliseconds": round(1000 * seconds, 1),
                    "bytes": self._size,
                    "request_id": self._request_id,
                }
                if self.other_id is not None:
                    fields["answer_id"] = self.other_id
                log.info("%s %s %d", method, route, self.status, extra={"fields": fields})
            if find_request_id() == self._request_id:
                set_request_id(None)
