"""Requests that continue another one with results of tools cleared to save context."""

from __future__ import annotations

from typing import Final

import pytest

from tools.store_rows import add
from webapp.embedded import Store

Json = dict[str, object]

PLACE: Final = "[Old tool result content cleared]"
QUESTION: Final[Json] = {
    "role": "user",
    "content": "Why does the night build of the billing service stop after the third step?",
}
DONE: Final[Json] = {"role": "assistant", "content": "The disk is full."}
SHOT: Final = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}


def call(name: str) -> Json:
    function = {"name": "read", "arguments": f'{{"page": "{name}"}}'}
    calls = [{"id": name, "type": "function", "function": function}]
    return {"role": "assistant", "content": None, "tool_calls": calls}


def result(name: str, content: object = None) -> Json:
    content = f"line of {name}\n" * 40 if content is None else content
    return {"role": "tool", "tool_call_id": name, "content": content}


def block(content: object) -> Json:
    part = {"type": "tool_result", "tool_use_id": "a", "content": content}
    return {"role": "user", "content": [part]}


HEAD: Final = [QUESTION, call("a"), result("a"), call("b"), result("b")]
SHOWN: Final = [{"type": "text", "text": "The page."}, SHOT]

# The messages of a request, how the next one begins, and how many results were cleared in it; None
# if it does not continue the first.
CASES: Final = {
    "by a placeholder": (HEAD, [*HEAD[:2], result("a", PLACE), *HEAD[3:]], 1),
    "all": (HEAD, [*HEAD[:2], result("a", PLACE), HEAD[3], result("b", PLACE)], 2),
    "by nothing": (HEAD, [*HEAD[:2], result("a", ""), *HEAD[3:]], 1),
    "by null": (HEAD, [*HEAD[:2], result("a") | {"content": None}, *HEAD[3:]], 1),
    "the end was cut off": (HEAD, [*HEAD[:2], result("a", "line of a\n" * 20), *HEAD[3:]], 1),
    "a short one too": (
        [*HEAD[:2], result("a", "ok"), *HEAD[3:]],
        [*HEAD[:2], result("a", PLACE), HEAD[3], result("b", PLACE)],
        2,
    ),
    "a picture": (
        [*HEAD[:2], result("a", SHOWN), *HEAD[3:]],
        [*HEAD[:2], result("a", "The page. [image removed]"), *HEAD[3:]],
        1,
    ),
    "parts of a user's message": (
        [*HEAD[:2], block("line of a\n" * 40), *HEAD[3:]],
        [*HEAD[:2], block(PLACE), *HEAD[3:]],
        1,
    ),
    "another result": (HEAD, [*HEAD[:2], result("a", "row of a\n" * 38), *HEAD[3:]], None),
    "a longer result": (HEAD, [*HEAD[:2], result("a", "line of a\n" * 50), *HEAD[3:]], None),
    "another call": (HEAD, [*HEAD[:2], result("a", PLACE), call("c"), HEAD[4]], None),
    "another question": (HEAD, [QUESTION | {"content": "Why?"}, *HEAD[1:]], None),
    "a message less": (HEAD, [*HEAD[:2], *HEAD[3:]], None),
    "a word of the user": (
        [*HEAD, DONE, QUESTION | {"content": "And the night before?"}],
        [*HEAD[:2], result("a", PLACE), *HEAD[3:], DONE, QUESTION | {"content": "And the day?"}],
        None,
    ),
}


@pytest.mark.cycled_databases(3)
@pytest.mark.parametrize("order", ["forward", "backward", "at once"])
@pytest.mark.parametrize("case", CASES)
def test_a_request_with_cleared_results_continues_the_one_before(
    store: Store, case: str, order: str
) -> None:
    messages, begins, cleared = CASES[case]
    run = [
        request("root", [QUESTION], call("a"), 1000),
        request("first", messages, call("z"), 2000),
        request("next", [*begins, call("z"), result("z")], DONE, 3000),
    ]
    if order == "at once":
        add(store, *run)
    else:
        for one in run if order == "forward" else reversed(run):
            add(store, one)

    conversation = store.find_conversation("next")
    assert conversation is not None
    found = conversation.find("next")
    assert found is not None
    if cleared is None:
        assert found.parent != "first"
        return
    assert (found.parent, found.inherited) == ("first", len(messages) + 1)
    assert not found.repeats
    difference = store.find_prompt_difference("first", "next")
    assert difference is not None
    assert difference.cleared == cleared


@pytest.mark.parametrize("is_reversed", [False, True])
def test_each_request_of_an_agent_that_clears_old_results_continues_the_one_before(
    store: Store, is_reversed: bool
) -> None:
    history, run = [QUESTION], []
    for at in range(6):
        last = len(history) - 4
        view = [
            result("x", PLACE) if one["role"] == "tool" and place < last else one
            for place, one in enumerate(history)
        ]
        run.append(request(f"step-{at}", view, call(f"page {at}"), 1000 + at))
        history += [call(f"page {at}"), result(f"page {at}")]
    for one in reversed(run) if is_reversed else run:
        add(store, one)

    conversation = store.find_conversation("step-0")
    assert conversation is not None
    parents = [one.parent for one in conversation.requests]
    assert parents == [None, *(f"step-{at}" for at in range(5))]
    assert [one.repeats for one in conversation.requests] == [
        False,
        True,
        True,
        False,
        False,
        False,
    ]


@pytest.mark.parametrize("is_reversed", [False, True])
def test_a_run_whose_result_is_shorter_continues_its_own_request(
    store: Store, is_reversed: bool
) -> None:
    other = [*HEAD[:2], result("a", "none"), *HEAD[3:]]
    run = [
        request("long", HEAD, DONE, 1000),
        request("short", other, DONE, 1001),
        request("next", [*other, DONE, QUESTION], DONE, 1002),
    ]
    for one in reversed(run) if is_reversed else run:
        add(store, one)

    conversation = store.find_conversation("next")
    assert conversation is not None
    assert {one.id: one.parent for one in conversation.requests}["next"] == "short"


def request(name: str, messages: list[Json], answer: Json, created: int) -> Json:
    choices = [{"index": 0, "message": answer, "finish_reason": "stop"}]
    return {"id": name, "created": created, "messages": messages, "choices": choices}
