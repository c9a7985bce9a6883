"""Every hostile case through the application: the HTML and the headers."""

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
    lexemes,
)
from tests.support.pages import AS_FRAGMENT, Bubble, Page
from tools.hostile import addresses, characters, injection, takeovers
from tools.hostile.cases import Case
from tools.hostile.fields import COMPLETIONS, POLYGLOT
from webapp import create_app
from webapp.config import Config, Limits
from webapp.security import HEADERS

PAGES = pages_of_cases()
SMALL = [name for name, cases in PAGES.items() if not cases[0].is_large]
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


@pytest.mark.parametrize("completion", PAGES)
def test_cases_stay_in_their_bubbles_and_are_shown_whole(
    hostile_client: FlaskClient, completion: str
) -> None:
    cases = PAGES[completion]
    page = page_of(hostile_client.get(f"/completions/{completion}?all=1&limit=100"))
    # A result is beside its call, which may be that of another case.
    bubbles = sorted(page.bubbles, key=lambda bubble: int(bubble.anchor.removeprefix("m-")))
    assert len(bubbles) == count_messages(cases)
    # Another case must not be the reason that a text is shown in a simpler way.
    assert "as one page may hold" not in page.text
    for at, case in enumerate(cases):
        own, sentinel, bubbles = split_after(bubbles, len(case.messages))
        assert_stands_alone(sentinel, f"{SENTINEL} {at} stands alone.")
        assert sentinel.message_id == f"{completion}-s{at}", case.name
        assert_all_said(case, own)


def count_messages(cases: list[Case]) -> int:
    """Return how many messages the transcript of `cases` has, sentinels included."""
    return sum(len(case.messages) + 1 for case in cases)


def split_after(bubbles: list[Bubble], count: int) -> tuple[list[Bubble], Bubble, list[Bubble]]:
    """Return the first `count` bubbles, the one that follows, and the rest."""
    return bubbles[:count], bubbles[count], bubbles[count + 1 :]


@pytest.mark.parametrize("completion", SMALL[::6])
def test_fragments_the_other_way_round_hold_every_message(
    hostile_client: FlaskClient, completion: str
) -> None:
    path = f"/completions/{completion}?limit=100&order=desc"
    fragment = page_of(hostile_client.get(path, headers=AS_FRAGMENT))
    count = count_messages(PAGES[completion])
    assert len(fragment.bubbles) == min(100, count)
    last = len(PAGES[completion]) - 1
    (sentinel,) = [one for one in fragment.bubbles if one.message_id == f"{completion}-s{last}"]
    assert_stands_alone(sentinel, f"{SENTINEL} {last} stands alone.")


@pytest.mark.parametrize("completion", PAGES)
def test_the_exact_json_of_cases_is_what_was_sent(
    hostile_client: FlaskClient, completion: str
) -> None:
    for at, case in enumerate(PAGES[completion]):
        ids = [f"{completion}-c{at}-{part}" for part in range(len(case.messages))]
        for message_id, sent in zip(ids, () if case.has_ids else case.with_ids(ids), strict=False):
            path = f"/completions/{completion}/messages/{message_id}/json"
            page = page_of(hostile_client.get(path))
            if page.link("Next part"):
                whole = hostile_client.get(path, query_string={"download": "1"}).text
                assert lexemes(whole) == lexemes(sent)
            else:
                assert_exact(page, sent)


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
    assert_exact(page_of(hostile_client.get(f"/completions/{completion_id}/json")), sent)


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
    pages = ("/completions", "/completions/hostile-0", "/completions/hostile-0/json")
    for fails, affected in (
        (("", "/hostile-0", "/hostile-0/messages"), pages),
        (("/hostile-0",), pages[1:]),
        (("/hostile-0/messages",), pages[1:2]),
    ):
        for path in fails:
            upstream.script(f"/chat/completions{path}", *[FAILURES[at]] * 2)
        for path in affected:
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
        f"/completions?model={text}&metadata[{text}]={text}&limit=1",
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
