"""Addresses of several messages: opened with their turn, highlighted, and said to be a range."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.support.fake_upstream import FakeUpstream, Json, stored
from tests.support.pages import Page, open_menu, readable

ID = "chatcmpl-1"
HERE = f"/completions/{ID}"


@pytest.fixture(autouse=True)
def forty_five(fake: FakeUpstream) -> None:
    """A user message, then 44 of the assistant."""
    fake.completions[ID] = stored(ID, *(f"text {at}" for at in range(45)))
    for message in fake.completions[ID].messages[1:]:
        message["role"] = "assistant"


def name_messages(fake: FakeUpstream) -> None:
    for at, message in enumerate(fake.completions[ID].messages):
        message["id"] = f"msg_{at * 7 % 45:02}x"


def highlighted(page: Page) -> list[str]:
    return [node.attributes["id"] or "" for node in page.all("[data-target]")]


@pytest.mark.parametrize("view", ["full", "compact", "outline"])
def test_a_range_is_opened_with_its_turn_and_highlighted(
    fake_client: FlaskClient, view: str
) -> None:
    page = Page.of(fake_client.get(f"{HERE}?range=9-15&view={view}"))
    assert highlighted(page) == [f"m-{number}" for number in range(9, 16)]
    assert page.bubbles[0].anchor == "m-1"
    assert readable(page.one("#place")) == "messages 9 to 15 of 45"
    assert [node.attributes["id"] for node in page.all("[autofocus]")] == ["m-9"]
    assert len(page.all(".outlined[open]")) == (7 if view == "outline" else 0)


@pytest.mark.parametrize(
    ("span", "count"), [("1-1", 1), ("45-45", 1), ("1-45", 45), ("9 to 15", 7), ("9–15", 7)]
)
def test_a_range_may_be_short_or_long(fake_client: FlaskClient, span: str, count: int) -> None:
    page = Page.of(fake_client.get(HERE, query_string={"range": span}))
    assert len(highlighted(page)) == count


@pytest.mark.parametrize(
    ("span", "status", "sentence"),
    [
        ("15-9", 400, "the lower one first, as in 9-15"),
        ("0-3", 400, "takes two numbers"),
        ("9", 400, "takes two numbers"),
        ("a-b", 400, "takes two numbers"),
        ("1-101", 400, "at most 100 messages"),
        ("40-46", 404, "There is no message 46: the transcript has 45 messages"),
        ("46-50", 404, "There is no message 46: the transcript has 45 messages"),
    ],
)
@pytest.mark.parametrize("are_named", [False, True])
def test_a_range_that_is_not_there_says_why(
    fake: FakeUpstream,
    fake_client: FlaskClient,
    span: str,
    status: int,
    sentence: str,
    are_named: bool,
) -> None:
    if are_named:
        name_messages(fake)
    page = Page.of(fake_client.get(HERE, query_string={"range": span}), status)
    assert sentence.replace("the transcript has", "has") in page.text.replace(
        "the transcript has", "has"
    )


@pytest.mark.parametrize(
    ("span", "status", "sentence"),
    [
        ("9", 400, "takes two numbers"),
        ("140-146", 404, "There is no message 146: the transcript has 145 messages"),
        ("146-150", 404, "There is no message 146: the transcript has 145 messages"),
        ("99-1000", 404, "There is no message 1,000: the transcript has 145 messages"),
    ],
)
def test_a_file_of_a_range_that_is_not_there_says_why(
    fake: FakeUpstream, fake_client: FlaskClient, span: str, status: int, sentence: str
) -> None:
    fake.completions[ID] = stored(ID, *(f"text {at}" for at in range(145)))
    page = Page.of(fake_client.get(HERE + "/export.md", query_string={"range": span}), status)
    assert sentence in page.text


@pytest.mark.parametrize("form", ["json", "jsonl", "yaml"])
def test_a_form_without_ranges_says_so(fake_client: FlaskClient, form: str) -> None:
    page = Page.of(fake_client.get(f"{HERE}/export.{form}?range=1-2&partial=1"), 400)
    assert "for Markdown and HTML" in page.text


def test_ids_that_count_nothing_have_ranges_too(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    name_messages(fake)
    page = Page.of(fake_client.get(f"{HERE}?range=9-15"))
    texts = [source for node in page.all("[data-target] [data-same]") for source in [node.text()]]
    assert texts == [f"text {at}" for at in range(8, 15)]


@pytest.mark.parametrize("pasted", ["9-15", "messages 9–15", "9 to 15 of 45"])
def test_the_open_box_takes_a_range(fake_client: FlaskClient, pasted: str) -> None:
    answer = fake_client.post("/open", data={"pasted": pasted, "completion": ID})
    assert (answer.status_code, answer.location) == (303, f"{HERE}?range=9-15#m-9")


def test_every_link_to_a_message_is_of_one_kind(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    result: Json = {"role": "tool", "tool_call_id": "c1", "content": "Error: no seat"}
    call = {"id": "c1", "type": "function", "function": {"name": "book", "arguments": "{}"}}
    fake.completions[ID].messages[2] |= {"content": None, "tool_calls": [call]}
    fake.completions[ID].messages[3] |= result
    whole = Page.of(fake_client.get(f"{HERE}?limit=45&view=full"))
    Page.of(fake_client.get(f"{HERE}?whole=1"))
    page = Page.of(fake_client.get(f"{HERE}?after={ID}-39"))
    message = f"{HERE}/messages/{ID}-2#m-3"
    pasted = fake_client.post("/open", data={"pasted": "3", "completion": ID}).location
    assert open_menu(fake_client, whole.bubbles[2].node).link("copy link") == message == pasted
    assert f"{message}-call-1" in [link.attributes["href"] for link in page.all(".outline a")]
    assert page.link("1 failed call") == f"{message}-call-1"
