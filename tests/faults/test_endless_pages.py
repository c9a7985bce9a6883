"""Servers that never come to an end, or give everything at once: each message once, in bounds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.support.command import PATIENCE
from tests.support.fake_upstream import FakeUpstream, Json, Reply, message, stored
from tests.support.pages import Page, pages_from
from tests.support.serving import serve
from webapp import create_app
from webapp.config import Config, Limits
from webapp.fragments import join_pieces
from webapp.http.deadline import SYSTEM_CLOCK, Clock

ID = "chatcmpl-1"
HERE = f"/completions/{ID}"
MESSAGES = f"/chat/completions/{ID}/messages"
LIST = "/chat/completions"


@contextmanager
def viewer(
    fake: FakeUpstream,
    *,
    page_timeout: float = PATIENCE,
    clock: Clock = SYSTEM_CLOCK,
    **settings: Any,
) -> Iterator[FlaskClient]:
    limits = Limits(max_retries=0, page_timeout=page_timeout)
    with serve(fake) as address:
        config = Config(openai_base_url=f"{address}/v1", limits=limits, **settings)
        yield create_app(config, clock=clock).test_client()


class Endless(FakeUpstream):
    """A server that invents a message for every one that it is asked for."""

    def _api(self, seen: Any) -> Reply:
        if not seen.path.endswith("/messages"):
            return Reply(200, stored(ID, choices=[]).completion)
        query = dict(seen.query)
        first = int(query["after"].rpartition("-")[2]) + 1 if "after" in query else 0
        made = range(first, first + int(query["limit"]))
        data = [message(ID, at, f"text {at}") for at in made]
        return Reply(200, {"object": "list", "data": data, "has_more": True})


def test_loading_all_that_never_ends_stops_and_offers_to_go_on() -> None:
    with viewer(Endless(), max_pages=3) as client:
        first = Page.of(client.get(f"{HERE}?limit=10&all=1"))
        assert first.message_ids == [f"{ID}-{at}" for at in range(30)]
        assert "At most 3 pages are loaded at once." in first.text
        assert first.html.rstrip().endswith("</html>")
        further = first.link("Continue from here")
        assert further is not None
        second = Page.of(client.get(further))
    assert second.message_ids == [f"{ID}-{at}" for at in range(30, 60)]
    assert second.link("Continue from here") is not None


class Counting(Endless):
    """The same, whose every answer takes a second of `clock`."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.clock = Clock(monotonic=lambda: self.now)

    def _api(self, seen: Any) -> Reply:
        self.now += 1
        return super()._api(seen)


def test_a_search_that_finds_nothing_stops_in_time_and_offers_to_go_on() -> None:
    fake = Counting()
    with viewer(fake, page_timeout=20.0, clock=fake.clock) as client:
        page = Page.of(client.get(f"{HERE}/search?q=nothing"))
        (further,) = page.all('a[rel="next"]')
        seconds = fake.now
        hit = client.get(f"{HERE}/search/1?q=nothing")

    assert seconds < 30
    assert "after=" in str(further.attributes["href"])
    assert hit.status_code == 503 and "stopped before hit 1: 0 hits in " in hit.text


def test_a_search_that_ends_after_the_last_page_allowed_does_not_speak_of_time() -> None:
    with viewer(Endless(), max_pages=3) as client:
        hit = client.get(f"{HERE}/search/1?q=nothing")

    assert "The search stopped before hit 1: 0 hits in 300 messages." in Page.of(hit, 503).text


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "redacted"), ("GET", f"messages/{ID}-5/redacted"), ("POST", "share")],
)
def test_what_needs_all_messages_is_given_up_in_time(method: str, path: str) -> None:
    fake = Counting()
    with viewer(fake, page_timeout=20.0, clock=fake.clock) as client:
        answer = client.open(f"{HERE}/{path}", method=method)

    assert answer.status_code == 504 and fake.now < 90
    assert "did not send all messages in 60 seconds" in answer.text


def test_a_transcript_that_ends_with_the_last_page_allowed_is_complete() -> None:
    fake = FakeUpstream({ID: stored(ID, *(f"text {at}" for at in range(30)), choices=[])})
    with viewer(fake, max_pages=3) as client:
        page = Page.of(client.get(f"{HERE}?limit=10&all=1"))
    assert len(page.bubbles) == 30
    assert "30 of 30 messages" in page.text
    assert page.link("Continue from here") is None


def test_a_server_that_goes_round_in_circles_is_followed_once() -> None:
    fake = FakeUpstream({ID: stored(ID, *(f"text {at}" for at in range(30)), choices=[])})
    first, second = ([message(ID, at, "x") for at in range(start, start + 10)] for start in (0, 10))
    pages = [{"object": "list", "data": data, "has_more": True} for data in (first, second) * 50]
    fake.script(MESSAGES, *(Reply(200, page) for page in pages))
    fake.script_newest(MESSAGES, Reply(200, {"data": first}))
    with viewer(fake) as client:
        page = Page.of(client.get(f"{HERE}?limit=10&all=1"))
    assert len(page.bubbles) < 50
    assert "Could not load the rest. The server sends the same messages again" in page.text


# Servers that give more than they were asked for


def all_at_once(page: Json) -> Json:
    return page | {"has_more": False}


def nameless(page: Json) -> Json:
    data = [one if one.get("choices") else one | {"id": "not an id"} for one in page["data"]]
    return {"object": "list", "data": data}


def spoken(pages: list[Page]) -> list[str]:
    return [source for page in pages for bubble in page.bubbles for source in bubble.sources]


@pytest.mark.parametrize("fault", [all_at_once, nameless], ids=["with ids", "without ids"])
@pytest.mark.parametrize("query", ["", "?order=desc"])
def test_thousands_of_messages_at_once_come_in_parts_and_each_once(fault: Any, query: str) -> None:
    texts = [f"text {at}" for at in range(1_050)]
    fake = FakeUpstream({ID: stored(ID, *texts, choices=[])}, page=fault, ignores_query=True)
    with viewer(fake) as client:
        pages = list(pages_from(client, HERE + query))
        assert [len(page.bubbles) for page in pages] == [1_000, 50]
        assert spoken(pages) == texts


def test_thousands_of_messages_at_once_are_all_loaded() -> None:
    texts = [f"text {at}" for at in range(1_050)]
    fake = FakeUpstream({ID: stored(ID, *texts, choices=[])}, page=nameless, ignores_query=True)
    with viewer(fake) as client:
        assert spoken([Page.of(client.get(f"{HERE}?all=1"))]) == texts


def test_earlier_messages_are_found_if_a_server_sends_all_at_once() -> None:
    texts = [f"text {at}" for at in range(1_050)]
    fake = FakeUpstream({ID: stored(ID, *texts, choices=[])}, page=all_at_once, ignores_query=True)
    with viewer(fake) as client:
        page = Page.of(client.get(f"{HERE}/messages/{ID}-1040"))
        assert spoken([page])[:2] == texts[1_040:1_042]
        earlier = page.link("Earlier messages")
        assert earlier is not None
        assert spoken([Page.of(client.get(earlier))]) == texts[1_020:1_040]


def test_thousands_of_completions_at_once_come_in_parts_and_each_once() -> None:
    inputs: list[Json] = [{"role": "user", "content": "x"}]
    many = {f"c-{at}": stored(f"c-{at}", input_messages=inputs) for at in range(1_050)}
    fake = FakeUpstream(many, page=all_at_once, ignores_query=True)
    with viewer(fake) as client:
        pages = list(pages_from(client, "/completions"))
    rows = [row.href for page in pages for row in page.rows]
    assert rows == [f"/completions/{name}" for name in reversed(many)]
    assert len(pages) == 2


# Pages that break off while they are sent


def test_a_streamed_page_that_fails_says_where_it_breaks_off() -> None:
    def page() -> Iterator[str]:
        yield "<main><article>one</article>"
        yield '<article title="'
        raise ValueError("a secret")

    sent = "".join(join_pieces(page(), broken_off="<p>It breaks off here.</p>"))
    assert sent == "<main><article>one</article><p>It breaks off here.</p>"


def test_a_streamed_page_that_does_not_fail_is_sent_as_it_is() -> None:
    parts = ["<main>", "<section>x" * 5_000, "</section>", "end"]
    pieces = list(join_pieces(parts, broken_off="no"))
    assert "".join(pieces) == "".join(parts)
    assert len(pieces) < len(parts)
