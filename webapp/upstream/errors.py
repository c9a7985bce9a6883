"""The errors of requests to the server, with messages for the reader.

    UpstreamError
    ├── InvalidId       an id that cannot be one; nothing was sent
    ├── NotFound        no such completion or message
    ├── BadRequest      the server refuses the parameters
    ├── KeyRejected     the server refuses the API key
    ├── RateLimited     too many requests, or no quota left
    ├── NotSupported    the server lacks this part of the API
    ├── ServerFailed    the server failed (5xx)
    ├── Busy            others hold large answers now; nothing more was read
    ├── Unreachable     no connection, or it was cut before an answer
    ├── TimedOut        no answer in time
    ├── BadAnswer       an answer that is not of the API's form
    │   └── TooLarge    an answer over the limits
    ├── NotStored       created, but not stored
    └── Redirected      a redirect, which is not followed

Texts from the server are in `server_message`, without the API key, but otherwise as untrusted
as any content.
"""

from __future__ import annotations

from typing import ClassVar


class UpstreamError(Exception):
    """A request to the server that brought no result.

    `str(error)` and `advice` are sentences for the reader; `sentence` is the first of them if a
    status brought the error. `http_status` is the status of a page that needed the request.
    `status`, `server_message`, `type`, `code`, `param` and `request_id` are the server's, None if
    it sent none. `retry_after` is in seconds. `is_transient` means that the same request may
    succeed in a moment.
    """

    http_status: ClassVar[int] = 502
    sentence: ClassVar[str] = "{host} answered with the unknown status {status}."
    usual_advice: ClassVar[str] = "Try again in a moment."

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        server_message: str | None = None,
        type: str | None = None,
        code: str | None = None,
        param: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        advice: str | None = None,
        is_transient: bool = False,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.server_message = server_message
        self.type = type
        self.code = code
        self.param = param
        self.request_id = request_id
        self.retry_after = retry_after
        self.advice = advice or self.usual_advice
        self.is_transient = is_transient


class InvalidId(UpstreamError):
    """An id or cursor outside `A-Z a-z 0-9 . _ : ~ -`; nothing was sent."""

    http_status = 404
    usual_advice = "Check the address, or open the completion from the list."


class NotFound(UpstreamError):
    """The server has no such completion or message."""

    http_status = 404
    sentence = "{host} has nothing stored under this id."
    usual_advice = (
        "It may have been deleted, created without store=true, or created so recently that the "
        "server does not return it yet."
    )


class BadRequest(UpstreamError):
    """The server refuses the request as it is (400, 409, 422 and the like)."""

    http_status = 400
    sentence = "{host} did not accept the request (status {status})."
    usual_advice = "Change the filter or the page, and try again."


class KeyRejected(UpstreamError):
    """The server refuses the API key, or the key lacks a permission (401, 403)."""

    sentence = "{host} did not accept the API key (status {status})."
    usual_advice = "Check Readback's API key, its organization, its project and its permissions."


class RateLimited(UpstreamError):
    """Too many requests, or the quota is used up (429)."""

    http_status = 429
    sentence = "{host} asks for fewer requests."


class NotSupported(UpstreamError):
    """The server has no such operation: 405, 501, or a 404 for the address itself."""

    http_status = 501
    sentence = "{host} does not offer stored completions here (status {status})."
    usual_advice = "Check the base URL; the server may not have this part of the API."


class ServerFailed(UpstreamError):
    """The server, or a gateway before it, failed (5xx)."""

    sentence = "{host} failed to answer (status {status})."


class Busy(UpstreamError):
    """The answer is large, and others hold as many large ones as this process may hold."""

    http_status = 503
    usual_advice = "Try again in a few seconds."


class Unreachable(UpstreamError):
    """No connection could be made, or it was cut before an answer."""

    usual_advice = "Check the base URL and the network, and try again."


class TimedOut(UpstreamError):
    """The server did not answer, or not completely, in the time allowed."""

    http_status = 504
    sentence = "{host} gave up waiting (status {status})."


class BadAnswer(UpstreamError):
    """The answer is broken off, too large, not JSON, or not of the API's form."""

    usual_advice = "Check that the base URL is that of an OpenAI-compatible API."


class TooLarge(BadAnswer):
    """The answer is larger than the limits allow; one for fewer objects may not be.

    `beginning` is the first part of it, empty if that cannot be read.
    """

    beginning: str = ""


class NotStored(UpstreamError):
    """A completion was created, but the server could not store it."""

    http_status = 503
    usual_advice = (
        "The store is down or full. The answer is in the spool if there is room, and comes into "
        "the list when the store is back."
    )


class Redirected(UpstreamError):
    """The server answered with a redirect; redirects are never followed."""

    usual_advice = "Set the base URL to the server's real address."
