"""The server of a worker, over real sockets: what slow clients hold, and what they cannot."""

from __future__ import annotations

import hashlib
import select
import socket
import struct
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

import pytest
from waitress import wasyncore

from tools.outages import MountRefused, small_disk
from webapp.addresses.forwarding import Proxies
from webapp.http.decompression import HOLDS_BYTES
from webapp.serving.admission import MAX_PARAMETERS, Kind, Quotas
from webapp.serving.channels import Channel
from webapp.serving.refusals import AnswerRefusals
from webapp.serving.server import (
    ACCEPTED_AT_ONCE,
    HELD_IN_ALL,
    IDLE_SECONDS,
    PRESSED_SECONDS,
    SILENT_SECONDS,
    Server,
)

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

PATIENCE: Final = 60
TRANSFER: Final = 300.0
MOST: Final = 3
MAX_BODY: Final = 100_000
CREATE: Final = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n"
LARGE: Final = b"x" * 1_000_000

Connect: TypeAlias = Callable[[bytes], socket.socket]


class App:
    """Answers with the size of the body; creates wait until they are released."""

    def __init__(self) -> None:
        self.released = threading.Event()
        self.arrived = threading.Semaphore(0)
        self.closed = threading.Semaphore(0)
        self.environs: list[WSGIEnvironment] = []
        self.streams = 0

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        size = len(environ["wsgi.input"].read())
        self.environs.append(environ)
        if environ["PATH_INFO"] == "/v1/large":
            start("200 OK", [("Content-Type", "text/plain")])
            return self._endless()
        if environ["PATH_INFO"] == "/page":
            start("200 OK", [("Content-Length", str(len(LARGE) * 10))])
            return [LARGE * 10]
        if environ["PATH_INFO"] == "/held":
            start("200 OK", [("Content-Length", str(len(LARGE) * 3))])
            return self._held()
        if environ["REQUEST_METHOD"] == "POST":
            self.arrived.release()
            assert self.released.wait(PATIENCE)
        answer = b"%d" % size
        start("200 OK", [("Content-Length", str(len(answer)))])
        return [answer]

    def _held(self) -> Iterator[bytes]:
        """Yield an answer that the kernel does not take at once, and end when released."""
        yield from [LARGE] * 3
        self.arrived.release()
        assert self.released.wait(PATIENCE)

    def _endless(self) -> Iterator[bytes]:
        self.streams += 1
        try:
            self.arrived.release()
            while True:
                yield LARGE
        finally:
            # The recorder stores the beginning of the answer here, which takes a while.
            hashlib.sha256(LARGE * 20)
            self.streams -= 1
            self.closed.release()


@pytest.fixture
def app() -> Iterator[App]:
    app = App()
    yield app
    app.released.set()


class Clock:
    """The monotonic time, and as many seconds ahead of it as a test wants.

    The time of day may be corrected while clients are connected.
    """

    ahead = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.ahead


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def proxies() -> Proxies:
    """Trust those on this machine only."""
    return Proxies((ip_network("127.0.0.1"),), "/own")


@pytest.fixture
def server(
    request: pytest.FixtureRequest, app: App, clock: Clock, proxies: Proxies
) -> Iterator[Server]:
    """A server; its parameter, if any, is how many bytes of answers it holds."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    most = dict.fromkeys(set(Kind) - {Kind.QUICK}, MOST)
    quotas = Quotas(most, dict.fromkeys(Kind, MOST), MAX_BODY, proxies)
    most_held = getattr(request, "param", HELD_IN_ALL)
    server = Server(
        AnswerRefusals(app), listener, quotas, TRANSFER, most_held=most_held, clock=clock
    )
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    yield server
    app.released.set()
    server.stop(0)
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert not app.streams
    server.close_trigger()


@pytest.fixture
def connect(server: Server) -> Iterator[Connect]:
    """Return a function that connects and sends."""
    address = server.socket.getsockname()
    with ExitStack() as stack:

        def open_and_send(data: bytes) -> socket.socket:
            peer = socket.socket()
            # What a reader does not read must not fit into the kernel.
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            peer.settimeout(PATIENCE)
            peer.connect(address)
            peer.sendall(data)
            return stack.enter_context(peer)

        yield open_and_send


def read(peer: socket.socket) -> bytes:
    """Return what is received up to the end of the connection."""
    return b"".join(iter(lambda: peer.recv(65_536), b""))


def is_cut_off(peer: socket.socket) -> bool:
    """Return whether the connection ends without an answer; bytes that nobody read reset it."""
    try:
        return read(peer) == b""
    except ConnectionResetError:
        return True


def get(connect: Connect, path: str = "/healthz") -> bytes:
    return read(connect(b"GET %b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % path.encode()))


def is_ok(answer: bytes) -> bool:
    return answer.startswith(b"HTTP/1.1 200 OK\r\n")


def skip_seconds(server: Server, clock: Clock, seconds: float) -> None:
    """Let the server find its clients as they will be `seconds` from now."""
    clock.ahead = seconds
    server.pull_trigger()


def test_creates_beyond_their_share_are_refused_before_their_body_is_read(
    app: App, connect: Connect
) -> None:
    waiting = [connect(CREATE + b"Content-Length: 0\r\n\r\n") for _ in range(MOST)]
    for _ in waiting:
        assert app.arrived.acquire(timeout=PATIENCE)
    answer = read(connect(CREATE + b"Content-Length: 50000\r\n\r\n"))

    assert answer.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    assert b"\r\nRetry-After: 5\r\n" in answer
    assert b'"code": "server_busy"' in answer
    assert is_ok(get(connect)) and is_ok(get(connect, "/")) and is_ok(get(connect, "/v1/x"))
    app.released.set()
    assert all(peer.recv(1_000).startswith(b"HTTP/1.1 200") for peer in waiting)
    assert is_ok(read(connect(CREATE + b"Connection: close\r\nContent-Length: 0\r\n\r\n")))


def test_a_refused_client_that_sends_on_still_reads_the_refusal(app: App, connect: Connect) -> None:
    for _ in range(MOST):
        connect(CREATE + b"Content-Length: 0\r\n\r\n")
        assert app.arrived.acquire(timeout=PATIENCE)
    peer = connect(CREATE + b"Content-Length: 90000\r\n\r\n" + b"x" * 45_000)
    peer.sendall(b"x" * 45_000)

    assert read(peer).startswith(b"HTTP/1.1 503")


@pytest.mark.parametrize(
    "head",
    [
        CREATE,
        b"POST /open HTTP/1.1\r\nHost: x\r\n",
        b"POST /v1/chat/completions/chatcmpl-1 HTTP/1.1\r\nHost: x\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n",
    ],
)
def test_half_a_body_takes_no_thread_and_its_place_is_given_back_in_time(
    server: Server, app: App, clock: Clock, connect: Connect, head: bytes
) -> None:
    app.released.set()
    halves = [connect(head + b"Content-Length: 9\r\n\r\nhalf") for _ in range(MOST)]
    whole = head + b"Connection: close\r\nContent-Length: 1\r\n\r\nx"
    while not read(connect(whole)).startswith(b"HTTP/1.1 503"):
        """The halves may not have been seen yet."""

    assert is_ok(get(connect)) and is_ok(get(connect, "/")) and is_ok(get(connect, "/v1/x"))
    skip_seconds(server, clock, SILENT_SECONDS + 1)
    assert all(map(is_cut_off, halves))
    clock.ahead = 0
    assert is_ok(read(connect(whole)))


def test_a_body_that_drips_has_a_deadline(server: Server, clock: Clock, connect: Connect) -> None:
    peer = connect(CREATE + b"Content-Length: 9\r\n\r\nhalf")
    skip_seconds(server, clock, TRANSFER + 1)
    assert is_cut_off(peer)


@pytest.mark.parametrize("sent", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: x\r\n", b"\r\n\r\n"])
def test_half_a_head_and_silence_end_in_time(
    server: Server, clock: Clock, connect: Connect, sent: bytes
) -> None:
    peer = connect(sent)
    skip_seconds(server, clock, IDLE_SECONDS + 1)
    assert is_cut_off(peer)


def test_readers_that_do_not_read_hold_their_share_and_nothing_else(
    server: Server, app: App, clock: Clock, connect: Connect
) -> None:
    request = b"GET /v1/large HTTP/1.1\r\nHost: x\r\n\r\n"
    readers = [connect(request) for _ in range(MOST)]
    for _ in readers:
        assert app.arrived.acquire(timeout=PATIENCE)

    assert get(connect, "/v1/x").startswith(b"HTTP/1.1 503")
    assert is_ok(get(connect)) and is_ok(get(connect, "/"))
    wait_for_held_answers(server)
    skip_seconds(server, clock, SILENT_SECONDS + 1)
    for _ in readers:
        assert app.closed.acquire(timeout=PATIENCE)
    clock.ahead = 0
    while not is_ok(get(connect, "/v1/x")):
        """A thread may not have given its place back yet."""


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("disk", ["has room", "has none", "becomes full"])
def test_pages_that_are_taken_slowly_hold_no_thread(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, disk: str
) -> None:
    with ExitStack() as stack:
        if disk == "has none":
            monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
        if disk == "becomes full":
            try:
                stack.enter_context(small_disk(tmp_path / "disk", megabytes=1))
            except MountRefused as refusal:
                pytest.skip(str(refusal))
            monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "disk"))
        request = b"GET /page HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        readers = [connect(request) for _ in range(MOST)]
        while not is_ok(get(connect, "/")):
            """A thread may not have given its place back yet."""
        assert read(readers[0]).endswith(b"\r\n\r\n" + LARGE * 10)


def test_a_client_that_holds_its_share_leaves_the_others_theirs(
    server: Server, app: App, clock: Clock, connect: Connect
) -> None:
    server.admission.quotas.most_of_one[Kind.STREAM] = MOST - 1
    head = b"GET /v1/%b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    ask = head + b"X-Forwarded-For: 192.0.2.%d\r\n\r\n"
    for _ in range(MOST - 1):
        connect(ask % (b"large", 1))
        assert app.arrived.acquire(timeout=PATIENCE)

    assert read(connect(ask % (b"x", 1))).startswith(b"HTTP/1.1 503")
    assert is_ok(read(connect(ask % (b"x", 2))))
    wait_for_held_answers(server)
    skip_seconds(server, clock, PRESSED_SECONDS + 1)
    assert app.closed.acquire(timeout=PATIENCE)
    # A place of this client is free again, so the others may be silent for longer.
    skip_seconds(server, clock, SILENT_SECONDS + 1)
    for _ in range(MOST - 2):
        assert app.closed.acquire(timeout=PATIENCE)


def test_an_answer_that_took_long_can_be_taken(
    server: Server, clock: Clock, connect: Connect
) -> None:
    skip_seconds(server, clock, SILENT_SECONDS + 1)
    reader = connect(b"GET /v1/large HTTP/1.1\r\nHost: x\r\n\r\n")

    length = 0
    while length < 20 * len(LARGE):
        taken = len(reader.recv(65_536))
        assert taken
        length += taken


def test_full_shares_bear_less_silence(
    server: Server, app: App, clock: Clock, connect: Connect
) -> None:
    request = b"GET /v1/large HTTP/1.1\r\nHost: x\r\n\r\n"
    for _ in range(MOST - 1):
        connect(request)
        assert app.arrived.acquire(timeout=PATIENCE)
    wait_for_held_answers(server)
    skip_seconds(server, clock, PRESSED_SECONDS + 1)
    assert is_ok(get(connect)) and is_ok(get(connect))
    assert not app.closed.acquire(blocking=False)

    clock.ahead = 0
    connect(request)
    assert app.arrived.acquire(timeout=PATIENCE)
    wait_for_held_answers(server)
    skip_seconds(server, clock, PRESSED_SECONDS + 1)
    assert app.closed.acquire(timeout=PATIENCE)
    # A place is free again, so the others may be silent for longer.
    skip_seconds(server, clock, SILENT_SECONDS + 1)
    for _ in range(MOST - 1):
        assert app.closed.acquire(timeout=PATIENCE)


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("server", [3_000_000], indirect=True)
def test_answers_that_nobody_takes_have_a_limit_in_all(
    app: App, connect: Connect, clock: Clock
) -> None:
    # No client is silent for too long yet.
    clock.ahead = -3600
    for _ in range(2):
        connect(b"GET /v1/large HTTP/1.1\r\nHost: x\r\n\r\n")

    assert app.closed.acquire(timeout=PATIENCE)
    assert is_ok(get(connect, "/v1/x"))


def wait_for_held_answers(server: Server) -> None:
    """Return when each answer in progress waits for its reader."""
    while not all(
        one.total_outbufs_len > 2_000_000
        for one in list(server.active_channels.values())
        if one.requests
    ):
        time.sleep(0)


def test_the_loop_leaves_an_answer_to_the_thread_that_sends_it(
    server: Server, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []

    class Watched(Channel):
        def send(self, data: bytes, do_close: bool = True) -> int:
            found.append(self.writable())
            return int(super().send(data, do_close))

    monkeypatch.setattr(server, "channel_class", Watched)

    assert is_ok(get(connect))
    assert found == [False]


def test_many_connections_are_accepted_in_a_turn(app: App) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        quotas = Quotas({}, dict.fromkeys(Kind, 1), MAX_BODY)
        server = Server(app, listener, quotas, TRANSFER)
        peers = [socket.create_connection(listener.getsockname()) for _ in range(20)]
        wasyncore.loop(timeout=PATIENCE, use_poll=True, map=server._map, count=1)

        assert len(server.active_channels) == ACCEPTED_AT_ONCE
        server.stop(0)
        server.serve()
        server.close_trigger()
        for peer in peers:
            peer.close()


def test_the_end_of_a_connection_in_the_same_turn_as_that_of_its_answer_is_no_error(
    app: App, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Server(app, listener, Quotas({}, dict.fromkeys(Kind, 1), MAX_BODY), TRANSFER)
        with socket.create_connection(listener.getsockname()):
            server.handle_accept()
        (channel,) = server.active_channels.values()
        channel.close_when_flushed = True
        wasyncore.readwrite(channel, select.POLLIN | select.POLLOUT)

        assert not server.active_channels
        assert not caplog.records
        server.stop(0)
        server.serve()
        server.close_trigger()


@pytest.mark.parametrize("sent", [b"", b"GET /comp"])
def test_clients_that_ask_for_nothing_are_cut_off_before_they_fill_the_server(
    server: Server, connect: Connect, sent: bytes
) -> None:
    server._most = server.adj.connection_limit = 10
    # As if all of them came before the next look at the connections.
    server._clock = float
    idle = [connect(sent) for _ in range(20)]

    assert is_ok(get(connect))
    assert is_cut_off(idle[0])


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"Content-Length: %d\r\n" % (MAX_BODY + 1), b"413"),
        (b"Content-Length: 99999999999999999999\r\n", b"413"),
        (b"Transfer-Encoding: chunked\r\n", b"413"),
        (b"Expect: 100-continue\r\nContent-Length: %d\r\n" % (MAX_BODY + 1), b"413"),
    ],
)
def test_a_body_that_announces_too_much_is_refused_at_once(
    connect: Connect, head: bytes, status: bytes
) -> None:
    assert read(connect(CREATE + head + b"\r\nfffffff\r\nx")).startswith(b"HTTP/1.1 " + status)


def test_what_a_body_is_decompressed_to_is_held_like_a_body(
    server: Server, app: App, connect: Connect
) -> None:
    body = connect(CREATE + b"Content-Length: 2\r\n\r\n{}")
    app.arrived.acquire(timeout=PATIENCE)
    holds = app.environs[-1][HOLDS_BYTES]
    assert holds(MAX_BODY) and not holds(MAX_BODY + 1)
    refused = connect(CREATE + b"Content-Length: 2\r\n\r\n{}")
    assert read(refused).startswith(b"HTTP/1.1 503")
    app.released.set()
    assert body.recv(100).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    ("size", "number", "is_taken"), [(1, 8_000, False), (1, 1_000, True), (64, 1_000, True)]
)
def test_a_body_in_many_tiny_chunks_is_refused(
    app: App, connect: Connect, size: int, number: int, is_taken: bool
) -> None:
    """The loop, which all connections wait for, would parse each of them."""
    app.released.set()
    chunk = b"%x\r\n%b\r\n" % (size, b" " * size)
    head = b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    answer = read(connect(CREATE + head + chunk * number + b"0\r\n\r\n"))

    assert answer.startswith(b"HTTP/1.1 200" if is_taken else b"HTTP/1.1 400")


def test_expecting_to_continue_without_a_body_is_answered(app: App, connect: Connect) -> None:
    app.released.set()
    asked = b"POST /open HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-continue\r\n\r\n"

    assert is_ok(read(connect(asked)))


def test_requests_sent_at_once_are_answered_in_order(connect: Connect) -> None:
    one = b"GET /%d HTTP/1.1\r\nHost: x\r\n%b\r\n"
    closing = one % (2, b"Connection: close\r\n")
    answer = read(connect(one % (1, b"") + closing))

    assert answer.count(b"HTTP/1.1 200 OK") == 2


@pytest.mark.parametrize(
    "body",
    [b"Content-Length: 2\r\n\r\nab", b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"],
)
def test_many_requests_sent_at_once_take_the_place_of_one(
    app: App, connect: Connect, body: bytes
) -> None:
    app.released.set()
    head = b" HTTP/1.1\r\nHost: x\r\n"
    asked = (b"\r\nGET /1" + head + b"\r\nPOST /open" + head + body) * 100 * MOST
    answer = read(connect(asked + b"GET /" + head + b"Connection: close\r\n\r\n"))

    assert answer.count(b"HTTP/1.1 200 OK") == answer.count(b"HTTP/1.1") == 200 * MOST + 1


@pytest.mark.parametrize("path", ["/completions", "/v1/chat/completions"])
def test_a_query_of_too_many_parameters_is_refused_before_it_is_parsed(
    app: App, connect: Connect, path: str
) -> None:
    assert is_ok(get(connect, f"{path}?{'a&' * (MAX_PARAMETERS - 1)}"))
    refused = get(connect, f"{path}?{'a&' * 30_000}")

    assert refused.startswith(b"HTTP/1.1 400 ")
    assert b"An address may have 2,000 parameters, and this has more." in refused
    assert len(app.environs) == 1


def test_a_client_that_left_gives_its_place_back(app: App, connect: Connect) -> None:
    for _ in range(MOST):
        connect(CREATE + b"Content-Length: 9\r\n\r\nhalf").close()
    app.released.set()
    whole = CREATE + b"Connection: close\r\nContent-Length: 0\r\n\r\n"
    deadline = time.monotonic() + PATIENCE
    while not is_ok(read(connect(whole))):
        assert time.monotonic() < deadline


PROXIES = [Proxies((ip_network("127.0.0.1"),), "/own")]
STRANGERS = [Proxies((ip_network("192.0.2.0/24"),), "/own"), Proxies()]


@pytest.mark.parametrize("proxies", PROXIES)
@pytest.mark.parametrize(
    ("path", "header"),
    [
        (b"/v1", b""),
        (b"/v1", b"X-Forwarded-Prefix: /rb\r\n"),
        (b"/own/v1", b""),
        (b"/rb/v1", b"X-Forwarded-Prefix: /rb\r\n"),
        (b"/rb/v1", b"x-forwarded-prefix: /other, /rb/\r\n"),
        (b"/a/b/v1", b"X-Forwarded-Prefix: /other\r\nX-Forwarded-Prefix: /a/b\r\n"),
        (b"/own/v1", b"X-Forwarded-Prefix: //bad\r\n"),
    ],
)
def test_a_create_is_known_under_every_prefix(connect: Connect, path: bytes, header: bytes) -> None:
    assert read(connect(post_head(path, header))).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    ("proxies", "path", "header"),
    [
        (PROXIES[0], b"/rb/v1", b""),
        (PROXIES[0], b"/rbx/v1", b"X-Forwarded-Prefix: /rb\r\n"),
        (STRANGERS[0], b"/rb/v1", b"X-Forwarded-Prefix: /rb\r\n"),
        (STRANGERS[1], b"/rb/v1", b"X-Forwarded-Prefix: /rb\r\n"),
    ],
)
def test_a_prefix_that_nobody_may_say_makes_no_create(
    app: App, connect: Connect, path: bytes, header: bytes
) -> None:
    app.released.set()
    head = post_head(path, header)
    answer = read(connect(head + b"x" * (MAX_BODY + 1)))
    assert answer.startswith(b"HTTP/1.1 200 ")


def post_head(path: bytes, header: bytes) -> bytes:
    """Return the head of a create that is too large for one."""
    line = b"POST %b/chat/completions HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" % path
    return line + header + b"Content-Length: %d\r\n\r\n" % (MAX_BODY + 1)


def test_clients_that_reset_the_connection_of_a_refusal_are_no_fault(
    connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(100):
        peer = connect(
            b"POST /open HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n" + LARGE
        )
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.close()

    assert is_ok(get(connect))
    assert "uncaptured" not in caplog.text


@pytest.mark.parametrize("expects", [b"", b"Expect: 100-continue\r\n"])
def test_what_was_sent_before_a_reset_takes_no_place_after_it(
    server: Server, app: App, connect: Connect, expects: bytes
) -> None:
    asked = b"GET /held HTTP/1.1\r\nHost: x\r\n\r\n"
    further = CREATE + expects + b"Content-Length: 9\r\n\r\n"
    peers = [connect(asked + further) for _ in range(MOST)]
    # One whose connection is reset before it is read does not arrive.
    for _ in peers:
        assert app.arrived.acquire(timeout=PATIENCE)
    for peer in peers:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.close()
    while server.active_channels:
        """The loop may not have seen the resets yet."""
    app.released.set()
    whole = CREATE + b"Connection: close\r\nContent-Length: 0\r\n\r\n"
    while read(connect(whole)).startswith(b"HTTP/1.1 200"):
        if len(app.environs) > 4 * MOST:
            return
    raise AssertionError("their places are taken")
