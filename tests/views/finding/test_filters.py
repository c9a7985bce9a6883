"""The list of the embedded store: filter words, orders, exact numbers, and bad words."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.support import fake_upstream
from tests.support.pages import Page
from tools.store_rows import completion, jsonl
from webapp.analysis.assessing import assess_completion
from webapp.analysis.checks import CHECKS_VERSION
from webapp.config import Config
from webapp.embedded import Store
from webapp.factories import find_database_url
from webapp.finding.query import MAX_FILTERS
from webapp.templating.finding.filters import KINDS, Filters


def said(at: int, *, model: str) -> dict[str, Any]:
    """Return a completion; the odd ones call a tool and are cut off."""
    name = 'a "b" <i>'
    call = {"id": "c", "type": "function", "function": {"name": name, "arguments": "{}"}}
    message: dict[str, Any] = {"role": "assistant", "content": "An answer"}
    if at % 2:
        message["tool_calls"] = [call]
    choice = {"index": 0, "message": message, "finish_reason": ["stop", "length"][at % 2]}
    timing = {"total_ms": 2_300 + at, "first_token_ms": 310}
    usage = {"total_tokens": [7, 3, 9, 1][at]}
    question = [{"role": "user", "content": f"Question {at}, part {n}"} for n in range(5 + at)]
    return completion(f"chatcmpl-{at}", created=1_794_873_600 + at, model=model) | {
        "messages": question,
        "choices": [choice],
        "usage": usage,
        "readback_timing": timing,
    }


@pytest.fixture
def stored(load: Callable[[Path], None], tmp_path: Path) -> None:
    load(jsonl(tmp_path / "stored.jsonl", [said(at, model=f"m{at % 2}") for at in range(4)]))


def questions(page: Page) -> list[str]:
    return [row.question.partition(",")[0].removeprefix("Question ") for row in page.rows]


@pytest.mark.usefixtures("stored")
def test_filters_and_orders_are_links_and_words_of_the_form(client: FlaskClient) -> None:
    page = Page.of(client.get("/completions"))
    assert questions(page) == ["3", "2", "1", "0"]
    # The exact number of messages, and how long the answer took.
    assert page.all(".row-messages")[0].text(strip=True) == "8 messages"
    duration = page.all(".row-duration")[0]
    assert duration.text() == "2.3 s"
    assert "first token came after 0.31 s" in (duration.attributes["title"] or "")
    page = Page.of(client.get(page.link("cut off") or ""))
    assert questions(page) == ["3", "1"]
    page = Page.of(client.get(page.link("tokens") or ""))
    assert questions(page) == ["1", "3"]
    reverse = page.one('.kinds a[title="Reverse the order"]').attributes["href"] or ""
    assert parse_qsl(urlsplit(reverse).query) == [("filter", "finish:length"), ("sort", "-tokens")]
    page = Page.of(client.get(reverse))
    assert questions(page) == ["3", "1"]
    assert page.one("form.filters [name=filter]").attributes["value"] == "finish:length"
    assert page.one("form.filters [name=sort]").attributes["value"] == "-tokens"
    # Its transcript leads back to the same list.
    shown = Page.of(client.get(page.rows[0].href or ""))
    back = shown.one(".bar-back").attributes["href"]
    assert back == "/completions?filter=finish:length&sort=-tokens"


def test_an_order_by_a_number_that_nothing_has_says_so(
    load: Callable[[Path], None], tmp_path: Path, client: FlaskClient
) -> None:
    one = said(1, model="m")
    del one["readback_timing"]
    load(jsonl(tmp_path / "stored.jsonl", [one]))
    words = {
        sort: Page.of(client.get("/completions", query_string={"sort": sort})).text
        for sort in ("duration", "tokens")
    }
    assert "No completion of this list has a recorded duration" in words["duration"]
    assert "No completion of this list" not in words["tokens"]


@pytest.mark.usefixtures("stored")
def test_tools_and_reasons_of_rows_are_filters(client: FlaskClient) -> None:
    page = Page.of(client.get("/completions"))
    tool = page.all("a.mark")[0].attributes["href"] or ""
    assert parse_qsl(urlsplit(tool).query) == [("filter", 'tool:"a ""b"" <i>"')]
    page = Page.of(client.get(tool))
    assert questions(page) == ["3", "1"]
    chip = page.one(".chips li:first-child")
    assert 'tool:"a ""b"" <i>"' in chip.text()
    [remove] = chip.css("a")
    assert remove.attributes["href"] == "/completions"
    older = Page.of(client.get(page.rows[0].href or "")).link("Older ›") or ""
    assert client.get(older).location.startswith("/completions/chatcmpl-1?filter=tool:")


@pytest.mark.usefixtures("stored")
def test_words_of_an_address_are_exact(client: FlaskClient) -> None:
    for words, found in (
        ("messages:>6 tokens:<5", ["3"]),
        ("model:m0", ["2", "0"]),
        ("since:2026-11-17T00:00:01 before:2026-11-17T00:00:03", ["2", "1"]),
        ("has:image", []),
    ):
        page = Page.of(client.get("/completions", query_string={"filter": words}))
        assert questions(page) == found
    for kind in KINDS:
        assert (
            "No completion matches"
            in Page.of(
                client.get("/completions", query_string={"show": kind, "model": "none"})
            ).text
        )
    table = client.get("/completions.csv?filter=finish:length&sort=tokens")
    assert [line.split(",")[0] for line in table.text.splitlines()[1:]] == [
        "chatcmpl-1",
        "chatcmpl-3",
    ]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"filter": "tokens:many"}, "tokens: takes a number"),
        ({"filter": "has:wings"}, "has: takes audio"),
        ({"filter": "tool:x " * 21}, "up to 20 filters"),
        ({"sort": "color"}, "The parameter sort takes time, tokens"),
        ({"sort": "--time"}, "The parameter sort takes time, tokens"),
    ],
)
def test_bad_words_are_answered_with_the_good_ones(
    client: FlaskClient, query: dict[str, str], words: str
) -> None:
    assert words in Page.of(client.get("/completions", query_string=query), 400).text


def test_texts_are_searched_for_with_the_filters(client: FlaskClient) -> None:
    response = client.get("/completions?filter=tool:x+bergen&model=a+b")
    assert response.status_code == 303
    found = dict(parse_qsl(urlsplit(response.location).query))
    assert found == {"q": 'model:"a b" tool:x bergen'}
    page = Page.of(client.get("/search?q=tool:x"))
    assert page.link("Show as a list") == "/completions?filter=tool:x"


def test_the_box_says_that_it_searches(client: FlaskClient, fake_client: FlaskClient) -> None:
    box = Page.of(client.get("/completions")).one("#pasted")
    assert box.attributes["placeholder"] == "id, URL, curl or words"
    box = Page.of(fake_client.get("/completions")).one("#pasted")
    assert box.attributes["placeholder"] == "id, URL or curl command"


def test_another_server_says_what_it_can_filter(
    fake: fake_upstream.FakeUpstream, fake_client: FlaskClient
) -> None:
    fake.completions["c-1"] = fake_upstream.stored("c-1", "Which seat?")
    for query in ("filter=tool:shell", "sort=tokens"):
        page = Page.of(fake_client.get(f"/completions?{query}"), 400)
        assert "filters its list by model and metadata only" in page.text
    page = Page.of(fake_client.get("/completions"))
    assert "On this page" in [one.text() for one in page.all(".kinds > span")]


@pytest.mark.usefixtures("stored")
def test_an_open_list_says_how_many_are_newer(
    client: FlaskClient, load: Callable[[Path], None], tmp_path: Path
) -> None:
    listed = Page.of(client.get("/completions?filter=finish:length"))
    place = listed.one(".newer")
    assert place.text(strip=True) == ""
    url = place.attributes["data-url"] or ""
    more = [said(1, model="m1") | {"id": f"n{at}", "created": 1_794_880_000} for at in range(3)]
    load(jsonl(tmp_path / "more.jsonl", more))
    load(jsonl(tmp_path / "other.jsonl", [said(0, model="m0") | {"id": "other"}]))
    asked = {"HX-Request": "true"}
    for _ in range(2):
        # The answer asks again, and the older ones are not counted.
        polled = Page.of(client.get(url, headers=asked))
        link = polled.one(".newer > a")
        assert (link.text(), link.attributes["href"]) == (
            "3 newer",
            "/completions?filter=finish:length",
        )
        url = polled.one(".newer").attributes["data-url"] or ""
    # Without htmx, the address is the list.
    assert len(Page.of(client.get(url)).rows) == 5
    for hostile in ("nothing", "../x", "%00", "a" * 3_000):
        polled = Page.of(client.get(f"/completions?newer={hostile}", headers=asked))
        assert polled.one(".newer").text(strip=True) == ""
    assert not Page.of(client.get("/completions?sort=tokens")).all(".newer")


def test_another_server_is_not_polled(fake_client: FlaskClient) -> None:
    assert not Page.of(fake_client.get("/completions")).all(".newer")


@pytest.mark.usefixtures("stored")
def test_the_findings_of_checks_are_filters_that_say_what_they_miss(
    client: FlaskClient, config: Config
) -> None:
    page = Page.of(client.get("/completions"))
    assert not page.all(".notice")
    for address in (page.link("warnings or errors") or "", "/search?q=findings:warning"):
        listed = Page.of(client.get(address))
        [notice] = listed.all(".notice")
        assert notice.text().startswith("4 completions are not checked yet, and missing here.")

    with closing(Store(find_database_url(config))) as store:
        store.check(assess_completion, rules=CHECKS_VERSION)

    listed = Page.of(client.get(page.link("warnings or errors") or ""))
    assert (questions(listed), listed.all(".notice")) == (["3", "1"], [])
    assert Page.of(client.get(page.link("errors") or "")).rows == []
    found = Page.of(client.get("/search?q=findings:warning"))
    assert len(found.all(".find")) == 2
    checks = Page.of(client.get("/completions/chatcmpl-0/checks"))
    assert checks.link("All completions with errors or warnings") == page.link("warnings or errors")


def test_a_row_counts_the_failed_calls(
    client: FlaskClient, config: Config, load: Callable[[Path], None], tmp_path: Path
) -> None:
    result = {"role": "tool", "tool_call_id": "c", "content": "Error: not there"}
    called = said(1, model="m")["choices"][0]["message"]
    failed = said(0, model="m") | {"messages": [*2 * [called, result], called]}
    load(jsonl(tmp_path / "failed.jsonl", [failed]))
    with closing(Store(find_database_url(config))) as store:
        store.check(assess_completion, rules=CHECKS_VERSION)
    row = Page.of(client.get("/completions")).one(".row-reason")
    assert row.text(strip=True) == "✗ 2 failed calls"


def test_a_span_of_time_has_no_link_that_the_list_would_refuse(app: Flask) -> None:
    words = tuple(f"tool:t{at}" for at in range(MAX_FILTERS - 1))

    with app.test_request_context():
        assert Filters(source="store", words=words[1:]).time_url(1, 60)
        assert Filters(source="store", words=words).time_url(1, 60) is None
