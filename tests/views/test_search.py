"""The search in a transcript: every hit, loaded or not, with its words and its place."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient

from tests.analysis.checks.cases import USER, ask, call, complete, result
from tests.support.fake_upstream import FakeUpstream, stored
from tests.support.pages import Page, readable
from webapp.upstream.canonical import MAX_ITEMS

ADDRESS = "/completions/chatcmpl-1/search"


@pytest.fixture
def searched(client: FlaskClient, load: Callable[[Path], None], tmp_path: Path) -> FlaskClient:
    """A transcript of 305 messages with words in every kind of place."""
    messages: list[dict[str, Any]] = [
        {"role": "user", "content": "Is the CAFÉ open? A cafe, <b>bold</b>."},
        ask(call('{"place": "caf\\u00e9", "seats": 2}', name="find_cafe")),
        result("the café is closed"),
        *([USER] * 300),
        {"role": "user", "name": "Ada", "content": [{"type": "text", "text": "one café more"}]},
    ]
    document = complete(messages, answer={"content": "The café opens at 9-10."})
    path = tmp_path / "one.jsonl"
    line = json.dumps(document | {"metadata": {"place": "café-7"}})
    path.write_text(f"{line}\n", encoding="utf-8")
    load(path)
    return client


def search(client: FlaskClient, **query: str | list[str]) -> Page:
    return Page.of(client.get(f"{ADDRESS}?{urlencode(query, doseq=True)}"))


def hits(page: Page) -> list[str]:
    return [
        " ".join(" ".join(line.text().split()) for line in node.css("p:not(.hit-steps)"))
        for node in page.all(".hit")
    ]


def test_all_places_are_found_and_each_links_to_where_it_is(searched: FlaskClient) -> None:
    page = search(searched, q="café")

    assert hits(page) == [
        "metadata place: café-7",
        "message 1 user · text Is the CAFÉ open? A cafe, <b>bold</b>.",
        'message 2 assistant · arguments of find_cafe {"place": "café", "seats": 2}',
        "message 3 tool · result the café is closed",
        "message 304 user · text one café more",
        "answer assistant · text The café opens at 9-10.",
    ]
    assert [node.text() for node in page.all(".hit mark")][1] == "CAFÉ"
    assert "6 hits in 304 messages" in page.text
    for node in page.all(".hit-place a"):
        address = node.attributes["href"] or ""
        assert address.endswith(":~:text=caf%C3%A9") or address.endswith(":~:text=CAF%C3%89")
        anchor = address.partition("#")[2].partition(":~:")[0]
        there = Page.of(searched.get(address, follow_redirects=True))
        assert there.all(f"#{anchor}"), address


def test_each_hit_says_which_it_is_and_leads_to_its_neighbors(searched: FlaskClient) -> None:
    page = search(searched, q="café", role="user")
    steps = [readable(node) for node in page.all(".hit-steps")]
    address = page.all(".hit-place a")[1].attributes["href"] or ""
    there = Page.of(searched.get(address))
    bar = there.one("nav.found")
    before = searched.get(bar.css("[rel=prev]")[0].attributes["href"] or "")
    first = Page.of(searched.get(before.location))

    assert steps == ["1 of 2 Next", "2 of 2 Previous"]
    assert readable(bar) == "Hit 2 of 2 Previous All hits"
    assert before.status_code == 303
    assert before.location.partition("#")[2] == "m-1:~:text=CAF%C3%89"
    assert readable(first.one("nav.found")) == "Hit 1 of 2 Next All hits"
    every = first.link("All hits") or ""
    assert every.endswith("#hit-1")
    assert len(hits(Page.of(searched.get(every)))) == 2, "the role is kept"
    assert not Page.of(searched.get("/completions/chatcmpl-1?find=x")).all("nav.found")


def test_a_hit_that_is_not_there_is_an_error(searched: FlaskClient) -> None:
    assert searched.get(f"{ADDRESS}/7?q=café").status_code == 404
    assert searched.get(f"{ADDRESS}/0?q=café").status_code == 404
    assert searched.get(f"{ADDRESS}/1").status_code == 400
    assert searched.get(f"{ADDRESS}/1?q=(&pattern=1").status_code == 400
    assert "no hit 7: 6 were found" in Page.of(searched.get(f"{ADDRESS}/7?q=café"), 404).text


def test_a_hit_in_the_metadata_leads_to_the_head_of_the_transcript(searched: FlaskClient) -> None:
    link = search(searched, q="café").all(".hit-place a")[0]
    address = link.attributes["href"] or ""
    there = Page.of(searched.get(address))

    assert address.startswith("/completions/chatcmpl-1?")
    assert address.endswith("#about:~:text=caf%C3%A9")
    assert "café-7" in readable(there.one("#about"))
    assert readable(there.one("nav.found")) == "Hit 1 of 6 Next All hits"
    assert searched.get(f"{ADDRESS}/1?q=café&hits=6").location == address


def test_where_and_how_can_be_chosen(searched: FlaskClient) -> None:
    assert len(hits(search(searched, q="café", case="1"))) == 5
    assert len(hits(search(searched, q="cafe"))) == 2, "accents count, in texts and names"
    assert len(hits(search(searched, q="café", kind=["input", "output"]))) == 2
    assert len(hits(search(searched, q="café", role="user"))) == 2
    assert len(hits(search(searched, q=r"\bopens? at \d", pattern="1"))) == 1
    assert hits(search(searched, q=r"\d-\d")) == [], "a pattern only if it is asked for"
    assert search(searched, q="<b>").all(".hit mark b") == []


@pytest.mark.parametrize("pattern", ["(", "a*", "(?=x)", "(a)\\1"])
def test_a_pattern_that_cannot_be_used_is_explained(searched: FlaskClient, pattern: str) -> None:
    answer = searched.get(f"{ADDRESS}?{urlencode({'q': pattern, 'pattern': '1'})}")

    page = Page.of(answer, 400)
    assert "cannot be used" in page.text
    assert page.all("input[name=q]")[0].attributes["value"] == pattern


def test_a_search_with_many_hits_goes_on_where_it_stopped(searched: FlaskClient) -> None:
    first = search(searched, q="seat")
    found = len(hits(first))
    (link,) = (node for node in first.all("a") if node.text().startswith("Continue from"))

    rest = Page.of(searched.get(link.attributes["href"] or ""))

    assert found >= 200
    assert found + len(hits(rest)) == 301, "300 questions, and an argument"
    assert "in 304 messages" in rest.text
    assert readable(first.all(".hit-steps")[0]) == "1 Next"
    assert readable(rest.all(".hit-steps")[-1]) == "301 of 301 Previous"


def test_an_error_keeps_what_was_found_before_it(
    fake_client: FlaskClient, fake: FakeUpstream
) -> None:
    fake.completions["chatcmpl-1"] = stored("chatcmpl-1", *(f"seat {n}" for n in range(150)))
    whole = search(fake_client, q="seat 1")

    assert len(hits(whole)) == 61
    assert fake_client.get("/completions/chatcmpl-none/search?q=x").status_code == 404
    assert fake_client.get(f"{ADDRESS}?q=x&role=nobody").status_code == 400
    assert fake_client.get(f"{ADDRESS}?q={'x' * 1001}").status_code == 400


def test_a_search_goes_on_by_count_if_ids_are_no_cursors(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fake.completions["chatcmpl-2"] = stored(
        "chatcmpl-2", *(f"word {at}" for at in range(2 * MAX_ITEMS + 50)), metadata={"note": "word"}
    )
    for at, message in enumerate(fake.completions["chatcmpl-2"].messages):
        message["id"] = f"no cursor {at}"
    fake.ignores_query = True
    address: str | None = "/completions/chatcmpl-2/search?q=word"
    found = 0
    for _ in range(99):
        page = Page.of(fake_client.get(address or ""))
        found += len(hits(page))
        address = next(iter(one.attributes["href"] for one in page.all('a[rel="next"]')), None)
        if address is None:
            break

    assert found == 2 * MAX_ITEMS + 51
