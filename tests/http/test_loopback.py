"""The transport into this process, seen through requests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
import requests
from flask import Flask, Response, g, request
from urllib3.exceptions import ProtocolError

from webapp.http.loopback import LoopbackAdapter

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

URL = "http://127.0.0.1/v1"


class Chunks:
    """A WSGI body that records the chunks read from it, and whether it was closed."""

    def __init__(self, *chunks: bytes, fails: bool = False) -> None:
        self._chunks = chunks
        self._fails = fails
        self.taken: list[bytes] = []
        self.is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self.taken.append(chunk)
            yield chunk
        if self._fails:
            raise RuntimeError("the app broke")

    def close(self) -> None:
        self.is_closed = True

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return self


class CountedSlices(bytes):
    """Bytes that count how many of them slicing copied."""

    copied = 0

    def __getitem__(self, key: Any) -> Any:
        part = super().__getitem__(key)
        CountedSlices.copied += len(part) if isinstance(part, bytes) else 1
        return part


def session_for(app: object, mount: str = "/v1") -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.mount("http://", LoopbackAdapter(app, mount=mount))  # type: ignore[arg-type]
    return session


@pytest.fixture
def app() -> Flask:
    app = Flask(__name__)

    @app.route("/echo/<path:rest>", methods=["GET", "POST", "DELETE", "HEAD"])
    def echo(rest: str) -> dict[str, object]:
        return {
            "method": request.method,
            "rest": rest,
            "root": request.script_root,
            "url": request.url,
            "args": request.args.to_dict(flat=False),
            "body": request.get_data(as_text=True),
            "type": request.content_type,
            "header": request.headers.get("X-One"),
        }

    @app.get("/twice")
    def twice() -> Response:
        response = Response("gone", status=410)
        response.headers.add("X-Twice", "a")
        response.headers.add("X-Twice", "b")
        return response

    return app


def test_a_request_reaches_the_app_as_over_a_network(app: Flask) -> None:
    response = session_for(app).post(
        f"{URL}/echo/a%20b/%C3%A9?x=1&x=%26",
        data='{"k": "é"}'.encode(),
        headers={"Content-Type": "application/json", "X-One": "1"},
    )

    assert response.json() == {
        "method": "POST",
        "rest": "a b/é",
        "root": "/v1",
        "url": "http://127.0.0.1/v1/echo/a%20b/é?x=1&x=%26",
        "args": {"x": ["1", "&"]},
        "body": '{"k": "é"}',
        "type": "application/json",
        "header": "1",
    }


def test_a_response_has_all_that_requests_promises(app: Flask) -> None:
    response = session_for(app).get(f"{URL}/twice")

    assert (response.status_code, response.reason, response.text) == (410, "GONE", "gone")
    assert response.url == f"{URL}/twice"
    assert response.request.method == "GET"
    assert response.headers["x-twice"] == "a, b"
    assert response.raw.headers.getlist("X-Twice") == ["a", "b"]
    assert response.encoding == "utf-8"
    assert response.elapsed.total_seconds() > 0


def test_a_head_has_headers_and_no_body(app: Flask) -> None:
    response = session_for(app).head(f"{URL}/echo/x")

    assert response.status_code == 200
    assert response.content == b""


@pytest.mark.parametrize("path", ["/", "/v2/echo/x", "/v1x/echo/x"])
def test_outside_the_mount_there_is_nothing(app: Flask, path: str) -> None:
    assert session_for(app).get(f"http://127.0.0.1{path}").status_code == 404


def test_an_app_may_be_mounted_at_the_root(app: Flask) -> None:
    assert session_for(app, mount="/").get("http://127.0.0.1/twice").status_code == 410


def test_a_body_is_drawn_as_it_is_read_and_closed_at_its_end() -> None:
    body = Chunks(b"one", b"", b"two", b"three")
    response = session_for(body).get(URL, stream=True)
    assert body.taken == [b"one"]

    assert response.raw.read1(100) == b"one"
    assert response.raw.read1(2) == b"tw"
    assert body.taken == [b"one", b"", b"two"]
    assert not body.is_closed
    assert response.raw.read() == b"othree"
    assert body.is_closed


def test_a_body_left_unread_is_closed_with_the_response() -> None:
    body = Chunks(b"one", b"two")
    session_for(body).get(URL, stream=True).close()

    assert body.is_closed
    assert body.taken == [b"one"]


def test_an_app_that_breaks_in_mid_body_breaks_the_answer_off() -> None:
    body = Chunks(b"one", fails=True)
    response = session_for(body).get(URL, stream=True)

    assert response.raw.read1(100) == b"one"
    with pytest.raises(ProtocolError):
        response.raw.read1(100)
    response.close()
    assert body.is_closed


def breaks(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    raise RuntimeError("the app broke")


def says_nothing(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    return []


def has_no_status(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("Fine", [])
    return []


@pytest.mark.parametrize("app", [breaks, says_nothing, has_no_status])
def test_an_app_that_breaks_at_once_is_a_connection_error(app: object) -> None:
    with pytest.raises(requests.ConnectionError, match="the app failed"):
        session_for(app).get(URL)


def test_a_call_from_within_another_app_keeps_their_contexts_apart(app: Flask) -> None:
    outer = Flask("outer")
    session = session_for(app)

    @app.before_request
    def stain() -> None:
        g.mark = "inner"

    @outer.get("/")
    def call() -> str:
        g.mark = "outer"
        return f"{session.get(f'{URL}/twice').status_code} {g.mark} {request.path}"

    assert outer.test_client().get("/").text == "410 outer /"


def test_a_large_chunk_is_read_in_small_pieces_without_copying_its_rest_each_time() -> None:
    chunk = CountedSlices(bytes(range(256)) * 8_192)

    with session_for(Chunks(chunk, b"end")).get(f"{URL}/x", stream=True) as answer:
        pieces = list(iter(lambda: answer.raw.read1(4_096), b""))

    assert b"".join(pieces) == bytes(chunk) + b"end"
    assert CountedSlices.copied == 0
