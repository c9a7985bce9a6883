"""Many readers of large transcripts at once: few hold one, and nobody else is delayed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import EnvironBuilder

from tests.support.fake_upstream import FakeUpstream, stored
from webapp import create_app
from webapp.app.holding import HeldAnswer
from webapp.config import Config, Limits
from webapp.upstream import LARGE, Clock, Holder, Places

LIMITS = Limits(page_timeout=2.0)
LARGE_PAGES = ("", "/export.html", "/export.md", "/messages/c-large-0", "/search?q=x", "/checks")


@pytest.fixture
def client(fake: FakeUpstream) -> Iterator[FlaskClient]:
    fake.completions["c-large"] = stored("c-large", "x" * (LARGE + 1))
    fake.completions["c-small"] = stored("c-small", "Hello")
    still = Clock(monotonic=lambda: 0.0, sleep=lambda _: None)
    with fake.serve() as base_url:
        config = Config(openai_base_url=base_url, limits=LIMITS)
        yield create_app(config, clock=still).test_client()


def test_others_are_asked_to_come_back(client: FlaskClient) -> None:
    address = "/completions/c-large"
    held = [_begin(client, f"{address}/export.json") for _ in range(2)]

    refused = client.get(address)
    small = client.get("/completions/c-small")
    for one in held:
        one.close()
    answers = [client.get(f"{address}{page}") for page in LARGE_PAGES]

    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
    assert "Others are reading transcripts" in refused.text
    assert "<h1>Readback is busy</h1>" in refused.text and "The server" not in refused.text
    assert small.status_code == 200
    assert [answer.status_code for answer in answers] == [200] * len(LARGE_PAGES)


def _begin(client: FlaskClient, address: str) -> Any:
    """Send a request, and read nothing of its answer."""
    environ = EnvironBuilder(path=address).get_environ()
    return client.application.wsgi_app(environ, lambda *_: lambda _: None)


def test_a_client_that_takes_its_file_slowly_holds_no_place(client: FlaskClient) -> None:
    address = "/completions/c-large/export.json"
    slow = [client.get(address) for _ in range(2)]
    pieces = [one.iter_encoded() for one in slow]
    begun = [next(one) for one in pieces]

    answer = client.get(address)

    assert answer.status_code == 200
    for first, rest in zip(begun, pieces, strict=True):
        assert first + b"".join(rest) == answer.data


@pytest.mark.parametrize(("seconds", "begun"), [(0.1, 0), (2.0, 4), (11.0, 8)])
def test_a_file_is_begun_while_it_is_made(seconds: float, begun: int) -> None:
    """Pages of a transcript are seen as they come, and no proxy gives up for silence."""
    now = [0.0]
    answer = HeldAnswer(Holder(Places()), monotonic=lambda: now[0])
    answer.holder.take_place(0)
    written = [bytes([at]) * 256 * 1024 for at in range(9)]

    def make() -> Iterator[bytes]:
        for piece in written:
            now[0] += seconds
            yield piece

    answer.body = make()
    pieces = []
    early = 0
    for piece in answer:
        pieces.append(piece)
        early += answer.holder.has_place

    assert b"".join(pieces) == b"".join(written)
    assert early == begun
