"""The model server that create requests are forwarded to, and its answer as it comes.

Owns the connection: its time-outs, what the server is told, and what of its answer may be told
to others. Knows nothing of completions or of the store.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Final

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

from webapp.embedded.errors import ApiError
from webapp.embedded.recording.redaction import KeyRedactor

log = logging.getLogger("readback.embedded")

_CHUNK: Final = 64 * 1024
_CONNECTIONS: Final = 64
_PASSED_HEADERS: Final = frozenset(
    {"content-type", "x-request-id", "retry-after", "retry-after-ms", "x-should-retry"}
    | {"openai-version", "openai-processing-ms"}
)
_PASSED_FAMILY: Final = "x-ratelimit-"


@dataclass(frozen=True, slots=True)
class ModelLimits:
    """Bounds on one create request. Times are in seconds, sizes in bytes.

    `read_timeout` is for each wait for the next bytes: a model may think for minutes before the
    first one. An answer larger than `max_stored_bytes` is passed on whole, but not stored whole.
    """

    connect_timeout: float = 5.0
    read_timeout: float = 600.0
    max_request_bytes: int = 64 * 1024 * 1024
    max_stored_bytes: int = 32 * 1024 * 1024


class ModelServer:
    """An OpenAI-compatible server that makes completions; for many threads at once.

    `forwards_store` is whether it takes `store` and `metadata`: many refuse a request that has
    them. The key is sent to it alone.
    """

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str | None = None,
        forwards_store: bool = False,
        limits: ModelLimits | None = None,
        proxy: str | None = None,
        ca_bundle: str | None = None,
    ) -> None:
        self.forwards_store: Final = forwards_store
        self.limits: Final = limits or ModelLimits()
        self._url = f"{base_url.rstrip('/')}/chat/completions"
        self._mask = KeyRedactor(api_key)
        self._headers = {"User-Agent": "Readback", "Content-Type": "application/json"}
        if api_key:
            self._headers["Authorization"] = f"Bearer {api_key}"
        self._session = _open_session(proxy, ca_bundle)

    def create(self, body: bytes, *, accept: str) -> ModelAnswer:
        """The server's answer, its body still to come. Raises `ApiError` when there is none."""
        # Bytes that come as they are need not be unpacked and packed again on their way.
        headers = self._headers | {"Accept": accept, "Accept-Encoding": "identity"}
        try:
            response = self._session.post(
                self._url,
                data=body,
                headers=headers,
                timeout=(self.limits.connect_timeout, self.limits.read_timeout),
                allow_redirects=False,
                stream=True,
            )
        except (OSError, HTTPError) as error:
            raise _unanswered(error) from error
        if response.is_redirect:
            response.close()
            raise _failure(
                "The model server answers with a redirect, which is not followed. "
                "READBACK_MODEL_URL must be the address it leads to.",
                code="model_server_redirects",
            )
        return ModelAnswer(response, self._mask)


class ModelAnswer:
    """An answer whose body is drawn from the server as it is read. Must be closed."""

    def __init__(self, response: requests.Response, mask: KeyRedactor) -> None:
        self._response = response
        self._mask = mask
        self.status: Final = response.status_code
        self.headers: Final = _passed(response, mask)

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    @property
    def is_stream(self) -> bool:
        """Whether the body is a stream of server-sent events."""
        content_type = self.headers.get("content-type", "")
        return content_type.partition(";")[0].strip().lower() == "text/event-stream"

    def chunks(self) -> Iterator[bytes]:
        """The body as it arrives. Raises `ApiError` when it breaks off."""
        masked = self._mask.stream()
        try:
            while chunk := self._response.raw.read1(_CHUNK, decode_content=True):
                if shown := masked.feed(chunk):
                    yield shown
        except (OSError, HTTPError) as error:
            raise _broken_off(error) from error
        if held := masked.rest():
            yield held

    def close(self) -> None:
        self._response.close()


class _Session(requests.Session):
    """A session to which a redirect is an answer like any other.

    With `allow_redirects=False` alone, requests still reads the whole body of a redirect.
    """

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


def _open_session(proxy: str | None, ca_bundle: str | None) -> requests.Session:
    session = _Session()
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.verify = ca_bundle or True
    session.proxies = {"https": proxy} if proxy else {}
    adapter = HTTPAdapter(pool_connections=1, pool_maxsize=_CONNECTIONS)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def _passed(response: requests.Response, mask: KeyRedactor) -> dict[str, str]:
    """The headers that are about the answer and not about the connection, names in lower case."""
    lowered = ((name.lower(), value) for name, value in response.headers.items())
    return {
        name: mask.text(value)
        for name, value in lowered
        if (name in _PASSED_HEADERS or name.startswith(_PASSED_FAMILY)) and value.isprintable()
    }


def _unanswered(error: Exception) -> ApiError:
    log.warning("The model server did not answer: %s.", type(error).__name__)
    if isinstance(error, requests.ReadTimeout):
        return _timeout()
    return _failure("The model server cannot be reached.", code="model_server_unreachable")


def _broken_off(error: Exception) -> ApiError:
    log.warning("The model server's answer broke off: %s.", type(error).__name__)
    if "Timeout" in type(error).__name__:
        return _timeout()
    return _failure("The model server broke off its answer.", code="model_server_broke_off")


def _timeout() -> ApiError:
    return _failure(
        "The model server did not answer in time.", status=504, code="model_server_timeout"
    )


def _failure(message: str, *, status: int = 502, code: str) -> ApiError:
    return ApiError(message, status=status, kind="server_error", code=code)
