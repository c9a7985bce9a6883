"""What the embedded server does not serve itself is passed on to the model server, unchanged."""

from __future__ import annotations

import gzip
import json
import threading
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import requests
from flask.testing import FlaskClient
from openai import OpenAI

from tests.support.model_server import PATIENCE, STREAM, FakeModel, Json, stream, whole
from tests.support.raw_server import Connection, RawServer
from tests.support.serving import serve
from webapp import create_app
from webapp.config import Config
from webapp.embedded import ModelLimits, ModelServer, Store, create_server
from webapp.http.decompression import HOLDS_BYTES

KEY = "sk-of-the-model-server"
HTML = b"<!doctype html><script>fetch('/completions')</script>"


@pytest.fixture
def model() -> FakeModel:
    return FakeModel()


@pytest.fixture
def client(tmp_path: Path, model: FakeModel) -> Iterator[FlaskClient]:
    with (
        closing(Store(f"sqlite:///{tmp_path / 'store.sqlite3'}")) as store,
        model.serve() as url,
    ):
        yield create_server(store, model=ModelServer(url, api_key=KEY)).test_client()


@pytest.fixture
def address(tmp_path: Path, model: FakeModel) -> Iterator[str]:
    """The whole application on a real port; its base URL."""
    with model.serve() as url:
        config = Config(database_url=f"sqlite:///{tmp_path / 'r.sqlite3'}", model_url=url)
        with serve(create_app(config)) as root:
            yield f"{root}/v1"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/models"),
        ("GET", "/models/m"),
        ("GET", "/models/org%2Fmodel:7b"),
        ("GET", "/models/%C3%A9?a=b%20c&d"),
        ("POST", "/embeddings"),
        ("POST", "/completions"),
        ("POST", "/responses"),
        ("GET", "/responses/resp_1/input_items?after=x"),
        ("DELETE", "/responses/resp_1"),
        ("PUT", "/files/f"),
        ("POST", "/audio/transcriptions"),
        ("GET", "/chat"),
        ("POST", "/chat/completionsx"),
    ],
)
def test_every_other_path_reaches_the_model_server(
    address: str, model: FakeModel, method: str, path: str
) -> None:
    body = b'{"model": "m", "n": 1.50}' if method in ("POST", "PUT") else b""
    headers = {"Content-Type": "application/json", "OpenAI-Beta": "x=v2"}
    answer = requests.request(method, f"{address}{path}", data=body, headers=headers, timeout=60)

    assert answer.json() == {"path": f"/v1{path}", "method": method}
    (seen,) = model.requests
    assert (seen.method, seen.body) == (method, body)
    assert seen.headers["openai-beta"] == "x=v2"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("PUT", "/chat/completions", 405),
        ("TRACE", "/models", 405),
        ("CONNECT", "/models", 405),
        ("PROPFIND", "/models", 405),
        ("GET", "/chat/completions//messages", 404),
        ("GET", "/chat/completions/x/y", 404),
        ("GET", "/chat/completions/none", 404),
        ("GET", "/../admin", 404),
        ("GET", "/a/%2e%2e/%2e%2e/admin", 404),
        ("GET", "/a/..%2f..%2fadmin", 404),
    ],
)
def test_its_own_paths_and_ways_out_are_not_passed_on(
    client: FlaskClient, model: FakeModel, method: str, path: str, status: int
) -> None:
    assert client.open(path, method=method).status_code == status
    assert model.requests == []


def test_keys_and_cookies_of_the_client_are_not_passed_on(
    client: FlaskClient, model: FakeModel
) -> None:
    headers = {"Authorization": "Bearer mine", "api-key": "mine", "Cookie": "a=mine", "X-A": "mine"}
    client.get("/models", headers=headers)

    (seen,) = model.requests
    assert seen.headers["authorization"] == f"Bearer {KEY}"
    assert "mine" not in " ".join(seen.headers.values())


@pytest.mark.parametrize("path", ["/models", "/chat/completions"])
@pytest.mark.parametrize("status", [200, 404, 500])
def test_what_comes_back_cannot_be_a_page_of_ours(
    address: str, model: FakeModel, path: str, status: int
) -> None:
    own = (("Set-Cookie", "session=theirs"), ("Content-Security-Policy", "script-src *"))
    model.script(
        whole(HTML, status=status, content_type="text/html", headers=(*own, ("Refresh", "0;/")))
    )
    asked: Json = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
    if path == "/models":
        answer = requests.get(f"{address}{path}", timeout=60)
    else:
        answer = requests.post(f"{address}{path}", json=asked, timeout=60)

    assert (answer.status_code, answer.content) == (status, HTML)
    assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert not {"Set-Cookie", "Refresh", "Location"} & answer.headers.keys()


def test_nothing_is_said_of_a_body_that_its_server_does_not_say(tmp_path: Path) -> None:
    def script(connection: Connection) -> None:
        connection.receive()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<b>hi<")

    with (
        closing(Store(f"sqlite:///{tmp_path / 's.sqlite3'}")) as store,
        RawServer(script) as server,
    ):
        client = create_server(store, model=ModelServer(server.base_url)).test_client()
        answer = client.get("/models")

    assert (answer.status_code, answer.data) == (200, b"<b>hi<")
    assert "Content-Type" not in answer.headers


def test_a_body_that_breaks_off_at_once_is_an_error(address: str, model: FakeModel) -> None:
    model.script(whole(b'{"object": "list"}', headers=(("Content-Encoding", "gzip"),)))
    answer = requests.get(f"{address}/models", timeout=60)

    assert answer.status_code == 502
    assert answer.json()["error"]["code"] == "model_server_broke_off"


@pytest.mark.parametrize(("path", "written"), [("", ""), ("/模型", "/%E6%A8%A1%E5%9E%8B")])
def test_a_model_url_without_v1_is_offered_with_it(
    tmp_path: Path, model: FakeModel, path: str, written: str
) -> None:
    asked = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
    missing = whole(b"404 page not found", status=404, content_type="text/plain")
    with closing(Store(f"sqlite:///{tmp_path / 's.sqlite3'}")) as store, model.serve() as url:
        root = url.removesuffix("/v1")
        client = create_server(store, model=ModelServer(root + path)).test_client()
        model.script(missing, missing)
        answer = client.post("/chat/completions", json=asked)
        other = create_server(store, model=ModelServer(url)).test_client()

        assert (answer.status_code, answer.data) == (404, b"404 page not found")
        advice = answer.headers["X-Readback-Advice"]
        assert advice.endswith(f"set READBACK_MODEL_URL to {root}{written}/v1.")
        plain = other.post("/chat/completions", json=asked)
        assert "X-Readback-Advice" not in plain.headers


@pytest.mark.parametrize("path", ["/realtime?model=m", "/responses"])
def test_a_websocket_is_refused(client: FlaskClient, model: FakeModel, path: str) -> None:
    asked = {"Connection": "Upgrade", "Upgrade": "WebSocket", "Sec-WebSocket-Version": "13"}
    answer = client.get(path, headers=asked)

    assert answer.status_code == 501
    assert "WebSocket" in answer.get_json()["error"]["message"]
    assert model.requests == []


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_compressed_requests_are_understood(
    client: FlaskClient, model: FakeModel, encoding: str
) -> None:
    asked = json.dumps({"model": "m", "messages": [{"role": "user", "content": "Hi"}]}).encode()
    body = gzip.compress(asked) if encoding == "gzip" else zlib.compress(asked)
    headers = {"Content-Encoding": encoding, "Content-Type": "application/json"}
    client.post("/embeddings", data=body, headers=headers)
    client.post("/chat/completions", data=body, headers=headers)

    passed_on, created = model.requests
    assert (passed_on.headers["content-encoding"], passed_on.body) == (encoding, body)
    assert ("content-encoding" in created.headers, created.body) == (False, asked)


@pytest.mark.parametrize(
    ("body", "encoding", "status"),
    [
        (b"{}", "br", 415),
        (b"{}", "gzip", 400),
        (gzip.compress(b"{}", mtime=0)[:-6], "gzip", 400),
        (gzip.compress(b" " * 2_000_000, mtime=0), "gzip", 413),
    ],
)
def test_what_cannot_be_decompressed_is_not_created(
    tmp_path: Path, model: FakeModel, body: bytes, encoding: str, status: int
) -> None:
    with closing(Store(f"sqlite:///{tmp_path / 's.sqlite3'}")) as store, model.serve() as url:
        server = ModelServer(url, limits=ModelLimits(max_request_bytes=1_000_000))
        answer = (
            create_server(store, model=server)
            .test_client()
            .post("/chat/completions", data=body, headers={"Content-Encoding": encoding})
        )

    assert (answer.status_code, "error" in answer.get_json()) == (status, True)
    assert model.requests == []


def test_a_body_is_not_decompressed_beyond_what_the_server_may_hold(
    client: FlaskClient, model: FakeModel
) -> None:
    asked: list[int] = []

    def holds(size: int) -> bool:
        asked.append(size)
        return size <= 500_000

    answer = client.post(
        "/chat/completions",
        data=gzip.compress(b" " * 2_000_000, mtime=0),
        headers={"Content-Encoding": "gzip"},
        environ_overrides={HOLDS_BYTES: holds},
    )
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert 500_000 < max(asked) < 600_000
    assert model.requests == []


@pytest.mark.parametrize("path", ["/chat/completions", "/embeddings"])
def test_what_a_client_says_of_its_request_is_passed_on(
    client: FlaskClient, model: FakeModel, path: str
) -> None:
    about = {
        "Anthropic-Beta": "interleaved-thinking-2025-05-14",
        "HTTP-Referer": "https://app.example",
        "Idempotency-Key": "once",
        "Traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "X-Title": "My app",
    }
    asked = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
    client.post(path, json=asked, headers=about)

    (seen,) = model.requests
    assert {name: seen.headers.get(name.lower()) for name in about} == about
    assert seen.headers["content-type"] == "application/json"


def test_a_part_of_a_file_is_known_as_one(address: str, model: FakeModel) -> None:
    about = {
        "Content-Range": "bytes 2-4/9",
        "Accept-Ranges": "bytes",
        "ETag": '"e"',
        "Content-Disposition": 'attachment; filename="a.mp3"',
        "request-id": "req_1",
        "anthropic-ratelimit-tokens-remaining": "5",
    }
    model.script(
        whole(b"\x00\xff\x80", status=206, content_type="audio/mpeg", headers=tuple(about.items()))
    )
    asked = {"Range": "bytes=2-4", "If-Range": '"e"', "Last-Event-ID": "7"}
    answer = requests.get(f"{address}/files/f/content", headers=asked, timeout=60)

    assert (answer.status_code, answer.content) == (206, b"\x00\xff\x80")
    assert {name: answer.headers.get(name) for name in about} == about
    (seen,) = model.requests
    assert {name: seen.headers.get(name.lower()) for name in asked} == asked


def test_an_answer_without_its_body_has_its_length(address: str, model: FakeModel) -> None:
    model.script(whole(b"x" * 500, content_type="audio/mpeg"))
    answer = requests.head(f"{address}/files/f/content", timeout=60)

    assert (answer.status_code, answer.headers["Content-Length"]) == (200, "500")
    assert model.requests[0].method == "HEAD"


def test_events_arrive_as_they_are_sent(address: str, model: FakeModel) -> None:
    go_on = threading.Event()
    model.script(stream(b"data: one\n\n", go_on, b": note\n\ndata: two\n\n", done=False))
    with requests.post(f"{address}/responses", json={}, stream=True, timeout=60) as answer:
        chunks = answer.iter_content(None)
        first = next(chunks)
        go_on.set()
        rest = b"".join(chunks)

    assert first == b"data: one\n\n"
    assert rest == b": note\n\ndata: two\n\n"
    assert answer.headers["Content-Type"] == STREAM


def test_a_stream_that_breaks_off_ends_with_an_error(address: str, model: FakeModel) -> None:
    model.script(stream(b"data: one\n\n", done=False, breaks_off=True))
    answer = requests.post(f"{address}/responses", json={}, timeout=60)

    assert answer.content.startswith(b"data: one\n\n")
    assert b'"code": "model_server_broke_off"' in answer.content


def test_an_answer_is_closed_if_the_client_leaves(address: str, model: FakeModel) -> None:
    never = threading.Event()
    endless = [b"data: " + b"x" * 100_000 + b"\n\n"] * 200
    model.script(stream(b"data: one\n\n", *endless, never, done=False))
    with requests.post(f"{address}/responses", json={}, stream=True, timeout=60) as answer:
        next(answer.iter_content(None))

    assert model.left.wait(PATIENCE)
    never.set()


def test_a_key_for_this_server_is_needed_to_pass_on(tmp_path: Path, model: FakeModel) -> None:
    with (
        closing(Store(f"sqlite:///{tmp_path / 's.sqlite3'}")) as store,
        model.serve() as url,
    ):
        client = create_server(store, api_key="sk-ours", model=ModelServer(url)).test_client()
        assert client.get("/models").status_code == 401
        assert client.get("/models", headers={"Authorization": "Bearer sk-ours"}).status_code == 200

    assert len(model.requests) == 1


def test_without_a_model_server_there_is_nothing_else(tmp_path: Path) -> None:
    with closing(Store(f"sqlite:///{tmp_path / 's.sqlite3'}")) as store:
        answer = create_server(store).test_client().get("/models")

    assert answer.status_code == 404
    assert answer.get_json()["error"]["code"] == "unknown_url"


MODELS = whole({"object": "list", "data": [{"id": "m", "object": "model", "created": 1}]})
EMBEDDED = whole(
    b'{ "object":"list","model":"m","data":[{"object":"embedding","index":0,'
    b'"embedding":[0.10, -1e-7]}],\n"usage":{"prompt_tokens":1,"total_tokens":1} }\n'
)
TEXT = stream(
    b'data: {"id":"cmpl-1","object":"text_completion","created":1,"model":"m",'
    b'"choices":[{"text":"caf\xc3\xa9","index":0,"logprobs":null,"finish_reason":null}]}\n\n',
    b": keep-alive\n\n",
)


def test_the_official_client_gets_what_the_server_sent_byte_for_byte(
    address: str, model: FakeModel
) -> None:
    with OpenAI(base_url=address, api_key="unused", max_retries=0) as client:
        model.script(MODELS, EMBEDDED, TEXT, TEXT)
        models = client.models.with_raw_response.list()
        embedded = client.embeddings.with_raw_response.create(model="m", input="a")
        with client.completions.with_streaming_response.create(
            model="m", prompt="a", stream=True
        ) as streamed:
            raw = b"".join(streamed.iter_bytes())
        events = list(client.completions.create(model="m", prompt="a", stream=True))

    assert models.content == MODELS.body
    assert models.parse().data[0].id == "m"
    assert embedded.content == EMBEDDED.body
    assert raw == TEXT.body
    assert [event.choices[0].text for event in events] == ["café"]
