"""Send the requests of a `requests` session to a WSGI app in this process.

The client sees the same HTTP semantics as over a network. A request over a real socket to the
same process would deadlock a server with one thread.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterable, Mapping
from http.client import IncompleteRead
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, unquote_to_bytes, urlsplit

import requests
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers
from urllib3 import HTTPHeaderDict, HTTPResponse
from werkzeug.test import run_wsgi_app

from webapp.http.session import DirectAdapter

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment


class LoopbackAdapter(DirectAdapter):
    """A `requests` adapter for one app, mounted at the path `mount`; for many threads at once.

    `variables` are added to the WSGI environment of every request.
    Bodies are read from the app as the caller reads them. Time-outs cannot interrupt the app. If
    it raises, the caller gets a `requests.ConnectionError`, or a truncated body if that has
    begun, as from a server that died.
    """

    def __init__(
        self,
        app: WSGIApplication,
        *,
        mount: str = "/v1",
        variables: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__()
        self._app = app
        self._variables = dict(variables or {})
        self._mount = mount.rstrip("/")

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        url = urlsplit(request.url or "")
        if not f"{url.path}/".startswith(f"{self._mount}/"):
            return _build_response(request, [b"Not Found"], "404 Not Found", [])
        try:
            body, status, headers = run_wsgi_app(self._app, self._build_environ(request, url))
            return _build_response(request, body, status, headers)
        except Exception as error:
            raise requests.ConnectionError("the app failed", request=request) from error

    def close(self) -> None:
        """Nothing is kept open between requests."""

    def _build_environ(
        self, request: requests.PreparedRequest, url: SplitResult
    ) -> WSGIEnvironment:
        body = request.body or b""
        assert isinstance(body, bytes)
        variables: WSGIEnvironment = {}
        headers: Mapping[str, str | bytes] = request.headers
        for name, value in headers.items():
            text = value.decode("latin-1") if isinstance(value, bytes) else value
            variables[f"HTTP_{name.upper().replace('-', '_')}"] = text
        variables.pop("HTTP_CONTENT_LENGTH", None)
        if content_type := variables.pop("HTTP_CONTENT_TYPE", None):
            variables["CONTENT_TYPE"] = content_type
        environ: WSGIEnvironment = {
            "REQUEST_METHOD": request.method,
            "SCRIPT_NAME": self._mount,
            "PATH_INFO": unquote_to_bytes(url.path[len(self._mount) :]).decode("latin-1"),
            "QUERY_STRING": url.query,
            "REQUEST_URI": f"{url.path}?{url.query}" if url.query else url.path,
            "SERVER_NAME": url.hostname or "localhost",
            "SERVER_PORT": str(url.port or (443 if url.scheme == "https" else 80)),
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": url.netloc,
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": url.scheme,
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        return environ | variables | self._variables


def _build_response(
    request: requests.PreparedRequest,
    body: Iterable[bytes],
    status: str,
    headers: Iterable[tuple[str, str]],
) -> requests.Response:
    code, _, reason = status.partition(" ")
    raw = HTTPResponse(
        body=io.BufferedReader(_Body(body)),
        headers=HTTPHeaderDict(headers),
        status=int(code),
        reason=reason,
        version=11,
        version_string="HTTP/1.1",
        preload_content=False,
        decode_content=False,
        request_method=request.method,
        request_url=request.url,
    )
    response = requests.Response()
    response.status_code = raw.status
    response.reason = reason
    response.headers = CaseInsensitiveDict(raw.headers)
    response.encoding = get_encoding_from_headers(response.headers)
    response.raw = raw
    response.url = request.url or ""
    response.request = request
    return response


class _Body(io.RawIOBase):
    """The app's iterable as a file, which closes the iterable at its end or when closed."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._iterator = iter(chunks)
        self._close_chunks: Callable[[], object] | None = getattr(chunks, "close", None)
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            try:
                chunk = next(self._iterator, None)
            except Exception as error:
                raise IncompleteRead(b"") from error
            if chunk is None:
                self._finish()
                return 0
            # Slices of a view share its bytes: copying the rest each time would be quadratic.
            self._rest = memoryview(chunk)
        count = min(len(buffer), len(self._rest))
        buffer[:count], self._rest = self._rest[:count], self._rest[count:]
        return count

    def close(self) -> None:
        super().close()
        self._finish()

    def _finish(self) -> None:
        """Close the iterable, once, as WSGI demands."""
        close, self._close_chunks = self._close_chunks, None
        if close is not None:
            close()
