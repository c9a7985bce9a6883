"""Every hostile case through the application: what its HTML and its headers say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.hostile.exact_upstream import (
    SENTINEL,
    ExactUpstream,
    odd_completions,
    pages_of_cases,
    whole_corpus,
)
from tests.hostile.failures import FAILURES
from tests.hostile.rules import (
    assert_all_said,
    assert_exact,
    assert_harmless,
    assert_said,
    assert_stands_alone,
)
from tests.support.pages import AS_FRAGMENT, Page
from tools.hostile import addresses, characters, injection, takeovers
from tools.hostile.fields import COMPLETIONS, POLYGLOT
from webapp import create_app
from webapp.config import Config, Limits
from webapp.security import HEADERS

PLACES = {
    case.name: (page, at)
    for page, cases in pages_of_cases().items()
    for at, case in enumerate(cases)
}
CASES = {case.name: case for cases in pages_of_cases().values() for case in cases}
ODD = dict(zip(COMPLETIONS, odd_completions().items(), strict=True))


@pytest.fixture
def hostile_client(hostile_app: Flask) -> FlaskClient:
    return hostile_app.test_client()


@pytest.fixture(scope="module")
def failing_client() -> Iterator[tuple[ExactUpstream, FlaskClient]]:
    """A server that tests make fail, and a client of an application on it."""
    upstream = whole_corpus()
    with upstream.serve() as base_url:
        config = Config(
            openai_base_url=base_url, openai_api_key="sk-test-4f9a", limits=Limits(max_retries=0)
        )
        yield upstream, create_app(config).test_client()


def assert_good_headers(response: TestResponse) -> None:
    """The whole set of ours, each on one line, and none that content has made."""
    for name in HEADERS:
        assert name in response.headers, name
    for name, value in response.headers:
        assert name.lower() not in ("set-cookie", "x-pwned", "refresh", "link")
        assert not set(value) & {"\r", "\n", "\0"}, (name, value)
        assert name == "Location" or "evil.example" not in value, (name, value)


def page_of(response: TestResponse) -> Page:
    assert_good_headers(response)
    page = Page.of(response)
    assert_harmless(page)
    return page


@pytest.mark.parametrize("name", CASES)
def test_a_case_stays_in_its_bubble_and_is_shown_whole(
    hostile_client: FlaskClient, name: str
) -> None:
    case, (completion, at) = CASES[name], PLACES[name]
    count = len(case.messages)
    cursor = f"{completion}-s{at - 1}" if at else None
    page = page_of(
        hostile_client.get(
            f"/completions/{completion}",
            query_string={"limit": count + 1, "after": cursor},
        )
    )
    # The page that begins a long transcript shows its end as well.
    assert len(page.all("section.page")[0].css(".bubble")) == count + 1
    (sentinel,) = [one for one in page.bubbles if one.message_id == f"{completion}-s{at}"]
    assert_stands_alone(sentinel, f"{SENTINEL} {at} stands alone.")
    assert_all_said(case, page)


@pytest.mark.parametrize("name", [name for name in CASES if not CASES[name].has_ids])
def test_the_exact_json_of_a_case_is_what_was_sent(hostile_client: FlaskClient, name: str) -> None:
    case, (completion, at) = CASES[name], PLACES[name]
    ids = [f"{completion}-c{at}-{part}" for part in range(len(case.messages))]
    for message_id, sent in zip(ids, case.with_ids(ids), strict=True):
        path = f"/completions/{completion}/messages/{message_id}/raw"
        assert_exact(page_of(hostile_client.get(path)), sent)


@pytest.mark.parametrize("completion", pages_of_cases())
def test_fragments_and_whole_transcripts_hold_every_message(
    hostile_client: FlaskClient, completion: str
) -> None:
    cases = pages_of_cases()[completion]
    count = sum(len(case.messages) + 1 for case in cases)
    path = f"/completions/{completion}"
    fragment = page_of(hostile_client.get(f"{path}?limit=100", headers=AS_FRAGMENT))
    assert len(fragment.bubbles) == min(100, count)
    for query in ("all=1&limit=100", "all=1&limit=100&order=desc"):
        page = page_of(hostile_client.get(f"{path}?{query}"))
        assert len(page.bubbles) == count
        for at in range(len(cases)):
            (sentinel,) = [one for one in page.bubbles if one.message_id == f"{completion}-s{at}"]
            assert_stands_alone(sentinel, f"{SENTINEL} {at} stands alone.")


@pytest.mark.parametrize("field", ODD)
def test_a_completion_with_a_polyglot_in_one_field_is_shown_and_harmless(
    hostile_client: FlaskClient, field: str
) -> None:
    completion_id, sent = ODD[field]
    page = page_of(hostile_client.get(f"/completions/{completion_id}"))
    (sentinel,) = [one for one in page.bubbles if one.message_id == f"{completion_id}-s0"]
    assert_stands_alone(sentinel, f"{SENTINEL} 0 stands alone.")
    shown_in_place = field != "object" and POLYGLOT in COMPLETIONS[field].values()
    if shown_in_place or field.startswith("choices.0.message"):
        assert_said(page.one("main").text(), POLYGLOT)
    assert_exact(page_of(hostile_client.get(f"/completions/{completion_id}/raw")), sent)


def test_the_list_shows_every_odd_completion_and_none_makes_markup(
    hostile_client: FlaskClient,
) -> None:
    fragment = page_of(hostile_client.get("/completions?limit=100", headers=AS_FRAGMENT))
    page = page_of(hostile_client.get("/completions?limit=100"))
    assert len(page.rows) == len(fragment.rows) == 100
    more = page.link("Load more")
    assert more is not None
    assert "No more completions." in page_of(hostile_client.get(more)).text


@pytest.mark.parametrize("at", range(len(FAILURES)))
@pytest.mark.parametrize("headers", [{}, AS_FRAGMENT], ids=["page", "fragment"])
def test_what_a_failing_server_says_makes_no_markup(
    failing_client: tuple[ExactUpstream, FlaskClient], at: int, headers: dict[str, str]
) -> None:
    upstream, client = failing_client
    asked = ("", "/hostile-0", "/hostile-0/messages")
    for fails in (asked, asked[1:2], asked[2:]):
        for path in fails:
            upstream.script(f"/chat/completions{path}", *[FAILURES[at]] * 2)
        for path in ("/completions", "/completions/hostile-0", "/completions/hostile-0/raw"):
            response = client.get(path, headers=headers)
            assert_good_headers(response)
            page = Page(response.get_data(as_text=True))
            assert_harmless(page)
            if at == 0 and response.status_code >= 400 and not headers:
                assert_said(page.text, POLYGLOT)
        upstream.forget()


TYPED = {
    **dict(list(injection.TAGS.items())[::4]),
    **{f"address: {name}": text for name, text in list(addresses.ADDRESSES.items())[::4]},
    **takeovers.TEMPLATES,
    **dict(list(characters.UNICODE.items())[::2]),
    "a lone surrogate": "\ud800",
    "polyglot": POLYGLOT,
}
FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize("name", TYPED)
def test_what_is_typed_into_an_address_or_a_box_makes_no_markup(
    hostile_client: FlaskClient, name: str
) -> None:
    text = quote(TYPED[name], safe="", errors="surrogatepass")
    here = "/completions/hostile-0"
    for path in (
        f"/completions?model={text}&metadata[{text}]={text}",
        f"/completions?key={text}&value={text}&limit={text}",
        f"/completions/{text}",
        f"{here}?order={text}&after={text}",
        f"{here}?after={text}",
        f"{here}/messages/{text}",
        f"{here}/media/{text}?message={text}",
        f"/{text}",
    ):
        for headers in ({}, AS_FRAGMENT):
            assert_refused_or_harmless(hostile_client.get(path, headers=headers))
    assert_refused_or_harmless(
        hostile_client.post("/open", data=f"pasted={text}", content_type=FORM)
    )


def assert_refused_or_harmless(response: TestResponse) -> None:
    """No fault of ours, and nothing that was sent has become a header or markup."""
    assert response.status_code < 500 or response.status_code in (502, 504)
    if response.mimetype == "text/html" and not 300 <= response.status_code < 400:
        assert_good_headers(response)
        assert_harmless(Page(response.get_data(as_text=True)), typed=True)
    location = response.headers.get("Location", "/completions")
    assert re.match(r"(http://localhost)?/(?![/\\])", location), location
