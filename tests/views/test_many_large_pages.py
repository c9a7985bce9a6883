"""Many readers of large transcripts at once: few hold one, and nobody else is delayed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import EnvironBuilder

from tests.support.fake_upstream import FakeUpstream, stored
from webapp import create_app
from webapp.config import Config, Limits
from webapp.upstream import LARGE, Clock

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
