"""Pages of a transcript: the order of messages, page after page, and few calls upstream."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING

import pytest
from flask.testing import FlaskClient

from tests.support.command import PATIENCE
from tests.support.fake_upstream import FakeUpstream, error, stored
from tests.support.pages import AS_FRAGMENT, Page, pages_from
from tests.support.serving import serve
from tests.views.transcripts import COMPLETION, HERE, ID, MESSAGES, ids, open_transcript
from webapp import create_app
from webapp.config import Config, Limits

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


def test_messages_stand_in_their_order_and_the_answer_comes_last(
    fake_client: FlaskClient,
) -> None:
    pages = list(pages_from(fake_client, HERE))
    assert [page.message_ids for page in pages] == [
        ids(*range(20)),
        ids(*range(20, 40)),
        [*ids(*range(40, 45)), None],
    ]
    answer = pages[-1].bubbles[-1]
    assert (answer.role, answer.anchor) == ("assistant", "choice-0")
    assert answer.sources == ["An answer"]
    assert "answer" in answer.text.split()
    numbers = [node.text() for page in pages for node in page.all(".number")]
    assert numbers == [str(number) for number in range(1, 46)]


@pytest.mark.parametrize("limit", [1, 7, 44, 45, 46, 100])
@pytest.mark.parametrize("fragments", [False, True], ids=["pages", "fragments"])
def test_every_message_comes_once_with_every_limit(
    fake_client: FlaskClient, limit: int, fragments: bool
) -> None:
    pages = list(pages_from(fake_client, f"{HERE}?limit={limit}", fragments=fragments))
    assert [one for page in pages for one in page.message_ids] == [*ids(*range(45)), None]
    assert all(page.is_whole is not fragments for page in pages[1:2])
    anchors = [bubble.anchor for page in pages for bubble in page.bubbles]
    assert len(set(anchors)) == len(anchors)


def test_descending_order_begins_with_the_answer_and_counts_down(
    fake_client: FlaskClient,
) -> None:
    pages = list(pages_from(fake_client, f"{HERE}?order=desc"))
    assert [one for page in pages for one in page.message_ids] == [
        None,
        *ids(*range(44, -1, -1)),
    ]
    numbers = [node.text() for page in pages for node in page.all(".number")]
    assert numbers == [str(number) for number in range(45, 0, -1)]
    assert "20 of 45" in pages[0].text
    assert pages[0].link("Oldest first") == HERE


def test_a_page_from_the_middle_tells_where_it_is_and_leads_both_ways(
    fake_client: FlaskClient,
) -> None:
    page = open_transcript(fake_client, after=f"{ID}-9", limit=10)
    assert page.message_ids == ids(*range(10, 20))
    assert "20 of 45" in page.text
    assert page.link("Earlier messages") == f"{HERE}/messages/{ID}-10/earlier?limit=10"
    assert page.link("Load more") == f"{HERE}?limit=10&after={ID}-19"


def test_the_link_for_more_is_the_same_with_and_without_htmx(fake_client: FlaskClient) -> None:
    link = open_transcript(fake_client, after=f"{ID}-4").one("#more a.button")
    assert link.attributes["href"] == link.attributes["hx-get"]
    address = link.attributes["href"] or ""
    whole = Page.of(fake_client.get(address))
    fragment = Page.of(fake_client.get(address, headers=AS_FRAGMENT))
    restored = AS_FRAGMENT | {"HX-History-Restore-Request": "true"}
    assert whole.is_whole
    assert not fragment.is_whole
    assert Page.of(fake_client.get(address, headers=restored)).is_whole
    assert fragment.message_ids == whole.message_ids == [*ids(*range(25, 45)), None]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("limit=0", "from 1 to 100"),
        ("limit=101", "from 1 to 100"),
        ("limit=ten", "from 1 to 100"),
        ("limit=1e1", "from 1 to 100"),
        ("shown=-1", "from 0 to"),
        ("order=newest", "asc or desc"),
        ("order=DESC", "asc or desc"),
    ],
)
@pytest.mark.parametrize(
    "path", [HERE, f"{HERE}/messages/{ID}-3", f"{HERE}/messages/{ID}-3/earlier"]
)
def test_a_malformed_query_is_a_bad_request_that_says_what_is_wrong(
    fake: FakeUpstream, fake_client: FlaskClient, path: str, query: str, sentence: str
) -> None:
    page = Page.of(fake_client.get(f"{path}?{query}"), 400)
    assert sentence in page.text
    assert fake.requests == []


def test_a_cursor_the_server_does_not_know_is_a_bad_request(fake_client: FlaskClient) -> None:
    Page.of(fake_client.get(f"{HERE}?after={ID}-99"), 400)


@pytest.mark.parametrize(
    "path", ["/completions/a%20b", f"{HERE}?after=a%2Fb", "/completions/%2e%2e%2f"]
)
def test_what_cannot_be_an_id_is_not_found_without_a_call(
    fake: FakeUpstream, fake_client: FlaskClient, path: str
) -> None:
    Page.of(fake_client.get(path), 404)
    assert fake.requests == []


def test_several_choices_are_all_there_and_numbered(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    choices = [
        {"index": at, "message": {"role": "assistant", "content": f"answer {at}"}}
        | {"finish_reason": reason}
        for at, reason in enumerate(["stop", "length", "content_filter"])
    ]
    fake.completions[ID] = stored(ID, "x", choices=choices)
    outputs = open_transcript(fake_client).bubbles[1:]
    assert [bubble.sources for bubble in outputs] == [[f"answer {at}"] for at in range(3)]
    for number, (bubble, reason) in enumerate(
        zip(outputs, ["stop", "length", "content_filter"], strict=True), start=1
    ):
        assert f"choice {number} of 3 {reason}" in bubble.text


def test_a_completion_without_choices_or_messages_says_that_it_is_empty(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fake.completions[ID] = stored(ID, choices=[])
    page = open_transcript(fake_client)
    assert page.bubbles == []
    assert "This completion has no messages." in page.text


# Calls upstream


@pytest.mark.parametrize("limit", [20, 30, 45, 46])
def test_a_transcript_asks_for_its_start_its_end_and_the_completion(
    fake: FakeUpstream, fake_client: FlaskClient, limit: int
) -> None:
    page = open_transcript(fake_client, limit=limit)
    assert sorted(seen.path for seen in fake.requests) == [COMPLETION, MESSAGES, MESSAGES]
    assert "45 messages" in page.text


@pytest.mark.parametrize(
    ("query", "calls"),
    [("", 3), ("?after=chatcmpl-1-9", 3), ("?limit=30", 3), ("?limit=46", 3)]
    + [("/messages/chatcmpl-1-0", 4), ("/messages/chatcmpl-1-30", 4)],
)
def test_all_calls_are_made_side_by_side(fake: FakeUpstream, query: str, calls: int) -> None:
    together = threading.Barrier(calls)

    def meeting(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer a request only once the others have come as well."""
        together.wait(timeout=PATIENCE)
        return fake(environ, start)

    with serve(meeting) as base_url:
        config = Config(
            openai_base_url=f"{base_url}/v1", limits=Limits(max_retries=0, page_timeout=PATIENCE)
        )
        page = Page.of(create_app(config).test_client().get(f"{HERE}{query}"))
    assert page.bubbles
    assert "45 messages" in page.text
    assert len(fake.requests) == calls


def test_a_count_that_fails_leaves_the_page_as_it_is(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fake.script_newest(MESSAGES, error(500, "broken"))
    page = open_transcript(fake_client)
    assert page.message_ids == ids(*range(20))
    assert page.notices == []
    assert "20 so far" in page.text
    assert page.link("Load more")


def test_the_newest_first_need_no_count(fake: FakeUpstream, fake_client: FlaskClient) -> None:
    page = open_transcript(fake_client, order="desc")
    assert sorted(seen.path for seen in fake.requests) == [COMPLETION, MESSAGES]
    assert "20 of 45" in page.text


def test_further_pages_take_three_calls_at_the_most(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    for page in pages_from(fake_client, f"{HERE}?limit=10", fragments=True):
        assert page.bubbles
        assert len(fake.requests) <= 3
        fake.requests.clear()


@pytest.mark.parametrize(
    "query",
    ["completion_id=other", "endpoint=other", "_scheme=javascript&_external=1", "_method=a"],
)
@pytest.mark.parametrize("place", ["", "/json", f"/messages/{ID}-3", f"/messages/{ID}-3/json"])
def test_no_name_in_the_query_changes_where_links_lead(
    fake_client: FlaskClient, place: str, query: str
) -> None:
    page = Page.of(fake_client.get(f"{HERE}{place}?{query}"))
    links = [link.attributes.get("href") or "" for link in page.all(".views a")]
    assert links
    assert all(link.startswith(f"{HERE}{place}?{query}") for link in links)


def test_no_name_in_the_query_changes_where_a_search_goes_on(fake_client: FlaskClient) -> None:
    odd = "completion_id=other&endpoint=other&_scheme=javascript&kind=said&kind=result"
    assert Page.of(fake_client.get(f"{HERE}/search?q=text&{odd}")).all(".hit")


@pytest.mark.parametrize(
    "place",
    ["choices/1/json", "choices/1/text/0", "choices/1/export.md", "confidence?choice=1"],
)
def test_a_choice_that_is_not_there_has_the_number_that_pages_give_it(
    fake_client: FlaskClient, place: str
) -> None:
    assert "no choice 2." in Page.of(fake_client.get(f"{HERE}/{place}"), 404).text
