"""Requests that no browser sends, on a raw socket to `readback serve`.

What is not HTTP never reaches the application: the WSGI server refuses it with a bare status line,
three headers and no body. Such an answer cannot carry our headers, and has nothing that they would
be about; that it stays empty is tested here. Everything else is answered by us, with the headers.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import pytest

from tests.support.answer_headers import find_header_faults
from tests.support.command import PATIENCE, Ended, Readback, Served
from tools.forking import Forkable

pytestmark = pytest.mark.process

MARK: Final = b"zq7marker"
"""Stands in every request, and must not come back."""

FORM: Final = b"Content-Type: application/x-www-form-urlencoded\r\n"
CHUNKED: Final = b"Transfer-Encoding: chunked\r\n"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, forkable: Forkable) -> Iterator[Served]:
    readback = Readback.of_user(tmp_path_factory.mktemp("served"), forkable=forkable)
    with readback.serve(READBACK_WORKERS="1") as running:
        assert running.get("/healthz").ok
        yield running


@dataclass(frozen=True)
class Answer:
    """What came back over a socket."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


def answer_to(served: Served, request: bytes) -> Answer:
    """The answer to `request`, read until the server closes the connection."""
    with socket.create_connection(("127.0.0.1", served.port), timeout=PATIENCE) as connection:
        connection.sendall(request)
        received = b""
        while piece := connection.recv(65_536):
            received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = [
        (name.lower(), value.strip()) for name, _, value in (one.partition(":") for one in lines)
    ]
    return Answer(int(first.split(" ")[1]), headers, body)


def request(line: bytes, *headers: bytes, body: bytes = b"", host: bytes = b"127.0.0.1") -> bytes:
    """A request whose connection is closed with the answer."""
    named = b"".join(headers) + (b"Host: " + host + b"\r\n" if host else b"")
    return line + b"\r\n" + named + b"Connection: close\r\n\r\n" + body


GET: Final = b"GET /healthz HTTP/1.1"
POST: Final = b"POST /open HTTP/1.1"

NOT_HTTP: Final = {
    "no request line": MARK + b"\r\n\r\n",
    "a TLS handshake": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + MARK + b"\r\n\r\n",
    "HTTP/0.9": b"GET /" + MARK + b"\r\n\r\n",
    "another version": request(b"GET /" + MARK + b" HTTP/9.9"),
    "a NUL in the path": request(b"GET /" + MARK + b"\x00 HTTP/1.1"),
    "a path that is no UTF-8": request(b"GET /" + MARK + b"\xff HTTP/1.1"),
    "a query that is no UTF-8": request(b"GET /completions?" + MARK + b"=\xff HTTP/1.1"),
    "a space in the path": request(b"GET /" + MARK + b" x HTTP/1.1"),
    "a path of 100 kB": request(b"GET /" + MARK * 11_000 + b" HTTP/1.1"),
    "a header of 1 MB": request(GET, b"X: " + MARK * 110_000 + b"\r\n"),
    "2,000 headers": request(GET, *(b"X%d: " % at + MARK + b"\r\n" for at in range(2_000))),
    "a NUL in a header": request(GET, b"X: " + MARK + b"\x00\r\n"),
    "a space in a header's name": request(GET, b"X " + MARK + b": x\r\n"),
    "a header without a colon": request(GET, MARK + b"\r\n"),
    "a folded header": request(GET, b"X: x\r\n " + MARK + b"\r\n"),
    "a length that is no number": request(POST, b"Content-Length: " + MARK + b"\r\n"),
    "a negative length": request(POST, b"Content-Length: -1\r\nX: " + MARK + b"\r\n"),
    "two lengths": request(POST, b"Content-Length: 1\r\nContent-Length: 2\r\n", body=MARK),
    "a length of 5,000 digits": request(
        POST, b"Content-Length: " + b"9" * 5_000 + b"\r\n", body=MARK
    ),
    "a length and chunks": request(
        POST, CHUNKED, b"Content-Length: 9\r\n", body=b"0\r\n\r\n" + MARK
    ),
    "chunks of chunks": request(
        POST, CHUNKED.replace(b"\r", b", chunked\r"), body=b"0\r\n\r\n" + MARK
    ),
    "chunks named twice": request(POST, CHUNKED, CHUNKED, body=b"0\r\n\r\n" + MARK),
    "chunks in HTTP/1.0": request(b"POST /open HTTP/1.0", CHUNKED, body=b"0\r\n\r\n" + MARK),
    "a host whose bracket is not closed": request(b"GET http://[" + MARK + b"/ HTTP/1.1"),
    "an unknown transfer encoding": request(POST, b"Transfer-Encoding: x" + MARK + b"\r\n"),
    "a method in small letters": request(MARK + b" /completions HTTP/1.1"),
    "chunks that are none": request(POST, FORM, CHUNKED, body=b"zz\r\n" + MARK),
    "a chunk that ends elsewhere": request(POST, FORM, CHUNKED, body=b"1\r\nxyz\r\n" + MARK),
    "a chunk whose line has no end": request(POST, FORM, CHUNKED, body=MARK * 1_000),
}


@pytest.mark.parametrize("what", NOT_HTTP)
def test_what_is_not_http_gets_a_status_and_nothing_else(served: Served, what: str) -> None:
    answer = answer_to(served, NOT_HTTP[what])

    assert answer.status in (400, 414, 431, 501)
    assert answer.body == b""
    assert {name for name, _ in answer.headers} == {"connection", "content-length", "date"}


ODD: Final = {
    "TRACE": request(b"TRACE /completions HTTP/1.1", b"X: " + MARK + b"\r\n"),
    "CONNECT": request(b"CONNECT " + MARK + b".example:443 HTTP/1.1"),
    "an unknown method": request(b"BREW /completions HTTP/1.1", b"X: " + MARK + b"\r\n"),
    "a method of 10 kB": request(MARK.upper() * 1_100 + b" /completions HTTP/1.1"),
    "no path": request(b"OPTIONS * HTTP/1.1", b"X: " + MARK + b"\r\n"),
    "an address in place of a path": request(b"GET http://" + MARK + b".example/ HTTP/1.1"),
    "a host in the path": request(b"GET //" + MARK + b".example/ HTTP/1.1"),
    "a broken escape": request(b"GET /%zz" + MARK + b" HTTP/1.1"),
    "escapes that are no UTF-8": request(b"GET /" + MARK + b"%ff%fe HTTP/1.1"),
    "an escaped NUL": request(b"GET /" + MARK + b"%00 HTTP/1.1"),
    "escaped line ends": request(b"GET /" + MARK + b"%0d%0aX:%20y HTTP/1.1"),
    "a path of 20 kB": request(b"GET /" + MARK * 2_200 + b" HTTP/1.1"),
    "a query that is no UTF-8": request(b"GET /completions?" + MARK + b"=%ff HTTP/1.1"),
    "the API without its path": request(b"GET /v1/ HTTP/1.1", b"X: " + MARK + b"\r\n"),
    "an API that is not there": request(b"BREW /v1/chat/completions HTTP/1.1", b"X: x\r\n"),
    "no host": request(GET, b"X: " + MARK + b"\r\n", host=b""),
    "another host": request(GET, host=MARK + b".example"),
    "two hosts": request(GET, b"Host: " + MARK + b".example\r\n"),
    "a host that is no UTF-8": request(GET, host=b"\xff" + MARK),
    "HTTP/1.0 without a host": b"GET /" + MARK + b" HTTP/1.0\r\n\r\n",
    "headers that are no UTF-8": request(GET, b"HX-Request: \xff" + MARK + b"\r\n"),
    "an upgrade": request(b"GET /completions HTTP/1.1", b"Upgrade: " + MARK + b"\r\n"),
    "another expectation": request(POST, b"Expect: " + MARK + b"\r\nContent-Length: 0\r\n"),
    "a body for a GET": request(GET, b"Content-Length: 9\r\n", body=MARK),
    "a chunk too large to count": request(POST, FORM, CHUNKED, body=b"f" * 17 + b"\r\n" + MARK),
    "a form that is no UTF-8": request(
        POST, FORM, b"Content-Length: 23\r\n", body=b"completion=" + MARK + b"%ff"
    ),
    "a form that is too large": request(
        POST, FORM, b"Content-Length: 300000\r\n", body=b"pasted=" + b"x" * 299_993
    ),
    "a form of many parts": request(
        POST,
        b"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 60000\r\n",
        body=(b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n" * 2_000)[:60_000],
    ),
    "a form without its boundary": request(
        POST, b"Content-Type: multipart/form-data\r\nContent-Length: 9\r\n", body=MARK
    ),
}


@pytest.mark.parametrize("what", ODD)
def test_what_is_odd_is_answered_with_the_headers_and_not_echoed(served: Served, what: str) -> None:
    answer = answer_to(served, ODD[what])

    assert answer.status < 500
    assert find_header_faults(answer.headers) == []
    assert MARK not in answer.body
    assert not any(MARK.decode() in value for _, value in answer.headers)
    for inside in (b"Traceback", b".py", b"site-packages", b"werkzeug", b"waitress"):
        assert inside not in answer.body


def test_of_two_requests_on_one_connection_each_is_answered_by_itself(served: Served) -> None:
    first = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    answer = answer_to(served, first + request(b"GET /nothing HTTP/1.1", host=b"evil.example"))

    assert (answer.status, answer.body[:3]) == (200, b"ok\n")
    assert answer.body[3:].startswith(b"HTTP/1.1 421 Misdirected Request\r\n")


@pytest.mark.parametrize(
    ("path", "header"),
    [
        ("/completions", b""),
        ("/healthz", b""),
        ("/nothing", b""),
        ("/v1/chat/completions", b""),
        ("/v1/nothing", b""),
        ("/v1/chat/completions", b"Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: cors\r\n"),
        ("/completions", b"Content-Length: 90000000\r\n"),
    ],
)
def test_no_body_follows_the_answer_to_head(served: Served, path: str, header: bytes) -> None:
    answer = answer_to(served, request(b"HEAD %b HTTP/1.1" % path.encode(), header))

    assert find_header_faults(answer.headers) == []
    assert answer.body == b""


def test_after_all_of_them_the_server_still_stands(served: Served) -> None:
    for malformed in (*NOT_HTTP.values(), *ODD.values()):
        answer_to(served, malformed)

    assert served.get("/completions").ok
    assert served.stop() == Ended(0)
