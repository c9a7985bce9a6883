"""A transcript page: the order of messages, what the head tells, pages, and few calls upstream."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.fake_upstream import FakeUpstream, Reply, error, stored
from tests.pages import AS_FRAGMENT, Page, pages_from
from webapp import create_app
from webapp.config import Config

ID = "chatcmpl-1"
HERE = f"/completions/{ID}"
COMPLETION = f"/chat/completions/{ID}"
MESSAGES = f"{COMPLETION}/messages"


def ids(*indexes: int) -> list[str]:
    return [f"{ID}-{index}" for index in indexes]


@pytest.fixture(autouse=True)
def forty_five(fake: FakeUpstream) -> None:
    """A completion of 45 messages; tests that want another one put it in its place."""
    fake.completions[ID] = stored(ID, *(f"text {at}" for at in range(45)))


def open_transcript(client: FlaskClient, **query: Any) -> Page:
    return Page.of(client.get(HERE, query_string=query))


# The head


def test_the_head_tells_model_time_reasons_tokens_and_metadata(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    choices = [
        {"index": at, "message": {"role": "assistant", "content": "x"}, "finish_reason": reason}
        for at, reason in enumerate(["stop", "length", "stop"])
    ]
    usage = {"total_tokens": 1515, "prompt_tokens": 1204, "completion_tokens": 311}
    metadata = {"eval": "7", "nested": {"a": [1.0]}, "": "no name"}
    fake.completions[ID] = stored(ID, "x", choices=choices, usage=usage, metadata=metadata)
    page = open_transcript(fake_client)
    facts = page.one(".bar-facts").text(separator=" ").split()
    assert facts == ["gpt-4o-mini-2024-07-18", "stop", "length", "1", "message"]
    about = " ".join(page.one(".about").text(separator=" ").split())
    assert "2025-09-16 16:11 UTC" in about
    assert "1,204 tokens in" in about
    assert "311 out" in about
    assert "eval 7" in about
    assert 'nested {"a":[1.0]}' in about
    assert "no name" in about


def test_settings_are_exact_to_the_last_digit(fake: FakeUpstream, fake_client: FlaskClient) -> None:
    members = (
        '"seed":-8132613597486110237,"top_p":1.0,"temperature":0.70,"penalty":1e-7,'
        '"user":"\\u00e9 <b>","store":true,"nothing":null,"tools":[{"z":1,"a":2.50}]'
    )
    fake.script(COMPLETION, Reply(200, f'{{"id":"{ID}",{members}}}'))
    settings = open_transcript(fake_client).one(".settings")
    names = [node.text() for node in settings.css("dt")]
    values = [" ".join(node.text().split()) for node in settings.css("dd")]
    assert dict(zip(names, values, strict=True)) == {
        "seed": "-8132613597486110237",
        "top_p": "1.0",
        "temperature": "0.70",
        "penalty": "1e-7",
        "user": "é <b>",
        "store": "true",
        "tools": '[{"z":1,"a":2.50}]',
    }


@pytest.mark.parametrize(
    "members",
    [
        '"created":1' + "0" * 400,
        '"created":1' + "0" * 4400,
        '"created":"yesterday","usage":"none","metadata":[],"choices":{}',
        '"usage":{"prompt_tokens":' + "9" * 4300 + ',"completion_tokens":-1.5}',
        '"choices":[null,1,"x",{"message":null},{"index":' + "9" * 4300 + "}]",
        '"choices":[{"message":"text"},{"message":{"content":{"deep":'
        + "[" * 3000
        + "]" * 3000
        + "}}}]",
        '"model":7,"model":null,"metadata":{"a":NaN,"a":"\\ud800"}',
    ],
    ids=["far", "too far", "other types", "counts", "choices", "deep", "twice"],
)
def test_an_odd_completion_is_still_a_page(
    fake: FakeUpstream, fake_client: FlaskClient, members: str
) -> None:
    fake.script(COMPLETION, Reply(200, f'{{"id":"{ID}",{members}}}'))
    page = open_transcript(fake_client, limit=100)
    assert page.message_ids[:45] == ids(*range(45))


def test_a_completion_created_beyond_all_time_that_is_not_there_is_not_found(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fake.script(COMPLETION, Reply(200, f'{{"id":"{ID}","created":1{"0" * 400}}}'))
    fake.script(MESSAGES, error(404, "Completion not found", code="not_found"))
    Page.of(fake_client.get(HERE), 404)


# Pages


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
    assert all(page.is_whole is not fragments for page in pages[1:])
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
    link = open_transcript(fake_client).one("#more a.button")
    assert link.attributes["href"] == link.attributes["hx-get"]
    address = link.attributes["href"] or ""
    whole = Page.of(fake_client.get(address))
    fragment = Page.of(fake_client.get(address, headers=AS_FRAGMENT))
    restored = AS_FRAGMENT | {"HX-History-Restore-Request": "true"}
    assert whole.is_whole
    assert not fragment.is_whole
    assert Page.of(fake_client.get(address, headers=restored)).is_whole
    assert fragment.message_ids == whole.message_ids == ids(*range(20, 40))


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
    assert [seen.path for seen in fake.requests if "completions/a" not in seen.path] in (
        [],
        [COMPLETION],
    )


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


def test_a_transcript_asks_for_messages_and_completion_and_counts_when_there_is_more(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    page = open_transcript(fake_client)
    assert sorted(seen.path for seen in fake.requests) == [COMPLETION, MESSAGES, MESSAGES]
    assert "20 of 45" in page.text
    assert "45 messages" in page.text


def test_a_transcript_on_one_page_needs_no_count(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    page = open_transcript(fake_client, limit=45)
    assert sorted(seen.path for seen in fake.requests) == [COMPLETION, MESSAGES]
    assert "45 of 45 messages" in page.text


def test_a_server_that_tells_the_total_is_not_asked_to_count(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fake.page = lambda page: page | {"total": 45}
    page = open_transcript(fake_client)
    assert len(fake.requests) == 2
    assert "20 of 45" in page.text


def test_further_pages_take_three_calls_at_the_most(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    for page in pages_from(fake_client, f"{HERE}?limit=10", fragments=True):
        assert page.bubbles
        assert len(fake.requests) <= 3
        fake.requests.clear()


# The two calls may fail one by one


def test_messages_are_shown_when_the_completion_cannot_be_read(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fake.script(COMPLETION, error(500, "broken", x_request_id="req_7"))
    page = open_transcript(fake_client)
    assert page.message_ids == ids(*range(20))
    (notice,) = page.notices
    assert "The completion itself could not be read" in notice
    assert "req_7" in notice


def test_the_answer_is_shown_when_the_messages_cannot_be_read(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fake.script(MESSAGES, error(500, "broken"))
    page = Page.of(fake_client.get(HERE), 502)
    assert [bubble.sources for bubble in page.bubbles] == [["An answer"]]
    (notice,) = page.notices
    assert "The messages could not be read" in notice


def test_all_pages_at_once_answer_like_one_when_the_messages_cannot_be_read(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fake.script(MESSAGES, error(500, "broken"))
    page = Page.of(fake_client.get(f"{HERE}?all=1"), 502)
    assert [bubble.sources for bubble in page.bubbles] == [["An answer"]]


def test_the_input_that_comes_with_a_completion_is_shown_when_messages_are_not_supported(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    one = fake.completions[ID]
    one.completion["input_messages"] = [{"role": "user", "content": "kept beside the answer"}]
    fake.script(MESSAGES, Reply(404, {"detail": "Not Found"}))
    page = open_transcript(fake_client)
    assert [bubble.sources for bubble in page.bubbles] == [
        ["kept beside the answer"],
        ["An answer"],
    ]
    (notice,) = page.notices
    assert "The messages could not be read" in notice
    assert "its answer is missing" not in notice


def test_an_empty_page_of_messages_is_no_failure_of_the_messages(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fake.script(COMPLETION, error(500, "broken"))
    fake.completions[ID].messages = []
    (notice,) = open_transcript(fake_client).notices
    assert "The completion itself could not be read" in notice


def test_further_on_there_is_nothing_without_messages(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fake.script(MESSAGES, error(500, "broken"))
    page = Page.of(fake_client.get(f"{HERE}?after={ID}-19"), 502)
    assert page.bubbles == []


def test_when_both_fail_the_page_is_an_error(fake: FakeUpstream, fake_client: FlaskClient) -> None:
    fake.script(MESSAGES, error(500, "broken"))
    fake.script(COMPLETION, error(500, "broken"))
    assert "could not be read" in Page.of(fake_client.get(HERE), 502).text


# A completion that is not stored everywhere yet


def test_messages_not_stored_yet_are_asked_for_again(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    import time

    fake.completions[ID].completion["created"] = int(time.time())
    fake.script(MESSAGES, error(404, "Completion not found", code="not_found"))
    page = open_transcript(fake_client)
    assert page.message_ids == ids(*range(20))
    assert page.notices == []


def test_a_completion_not_stored_yet_is_asked_for_again(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fake.script(COMPLETION, error(404, "Completion not found", code="not_found"))
    page = open_transcript(fake_client, limit=45)
    assert page.bubbles[-1].sources == ["An answer"]
    assert page.notices == []


def test_messages_of_an_old_completion_are_not_waited_for(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fake.script(MESSAGES, error(404, "Completion not found", code="not_found"))
    page = Page.of(fake_client.get(HERE), 404)
    assert len(fake.requests) == 2
    assert [bubble.sources for bubble in page.bubbles] == [["An answer"]]


# All at once


def test_everything_comes_in_one_answer(fake_client: FlaskClient) -> None:
    page = open_transcript(fake_client, limit=7, all=1)
    assert page.message_ids == [*ids(*range(45)), None]
    assert page.is_whole
    assert "45 of 45 messages" in page.text
    assert page.html.rstrip().endswith("</html>")


def test_everything_comes_backwards_too(fake_client: FlaskClient) -> None:
    page = open_transcript(fake_client, limit=7, all=1, order="desc")
    assert page.message_ids == [None, *ids(*range(44, -1, -1))]


def test_all_pages_begin_before_the_last_one_is_read(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    response = fake_client.get(f"{HERE}?limit=5&all=1", buffered=False)
    first = next(iter(response.response))
    assert first
    assert len(fake.requests) < 10
    response.close()


def test_where_everything_stopped_is_said_and_one_can_go_on(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    replies = [Reply(200, page(fake, start, end)) for start, end in [(0, 10), (44, 45), (10, 20)]]
    fake.script(MESSAGES, *replies, error(500, "broken"))
    shown = open_transcript(fake_client, limit=10, all=1)
    assert "Could not load the rest." in shown.text
    seen = [one for one in shown.message_ids if one]
    further = shown.link("Go on from here")
    assert further is not None
    rest = Page.of(fake_client.get(further))
    assert [*seen, *rest.message_ids] == [*ids(*range(45)), None]
    assert "Could not" not in rest.text


def page(fake: FakeUpstream, start: int, end: int) -> dict[str, Any]:
    """The page of messages from `start` up to `end`, as the API would give it."""
    data = fake.completions[ID].messages[start:end]
    return {"object": "list", "data": data, "has_more": end < 45}


def test_a_failure_in_the_first_page_of_all_is_an_ordinary_error(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fake.script(MESSAGES, error(429, "slow down", Retry_After="7"))
    fake.script(COMPLETION, error(429, "slow down", Retry_After="7"))
    assert fake_client.get(f"{HERE}?all=1").status_code == 429


def test_an_impatient_page_does_not_wait_for_what_is_not_stored(fake: FakeUpstream) -> None:
    gone = error(404, "Completion not found", code="not_found")
    fake.script(COMPLETION, gone, gone)
    with fake.serve() as base_url:
        config = Config(openai_base_url=base_url, max_retries=0, page_timeout=1.0)
        page = open_transcript(create_app(config).test_client())
    assert page.message_ids == ids(*range(20))
    assert "The completion itself could not be read" in page.notices[0]


def test_the_raw_completion_is_exact(fake: FakeUpstream, fake_client: FlaskClient) -> None:
    source = f'{{"z":1.0,"id":"{ID}","z":-8132613597486110237,"a":"\\u00e9\\/"}}'
    fake.script(COMPLETION, Reply(200, source), Reply(200, source))
    address = open_transcript(fake_client).link("Raw") or ""
    raw = Page.of(fake_client.get(address)).one("pre.json").text()
    assert raw == json_indented(source)


def json_indented(source: str) -> str:
    """Flat JSON with a member a line, done with nothing that parses it."""
    return source.replace("{", "{\n  ").replace(",", ",\n  ").replace(":", ": ").replace("}", "\n}")


def test_titles_tell_which_completion_it_is(fake_client: FlaskClient) -> None:
    page = open_transcript(fake_client)
    assert page.one("title").text() == f"{ID} · Readback"
    assert json.dumps(page.one("h1").text(strip=True)) == json.dumps(ID)
