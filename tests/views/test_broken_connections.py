"""What a reader sees when the connection upstream breaks below HTTP, on real sockets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.support.pages import Page
from tests.support.raw_server import Connection, RawServer, Script, http_answer
from tests.support.widening import widen_timeout
from webapp import create_app
from webapp.config import Config, Limits

ID = "chatcmpl-1"
HERE = f"/completions/{ID}"
KEY = "sk-test-4f9a"


def answering(body: bytes, **options: str) -> Script:
    def answer(connection: Connection) -> None:
        if connection.receive():
            connection.send(http_answer(body, **options))

    return answer


def silent(connection: Connection) -> None:
    connection.stay_silent()


def reset(connection: Connection) -> None:
    connection.receive()
    connection.reset()


def truncated(connection: Connection) -> None:
    connection.receive()
    connection.send(http_answer(b'{"data": [', Content_Length="1000"))


def dripping(connection: Connection) -> None:
    connection.receive()
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    connection.drip(b" " * 100_000)


def falling_silent(connection: Connection) -> None:
    connection.receive()
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n{")
    connection.stay_silent()


def not_http(connection: Connection) -> None:
    connection.receive()
    connection.send(b"SSH-2.0-OpenSSH_9.7\r\n")


@contextmanager
def viewer_of(base_url: str, **options: Any) -> Iterator[FlaskClient]:
    limits = {"page_timeout": 60.0, "max_retries": 0} | options
    config = Config(openai_base_url=base_url, openai_api_key=KEY, limits=Limits(**limits))
    yield create_app(config).test_client()


@pytest.mark.parametrize(
    ("script", "read_timeout", "status", "sentence"),
    [
        (silent, 0.1, 504, "did not answer in time"),
        (falling_silent, 0.25, 504, "stopped in the middle"),
        (reset, 60.0, 502, "could not be reached"),
        (truncated, 60.0, 502, "broke off"),
        (not_http, 60.0, 502, "did not answer in HTTP"),
        (answering(b"\x1f\x8bnot gzip", Content_Encoding="gzip"), 60.0, 502, "damaged"),
        (answering(b"{}", status="204 No Content", Content_Length="0"), 60.0, 502, "nothing"),
    ],
    ids=["silent", "falling silent", "reset", "truncated", "not http", "not gzip", "no content"],
)
@pytest.mark.parametrize("path", ["/completions", HERE])
def test_a_broken_connection_is_explained(
    path: str, script: Script, read_timeout: float, status: int, sentence: str
) -> None:
    def read(seconds: float) -> str:
        with (
            RawServer(script) as server,
            viewer_of(server.base_url, read_timeout=seconds) as client,
        ):
            page = Page.of(client.get(path), status)
        assert page.link("Try again") == path
        assert KEY not in page.html
        assert "Traceback" not in page.html
        return page.text

    assert sentence in widen_timeout(read, sentence, seconds=read_timeout)


@pytest.mark.parametrize("path", ["/completions", HERE])
def test_an_answer_that_drips_ends_at_the_page_s_deadline(path: str) -> None:
    def read(seconds: float) -> str:
        limits = {"read_timeout": 10 * seconds, "page_timeout": seconds}
        with RawServer(dripping) as server, viewer_of(server.base_url, **limits) as client:
            return Page.of(client.get(path), 504).text

    sentence = "did not finish its answer in"
    assert sentence in widen_timeout(read, sentence, seconds=0.5)


def test_a_server_that_is_not_there_is_explained() -> None:
    with RawServer(silent) as server:
        base_url = server.base_url
    with viewer_of(base_url) as client:
        page = Page.of(client.get(HERE), 502)
    assert "could not be reached" in page.text
    assert "Check the base URL and the network" in page.text


def test_an_answer_beyond_the_limit_is_refused() -> None:
    big = b'{"data": ["' + b"x" * 100_000 + b'"]}'
    with RawServer(answering(big)) as server, viewer_of(server.base_url, max_bytes=4096) as client:
        page = Page.of(client.get(HERE), 502)
    assert "4,096" in page.text or "4 kB" in page.text
