"""Transcripts of which a part cannot be read, is not stored yet, or breaks off in the middle."""

from __future__ import annotations

import time
from typing import Any

from flask.testing import FlaskClient

from tests.support.fake_time import FakeTime
from tests.support.fake_upstream import FakeUpstream, Reply, error
from tests.support.pages import Page
from tests.views.transcripts import COMPLETION, HERE, ID, MESSAGES, ids, open_transcript
from webapp import create_app
from webapp.config import Config, Limits


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
    # A completion is new for ten seconds, before as well, since clocks differ.
    fake.completions[ID].completion["created"] = int(time.time()) + 9
    fake.script(MESSAGES, error(404, "Completion not found", code="not_found"))
    page = open_transcript(fake_client)
    assert page.message_ids == [*ids(*range(20), 44), None]
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
    assert [one.path for one in fake.requests if not one.is_for_newest].count(MESSAGES) == 1
    assert [bubble.sources for bubble in page.bubbles] == [["An answer"]]


def test_an_impatient_page_does_not_wait_for_what_is_not_stored(fake: FakeUpstream) -> None:
    gone = error(404, "Completion not found", code="not_found")
    fake.script(COMPLETION, gone, gone)
    time = FakeTime()
    with fake.serve() as base_url:
        config = Config(openai_base_url=base_url, limits=Limits(max_retries=0, page_timeout=1.0))
        # Its second is one that no busy machine uses up.
        page = open_transcript(create_app(config, clock=time.clock).test_client())
    assert time.sleeps == []
    assert page.message_ids == ids(*range(20))
    assert "The completion itself could not be read" in page.notices[0]


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
    replies = [Reply(200, page(fake, start, end)) for start, end in [(0, 10), (10, 20)]]
    fake.script(MESSAGES, *replies, error(500, "broken"))
    shown = open_transcript(fake_client, limit=10, all=1)
    assert "Could not load the rest." in shown.text
    seen = [one for one in shown.message_ids if one]
    further = shown.link("Continue from here")
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
