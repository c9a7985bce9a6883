"""The overview: the strip above the list, its tables and their links, and its own page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.support.pages import Page, readable
from tools.store_rows import add
from webapp.app import close_databases, create_app
from webapp.config import Config
from webapp.embedded import Store

NOON = 1_794_916_800
"""Of 17 November 2026, in UTC."""
HOSTILE = ['<img src=x onerror="a">', 'say "x" & more', "\u202ekcab", "a:b c", "y" * 600]


def made(at: int, *, reason: str = "stop", **members: Any) -> dict[str, Any]:
    """Return a completion of the day `at` days before."""
    choice = {"index": 0, "finish_reason": reason, "message": {"content": "Yes."}}
    return {
        "id": f"chatcmpl-{at}",
        "created": NOON - 86_400 * at,
        "model": "m1",
        "messages": [{"role": "user", "content": f"Question {at}"}],
        "choices": [choice],
        **members,
    }


def called(name: str) -> list[dict[str, Any]]:
    call = {"id": "c", "type": "function", "function": {"name": name, "arguments": "{}"}}
    return [{"role": "assistant", "content": None, "tool_calls": [call]}]


@pytest.fixture
def app(url: str, config: Config) -> Iterator[Flask]:
    app = create_app(replace(config, database_url=url))
    yield app
    close_databases(app)


@pytest.fixture
def store(app: Flask) -> Store:
    """Return the store that the application reads."""
    found: Store = app.extensions["readback"].conversations
    return found


def test_the_strip_has_the_filters_of_the_list_and_leads_to_others(
    client: FlaskClient, store: Store
) -> None:
    add(
        store,
        made(0, usage={"prompt_tokens": 1_000, "completion_tokens": 20}, metadata={"team": "a"}),
        made(1, reason="length", messages=called("shell"), metadata={"team": "a"}),
        made(1, id="other", model="m2", messages=called("shell"), reason="tool_calls"),
        made(9, model=None),
        made(5, id="timeless", created=None),
    )
    page = Page.of(client.get("/completions"))
    strip = page.one(".overview")
    assert readable(page.one(".strip-legend")) == (
        "5 completions cut off 1 tool calls 1 stop 3 1,000 tokens in 20 tokens out As numbers"
    )
    notes = [readable(note) for note in page.all(".overview > .quiet-note")]
    assert notes == [
        "1 completion has no time, and is in no bar.",
        "Tokens are counted on the 1 completion that reports usage.",
    ]
    # Bars of two hours: 109 cover nine days.
    titles = [readable(title) for title in page.all(".strip svg title")]
    assert titles == [
        "2026-11-08 12:00 to 14:00, 1 completion: stop 1",
        "2026-11-16 12:00 to 14:00, 2 completions: cut off 1, tool calls 1",
        "2026-11-17 12:00 to 14:00, 1 completion: stop 1",
    ]
    assert "109 bars of 2 hours each, in UTC" in readable(page.one(".strip .visually-hidden"))
    bars = page.all(".strip svg a")
    assert {bar.attributes["tabindex"] for bar in bars} == {"-1"}
    assert len(strip.css(".strip-bar")) == 4

    links = {readable(link): link.attributes["href"] or "" for link in strip.css("tbody th a")}
    links["bar"] = bars[1].attributes["href"] or ""
    texts = [[readable(cell) for cell in row.css("th, td")] for row in strip.css("tbody tr")]
    assert texts == [
        ["m1", "3", "1,000", "20"],
        ["m2", "1", "unknown", "unknown"],
        ["no model named", "1", "unknown", "unknown"],
        ["any of them", "1"],
        ["cut off", "1"],
        ["shell", "2"],
    ]
    shown = {name: len(Page.of(client.get(href)).rows) for name, href in links.items()}
    assert shown == {"m1": 3, "m2": 1, "any of them": 1, "cut off": 1, "shell": 2, "bar": 2}

    filtered = Page.of(client.get("/completions?metadata[team]=a"))
    assert readable(filtered.one(".strip-legend")).startswith("2 completions cut off 1 stop 1")
    [tool] = filtered.all(".overview-table:last-child tbody a")
    query = parse_qs(urlsplit(tool.attributes["href"] or "").query)
    assert query["metadata[team]"] == ["a"]
    # Not again with each page of the list, and not if nothing matches.
    assert Page.of(client.get("/completions?limit=1&after=chatcmpl-0")).all(".overview") == []
    assert Page.of(client.get("/completions?model=nobody")).all(".overview") == []


def test_the_page_has_every_bar_as_a_row_with_the_link_of_the_bar(
    client: FlaskClient, store: Store
) -> None:
    add(store, *(made(at, reason=["stop", "length"][at % 2]) for at in range(300)))
    page = Page.of(client.get("/overview"))
    *_, times = page.all(".overview-table")
    rows = [[readable(cell) for cell in row.css("th, td")] for row in times.css("tbody tr")]
    assert rows[0] == ["2026-11-16 to 2026-11-22", "2", "1", "1", "unknown", "unknown"]
    assert sum(int(row[1]) for row in rows) == 300
    assert readable(page.one(".strip-axis")).endswith("2026-11-22")
    bars = [bar.attributes["href"] for bar in page.all(".strip svg a")]
    assert [link.attributes["href"] for link in times.css("tbody th a")] == bars[::-1]
    assert len(bars) <= 120
    # A narrower time has narrower bars.
    address = f"/overview?{urlsplit(bars[-1] or '').query}"
    narrow = Page.of(client.get(address))
    assert readable(narrow.one(".strip-legend")).startswith("2 completions")
    assert "since:2026-11-16T00:00:00Z before:2026-11-23T00:00:00Z" in readable(narrow.one("main"))
    assert "No completion matches." in Page.of(client.get("/overview?model=nobody")).text
    assert client.get("/overview?filter=since:soon").status_code == 400


def test_hostile_names_are_words_and_nothing_else(client: FlaskClient, store: Store) -> None:
    add(
        store,
        *(
            made(at, id=f"c{at}", model=name, messages=called(name))
            for at, name in enumerate(HOSTILE)
        ),
    )
    page = Page.of(client.get("/overview"))
    assert page.all(".overview img") == []
    marks = [mark.attributes["data-mark"] for mark in page.all(".overview [data-mark]")]
    assert marks == ["U+202E RLO"] * 2
    for table in page.all(".overview-table")[:2]:
        links = [link.attributes["href"] or "" for link in table.css("tbody th a")]
        # The last name is too long for an address.
        assert len(table.css("tbody tr")) == len(HOSTILE)
        assert [len(Page.of(client.get(link)).rows) for link in links] == [1] * 4


@pytest.mark.one_database
def test_an_empty_store_and_one_completion(client: FlaskClient, store: Store) -> None:
    assert Page.of(client.get("/completions")).all(".overview") == []
    assert "Nothing is stored yet." in Page.of(client.get("/overview")).text
    assert Page.of(client.get("/completions")).one('.list-links a[href="/overview"]')

    add(store, made(0, created=None))
    page = Page.of(client.get("/overview"))
    assert page.all("svg.strip, .strip svg") == []
    assert readable(page.one(".strip-legend")) == "1 completion stop 1"
    add(store, made(1))
    page = Page.of(client.get("/overview"))
    assert len(page.all(".strip svg a")) == 1


@pytest.mark.one_database
def test_a_bar_may_end_after_the_last_year_of_the_calendar(
    client: FlaskClient, store: Store
) -> None:
    add(store, made(0), made(1, created="9999-12-31T23:59:59Z"))
    answer = client.get("/completions")
    assert answer.status_code == 200
    assert (
        Page.of(answer)
        .one(".strip svg g title")
        .text()
        .endswith("to 9999-12-31, 1 completion: stop 1")
    )
    assert Page.of(client.get("/overview")).all(".overview")


def test_of_another_server_the_page_says_what_works_there(fake_client: FlaskClient) -> None:
    page = Page.of(fake_client.get("/overview"))
    assert "filter them by model and metadata" in page.text
    assert "pull, then search" in page.text
    assert page.all(".overview") == []
    assert Page.of(fake_client.get("/completions")).all(".overview") == []
