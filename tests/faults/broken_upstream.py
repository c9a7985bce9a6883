"""An upstream that answers each request with the fault that the request names.

The name takes the place of a completion's id, or of the `model` filter of the list, so that one
viewer, which has one upstream, can get all of them.
"""

from __future__ import annotations

import gzip
import re
import zlib
from dataclasses import dataclass
from functools import cache
from typing import Final

from tests.support.raw_server import Connection, Script, http_answer

_NAME = re.compile(rb"^[A-Z]+ /v1/chat/completions(?:/|\?(?:[^ ]*&)?model=)([a-z0-9-]+)")

OK: Final = b"HTTP/1.1 200 OK\r\n"
CHUNKED: Final = OK + b"Transfer-Encoding: chunked\r\n\r\n"
MIB: Final = 1024 * 1024
SAID: Final = "zq7said"
"""Occurs in headers and error texts, and must not become markup on a page."""
KEY: Final = "sk-test-4f9a-never-shown"


@dataclass(frozen=True)
class Fault:
    """A fault of the server, the statuses that a page may then have, and words of its sentence.

    `memory` is the most that five pages at once may need, each with up to two calls for 1 MiB.
    """

    script: Script
    statuses: tuple[int, ...]
    sentence: str
    memory: int = 100 * MIB


def answers(connection: Connection) -> None:
    """The script of the server: the fault that the request names, on a connection of its own."""
    name = _NAME.match(connection.receive())
    if name is not None and name[1].decode() in FAULTS:
        FAULTS[name[1].decode()].script(connection)


def sends(*pieces: bytes) -> Script:
    def script(connection: Connection) -> None:
        for piece in pieces:
            connection.send(piece)

    return script


def repeats(head: bytes, piece: bytes) -> Script:
    """`head`, and then `piece` until the client has had enough."""
    block = piece * max(1, 65_536 // len(piece))

    def script(connection: Connection) -> None:
        connection.send(head)
        while True:
            connection.send(block)

    return script


def stops(head: bytes) -> Script:
    """`head`, and then nothing."""

    def script(connection: Connection) -> None:
        connection.send(head)
        connection.stay_silent()

    return script


def drips(head: bytes, data: bytes) -> Script:
    def script(connection: Connection) -> None:
        connection.send(head)
        connection.drip(data, every=0.05)

    return script


def resets(head: bytes) -> Script:
    def script(connection: Connection) -> None:
        connection.send(head)
        connection.reset()

    return script


def gives(body: bytes, status: str = "200 OK", **headers: str) -> Script:
    return sends(http_answer(body, status=status, **headers))


def redirects(location: str, status: str = "302 Found") -> Script:
    return gives(b"", status, Location=location)


def fails(body: bytes, status: str = "500 Oops", **headers: str) -> Script:
    return gives(body, status, **headers)


def bombs(encoding: str, status: str = "200 OK") -> Script:
    """50 MiB of white space, small; to compress them takes longer than a viewer waits."""

    def script(connection: Connection) -> None:
        connection.send(http_answer(_bomb(encoding), status=status, Content_Encoding=encoding))

    return script


def compress_bombs() -> None:
    """Compress all bombs, before somebody waits for one."""
    for encoding in ("gzip", "deflate", "gzip, gzip"):
        _bomb(encoding)


@cache
def _bomb(encoding: str) -> bytes:
    if encoding == "deflate":
        return zlib.compress(b" " * 50 * MIB)
    if encoding == "gzip, gzip":
        return gzip.compress(_bomb("gzip"), mtime=0)
    return gzip.compress(b" " * 50 * MIB, mtime=0)


DEEP: Final = b"[" * 50_000 + b"]" * 50_000
HTML: Final = b"<!doctype html><title>Log in</title><script>alert(1)</script>" + b"<p>x" * 100_000

LATE: Final = (504,)
BAD: Final = (502,)
DENSE: Final = 200 * MIB
"""A bracket is read as a value, which is a hundred times as large."""
BUSY: Final = (429,)

FAULTS: Final[dict[str, Fault]] = {
    # Slow
    "silent": Fault(Connection.stay_silent, LATE, "did not answer in time"),
    "slow-status": Fault(drips(b"", OK * 99), LATE, "did not answer in time"),
    "slow-headers": Fault(drips(OK, b"X: y\r\n" * 99), LATE, "did not answer in time"),
    "slow-body": Fault(drips(OK + b"Content-Length: 9999\r\n\r\n", b" " * 9999), LATE, "answer"),
    "slow-chunks": Fault(drips(CHUNKED, b"1\r\n \r\n" * 999), LATE, "answer"),
    "slow-error": Fault(
        drips(b"HTTP/1.1 500 Oops\r\nContent-Length: 9999\r\n\r\n", b" " * 9999), BAD, "failed to"
    ),
    "silent-in-the-middle": Fault(stops(CHUNKED + b"1\r\n"), LATE, "finish its answer"),
    # Without end
    "endless-headers": Fault(repeats(OK, b"X: y\r\n"), BAD, "did not answer in HTTP"),
    "endless-header": Fault(repeats(OK + b"X: ", b"y"), BAD, "did not answer in HTTP"),
    "endless-status": Fault(repeats(b"HTTP/1.1 200 ", b"y"), BAD, "did not answer in HTTP"),
    "endless-continues": Fault(repeats(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), LATE, "in time"),
    "endless-body": Fault(repeats(OK + b"\r\n", b" "), BAD, "larger than 1,048,576 bytes"),
    "endless-chunks": Fault(
        repeats(CHUNKED, b"400\r\n" + b" " * 1024 + b"\r\n"), BAD, "larger than"
    ),
    "endless-chunk-size": Fault(repeats(CHUNKED + b"1;", b"x"), BAD, "broke off"),
    "endless-trailers": Fault(repeats(CHUNKED + b"2\r\n{}\r\n0\r\n", b"X: y\r\n"), LATE, "answer"),
    "endless-error": Fault(repeats(b"HTTP/1.1 500 Oops\r\n\r\n", b"x"), BAD, "failed to answer"),
    "endless-redirect": Fault(
        repeats(b"HTTP/1.1 302 Found\r\nLocation: /login\r\n\r\n", b"x"), BAD, "a redirect"
    ),
    # Compressed
    "bomb-gzip": Fault(bombs("gzip"), BAD, "larger than 1,048,576"),
    "bomb-deflate": Fault(bombs("deflate"), BAD, "larger than"),
    "bomb-in-an-error": Fault(bombs("gzip", "500 Oops"), BAD, "failed to"),
    "bomb-in-a-bomb": Fault(bombs("gzip, gzip"), BAD, "compressed"),
    "brotli-claimed": Fault(gives(b"{}", Content_Encoding="br"), BAD, "compressed in a way"),
    "gzip-claimed": Fault(gives(b"{}", Content_Encoding="gzip"), BAD, "damaged"),
    # Cut off
    "reset": Fault(resets(b""), BAD, "could not be reached"),
    "reset-in-the-head": Fault(resets(OK + b"X: y\r\n"), BAD, "could not be reached"),
    "reset-in-the-body": Fault(resets(OK + b"Content-Length: 99\r\n\r\n{"), BAD, "broke off"),
    "short": Fault(sends(OK + b"Content-Length: 99\r\n\r\n{}"), BAD, "broke off"),
    "short-chunks": Fault(sends(CHUNKED + b"9\r\n{"), BAD, "broke off"),
    "wrong-chunks": Fault(sends(CHUNKED + b"zz\r\n{}\r\n"), BAD, "broke off"),
    "negative-chunk": Fault(sends(CHUNKED + b"-9\r\n{}\r\n"), BAD, "broke off"),
    "short-json": Fault(gives(b'{"object":"list","data":[{"id":"a'), BAD, "is not JSON"),
    # Another protocol
    "tls": Fault(sends(b"\x15\x03\x01\x00\x02\x02\x46"), BAD, "did not answer in HTTP"),
    "ssh": Fault(sends(b"SSH-2.0-OpenSSH_9.7\r\n"), BAD, "did not answer in HTTP"),
    "http-2": Fault(sends(b"\x00\x00\x12\x04\x00\x00\x00\x00\x00" * 9), BAD, "did not answer"),
    "http-0-9": Fault(sends(b'{"object":"list","data":[]}'), BAD, "did not answer in HTTP"),
    # Another content
    "nothing": Fault(gives(b"", "204 No Content"), BAD, "answered with nothing"),
    "empty": Fault(gives(b""), BAD, "answered with nothing"),
    "login-page": Fault(gives(HTML, Content_Type="text/html"), BAD, "a web page in place of JSON"),
    "image": Fault(gives(b"\x89PNG\r\n\x1a\n" + b"\x00\xff" * 99), BAD, "is not UTF-8"),
    "utf-16": Fault(
        gives('{"data":[]}'.encode("utf-16"), Content_Type="application/json; charset=utf-16"),
        BAD,
        "is not UTF-8",
    ),
    "latin-1": Fault(
        gives('{"data":["é"]}'.encode("latin-1"), Content_Type="application/json; charset=latin1"),
        BAD,
        "is not UTF-8",
    ),
    "utf-7": Fault(
        gives(b"+AHs-+AH0-", Content_Type="application/json; charset=utf-7"), BAD, "is not JSON"
    ),
    "not-a-number": Fault(gives(b'{"data":NaN,"id":'), BAD, "is not JSON"),
    "long-number": Fault(gives(b"9" * (MIB - 1)), BAD, "as the API has it"),
    "deep": Fault(gives(DEEP), BAD, "The server's answer is", DENSE),
    "deeper": Fault(gives(b"[" * 300_000), BAD, "The server's answer is", DENSE),
    "many-empty-values": Fault(
        gives(b"[" + b"{}," * 60_000 + b"{}]"), BAD, "The server's answer is", DENSE
    ),
    # Elsewhere
    "redirect-relative": Fault(redirects("/v1/elsewhere"), BAD, "redirect to 127.0.0.1"),
    "redirect-away": Fault(redirects(f"https://evil.example/?k={KEY}"), BAD, "to evil.example"),
    "redirect-to-a-file": Fault(redirects("file:///etc/passwd"), BAD, "without saying where"),
    "redirect-to-script": Fault(redirects("javascript:alert(1)"), BAD, "without saying where"),
    "redirect-nowhere": Fault(redirects("http://["), BAD, "without saying where"),
    "redirect-to-itself": Fault(redirects("", "308 Permanent"), BAD, "without saying where"),
    # Refusals
    "wait-for-ever": Fault(
        fails(b"{}", "429 Slow down", Retry_After="9" * 300), BUSY, "asks for fewer requests"
    ),
    "wait-a-year": Fault(fails(b"{}", "429 Slow down", Retry_After="31536000"), BUSY, "fewer"),
    "giant-error-page": Fault(fails(HTML * 9, Content_Type="text/html"), BAD, "failed to answer"),
    "error-with-the-key": Fault(
        fails(f'{{"error":{{"message":"<b>{SAID}</b> {KEY}\\r\\nX-Injected: 1"}}}}'.encode()),
        BAD,
        "failed to answer",
    ),
    "header-with-the-key": Fault(
        fails(b"{}", X_Request_Id=KEY, X_Said=SAID, Set_Cookie=f"a={KEY}"), BAD, "failed to answer"
    ),
    "http-1-0-failure": Fault(sends(b"HTTP/1.0 500 Oops\r\n\r\n"), BAD, "failed to answer"),
    "status-from-nowhere": Fault(sends(b"HTTP/1.1 999 \xff\xfe\r\n\r\n"), BAD, "unknown status"),
}
