"""Transcripts of servers that are not quite like the API: every message once, the answer once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.support.fake_upstream import (
    FakeUpstream,
    Json,
    Reply,
    Stored,
    always_empty,
    always_more,
    message,
    stored,
    without_has_more,
)
from tests.support.pages import AS_FRAGMENT, Page, open_menu, pages_from

ID = "chatcmpl-1"
HERE = f"/completions/{ID}"
MESSAGES = f"/chat/completions/{ID}/messages"


def answers(count: int) -> list[Json]:
    return [
        {"index": at, "message": {"role": "assistant", "content": f"answer {at}"}}
        | {"finish_reason": "stop"}
        for at in range(count)
    ]


def like_ogx(inputs: int, choices: int, *, has_inputs: bool = True) -> Stored:
    """Return a completion whose answers are listed after the input, with all fields."""
    said = [f"text {at}" for at in range(inputs)] + [f"answer {at}" for at in range(choices)]
    extra = {"tool_calls": None, "tool_call_id": None, "refusal": None, "audio": None}
    messages = [message(ID, at, text) | extra for at, text in enumerate(said)]
    for one in messages[inputs:]:
        one["role"] = "assistant"
    completion = stored(ID, choices=answers(choices)).completion
    if has_inputs:
        completion["input_messages"] = [
            {"role": one["role"], "content": one["content"]} for one in messages[:inputs]
        ]
    return Stored(completion, messages)


def like_host_ai(inputs: int) -> Stored:
    """Return a completion whose answer is listed after the input, under ids of another form."""
    texts = [f"text {at}" for at in range(inputs)] + ["answer 0"]
    messages = [
        {
            "id": f"{ID}-msg-{at}",
            "object": "chat.completion.message",
            "role": "assistant" if at == inputs else "user",
            "content": text,
            "created": 1_758_039_103,
        }
        for at, text in enumerate(texts)
    ]
    return Stored(stored(ID, choices=answers(1)).completion, messages)


def texts(pages: Iterator[Page] | list[Page]) -> list[str]:
    return [source for page in pages for bubble in page.bubbles for source in bubble.sources]


def labels(pages: list[Page]) -> list[str]:
    """Return the labels that mark messages as outputs."""
    return [node.text() for page in pages for node in page.all(".output-word")]


def expected(inputs: int, choices: int) -> list[str]:
    return [f"text {at}" for at in range(inputs)] + [f"answer {at}" for at in range(choices)]


# Answers among the messages, or not


@pytest.mark.parametrize("has_inputs", [True, False])
@pytest.mark.parametrize("limit", [1, 2, 5, 6, 7, 8, 20])
@pytest.mark.parametrize("choices", [1, 3])
def test_answers_that_are_listed_as_messages_are_shown_once_and_marked(
    fake: FakeUpstream, fake_client: FlaskClient, limit: int, choices: int, has_inputs: bool
) -> None:
    fake.completions[ID] = like_ogx(5, choices, has_inputs=has_inputs)
    pages = list(pages_from(fake_client, f"{HERE}?limit={limit}"))
    assert texts(pages) == expected(5, choices)
    assert pages[-1].bubbles[-1].node.css_first(".output-word") is not None
    if limit >= 5 + choices:
        named = ["answer"] if choices == 1 else [f"choice {at} of 3" for at in (1, 2, 3)]
        assert labels(pages) == named


def test_answers_that_are_listed_are_shown_once_backwards(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fake.completions[ID] = like_ogx(5, 2)
    pages = list(pages_from(fake_client, f"{HERE}?order=desc&limit=4"))
    assert texts(pages) == expected(5, 2)[::-1]
    assert labels(pages) == ["choice 2 of 2", "choice 1 of 2"]


def test_a_page_after_the_last_answer_does_not_show_it_again(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    for has_inputs in (True, False):
        fake.completions[ID] = like_ogx(5, 2, has_inputs=has_inputs)
        assert texts([Page.of(fake_client.get(f"{HERE}?after={ID}-6"))]) == []


def test_a_last_message_like_the_answer_is_input_when_it_has_but_the_keys_of_input(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fake.completions[ID] = stored(ID, "Say it.", "An answer")
    fake.completions[ID].messages[-1]["role"] = "assistant"
    page = Page.of(fake_client.get(HERE))
    assert texts([page]) == ["Say it.", "An answer", "An answer"]
    assert page.message_ids == [f"{ID}-0", f"{ID}-1", None]


def test_a_last_message_unlike_the_answer_is_input(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    one = like_ogx(3, 1, has_inputs=False)
    one.messages[-1]["content"] = "something else"
    fake.completions[ID] = one
    page = Page.of(fake_client.get(HERE))
    assert texts([page]) == ["text 0", "text 1", "text 2", "something else", "answer 0"]


def test_a_server_that_ignores_the_query_and_says_no_end_sends_all_on_one_page(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fake.completions[ID] = like_host_ai(45)
    fake.page, fake.ignores_query = without_has_more, True
    page = Page.of(fake_client.get(HERE))
    assert texts([page]) == expected(45, 1)
    assert labels([page]) == ["answer"]
    assert page.all("#more a") == []
    assert "46 of 46 messages" in page.text


@pytest.mark.parametrize("at", [0, 7, 45])
def test_a_link_to_a_message_works_on_a_server_that_ignores_the_query(
    fake: FakeUpstream, fake_client: FlaskClient, at: int
) -> None:
    fake.completions[ID] = like_host_ai(45)
    fake.page, fake.ignores_query = without_has_more, True
    page = Page.of(fake_client.get(f"{HERE}/messages/{ID}-msg-{at}"))
    # The last message answers the one before it.
    assert page.message_ids[0] == f"{ID}-msg-{min(at, 44)}"
    linked = page.bubbles[page.message_ids.index(f"{ID}-msg-{at}")]
    assert "data-target" in linked.node.attributes
    assert linked.sources == expected(45, 1)[at : at + 1]
    assert linked.text.split()[0] == str(at + 1)
    assert (page.link("Earlier messages") is None) is (at == 0)
    menu = open_menu(fake_client, linked.node)
    raw = Page.of(fake_client.get(menu.link("JSON") or ""))
    assert f"{ID}-msg-{at}" in raw.one("pre.json").text()


@pytest.mark.parametrize("are_named", [False, True])
@pytest.mark.parametrize("at", [0, 7, 44, 144])
def test_links_to_a_message_work_on_a_server_that_ignores_the_order(
    fake: FakeUpstream, fake_client: FlaskClient, at: int, are_named: bool
) -> None:
    fake.completions[ID] = stored(ID, *(f"text {at}" for at in range(145)), choices=answers(1))
    fake.ignores_order = True
    if are_named:
        for number, one in enumerate(fake.completions[ID].messages):
            one["id"] = f"msg_{number:03}x"
    linked = fake.completions[ID].messages[at]["id"]

    page = Page.of(fake_client.get(f"{HERE}/messages/{linked}"))
    [target] = page.all("[data-target]")
    assert f"text {at}" in target.text()
    assert texts([page])[: 145 - at] == [f"text {one}" for one in range(at, min(at + 20, 145))]
    earlier = Page.of(fake_client.get(f"{HERE}/messages/{linked}/earlier", headers=AS_FRAGMENT))
    assert texts([earlier]) == [f"text {one}" for one in range(max(0, at - 20), at)]


# Pages that do not say, or say wrong, whether more follows


@pytest.mark.parametrize("count", [0, 1, 19, 20, 21, 40, 45])
@pytest.mark.parametrize("fault", [without_has_more, always_more], ids=lambda one: one.__name__)
def test_a_server_that_does_not_tell_the_end_is_read_to_it_once(
    fake: FakeUpstream, fake_client: FlaskClient, fault: Any, count: int
) -> None:
    fake.completions[ID] = stored(ID, *(f"text {at}" for at in range(count)), choices=answers(1))
    fake.page = fault
    pages = list(pages_from(fake_client, HERE))
    assert texts(pages) == expected(count, 1)
    assert texts([Page.of(fake_client.get(f"{HERE}?all=1"))]) == expected(count, 1)


def with_size_as_total(page: Json) -> Json:
    return without_has_more(page) | {"total": len(page["data"])}


@pytest.mark.parametrize("fault", [without_has_more, with_size_as_total])
@pytest.mark.parametrize("size", [15, 20])
@pytest.mark.parametrize("limit", [10, 20, 50])
def test_pages_of_one_size_without_a_word_of_more_are_read_to_the_end(
    fake: FakeUpstream, fake_client: FlaskClient, limit: int, size: int, fault: Any
) -> None:
    fake.completions[ID] = stored(ID, *(f"text {at}" for at in range(45)), choices=answers(1))
    for at, one in enumerate(fake.completions[ID].messages):
        one["id"] = f"msg_{at:x}a"
    fake.page, fake.page_size = fault, size
    everything = texts([Page.of(fake_client.get(f"{HERE}?all=1&limit={limit}"))])
    assert everything == expected(45, 1)
    exported = fake_client.get(f"{HERE}/export.json").get_json()
    assert len(exported["messages"]) == 45


@pytest.mark.parametrize("fault", [without_has_more, always_more], ids=lambda one: one.__name__)
def test_a_server_that_repeats_itself_is_read_once(
    fake: FakeUpstream, fake_client: FlaskClient, fault: Any
) -> None:
    fake.completions[ID] = stored(ID, *(f"text {at}" for at in range(5)), choices=answers(1))
    fake.page, fake.ignores_query = fault, True
    first = Page.of(fake_client.get(HERE))
    assert texts([first])[:5] == expected(5, 0)
    everything = Page.of(fake_client.get(f"{HERE}?all=1"))
    assert texts([everything])[:5] == expected(5, 0)
    assert len(everything.bubbles) in (5, 6)
    if fault is always_more:
        further = first.link("Load more") or ""
        assert "same page of messages again" in Page.of(fake_client.get(further), 502).text
        assert "Could not load the rest." in everything.text


def test_a_server_that_promises_more_and_sends_nothing_is_not_asked_for_ever(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fake.completions[ID] = stored(ID, "text 0", choices=answers(1))
    fake.page = always_empty
    for path in (HERE, f"{HERE}?all=1"):
        page = Page.of(fake_client.get(path))
        assert texts([page]) == ["answer 0"]
        assert "says that there are more messages" in page.text


@pytest.mark.parametrize("message_id", [None, "a b", "é", "x" * 300, "../..", 7])
def test_more_that_cannot_be_asked_for_is_said_and_the_answer_is_there(
    fake: FakeUpstream, fake_client: FlaskClient, message_id: Any
) -> None:
    one = stored(ID, *(f"text {at}" for at in range(30)), choices=answers(1))
    fake.completions[ID] = one
    for listed in one.messages:
        listed["id"] = message_id
    fake.page = lambda page: page | {"last_id": None, "has_more": True}
    page = Page.of(fake_client.get(HERE))
    assert texts([page]) == [*expected(20, 0), "answer 0"]
    assert "says that there are more messages" in page.text
    assert "20 of 20" not in page.text


# Ids without places


@pytest.fixture
def with_names(fake: FakeUpstream) -> list[str]:
    """45 messages under ids that count nothing."""
    one = stored(ID, *(f"text {at}" for at in range(45)), choices=answers(1))
    names = [f"msg_{at * 7919 % 100003:05}" for at in range(45)]
    for listed, name in zip(one.messages, names, strict=True):
        listed["id"] = name
    fake.completions[ID] = one
    return names


def test_places_are_counted_when_ids_do_not_tell_them(
    fake_client: FlaskClient, with_names: list[str]
) -> None:
    pages = list(pages_from(fake_client, f"{HERE}?limit=10"))
    assert [one for page in pages for one in page.message_ids] == [*with_names, None]
    numbers = [node.text() for page in pages for node in page.all(".number")]
    assert numbers == [str(number) for number in range(1, 46)]
    assert "more messages between" in Page.of(fake_client.get(f"{HERE}?limit=10")).text
    assert pages[1].link("Load more") == (
        f"{HERE}?limit=10&like=full&after={with_names[19]}&shown=20"
    )
    assert "45 of 45 messages" in pages[-1].text


def test_a_link_into_such_a_transcript_shows_no_numbers_rather_than_wrong_ones(
    fake_client: FlaskClient, with_names: list[str]
) -> None:
    page = Page.of(fake_client.get(f"{HERE}/messages/{with_names[25]}?limit=10"))
    assert page.message_ids == with_names[25:35]
    assert page.all(".number") == []
    assert len({bubble.anchor for bubble in page.bubbles}) == 10


def test_every_such_message_is_reached_from_the_middle(
    fake_client: FlaskClient, with_names: list[str]
) -> None:
    path = f"{HERE}/messages/{with_names[25]}?limit=10"
    earlier = list(pages_from(fake_client, path, link="Earlier messages", fragments=True))
    ids = [one for page in reversed(earlier) for one in page.message_ids]
    assert ids == with_names[:35]


def test_ids_that_skip_are_not_believed(fake: FakeUpstream, fake_client: FlaskClient) -> None:
    fake.completions[ID] = stored(ID, "one", "two", "three")
    fake.completions[ID].messages[1]["id"] = f"{ID}-7"
    page = Page.of(fake_client.get(HERE))
    assert [node.text() for node in page.all(".number")] == ["1", "2", "3"]


def test_messages_without_ids_are_shown_without_links(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fake.completions[ID] = stored(ID, choices=answers(1))
    fake.completions[ID].messages = []
    fake.page = lambda page: page | {"data": [{"role": "user", "content": "no id"}]}
    bubble = Page.of(fake_client.get(HERE)).bubbles[0]
    assert bubble.sources == ["no id"]
    assert all(link.text() != "link" for link in bubble.node.css("a"))
    assert '"no id"' in (bubble.node.css_first(".raw pre") or bubble.node).text()


def test_messages_whose_ids_are_no_text_are_compared(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fake.completions[ID] = stored(ID, "text 0", choices=answers(1))
    data = [message("\ud83d", 0, "text 0")]
    odd = Reply(200, json.dumps({"object": "list", "data": data, "has_more": False}))
    fake.script(MESSAGES, odd, odd)
    assert "text 0" in Page.of(fake_client.get(f"/compare?a={ID}&b={ID}&a_choice=0")).text


def test_a_message_before_the_last_turn_is_no_answer_though_it_says_the_same(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fake.completions[ID] = like_ogx(56, 1, has_inputs=False)
    fake.completions[ID].messages[54] |= {"role": "assistant", "content": "answer 0"}
    address = f"{HERE}?limit=10"
    while True:
        page = Page.of(fake_client.get(address, headers=AS_FRAGMENT if "after" in address else {}))
        if f"{ID}-54" in page.message_ids:
            break
        address = page.all(".loads a.button")[0].attributes["href"] or ""
    assert page.message_ids[-1] == f"{ID}-54"
    assert page.all(".output") == []
