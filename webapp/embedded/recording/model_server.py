"""The model server that requests are forwarded to, and its answer as it arrives."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from http.client import SWITCHING_PROTOCOLS
from typing import Final

import requests
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import ConnectTimeoutError, HTTPError, ReadTimeoutError

from webapp.config import ModelLimits
from webapp.config.base_urls import suggest_base_url
from webapp.embedded.errors import ApiError
from webapp.http import find_secrets, open_session
from webapp.http.deadline import Deadline
from webapp.http.decompression import ENCODINGS, iter_decompressed
from webapp.http.transport import DeadlineAdapter, is_ended, read_deadline
from webapp.redaction import KeyRedactor, get_logger

log = get_logger("readback.embedded")

STOPPED: Final = "Readback was stopped before the end of the answer."

_CHUNK: Final = 64 * 1024
_CONNECTIONS: Final = 64
_PASSED_HEADERS: Final = frozenset(
    {
        "accept-ranges",
        "allow",
        "content-disposition",
        "content-range",
        "content-type",
        "etag",
        "last-modified",
        "openai-processing-ms",
        "openai-version",
        "request-id",
        "retry-after",
        "retry-after-ms",
        "x-request-id",
        "x-should-retry",
    }
)
_DECODED: Final = ENCODINGS | {"", "identity"}
"""Content encodings that are undone here; others are passed on as they are, with their name."""
_PASSED_PREFIXES: Final = ("x-ratelimit-", "anthropic-ratelimit-")

POLICY: Final = {
    "content-security-policy": "sandbox; default-src 'none'",
    "x-content-type-options": "nosniff",
}
"""Headers of every answer of a model server: its HTML must not run as a page of ours."""


class ModelServerError(ApiError):
    """The model server sends no answer, or not all of it."""

    def __init__(self, message: str, *, code: str, status: int = 502) -> None:
        super().__init__(message, status=status, kind="server_error", code=code)


class ModelServer:
    """An OpenAI-compatible server that creates completions; safe to share between threads.

    `forwards_store` is whether it is sent `store` and `metadata`: many servers refuse a request
    that contains them. `stores_all` is whether a request that does not say `store` is stored.
    The key and the `headers` are sent to this server alone. A query in `base_url` is sent with
    every request. `advice` names another address if nothing is found there, None if none is known.
    """

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str | None = None,
        headers: Sequence[tuple[str, str]] = (),
        forwards_store: bool = False,
        stores_all: bool = False,
        limits: ModelLimits | None = None,
        proxy: str | None = None,
        ca_bundle: str | None = None,
    ) -> None:
        self.forwards_store: Final = forwards_store
        self.stores_all: Final = stores_all
        self.limits: Final = limits or ModelLimits()
        address, _, self._query = base_url.partition("?")
        self._address = address.rstrip("/")
        self.advice: Final = suggest_base_url(
            self._address, self._query, setting="READBACK_MODEL_URL"
        )
        self._redactor = KeyRedactor(api_key, *find_secrets(headers, query=self._query))
        # The answer is passed on as it is, so compression would only cost time twice.
        self._headers = {"User-Agent": "Readback", "Accept-Encoding": "identity"}
        if api_key:
            self._headers["Authorization"] = f"Bearer {api_key}"
        self._own_headers = dict(headers)
        adapter = DeadlineAdapter(pool_connections=1, pool_maxsize=_CONNECTIONS)
        self._session = open_session(adapter, counted_as="model", proxy=proxy, ca_bundle=ca_bundle)

    def create(
        self, body: bytes, *, headers: Mapping[str, str], is_streamed: bool = False
    ) -> ModelAnswer:
        """Send a request to create a completion, as `forward` does.

        `is_streamed` is whether `body` asks for a stream: an answer without a type is read in the
        requested form.
        """
        sent = {**headers, "Content-Type": "application/json"}
        answer = self.forward("POST", "/chat/completions", headers=sent, body=body)
        media_type = "text/event-stream" if is_streamed else "application/json"
        answer.headers.setdefault("content-type", media_type)
        return answer

    def forward(
        self,
        method: str,
        path: str,
        *,
        query: str = "",
        headers: Mapping[str, str],
        body: bytes = b"",
    ) -> ModelAnswer:
        """Send a request and return the answer before its body is read.

        `path` is below the base URL, and quoted. Raise `ModelServerError` if there is no answer,
        or if it is a redirect or a change of protocol.
        """
        limits = self.limits
        deadline = Deadline.after(limits.create_timeout)
        queries = "&".join(filter(None, (self._query, query)))
        url = f"{self._address}{path}"
        sent = CaseInsensitiveDict({**self._headers, **headers})
        sent.update(self._own_headers)
        try:
            with read_deadline(deadline, read_timeout=limits.read_timeout):
                response = self._session.request(
                    method,
                    f"{url}?{queries}" if queries else url,
                    data=body or None,
                    headers=sent,
                    timeout=(limits.connect_timeout, limits.read_timeout),
                    allow_redirects=False,
                    stream=True,
                )
        except (OSError, HTTPError) as error:
            raise _translate_error(
                error,
                message="The model server cannot be reached.",
                code="model_server_unreachable",
            ) from error
        _check_answer(response)
        return ModelAnswer(response, self._redactor)


def _check_answer(response: requests.Response) -> None:
    """Close a response that is not an answer, and raise `ModelServerError`."""
    if response.status_code == SWITCHING_PROTOCOLS:
        response.close()
        raise ModelServerError(
            "The model server changes the protocol in place of an answer.",
            code="model_server_broke_off",
        )
    if response.is_redirect:
        response.close()
        raise ModelServerError(
            "The model server answers with a redirect, which is not followed. "
            "READBACK_MODEL_URL must be the address it leads to.",
            code="model_server_redirects",
        )


class ModelAnswer:
    """An answer whose body is read from the server chunk by chunk. Must be closed.

    `headers` has those about the answer, not about the connection, with names in lower case.
    `encoding` is the compression that is left as it is, empty if there is none.
    """

    def __init__(self, response: requests.Response, redactor: KeyRedactor) -> None:
        self._response = response
        self._redactor = redactor
        encoding = response.headers.get("content-encoding", "").lower().strip()
        encodings = [one.strip() for one in encoding.split(",")]
        is_decoded = all(one in _DECODED for one in encodings)
        self.encoding: Final = "" if is_decoded else encoding
        self._undone = [one for one in encodings if is_decoded and one in ENCODINGS]
        self.status: Final = response.status_code
        lowered = ((name.lower(), value) for name, value in response.headers.items())
        self.headers: Final = {
            name: redactor.redact(value)
            for name, value in lowered
            if name in _PASSED_HEADERS or name.startswith(_PASSED_PREFIXES)
            if value.isprintable()
        }
        if response.request.method == "HEAD" and "content-length" in response.headers:
            # Of a body, its length may change while it is read: keys are masked.
            self.headers["content-length"] = response.headers["content-length"]
        if self.encoding:
            self.headers["content-encoding"] = redactor.redact(self.encoding)

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    @property
    def is_stream(self) -> bool:
        """Whether the body is a stream of server-sent events."""
        content_type = self.headers.get("content-type", "")
        return content_type.partition(";")[0].strip().lower() == "text/event-stream"

    def iter_chunks(self) -> Iterator[bytes]:
        """Yield the body as it arrives. Raise `ModelServerError` if it breaks off."""
        stream = self._redactor.start_stream()
        try:
            chunks: Iterator[bytes] = iter(self._receive, b"")
            for encoding in reversed(self._undone):
                chunks = iter_decompressed(chunks, encoding)
            for chunk in chunks:
                if redacted := stream.feed(chunk):
                    yield redacted
        except (OSError, HTTPError, EOFError, zlib.error) as error:
            raise _translate_error(
                error,
                message="The model server broke off its answer.",
                code="model_server_broke_off",
            ) from error
        if held := stream.flush():
            yield held

    def close(self) -> None:
        self._response.close()

    def _receive(self) -> bytes:
        """Return the bytes that have arrived, as they were sent; none at the end."""
        received: bytes = self._response.raw.read1(_CHUNK, decode_content=False)
        return received


def _translate_error(error: Exception, *, message: str, code: str) -> ModelServerError:
    """Log the kind of `error`, and return a time-out if it is one, else `message` and `code`."""
    if is_ended():
        return ModelServerError(STOPPED, code="server_stopped", status=503)
    log.warning("%s (%s)", message, type(error).__name__)
    if _is_late(error):
        return ModelServerError(
            "The model server did not answer in time.", code="model_server_timeout", status=504
        )
    return ModelServerError(message, code=code)


def _is_late(error: BaseException) -> bool:
    """Return whether a time-out other than that of connecting is among the wrapped errors."""
    if isinstance(error, requests.ReadTimeout | ReadTimeoutError):
        return True
    if isinstance(error, requests.ConnectTimeout | ConnectTimeoutError):
        return False
    wrapped = (inner for inner in error.args if isinstance(inner, BaseException))
    return isinstance(error, TimeoutError) or any(map(_is_late, wrapped))
