"""`readback serve` and `readback import` as a user runs them: processes, ports and signals."""

from __future__ import annotations

import errno
import http.client
import json
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import pytest
import requests

from tests.support.command import PATIENCE, Ended, Readback, Served, find_free_port
from tests.support.fake_upstream import MOUNT, FakeUpstream, stored
from tests.support.model_server import FakeModel, chunk, delta, stream
from tests.support.serving import serve as serve_app
from tools.forking import Forkable
from webapp.embedded.recording.model_server import STOPPED

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

Serve: TypeAlias = Callable[..., Served]


@pytest.fixture
def readback(forkable: Forkable, tmp_path: Path) -> Readback:
    return Readback.of_user(tmp_path, forkable=forkable)


@pytest.fixture
def serve(readback: Readback) -> Iterator[Serve]:
    """Start `readback serve` with these settings; every server is stopped after the test."""
    with ExitStack() as stack:
        yield lambda **settings: stack.enter_context(readback.serve(**settings))


@dataclass
class Held:
    """A fake upstream that lets requests with `query` wait until they are released."""

    query: str
    fake: FakeUpstream = field(default_factory=FakeUpstream)
    arrived: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if self.query in environ["QUERY_STRING"]:
            self.arrived.set()
            assert self.released.wait(PATIENCE)
        return self.fake(environ, start_response)


@contextmanager
def kept_connection(served: Served) -> Iterator[socket.socket]:
    """A connection over which the server has answered once."""
    client = http.client.HTTPConnection("127.0.0.1", served.port, timeout=PATIENCE)
    with closing(client):
        client.request("GET", "/healthz")
        assert client.getresponse().read() == b"ok\n"
        yield client.sock


def line(completion_id: str, text: str = "Hello") -> str:
    """A completion as a line of a JSONL file."""
    message = {"role": "user", "content": text}
    return json.dumps({"id": completion_id, "messages": [message], "choices": []}) + "\n"


def test_it_says_where_it_is_and_serves_pages_and_the_api_there(serve: Serve) -> None:
    served = serve()
    newest = served.completion_ids()[0]

    assert f"Readback is at http://127.0.0.1:{served.port}" in served.said
    assert served.get("/healthz").text == "ok\n"
    assert f"/completions/{newest}" in served.get("/completions").text
    assert served.get(f"/v1/chat/completions/{newest}/messages").json()["object"] == "list"


def test_samples_are_loaded_at_the_first_start_only(serve: Serve) -> None:
    first = serve()
    samples = first.completion_ids()
    first.client.delete(first.url(f"/v1/chat/completions/{samples[0]}"), timeout=PATIENCE)
    first.stop()
    second = serve()

    assert f"Loaded {len(samples)} sample completions." in first.said
    assert not any(said.startswith("Loaded") for said in second.said)
    assert second.completion_ids() == samples[1:]


def test_no_samples_are_added_to_what_was_imported_first(
    serve: Serve, readback: Readback, tmp_path: Path
) -> None:
    file = tmp_path / "mine.jsonl"
    file.write_text(line("chatcmpl-mine"))
    readback("import", file)

    assert serve().completion_ids() == ["chatcmpl-mine"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_with_all_its_workers_while_a_connection_is_open(
    serve: Serve, number: signal.Signals
) -> None:
    served = serve()
    assert served.get("/healthz").ok
    with kept_connection(served):
        # Ctrl+C reaches every process of the terminal; who stops a service names one.
        send = os.killpg if number == signal.SIGINT else os.kill
        send(served.process.pid, number)

        assert served.wait() == Ended(0)
    with socket.socket() as client:
        assert client.connect_ex(("127.0.0.1", served.port)) == errno.ECONNREFUSED


def test_it_stops_when_it_is_told_so_while_it_starts(serve: Serve) -> None:
    assert serve().stop().status in (0, -signal.SIGTERM)


def test_a_request_that_never_ends_does_not_hold_up_the_stop(serve: Serve) -> None:
    served = serve()
    assert served.get("/healthz").ok
    head = "POST /open HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n"
    form = "Content-Type: application/x-www-form-urlencoded\r\nExpect: 100-continue\r\n\r\n"
    with kept_connection(served) as stuck:
        stuck.sendall((head + form).encode())
        assert stuck.recv(100).startswith(b"HTTP/1.1 100")

        assert served.stop() == Ended(0)


def test_a_page_that_is_being_made_is_sent_before_the_stop(serve: Serve) -> None:
    held = Held("order=asc")
    held.fake.completions["chatcmpl-1"] = stored("chatcmpl-1", "The question")
    pages: list[requests.Response] = []
    with serve_app(held) as address:
        served = serve(OPENAI_BASE_URL=address + MOUNT, READBACK_WORKERS="1")
        read = threading.Thread(target=lambda: pages.append(served.get("/completions/chatcmpl-1")))
        read.start()
        assert held.arrived.wait(PATIENCE)
        with kept_connection(served) as idle:
            served.process.terminate()
            # When the worker closes it, the worker is stopping.
            assert idle.recv(1) == b""
        held.released.set()
        read.join(PATIENCE)

        assert "The question" in pages[0].text
        assert served.wait() == Ended(0)


def test_a_stop_stores_what_a_model_said_before_it_fell_silent(serve: Serve) -> None:
    speaks_on = threading.Event()
    model = FakeModel()
    model.script(stream(chunk(delta(content="The first half")), speaks_on, done=False))
    asked = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
    with model.serve() as address:
        served = serve(READBACK_MODEL_URL=address, READBACK_WORKERS="1")
        url = served.url("/v1/chat/completions")
        body = asked | {"stream": True, "store": True}
        with served.client.post(url, json=body, stream=True, timeout=PATIENCE) as answer:
            events = answer.iter_lines()
            assert b"The first half" in next(events)
            # A worker stops at once if its parent is gone, and looks for that when it wakes.
            served.process.kill()
            with suppress(OSError), kept_connection(served):
                pass
            served.wait()
            speaks_on.set()
        page = serve().get("/completions/chatcmpl-1").text

    assert "The first half" in page
    assert STOPPED in page


def test_all_messages_arrive_in_pieces_as_the_upstream_gives_them(serve: Serve) -> None:
    held = Held("after=chatcmpl-1-19")
    texts = [f"This is text {number}." for number in range(30)]
    held.fake.completions["chatcmpl-1"] = stored("chatcmpl-1", *texts)
    with serve_app(held) as address:
        served = serve(OPENAI_BASE_URL=address + MOUNT)
        url = served.url("/completions/chatcmpl-1?all=1")
        with served.client.get(url, stream=True, timeout=PATIENCE) as page:
            pieces = page.iter_content(chunk_size=None)
            early = b""
            while texts[19].encode() not in early:
                early += next(pieces)
            held.released.set()
            late = b"".join(pieces)

    assert held.arrived.is_set()
    assert not any(text.encode() in early for text in texts[20:])
    assert all(text.encode() in late for text in texts[20:])


def test_localhost_is_a_host_to_listen_on(serve: Serve) -> None:
    served = serve(HOST="localhost")

    assert f"Readback is at http://localhost:{served.port}" in served.said
    assert served.get("/healthz").text == "ok\n"


def test_the_secret_key_may_come_from_a_file(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("0123456789abcdef\n")

    assert serve(SECRET_KEY_FILE=str(tmp_path / "key")).get("/healthz").ok


def test_other_machines_are_served_only_if_a_setting_allows_it(
    serve: Serve, readback: Readback
) -> None:
    refused = readback.with_settings(HOST="0.0.0.0")("serve")
    served = serve(HOST="0.0.0.0", READBACK_OPEN="1")

    assert (refused.status, refused.errors.count("\n")) == (2, 1)
    assert "HOST=0.0.0.0" in refused.errors
    assert "READBACK_OPEN=1" in refused.errors
    assert served.get("/completions").status_code == 200


def test_a_port_in_use_is_one_line(serve: Serve, readback: Readback) -> None:
    served = serve()
    assert served.get("/healthz").ok

    ended = readback.with_settings(PORT=str(served.port))("serve")
    in_use = f"readback: PORT={served.port} is in use on 127.0.0.1; set another one\n"
    assert ended == Ended(1, "", in_use)


@pytest.mark.parametrize(
    ("name", "value", "status"),
    [
        ("PORT", "eighty", 2),
        # Not an address of this machine yet: a service is started again.
        ("HOST", "192.0.2.1", 1),
        ("OPENAI_BASE_URL", "http://llm.example/v1", 2),
        ("OPENAI_API_KEY_FILE", "/nowhere/key", 2),
        ("DATABASE_URL", "readback.sqlite3", 2),
    ],
)
def test_a_setting_that_cannot_be_used_stops_the_start_with_one_line_that_names_it(
    readback: Readback, name: str, value: str, status: int
) -> None:
    settings = {"PORT": str(find_free_port()), "READBACK_OPEN": "1", name: value}
    ended = readback.with_settings(**settings)("serve")

    assert (ended.status, ended.output) == (status, "")
    assert ended.errors.startswith("readback: ") and ended.errors.count("\n") == 1
    assert name in ended.errors


def test_a_malformed_address_of_a_replica_stops_the_start(readback: Readback) -> None:
    ended = readback.with_settings(
        PORT=str(find_free_port()),
        DATABASE_URL="postgresql://127.0.0.1:1/readback",
        READBACK_READ_DATABASE_URL="postgresql://me:hun@ter@replica/readback",
    )("serve")

    assert (ended.status, ended.output) == (2, "")
    assert ended.errors.startswith("readback: The replica's address has an @")
    assert ended.errors.count("\n") == 1 and "hun@" not in ended.errors


def test_importing_a_file_twice_loads_it_once(readback: Readback, tmp_path: Path) -> None:
    file = tmp_path / "two.jsonl"
    file.write_text(line("chatcmpl-1") + line("chatcmpl-2"))
    first = readback("import", file)
    second = readback("import", file)

    assert (first.status, first.errors) == (second.status, second.errors) == (0, "")
    assert "2 completions loaded." in first.output
    assert "0 completions loaded, 2 stored already." in second.output


def test_a_line_that_cannot_be_loaded_is_named_and_the_others_are_loaded(
    serve: Serve, readback: Readback, tmp_path: Path
) -> None:
    file = tmp_path / "mixed.jsonl"
    file.write_text(
        line("chatcmpl-1") + "{]\n" + line("chatcmpl-1", "Changed") + line("chatcmpl-2")
    )
    ended = readback("import", file)

    assert ended.status == 1
    assert "2 completions loaded, 1 not loaded: stored with other content" in ended.output
    assert ended.errors.count(f"{file}:2: ") == ended.errors.count(f"{file}:3: chatcmpl-1 ") == 1
    assert sorted(serve().completion_ids()) == ["chatcmpl-1", "chatcmpl-2"]


def test_a_file_that_is_not_there_is_named(readback: Readback, tmp_path: Path) -> None:
    ended = readback("import", tmp_path / "none.jsonl")

    assert ended.status == 1
    assert ended.errors.startswith(f"{tmp_path / 'none.jsonl'}: ")
    assert ended.errors.count("\n") == 1
