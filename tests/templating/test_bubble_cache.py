"""The cache of bubbles changes nothing: pages are the same with it, without it, and when full."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.support.fake_upstream import FakeUpstream, stored
from tests.support.long_transcripts import write_completion
from tools.paths import REAL_DATA
from webapp import create_app
from webapp.config import Config
from webapp.embedded import Store, load_samples
from webapp.factories import find_database_url
from webapp.templating.bubble_cache import BubbleCache
from webapp.templating.bubbles import BUBBLES

REAL = ("malformed_arguments", "swe_agent", "llama_stack", "openai_dotnet")
VARIANTS = (
    "",
    "?view=compact",
    "?order=desc&limit=3",
    "?only=failures",
    "?model=m",
    "?range=1-2",
)
MOST = 3
"""Completions of a file that are looked at, or some more."""


def bubbles_of(app: Flask) -> BubbleCache:
    cache: BubbleCache = app.extensions[BUBBLES]
    return cache


def assert_same(config: Config, addresses: Iterable[str] | None = None) -> None:
    """Each page by an application that keeps no bubbles, and twice by one that does."""
    plain, keeping = create_app(config), create_app(config)
    plain.extensions[BUBBLES] = BubbleCache(most_bytes=0)
    without, kept = (app.test_client(use_cookies=False) for app in (plain, keeping))
    addresses = list(addresses or list_addresses(without))
    for address in addresses:
        # The first time may meet the limit of time for code, whose lexers are compiled then.
        without.get(address)
    expected = {address: without.get(address).text for address in addresses}
    for address in (*addresses, *reversed(addresses)):
        assert kept.get(address).text == expected[address], address
    assert not len(bubbles_of(plain))
    assert len(bubbles_of(keeping))


def list_addresses(client: FlaskClient) -> Iterator[str]:
    listed = client.get("/v1/chat/completions?limit=100").get_json()["data"]
    for completion in listed[:: max(1, len(listed) // MOST)]:
        path = f"/completions/{completion['id']}"
        first = client.get(f"/v1/chat{path}/messages?limit=1").get_json()["data"]
        yield from (f"{path}{variant}" for variant in VARIANTS)
        yield from (f"{path}/messages/{message['id']}" for message in first)


def test_samples_are_the_same_with_and_without_the_cache(config: Config, tmp_path: Path) -> None:
    config = replace(config, database_url=f"sqlite:///{tmp_path / 'samples.sqlite3'}")
    store = Store(find_database_url(config))
    assert load_samples(store)
    store.close()
    assert_same(config)


@pytest.mark.parametrize("name", REAL)
def test_real_transcripts_are_the_same_with_and_without_the_cache(
    config: Config, load: Callable[[Path], None], name: str
) -> None:
    path = REAL_DATA / "transcripts" / f"{name}.jsonl"
    if not path.exists():
        pytest.skip("the real transcripts are not beside this checkout")
    load(path)
    assert_same(config)


def test_the_same_message_elsewhere_is_another_bubble(fake_app: Flask, fake: FakeUpstream) -> None:
    """In another completion, at another place, for another host or path of the application."""
    for name in ("chatcmpl-1", "chatcmpl-2"):
        fake.completions[name] = stored(name, "the same", "the same")
    client = fake_app.test_client()
    places = (
        ("/completions/chatcmpl-1", "http://localhost/"),
        ("/completions/chatcmpl-2", "http://localhost/"),
        ("/completions/chatcmpl-2", "http://127.0.0.1:8000/"),
    )
    for path, host in places:
        client.get(f"{path}?limit=9", base_url=host)
    assert not len(bubbles_of(fake_app)), "nothing is kept of what was shown once"
    pages = [client.get(path, base_url=host).text for path, host in places]
    assert 'id="m-1"' in pages[0] and 'id="m-2"' in pages[0]
    assert "chatcmpl-1" not in pages[1]
    assert len(bubbles_of(fake_app)) == 9


def test_a_message_that_changed_is_rendered_again(
    fake_client: FlaskClient, fake: FakeUpstream
) -> None:
    fake.completions["chatcmpl-1"] = stored("chatcmpl-1", "as it was")
    assert "as it was" in fake_client.get("/completions/chatcmpl-1").text
    fake.completions["chatcmpl-1"] = stored("chatcmpl-1", "as it is", created=1_758_039_104)
    page = fake_client.get("/completions/chatcmpl-1").text
    assert "as it is" in page
    assert "as it was" not in page


def test_the_cache_stays_within_its_bytes(
    app: Flask, load: Callable[[Path], None], tmp_path: Path
) -> None:
    load(write_completion(tmp_path / "long.jsonl", 200))
    cache = app.extensions[BUBBLES] = BubbleCache(most_bytes=100_000)
    client = app.test_client()
    pages = [client.get("/completions/chatcmpl-long?all=1").text for _ in range(2)]
    assert pages[0] == pages[1]
    assert 50_000 < cache.size <= 100_000
    assert 10 < len(cache) < 100


def test_a_page_near_its_limits_is_the_same(
    config: Config, load: Callable[[Path], None], tmp_path: Path
) -> None:
    """A text that is plain on a page without budget left may be Markdown on another."""
    path = write_completion(tmp_path / "long.jsonl", 60)
    stars = " ".join("*a*" for _ in range(1000))
    path.write_text(path.read_text().replace("Message ", f"{stars} Message ", 90))
    load(path)
    assert_same(config, [f"/completions/chatcmpl-long?limit={limit}" for limit in (4, 5, 60)])
