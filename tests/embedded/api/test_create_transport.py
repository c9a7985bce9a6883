"""Creating through model servers that are slow, odd or silent, on bare sockets."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.support.model_server import completion
from tests.support.raw_server import Connection, RawServer, Script, http_answer
from tests.support.widening import widen_timeout
from webapp.embedded import ModelLimits, ModelServer, Store, create_server
from webapp.embedded.limits import MAX_VALUES

pytestmark = pytest.mark.one_database

CREATE = "/chat/completions"
ANSWER = json.dumps(completion()).encode()
ASKED: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}

Connect = Callable[..., FlaskClient]


@pytest.fixture
def connect(store: Store) -> Iterator[Connect]:
    """Return a function that makes a client of a server whose model runs a script."""
    with ExitStack() as stack:

        def connect(script: Script, **limits: Any) -> FlaskClient:
            model = stack.enter_context(RawServer(script))
            server = ModelServer(model.base_url, limits=ModelLimits(**limits))
            return create_server(store, model=server).test_client()

        yield connect


def sends(answer: bytes) -> Script:
    def script(connection: Connection) -> None:
        connection.receive()
        connection.send(answer)
        # Closing with a part of the request unread would reset the connection.
        connection.receive()

    return script


def post(client: FlaskClient, **more: Any) -> TestResponse:
    return client.post(CREATE, json=ASKED | {"store": True} | more)


def assert_failed(answer: TestResponse, status: int, code: str) -> None:
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (status, code)


def newest(client: FlaskClient) -> Any:
    return client.get(f"{CREATE}?limit=1").get_json()["data"][0]


def test_an_upload_may_take_longer_than_connecting(connect: Connect) -> None:
    def script(connection: Connection) -> None:
        connection.receive_slowly(b'"the end"}')
        connection.send(http_answer(ANSWER, Content_Type="application/json"))

    client = connect(script, connect_timeout=0.05)
    body = json.dumps(ASKED)[:-1] + ', "user": "' + "x" * 20_000_000 + '", "end": "the end"}'
    answer = client.post(CREATE, data=body)

    assert answer.status_code == 200, answer.text


def test_an_upload_that_nobody_reads_ends_with_the_creates_deadline(connect: Connect) -> None:
    client = connect(Connection.stay_silent, create_timeout=0.2)
    content = "x" * 20_000_000
    answer = post(client, messages=[{"role": "user", "content": content}])

    assert_failed(answer, 504, code="model_server_timeout")


def test_a_silent_model_ends_with_the_creates_deadline(connect: Connect) -> None:
    client = connect(Connection.stay_silent, create_timeout=0.2)

    assert_failed(post(client), 504, code="model_server_timeout")


def test_an_answer_that_drips_ends_with_the_creates_deadline(connect: Connect) -> None:
    def script(connection: Connection) -> None:
        connection.receive()
        connection.drip(http_answer(b" " * 100_000 + ANSWER, Content_Type="application/json"))

    assert_failed(post(connect(script, create_timeout=0.3)), 504, code="model_server_timeout")


def test_a_stream_that_never_ends_is_ended_by_the_deadline_with_an_error(connect: Connect) -> None:
    def script(connection: Connection) -> None:
        connection.receive()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        connection.drip(b": ping\n\n" * 100_000)

    def ask(seconds: float) -> str:
        answer = post(connect(script, create_timeout=seconds), stream=True)
        assert '"code": "model_server_timeout"' in answer.text
        return answer.content_type

    assert widen_timeout(ask, "text/event-stream", seconds=0.3).startswith("text/event-stream")


@pytest.mark.parametrize("interim", [b"103 Early Hints", b"102 Processing", b"100 Continue"])
@pytest.mark.parametrize("times", [1, 3])
def test_interim_answers_are_skipped(connect: Connect, interim: bytes, times: int) -> None:
    before = b"HTTP/1.1 " + interim + b"\r\nLink: </a>; rel=preload\r\n\r\n"
    client = connect(sends(before * times + http_answer(ANSWER, Content_Type="application/json")))

    assert post(client).get_data() == ANSWER
    assert newest(client)["id"] == "chatcmpl-1"


def test_interim_answers_without_end_are_an_error(connect: Connect) -> None:
    client = connect(sends(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100))

    assert post(client).status_code == 502


def test_a_change_of_protocol_is_an_error(connect: Connect) -> None:
    client = connect(sends(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nxyz"))

    assert_failed(post(client), 502, code="model_server_broke_off")


@pytest.mark.parametrize(
    ("asked", "media_type"), [({}, "application/json"), ({"stream": True}, "text/event-stream")]
)
def test_an_answer_without_a_content_type_is_what_was_asked_for(
    connect: Connect, asked: dict[str, Any], media_type: str
) -> None:
    events = b"data: " + ANSWER.replace(b"chat.completion", b"chat.completion.chunk") + b"\n\n"
    body = events + b"data: [DONE]\n\n" if asked else ANSWER
    answer = post(connect(sends(http_answer(body))), **asked)

    assert answer.content_type == media_type
    assert answer.get_data() == body


def test_a_whole_answer_to_a_request_for_a_stream_is_stored_whole(connect: Connect) -> None:
    client = connect(sends(http_answer(ANSWER)))

    assert post(client, stream=True).get_data() == ANSWER
    stored = newest(client)
    given = json.loads(ANSWER)["choices"][0]["message"]["content"]
    assert stored["choices"][0]["message"]["content"] == given
    assert "incomplete" not in stored


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, br"])
def test_an_answer_in_another_compression_goes_on_with_its_name(
    connect: Connect, encoding: str
) -> None:
    packed = b"\x0b\x02\x80packed\x03"
    script = sends(http_answer(packed, Content_Type="application/json", Content_Encoding=encoding))
    client = connect(script)
    answer = post(client)

    assert answer.headers["Content-Encoding"] == encoding
    assert answer.get_data() == packed
    assert "compressed" in newest(client)["incomplete"]["reason"]


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", lambda data: zlib.compress(data, wbits=-15)),
        ("gzip, x-gzip", lambda data: gzip.compress(gzip.compress(data))),
        ("gzip", lambda data: gzip.compress(data[:9]) + gzip.compress(data[9:]) + bytes(8)),
    ],
)
def test_a_compressed_answer_goes_on_plain_and_one_that_ends_early_fails(
    connect: Connect, encoding: str, pack: Callable[[bytes], bytes]
) -> None:
    head = {"Content_Type": "application/json", "Content_Encoding": encoding}
    packed = pack(ANSWER)
    answer = post(connect(sends(http_answer(packed, **head))))

    assert answer.get_data() == ANSWER
    assert "Content-Encoding" not in answer.headers
    for cut in (packed[: len(packed) // 2], b"no such format"):
        cut_off = connect(sends(http_answer(cut, **head)))
        assert_failed(post(cut_off), 502, code="model_server_broke_off")


def test_a_body_of_many_small_values_is_refused(connect: Connect) -> None:
    many = f"[{'0,' * (MAX_VALUES + 100_000)}0]"
    client = connect(sends(http_answer(ANSWER)))
    answer = client.post(CREATE, data=json.dumps(ASKED)[:-1] + f', "tools": {many}}}')

    assert answer.status_code == 400
    assert f"more than {MAX_VALUES:,} values" in answer.get_json()["error"]["message"]


def test_an_answer_of_many_small_values_goes_on_and_is_kept_as_text(connect: Connect) -> None:
    body = b'{"choices":[' + b"0," * (MAX_VALUES + 100_000) + b"0]}"
    client = connect(sends(http_answer(body, Content_Type="application/json")))

    assert post(client).get_data() == body
    assert f"more than {MAX_VALUES:,} values" in newest(client)["incomplete"]["reason"]
