"""Faults below HTTP, on real sockets."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from itertools import count
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING

import certifi
import pytest
import requests

from tests.support.fake_time import FakeTime
from tests.support.fake_upstream import FakeUpstream, stored
from tests.support.raw_server import Connection, RawServer, Script, http_answer
from tests.support.widening import widen_timeout
from tests.upstream.conftest import KEY
from webapp.http import open_session
from webapp.http.loopback import LoopbackAdapter
from webapp.http.transport import TimedAdapter
from webapp.upstream import (
    BadAnswer,
    Clock,
    Deadline,
    Endpoint,
    Limits,
    NotFound,
    TimedOut,
    Unreachable,
    Upstream,
    UpstreamError,
)
from webapp.upstream.decoding import read_text
from webapp.upstream.sender import Request

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

ID = "chatcmpl-1"
BODY = b'{"id":"chatcmpl-1"}'
LISTED = b'{"data":[]}'
GONE = b'{"error":{"message":"Completion chatcmpl-1 not found","code":"not_found"}}'
PATIENCE = 60
ONCE = Limits(max_retries=0)
HASTY = Limits(page_timeout=0.1, max_retries=0)

Client = Callable[..., tuple[Upstream, RawServer]]


@pytest.fixture
def client() -> Iterator[Client]:
    """Makes a client of a server that runs the given scripts; its retries do not wait."""
    with ExitStack() as stack:

        def connected(*scripts: Script, limits: Limits | None = None) -> tuple[Upstream, RawServer]:
            server = stack.enter_context(RawServer(*scripts))
            endpoint = Endpoint.openai(server.base_url, api_key=KEY)
            upstream = Upstream(endpoint, limits=limits, clock=Clock(sleep=lambda _: None))
            return stack.enter_context(closing(upstream)), server

        yield connected


def sends(*answers: bytes) -> Script:
    """Gives one answer a request, then closes the connection."""

    def script(connection: Connection) -> None:
        for answer in answers:
            if connection.receive():
                connection.send(answer)

    return script


def resets(after: bytes = b"") -> Script:
    def script(connection: Connection) -> None:
        connection.receive()
        connection.send(after)
        connection.reset()

    return script


def drips(data: bytes, *, at_once: bytes = b"") -> Script:
    def script(connection: Connection) -> None:
        connection.receive()
        connection.send(at_once)
        connection.drip(data)

    return script


def is_silent(connection: Connection) -> None:
    connection.receive()
    connection.stay_silent()


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "script",
    [
        is_silent,
        drips(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 90 + b"\r\n"),
        drips(BODY.ljust(1000), at_once=b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"),
        drips(BODY.ljust(1000), at_once=b"HTTP/1.1 200 OK\r\n\r\n"),
        drips(b"1;" + b"x" * 1000 + b"\r\n{\r\n0\r\n\r\n", at_once=CHUNKED),
        drips(b"1\r\n{\r\n" * 200 + b"0\r\n\r\n", at_once=CHUNKED),
        drips(b"Trailer: x\r\n" * 100 + b"\r\n", at_once=CHUNKED + b"2\r\n{}\r\n0\r\n"),
        drips(b"HTTP/1.1 100 Continue\r\n\r\n" * 50 + http_answer(BODY)),
    ],
    ids=[
        "silence",
        "headers",
        "body",
        "body without length",
        "chunk size",
        "chunks",
        "trailers",
        "continues",
    ],
)
def test_no_drip_outlasts_the_deadline(client: Client, script: Script) -> None:
    upstream, server = client(script, limits=HASTY)

    with pytest.raises(TimedOut) as problem:
        upstream.retrieve_completion(ID)
    assert problem.value.http_status == 504
    assert server.finished == 0


@pytest.mark.parametrize("status", [b"404 Not Found", b"302 Found"])
def test_a_dripping_error_or_redirect_is_still_that(client: Client, status: bytes) -> None:
    head = b"HTTP/1.1 " + status + b"\r\nLocation: /login\r\nContent-Length: 99999\r\n\r\n"

    def read(seconds: float) -> str:
        limits = Limits(page_timeout=seconds, max_retries=0)
        upstream, server = client(drips(b" " * 99_999, at_once=head), limits=limits)
        with pytest.raises(UpstreamError) as problem:
            upstream.retrieve_completion(ID)
        assert server.finished == 0
        return str(problem.value.status)

    expected = status[:3].decode()
    assert widen_timeout(read, expected, seconds=0.3) == expected


def test_a_slow_app_in_this_process_is_left_at_the_deadline(time: FakeTime) -> None:
    taken: list[int] = []

    def slow(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", [])
        for number in range(99):
            taken.append(number)
            time.passes(1)
            yield b" "

    endpoint = Endpoint.openai("http://127.0.0.1/v1")
    limits = Limits(page_timeout=3)
    upstream = Upstream(endpoint, limits=limits, transport=LoopbackAdapter(slow), clock=time.clock)
    with pytest.raises(TimedOut):
        upstream.retrieve_completion(ID)

    assert len(taken) == 3


def test_a_silence_in_mid_answer_ends_with_the_read_timeout(client: Client) -> None:
    def script(connection: Connection) -> None:
        connection.receive()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{")
        connection.stay_silent()

    def read(seconds: float) -> str:
        limits = Limits(read_timeout=seconds, page_timeout=600, max_retries=0)
        upstream, _ = client(script, limits=limits)
        with pytest.raises(TimedOut) as problem:
            upstream.retrieve_completion(ID)
        return str(problem.value)

    assert "middle" in widen_timeout(read, "middle", seconds=0.1)


@pytest.mark.parametrize(
    "script",
    [
        sends(http_answer(BODY, Content_Length="500")),
        sends(CHUNKED + b"5\r\n{"),
        sends(CHUNKED + b"zz\r\n{"),
        resets(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"),
        sends(http_answer(gzip.compress(BODY, mtime=0)[:-4], Content_Encoding="gzip")),
    ],
    ids=["length", "chunk", "chunk size", "reset", "gzip"],
)
def test_a_broken_off_answer_is_tried_again_and_then_an_error(
    client: Client, script: Script
) -> None:
    upstream, server = client(script)

    with pytest.raises(BadAnswer, match="broke off"):
        upstream.retrieve_completion(ID)
    assert server.connections == 3


@pytest.mark.parametrize("script", [resets(), sends(b""), sends()], ids=["reset", "end", "hang-up"])
def test_a_cut_connection_is_tried_again_and_then_an_error(client: Client, script: Script) -> None:
    upstream, server = client(script)

    with pytest.raises(Unreachable):
        upstream.retrieve_completion(ID)
    assert server.connections == 3


def test_what_is_slow_to_decompress_does_not_outlast_the_deadline(time: FakeTime) -> None:
    """A million empty members of gzip are 20 MB, and take longer than they do to arrive."""

    class Received:
        """An answer with whose end the time is over."""

        def __init__(self) -> None:
            self.pieces = [gzip.compress(b"", mtime=0) * 10]

        def read1(self, _size: int, *, decode_content: bool) -> bytes:
            if self.pieces:
                return self.pieces.pop()
            time.passes(60)
            return b""

    response = requests.Response()
    response.raw = Received()
    response.headers["Content-Encoding"] = "gzip"
    deadline = Deadline.after(10, clock=time.clock)
    with pytest.raises(TimedOut, match="did not finish its answer in 10 seconds"):
        read_text(response, deadline=deadline, max_bytes=1000)


def test_a_cut_connection_is_tried_again_with_success(client: Client) -> None:
    upstream, _ = client(resets(), sends(http_answer(BODY)))

    assert upstream.retrieve_completion(ID).id == ID


def test_what_is_not_http_is_a_bad_answer(client: Client) -> None:
    upstream, _ = client(sends(b"SSH-2.0-OpenSSH_9.6\r\n"))

    with pytest.raises(BadAnswer, match="in HTTP"):
        upstream.retrieve_completion(ID)


def test_a_server_that_is_not_there_is_unreachable() -> None:
    with RawServer(sends()) as server:
        base_url = server.base_url
    endpoint = Endpoint.openai(base_url, api_key=KEY)
    with closing(Upstream(endpoint, limits=ONCE)) as upstream, pytest.raises(Unreachable) as error:
        upstream.retrieve_completion(ID)

    assert error.value.http_status == 502
    assert error.value.__cause__ is not None
    assert KEY not in repr(error.value.__cause__)


def test_one_connection_serves_many_calls(client: Client) -> None:
    chunked = CHUNKED + b"13\r\n" + BODY + b"\r\n0\r\n\r\n"
    answers = (http_answer(LISTED), chunked, http_answer(GONE, status="404 Gone"))
    upstream, server = client(sends(*answers, http_answer(BODY)))
    upstream.list_messages(ID)
    upstream.retrieve_completion(ID)
    with pytest.raises(NotFound):
        upstream.retrieve_completion(ID)
    upstream.retrieve_completion(ID)

    assert server.connections == 1


def test_work_is_done_once_while_the_server_works(client: Client) -> None:
    worked, times = Event(), count()

    def resets_after_the_work(connection: Connection) -> None:
        connection.receive()
        connection.send(http_answer(LISTED))
        connection.receive()
        assert worked.wait(PATIENCE)
        connection.reset()

    def work() -> None:
        next(times)
        worked.set()

    upstream, server = client(resets_after_the_work, sends(http_answer(BODY)))
    upstream.list_messages(ID)
    request = Request("GET", f"/chat/completions/{ID}")

    text = upstream.read_text(request, Deadline.after(PATIENCE), meanwhile=work)
    assert (text[:], server.connections, next(times)) == (BODY.decode(), 2, 1)


def test_a_session_keeps_the_servers_that_it_reaches_apart() -> None:
    adapter = TimedAdapter(pool_connections=2, pool_maxsize=1)
    session = open_session(adapter, counted_as="upstream")
    found = []
    answers = (http_answer(LISTED), http_answer(BODY))
    with RawServer(sends(answers[0])) as one, RawServer(sends(answers[1])) as other:
        for server in (one, other):
            with session.request("GET", server.base_url, headers={}, timeout=5) as response:
                found.append(response.content)
    session.close()
    with RawServer(sends(answers[1])) as again:
        found.append(session.request("GET", again.base_url, headers={}, timeout=5).content)
    session.close()

    assert found == [LISTED, BODY, BODY]


def test_a_kept_connection_that_died_costs_no_retry(client: Client) -> None:
    def serves_one_and_resets_the_next(connection: Connection) -> None:
        connection.receive()
        connection.send(http_answer(LISTED))
        connection.receive()
        connection.reset()

    upstream, server = client(serves_one_and_resets_the_next, sends(http_answer(BODY)), limits=ONCE)
    upstream.list_messages(ID)

    assert upstream.retrieve_completion(ID).id == ID
    assert server.connections == 2


def test_a_kept_connection_cut_after_the_first_byte_costs_a_retry(client: Client) -> None:
    def serves_one_and_cuts_the_next(connection: Connection) -> None:
        connection.receive()
        connection.send(http_answer(LISTED))
        connection.receive()
        connection.send(b"HTTP/1.1")
        connection.reset()

    upstream, server = client(serves_one_and_cuts_the_next, sends(http_answer(BODY)), limits=ONCE)
    upstream.list_messages(ID)

    with pytest.raises(UpstreamError):
        upstream.retrieve_completion(ID)
    assert server.connections == 1


@pytest.mark.parametrize(
    "lost",
    [resets(), resets(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{")],
    ids=["before the answer", "in mid-answer"],
)
def test_a_404_after_a_lost_answer_counts_as_deleted(client: Client, lost: Script) -> None:
    upstream, server = client(lost, sends(http_answer(GONE, status="404 Not Found")))
    upstream.delete_completion(ID)

    assert server.connections == 2


def test_a_404_after_a_lost_answer_is_not_found_for_others(client: Client) -> None:
    upstream, _ = client(resets(), sends(http_answer(GONE, status="404 Not Found")))

    with pytest.raises(NotFound):
        upstream.retrieve_completion(ID)


def test_the_environment_changes_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere")
    fake = FakeUpstream({ID: stored(ID, "one")})
    with RawServer(sends()) as proxy, fake.serve() as base_url:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://{proxy.address}")
        with closing(Upstream(Endpoint.openai(base_url, api_key=KEY))) as upstream:
            upstream.retrieve_completion(ID)
        assert proxy.connections == 0

    assert fake.requests[0].headers["authorization"] == f"Bearer {KEY}"


def test_a_proxy_is_asked_for_a_tunnel_and_never_sees_the_key() -> None:
    received: list[bytes] = []

    def refuses(connection: Connection) -> None:
        received.append(connection.receive())
        connection.send(b"HTTP/1.1 403 Forbidden\r\n\r\n")

    with RawServer(refuses) as proxy:
        upstream = Upstream(
            Endpoint.openai("https://api.example.com/v1", api_key=KEY),
            limits=ONCE,
            proxy=f"http://{proxy.address}",
        )
        with closing(upstream), pytest.raises(Unreachable, match="proxy did not connect"):
            upstream.retrieve_completion(ID)

    assert received[0].startswith(b"CONNECT api.example.com:443 ")
    assert KEY.encode() not in received[0]


def test_a_proxy_that_drips_does_not_outlast_the_deadline() -> None:
    with RawServer(drips(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200)) as proxy:
        upstream = Upstream(
            Endpoint.openai("https://api.example.com/v1", api_key=KEY),
            limits=HASTY,
            proxy=f"http://{proxy.address}",
        )
        with closing(upstream), pytest.raises(TimedOut):
            upstream.retrieve_completion(ID)
        assert proxy.finished == 0


def test_a_server_on_this_machine_is_reached_without_the_proxy() -> None:
    fake = FakeUpstream({ID: stored(ID, "one")})
    with RawServer(sends()) as proxy, fake.serve() as base_url:
        endpoint = Endpoint.openai(base_url, api_key=KEY)
        with closing(Upstream(endpoint, proxy=f"http://{proxy.address}")) as upstream:
            assert upstream.retrieve_completion(ID).id == ID
        assert proxy.connections == 0


def test_a_missing_ca_bundle_is_an_error_at_the_start() -> None:
    with pytest.raises(ValueError, match="no CA bundle at /nowhere"):
        Upstream(Endpoint.openai(), ca_bundle="/nowhere")


def test_a_server_that_does_not_speak_tls_is_unreachable() -> None:
    with RawServer(sends(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as server:
        endpoint = Endpoint.openai(f"https://{server.address}/v1", api_key=KEY)
        upstream = Upstream(endpoint, limits=ONCE, ca_bundle=certifi.where())
        with closing(upstream), pytest.raises(Unreachable, match="secure connection"):
            upstream.retrieve_completion(ID)


def test_many_threads_share_one_client() -> None:
    ids = [f"chatcmpl-{number}" for number in range(40)]
    fake = FakeUpstream({id: stored(id, "one") for id in ids})
    found: list[str | None] = []
    with fake.serve() as base_url, closing(Upstream(Endpoint.openai(base_url))) as upstream:
        threads = [
            Thread(target=lambda id=id: found.append(upstream.retrieve_completion(id).id))
            for id in ids
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert sorted(map(str, found)) == sorted(ids)
