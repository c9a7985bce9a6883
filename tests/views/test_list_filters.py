"""The filters of the list, whose state is the address: set by a form, removed one by one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from flask.testing import FlaskClient
from selectolax.lexbor import LexborNode

from tests.support.fake_upstream import FakeUpstream, stored
from tests.support.pages import Page, open_menu

ID = "chatcmpl-1"


def filter_by(client: FlaskClient, **fields: str) -> Page:
    """The page that the filter form leads to when it is sent with these fields."""
    page = Page.of(client.get("/completions"))
    form = page.one("form.filters")
    query = {name: fields.get(name, value) for name, value in controls(form)}
    return Page.of(client.get(form.attributes["action"] or "", query_string=query, **FOLLOW))


FOLLOW: dict[str, Any] = {"follow_redirects": True}


def controls(form: LexborNode) -> Iterator[tuple[str, str]]:
    for control in form.css("input"):
        yield control.attributes["name"] or "", control.attributes.get("value") or ""


def test_the_form_leads_to_an_address_that_is_the_filter(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    sent = {"model": " gpt-4o ", "key": "eval", "value": "7"}
    response = fake_client.get("/completions", query_string=sent)
    assert response.status_code == 303
    assert urlsplit(response.location).path == "/completions"
    assert parse_qsl(urlsplit(response.location).query) == [
        ("model", "gpt-4o"),
        ("metadata[eval]", "7"),
    ]
    assert fake.requests == []


KEYS = ("eval", "a[b]", "a=b", "a]=b", "a&b#c", "clé 😀", "%5B", "a+b", "metadata[x]")


@pytest.mark.parametrize("key", KEYS)
def test_a_metadata_filter_finds_its_completions_and_can_be_removed(
    fake: FakeUpstream, fake_client: FlaskClient, key: str
) -> None:
    value = 'v & "é" = [1]'
    fake.completions = {
        "chatcmpl-1": stored("chatcmpl-1", "the one", metadata={key: value}),
        "chatcmpl-2": stored("chatcmpl-2", "another", metadata={key: "other"}),
    }
    page = filter_by(fake_client, key=key, value=value)
    assert [row.question for row in page.rows] == ["the one"]
    chip = page.one(".chips li:first-child")
    assert f"{key} = {value}" in chip.text()
    removal = chip.css_first("a")
    assert removal is not None
    unfiltered = Page.of(fake_client.get(removal.attributes["href"] or ""))
    assert [row.question for row in unfiltered.rows] == ["another", "the one"]
    assert unfiltered.all(".chips") == []


def test_filters_add_up_and_are_removed_one_by_one(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fake.completions[ID] = stored(ID, "x", model="m", metadata={"a": "1", "b": "2"})
    page = Page.of(fake_client.get("/completions?model=m&metadata[a]=1&metadata[b]=2"))
    assert len(page.rows) == 1
    left = [urlsplit(link.attributes["href"] or "").query for link in page.all(".chips a")]
    assert [parse_qsl(query) for query in left] == [
        [("metadata[a]", "1"), ("metadata[b]", "2")],
        [("model", "m"), ("metadata[b]", "2")],
        [("model", "m"), ("metadata[a]", "1")],
        [],
    ]


def test_the_form_keeps_the_filters_that_are_active(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    page = Page.of(fake_client.get("/completions?model=m&metadata[a]=1"))
    sent = dict(controls(page.one("form.filters")))
    assert sent == {"metadata[a]": "1", "model": "m", "key": "", "value": ""}


@pytest.mark.parametrize("query", [{"key": "", "value": "7"}, {"key": "eval", "value": ""}])
def test_half_a_metadata_filter_is_answered_with_what_is_missing(
    fake: FakeUpstream, fake_client: FlaskClient, query: dict[str, str]
) -> None:
    page = Page.of(fake_client.get("/completions", query_string=query), 400)
    assert "needs a key and a value" in page.text
    assert fake.requests == []


def test_a_filter_that_is_not_sent_is_not_shown_as_active(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fake.completions[ID] = stored(ID, "x")
    page = Page.of(fake_client.get("/completions?metadata[a]=&model="))
    assert len(page.rows) == 1
    assert page.all(".chips") == []


def test_filters_that_match_nothing_can_be_cleared(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fake.completions[ID] = stored(ID, "x")
    page = Page.of(fake_client.get("/completions?model=none"))
    assert page.rows == []
    assert "No completion matches" in page.text
    assert page.link("Show all") == "/completions"


# From the list to transcripts and back


@pytest.fixture
def numbered(fake: FakeUpstream) -> None:
    for at in range(6):
        metadata = {"eval": "7" if at % 2 else "8"}
        fake.completions[f"c-{at}"] = stored(f"c-{at}", "x", created=at, metadata=metadata)


@pytest.mark.usefixtures("numbered")
def test_a_transcript_leads_back_to_its_list_and_through_it(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    listed = Page.of(fake_client.get("/completions?metadata[eval]=7&show=failed"))
    assert listed.rows == []
    listed = Page.of(fake_client.get("/completions?metadata[eval]=7"))
    page = Page.of(fake_client.get(listed.rows[1].href or ""))
    assert page.one(".bar-back").attributes["href"] == "/completions?metadata%5Beval%5D=7"
    before = len(fake.requests)
    for link, leads_to in (("Older ›", "c-1"), ("‹ Newer", "c-5")):
        response = fake_client.get(page.link(link) or "")
        assert response.status_code == 303
        assert response.location == f"/completions/{leads_to}?metadata%5Beval%5D=7"
    assert len(fake.requests) == before + 2
    # What is shared has no trace of the list.
    menu = open_menu(fake_client, page.bubbles[0].node)
    shared = [
        link.attributes["href"] or ""
        for link in (*page.all("[data-copy-link], .bar-id a, .menu-link"), *menu.all("a"))
    ]
    assert shared and all("metadata" not in href for href in shared)


@pytest.mark.usefixtures("numbered")
@pytest.mark.parametrize("ignores_query", [False, True])
def test_the_ends_of_the_list_say_so(
    fake: FakeUpstream, fake_client: FlaskClient, ignores_query: bool
) -> None:
    fake.ignores_query = ignores_query
    first = Page.of(fake_client.get("/completions/c-5"))
    assert fake_client.get(first.link("Older ›") or "").location == "/completions/c-4"
    last = Page.of(fake_client.get("/completions/c-0"))
    for page, link in ((first, "‹ Newer"), (last, "Older ›")):
        response = fake_client.get(page.link(link) or "")
        assert response.status_code == 303
        shown = Page.of(fake_client.get(response.location))
        assert f"there is no {'newer' if page is first else 'older'} completion" in shown.text
        assert shown.link(link)
        assert "end=" not in (shown.link("Newest first") or "")


@pytest.mark.usefixtures("numbered")
def test_links_inside_a_transcript_keep_the_filters_of_its_list(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fake.completions["c-3"] = stored("c-3", *("x" for _ in range(60)))
    page = Page.of(fake_client.get("/completions/c-3?metadata[eval]=7&limit=5"))

    links = page.all(".first-link, .number, .load-all, #gap a, #more a, .outline a, .ribbon a")

    assert len(links) > 8
    assert all("metadata%5Beval%5D=7" in (link.attributes["href"] or "") for link in links)
    opened = Page.of(fake_client.get(page.one("#m-2 .number").attributes["href"] or ""))
    assert opened.one(".bar-back").attributes["href"] == "/completions?metadata%5Beval%5D=7"
    earlier = opened.one("#earlier a").attributes["href"] or ""
    assert "metadata%5Beval%5D=7" in earlier


@pytest.mark.usefixtures("numbered")
def test_neighbors_of_a_deleted_completion_are_explained(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    page = Page.of(fake_client.get("/completions/c-3"))
    del fake.completions["c-4"]
    assert fake_client.get(page.link("‹ Newer") or "").location == "/completions/c-5"
    del fake.completions["c-3"]
    gone = Page.of(fake_client.get(page.link("‹ Newer") or ""), 404)
    assert "no longer stored" in gone.text


@pytest.mark.usefixtures("numbered")
def test_a_transcript_links_model_and_metadata_to_the_list(fake_client: FlaskClient) -> None:
    page = Page.of(fake_client.get("/completions/c-3"))
    links = [link.attributes["href"] or "" for link in page.all("a.filter-link")]
    assert links == [
        "/completions?model=gpt-4o-mini-2024-07-18",
        "/completions?metadata%5Beval%5D=7",
    ]
