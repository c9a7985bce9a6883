"""One call to the server, with its retries, as the text of a 2xx answer or an error.

Owns the order of things: headers and time-outs of each try, what is logged, when to try
again. Knows nothing of completions.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Final

import requests
from urllib3.exceptions import HTTPError

from webapp.config import Limits
from webapp.upstream import error_mapping as failures
from webapp.upstream import retries
from webapp.upstream.body import read_error_text, read_text
from webapp.upstream.deadline import Clock, Deadline
from webapp.upstream.endpoint import Endpoint
from webapp.upstream.errors import NotFound, TimedOut, UpstreamError
from webapp.upstream.paths import encoded
from webapp.upstream.transport import read_deadline

log = logging.getLogger("readback.upstream")


def _user_agent() -> str:
    try:
        return f"Readback/{version('readback')}"
    except PackageNotFoundError:
        return "Readback"


_HEADERS: Final = {
    "User-Agent": _user_agent(),
    "Accept": "application/json",
    "Accept-Encoding": "gzip, deflate",
}


@dataclass(frozen=True, slots=True)
class Call:
    """A request before it is bound to a server; `body` is JSON."""

    method: str
    path: str
    query: str = ""
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Sender:
    """Sends calls to one endpoint over one session; for many threads at once."""

    endpoint: Endpoint
    session: requests.Session
    limits: Limits
    clock: Clock

    def send(self, call: Call, *, deadline: Deadline) -> str:
        """The text of the 2xx answer. Raises `UpstreamError`.

        A wait that would reach the deadline is not begun: the error is raised at once. A
        DELETE whose first answer was lost has done its work when the next try finds nothing.
        """
        was_lost = False
        retries_made = 0
        while True:
            try:
                return self._try(call, deadline)
            except UpstreamError as error:
                if was_lost and call.method == "DELETE" and isinstance(error, NotFound):
                    return ""
                wait = error.retry_after or retries.backoff(retries_made)
                is_last = retries_made >= self.limits.max_retries or not error.is_transient
                if is_last or not deadline.leaves(wait):
                    raise
                was_lost = was_lost or error.status is None
            self.clock.sleep(wait)
            retries_made += 1

    def _try(self, call: Call, deadline: Deadline) -> str:
        started = self.clock.monotonic()
        with self._answer(call, deadline) as response:
            try:
                return self._text(response, deadline)
            finally:
                self._log(call, response, self.clock.monotonic() - started)

    def _answer(self, call: Call, deadline: Deadline) -> requests.Response:
        """The answer with its body still to be read.

        All errors of requests are `OSError`s; a few of urllib3's come through unwrapped.
        """
        if deadline.has_passed:
            raise TimedOut(f"{self.endpoint.host} did not answer in {deadline.seconds:g} seconds.")
        limits = self.limits
        remaining = deadline.remaining()
        try:
            with read_deadline(deadline, read_timeout=limits.read_timeout):
                return self.session.request(
                    call.method,
                    self._url(call),
                    data=call.body,
                    headers=self._headers(call),
                    timeout=(
                        min(limits.connect_timeout, remaining),
                        min(limits.read_timeout, remaining),
                    ),
                    allow_redirects=False,
                    stream=True,
                )
        except (OSError, HTTPError) as error:
            host = self.endpoint.host
            failure = failures.from_exception(error, host=host, deadline=deadline)
            log.warning("%s %s: %s", call.method, call.path, failure)
            raise failure from error

    def _text(self, response: requests.Response, deadline: Deadline) -> str:
        if 200 <= response.status_code < 300:
            return read_text(response, deadline=deadline, max_bytes=self.limits.max_bytes)
        text = read_error_text(response, deadline=deadline)
        now = self.clock.wall()
        raise failures.from_answer(response, text, endpoint=self.endpoint, now=now)

    def _url(self, call: Call) -> str:
        fixed = encoded(self.endpoint.query)
        query = "&".join(filter(None, (fixed, call.query)))
        url = self.endpoint.base_url + call.path
        return f"{url}?{query}" if query else url

    def _headers(self, call: Call) -> dict[str, str]:
        headers = _HEADERS | self.endpoint.revealed_headers()
        return headers | {"Content-Type": "application/json"} if call.body else headers

    def _log(self, call: Call, response: requests.Response, seconds: float) -> None:
        """One line an exchange: no query, no headers, no content."""
        log.log(
            logging.INFO if response.ok else logging.WARNING,
            "%s %s %d %.0f ms %s",
            call.method,
            call.path,
            response.status_code,
            seconds * 1000,
            failures.request_id(response.headers, self.endpoint) or "-",
        )
