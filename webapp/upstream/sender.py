"""Send a request to the server, with retries, and return the text of its 2xx response.

Sets the headers and time-outs of each try, logs it, and decides when to try again. Knows
nothing of completions.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from typing import Final

import requests
from urllib3.exceptions import HTTPError

from webapp.config import Limits
from webapp.exact_json import Document
from webapp.http.deadline import Clock, Deadline
from webapp.http.transport import read_deadline
from webapp.redaction import get_logger
from webapp.upstream.decoding import read_error_text, read_text
from webapp.upstream.endpoint import COMPLETIONS, Endpoint
from webapp.upstream.error_mapping import map_exception, map_response, read_request_id
from webapp.upstream.errors import NotFound, TimedOut, UpstreamError
from webapp.upstream.large_answers import hold_answers

log = get_logger("readback.upstream")

FIRST_BACKOFF: Final = 0.5
MAX_BACKOFF: Final = 8.0
JITTER: Final = 0.25
_RANDOM: Final = random.Random()
"""Of its own, so that retries in threads do not change the state that others have seeded."""


_HEADERS: Final = {
    "User-Agent": "Readback",
    "Accept": "application/json",
    "Accept-Encoding": "gzip, deflate",
}
with suppress(PackageNotFoundError):
    _HEADERS["User-Agent"] = f"Readback/{version('readback')}"


def compute_backoff(retries_so_far: int) -> float:
    """Compute the seconds before the next try: 0.5, 1, 2, … at most 8, less up to a quarter."""
    longest = min(FIRST_BACKOFF * 2.0**retries_so_far, MAX_BACKOFF)
    return longest * (1 - JITTER * _RANDOM.random())


@dataclass(frozen=True, slots=True)
class Request:
    """A request before it is bound to a server; `body` is JSON.

    The answer never changes as long as that to a GET of `depends_on`, a path, is the same.
    """

    method: str
    path: str
    query: str = ""
    body: bytes | None = None
    depends_on: str | None = None

    @property
    def deciding(self) -> Request | None:
        """The request whose answer decides that to this one; None if there is none.

        The messages of a stored completion never change, so GET /chat/completions/c1 decides
        GET /chat/completions/c1/messages?limit=20.
        """
        if self.depends_on is None:
            return None
        return replace(self, path=self.depends_on, query="", depends_on=None)


@dataclass(frozen=True, slots=True)
class Reply:
    """The text of a 2xx response, and its headers."""

    text: Document
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sender:
    """Sends requests to one endpoint over one session; for many threads at once."""

    endpoint: Endpoint
    session: requests.Session
    limits: Limits
    clock: Clock

    def send(self, request: Request, *, deadline: Deadline) -> Reply:
        """Send a request until it has a 2xx response. Raises `UpstreamError`.

        A wait that would reach the deadline is not begun: the error is raised at once. A
        DELETE whose first response was lost has done its work if the next try finds nothing.
        """
        was_lost = False
        retries_made = 0
        while True:
            try:
                return self._try(request, deadline)
            except UpstreamError as error:
                if was_lost and request.method == "DELETE" and isinstance(error, NotFound):
                    return Reply("", {})
                wait = error.retry_after or compute_backoff(retries_made)
                is_last = retries_made >= self.limits.max_retries or not error.is_transient
                if is_last or not deadline.leaves(wait):
                    raise
                was_lost = was_lost or error.status is None
            self.clock.sleep(wait)
            retries_made += 1

    def _try(self, request: Request, deadline: Deadline) -> Reply:
        """Send a request once, and log one line: no query, no headers, no content."""
        started = self.clock.monotonic()
        # A change has been made when its answer comes: it must not seem to have failed.
        holding = nullcontext() if request.method == "GET" else hold_answers(None)
        with self._open(request, deadline) as response, holding:
            try:
                if 200 <= response.status_code < 300:
                    most = self.limits.max_bytes
                    text = read_text(response, deadline=deadline, max_bytes=most)
                    return Reply(text, response.headers)
                text = read_error_text(response, deadline=deadline)
                now = self.clock.wall()
                is_list = request.method == "GET" and request.path == COMPLETIONS
                raise map_response(response, text, endpoint=self.endpoint, now=now, is_list=is_list)
            finally:
                level = logging.INFO if response.ok else logging.WARNING
                # The id is searched for secrets, which costs a tenth of the request.
                if log.isEnabledFor(level):
                    log.log(
                        level,
                        "%s %s %d %.0f ms %s",
                        request.method,
                        request.path,
                        response.status_code,
                        1000 * (self.clock.monotonic() - started),
                        read_request_id(response.headers, self.endpoint) or "-",
                    )

    def _open(self, request: Request, deadline: Deadline) -> requests.Response:
        """Open the response, its body still to be read."""
        host, limits = self.endpoint.host, self.limits
        if deadline.has_passed:
            raise TimedOut(f"{host} did not answer in {deadline.seconds:g} seconds.")
        remaining = deadline.remaining()
        query = "&".join(filter(None, (self.endpoint.query, request.query)))
        url = self.endpoint.base_url + request.path
        headers = _HEADERS | self.endpoint.reveal_headers()
        if request.body:
            headers["Content-Type"] = "application/json"
        try:
            with read_deadline(deadline, read_timeout=limits.read_timeout):
                return self.session.request(
                    request.method,
                    f"{url}?{query}" if query else url,
                    data=request.body,
                    headers=headers,
                    timeout=(
                        min(limits.connect_timeout, remaining),
                        min(limits.read_timeout, remaining),
                    ),
                    allow_redirects=False,
                    stream=True,
                )
        except (OSError, HTTPError) as error:
            # All errors of requests are `OSError`s; a few of urllib3's come through unwrapped.
            failure = map_exception(error, host=host, deadline=deadline)
            log.warning("%s %s: %s", request.method, request.path, failure)
            raise failure from error
