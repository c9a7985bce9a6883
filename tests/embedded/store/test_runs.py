"""Completions that continue each other although their beginnings differ, and others that do not."""

from __future__ import annotations

from typing import Final

import pytest
from sqlalchemy import Engine

from tools.store_rows import add, listening, rows
from webapp.embedded import Store

Json = dict[str, object]

A_DAY: Final = 86_400


def user(text: str) -> Json:
    return {"role": "user", "content": text}


def assistant(text: str) -> Json:
    return {"role": "assistant", "content": text}


def picture(url: str, text: str = "What is this?") -> Json:
    parts = [{"type": "text", "text": text}, {"type": "image_url", "image_url": {"url": url}}]
    return {"role": "user", "content": parts}


def call(name: str, call_id: str = "call_0") -> Json:
    function = {"name": name, "arguments": "{}"}
    called = {"id": call_id, "type": "function", "function": function}
    return assistant("") | {"tool_calls": [called]}


def result(text: str) -> Json:
    return {"role": "tool", "tool_call_id": "c", "content": text}


def say(topic: str) -> Json:
    """Return an answer that nobody gives twice by chance."""
    return assistant(f"About {topic}: " + f"{topic} is larger than most of its neighbours. " * 4)


SYSTEM: Final[Json] = {"role": "system", "content": "You are a guide."}
TALK: Final = [
    *(user("Where is the largest lake of Norway, and how deep is it in winter?"), say("Mjøsa")),
    *(user("And of Sweden?"), say("Vänern"), user("And of Finland?"), say("Saimaa")),
]
NEXT: Final = user("And of Denmark?")
THEN: Final = user("And of Estonia?")
ANSWER: Final = say("Arresø")
SUMMARY: Final = user("Summary of all so far: lakes of Norway, Sweden and Finland. " * 4)
SHOWN: Final = "https://pictures.example/lake.png"
DATA: Final = "data:image/png;base64,iVBORw0KGgo="
DONE: Final = assistant("Done.")
CALLS: Final = [call("list"), result("a.txt\n" * 60), call("read"), result("Lakes. " * 60)]
UNIQUE: Final = call("write", "call_hK2vD8xWmZ7rT1bN")
AGENT: Final = [user("Write a list of all lakes."), *CALLS]

# The messages of a request, its answer, those of the next, and how many of these are known then;
# None if it is another conversation.
CASES: Final = {
    "the address of an image became data": (
        *([picture(SHOWN)], ANSWER, [picture(DATA), ANSWER, THEN], 2),
    ),
    "the oldest messages were dropped": (
        *([SYSTEM, *TALK, NEXT], ANSWER, [SYSTEM, *TALK[2:], NEXT, ANSWER, THEN], 7),
    ),
    "all but four messages were dropped": (
        *([*TALK, NEXT], ANSWER, [*TALK[4:], NEXT, ANSWER, THEN], 4),
    ),
    "a summary replaced the oldest messages": (
        *([SYSTEM, *TALK, NEXT], ANSWER, [SYSTEM, SUMMARY, *TALK[4:], NEXT, ANSWER, THEN], 1),
    ),
    "the last messages came before the tools": (
        *([*TALK, NEXT], ANSWER, [*TALK[2:], NEXT, ANSWER, THEN, *CALLS], 6),
    ),
    "too little is left beside the summary": (
        *([*TALK, NEXT], ANSWER, [SUMMARY, NEXT, ANSWER, THEN], None),
    ),
    "a summary came after the first message": (
        *([*TALK, NEXT], ANSWER, [TALK[0], SUMMARY, *TALK[4:], NEXT, ANSWER, THEN], 1),
    ),
    "only a call and its result are left": (
        *([SYSTEM, *AGENT], UNIQUE, [SYSTEM, SUMMARY, UNIQUE, result("OK")], 1),
    ),
    "only a call is left after the first message and a summary": (
        *(AGENT, UNIQUE, [AGENT[0], SUMMARY, UNIQUE, result("OK")], 1),
    ),
    "a call after a first message with another time": (
        *(AGENT, UNIQUE, [user("At noon: write!"), *CALLS, UNIQUE, result("OK")], 0),
    ),
    "a call after a result that had a reminder": (
        *([*AGENT[:-1], result("Lakes. 3 steps are left.")], UNIQUE, [*AGENT, UNIQUE, THEN], 4),
    ),
    "a call after a result that was written anew": (
        *(AGENT, UNIQUE, [*AGENT[:2], result("a.txt?\n" * 60), *CALLS[2:], UNIQUE, THEN], 2),
    ),
    "a call whose id others have, too": (
        *(AGENT, call("write"), [SUMMARY, call("write"), result("OK")], None),
    ),
    "a call whose id is its name": (
        *(
            AGENT,
            call("write2", "functions.write2:0"),
            [SUMMARY, call("write2", "functions.write2:0"), THEN],
            None,
        ),
    ),
    "another answer": ([*TALK, NEXT], ANSWER, [*TALK[2:], NEXT, say("Esrum"), THEN], None),
    "a short answer after messages that are all known": (
        *([*TALK, NEXT], assistant("Arresø."), [*TALK[2:], NEXT, assistant("Arresø."), THEN], 6),
    ),
    "a short answer after another message": (
        *([*TALK, NEXT], DONE, [user("Answer!"), *TALK[2:], NEXT, DONE, THEN], None),
    ),
    "a short answer after the first message and the last ones": (
        *([*TALK, NEXT], DONE, [TALK[0], *TALK[3:], NEXT, DONE, THEN], 6),
    ),
    "the same greeting with another picture": (
        *([picture(SHOWN)], DONE, [picture(DATA), DONE, THEN], None),
    ),
    "another question about a picture": (
        *([picture(SHOWN)], ANSWER, [picture(DATA, "Which lake?"), ANSWER, THEN], None),
    ),
    "the same examples": ([*TALK, NEXT], ANSWER, [user("Answer!"), *TALK, THEN], None),
    "the same results of tools": (
        *([user("Count."), *CALLS], say("a"), [user("Sort."), *CALLS, say("b"), THEN], None),
    ),
    "the same results of tools, and short answers": (
        *([user("Count."), *CALLS], DONE, [user("Sort."), *CALLS, DONE, THEN], None),
    ),
    "another conversation quotes all of it": (
        *([user("Which lake?")], ANSWER, [*TALK, user("Which lake?"), ANSWER, THEN], None),
    ),
}


@pytest.mark.cycled_databases(2)
@pytest.mark.parametrize("is_reversed", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_a_request_is_found_by_a_run_of_its_last_messages(
    store: Store, url: str, case: str, is_reversed: bool
) -> None:
    messages, answer, later, known = CASES[case]
    run = [
        request("first", messages, answer, 1000),
        request("next", later, THEN, 2000),
        request("late", later, THEN, 1000 + A_DAY + 1),
    ]
    for one in reversed(run) if is_reversed else run:
        add(store, one)

    conversation = store.find_conversation("next")
    assert conversation is not None
    next_one = conversation.find("next")
    assert next_one is not None
    assert next_one.parent == (None if known is None else "first")
    assert next_one.inherited == (known or 0)
    [late] = rows(
        url,
        "SELECT f.parent FROM facts AS f JOIN completions AS c ON c.seq = f.completion"
        " WHERE c.id = 'late'",
    )
    assert late.parent is None


@pytest.mark.parametrize("is_reversed", [False, True])
@pytest.mark.parametrize("keeps_first", [False, True])
def test_an_agent_that_keeps_its_last_messages_continues_itself(
    store: Store, keeps_first: bool, is_reversed: bool
) -> None:
    asked = user("Why does the night build of the billing service stop after the third step?")
    history, run = [asked], []
    for at in range(8):
        kept = history[-6:] if len(history) > 6 else history
        first = [asked] if keeps_first and len(history) > 6 else []
        answer = call(f"read_{at}")
        run.append(request(f"step-{at}", [SYSTEM, *first, *kept], answer, 1000 + at))
        history += [answer, result(f"page {at}")]
    # Another one ends alike, but had other messages before.
    alike = [asked, call("list"), *history[5:12]]
    run.append(request("alike", alike, call("read_6"), 1006))
    for one in reversed(run) if is_reversed else run:
        add(store, one)

    conversation = store.find_conversation("step-0")
    assert conversation is not None
    parents = {one.id: one.parent for one in conversation.requests if one.id != "alike"}
    assert parents == {"step-0": None} | {f"step-{at}": f"step-{at - 1}" for at in range(1, 8)}
    assert {one.added for one in conversation.requests if one.parent and one.id != "alike"} == {1}


@pytest.mark.parametrize("is_reversed", [False, True])
@pytest.mark.parametrize(
    "first", [[], [user("Write a list of all lakes of Norway and Sweden. " * 2)]]
)
def test_an_agent_that_sums_up_continues_its_last_request(
    store: Store, first: list[Json], is_reversed: bool
) -> None:
    history, run = first or [TALK[0]], []
    for at in range(8):
        if at == 5:
            history = [*first, SUMMARY, *history[-2:]]
        answer = call("read", f"call_{at}hK2vD8xWmZ7rT1b")
        # That of the first one is the same as that of the one after the summary.
        system: Json = {"role": "system", "content": f"Minute {at % 5}"}
        run.append(request(f"step-{at}", [system, *history], answer, 1000 + at))
        history = [*history, answer, result(f"page {at}")]
    for one in reversed(run) if is_reversed else run:
        add(store, one)

    conversation = store.find_conversation("step-0")
    assert conversation is not None
    parents = {one.id: one.parent for one in conversation.requests}
    assert parents == {"step-0": None} | {f"step-{at}": f"step-{at - 1}" for at in range(1, 8)}
    assert conversation.requests[5].inherited == 1 + len(first)


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (3, 0, 1, 2), (2, 3, 0, 1)])
@pytest.mark.parametrize("at_once", [False, True])
def test_the_latest_with_the_run_is_continued_in_whatever_order_they_are_stored(
    store: Store, url: str, order: tuple[int, ...], at_once: bool
) -> None:
    history = [*TALK, NEXT, ANSWER, THEN]
    run = [
        request("first", [*TALK, NEXT], ANSWER, 1000),
        request("second", [*history[2:]], say("Peipus"), 2000),
        request("retry", [*history[2:]], say("Peipus"), 2001),
        request("third", [*history[4:], say("Peipus"), NEXT], DONE, 3000),
    ]
    batches = [[run[at] for at in order]] if at_once else [[run[at]] for at in order]
    for batch in batches:
        add(store, *batch)

    found = rows(
        url,
        "SELECT c.id, p.id AS parent, f.conversation FROM facts AS f"
        " JOIN completions AS c ON c.seq = f.completion"
        " LEFT JOIN completions AS p ON p.seq = f.parent",
    )
    parents = {"first": None, "second": "first", "retry": "first", "third": "retry"}
    assert {row.id: row.parent for row in found} == parents
    assert len({row.conversation for row in found}) == 1


@pytest.mark.parametrize("begins", [False, True])
@pytest.mark.parametrize("is_reversed", [False, True])
@pytest.mark.parametrize("at_once", [False, True])
def test_two_that_have_the_run_of_each_other_do_not_continue_each_other(
    store: Store, begins: bool, is_reversed: bool, at_once: bool
) -> None:
    some, others = TALK[:1] * 3, [user(f"{at}. " + "Tell me of a river. " * 9) for at in range(3)]
    first = [*some, say("Esrum"), *others]
    second = [*(first if begins else others), say("Arresø"), *some]
    run = [request("a", first, say("Arresø"), 1000), request("b", second, say("Esrum"), 1000)]
    run = run[::-1] if is_reversed else run
    for batch in [run] if at_once else [[one] for one in run]:
        add(store, *batch)

    conversation = store.find_conversation("a")
    assert conversation is not None
    assert len(conversation.requests) == 2
    assert len(conversation.children_of(None)) == 1


def test_paths_end_where_requests_were_stored_as_if_they_continued_each_other(
    store: Store, url: str
) -> None:
    add(store, request("a", [*TALK, NEXT], ANSWER, 1000))
    add(store, request("b", [*TALK, NEXT, ANSWER, THEN], DONE, 1001))
    rows(url, "UPDATE facts SET parent = 3 - completion")

    conversation = store.find_conversation("a")
    assert conversation is not None
    end = conversation.last_of(conversation.requests[0])
    assert len(conversation.path_to(end)) == 2


def test_only_messages_of_requests_without_a_better_parent_are_read(store: Store) -> None:
    history = [*TALK[2:], NEXT, ANSWER, THEN]
    for at in range(5):
        add(store, request(f"step-{at}", history, DONE, 2000 + at))
        history = [*history, DONE, user(f"Step {at}")]
    read: list[str] = []

    def note(connection: object, cursor: object, statement: str, *further: object) -> None:
        read.append(statement)

    with listening(Engine, "before_cursor_execute", note):
        add(store, request("first", [*TALK, NEXT], ANSWER, 1000))

    assert sum("FROM messages" in one for one in read) == 1
    conversation = store.find_conversation("first")
    assert conversation is not None
    assert [one.parent for one in conversation.requests][:3] == [None, "first", "step-0"]


def test_messages_that_are_said_once_more_are_new(store: Store) -> None:
    said = [*TALK, NEXT]
    add(store, request("first", said, DONE, 1000))
    add(store, request("next", [*said, *TALK[2:], NEXT, DONE, THEN], DONE, 1001))

    conversation = store.find_conversation("next")
    assert conversation is not None
    assert conversation.requests[-1].inherited == len(said)


def test_few_of_many_requests_are_read_where_none_is_continued(store: Store) -> None:
    history = [TALK[0]]
    for at in range(20):
        add(store, request(f"step-{at}", history, say(f"lake {at}"), 2000 + at))
        history = [*history, say(f"lake {at}"), user(f"And of country {at}?")]
    read: list[str] = []

    def note(connection: object, cursor: object, statement: str, *further: object) -> None:
        read.append(statement)

    with listening(Engine, "before_cursor_execute", note):
        add(store, request("summed", [TALK[0], SUMMARY, *history[3:]], DONE, 3000))

    assert sum("FROM messages" in one for one in read) <= 8


@pytest.mark.parametrize(("then", "reads"), [("{at}", 8), ("again", 1)])
def test_few_of_many_later_requests_are_read(store: Store, then: str, reads: int) -> None:
    for at in range(20):
        history = [*TALK[2:], NEXT, ANSWER, user(f"And then {then.format(at=at)}?")]
        add(store, request(f"later-{at}", history, DONE, 2000))
    read: list[str] = []

    def note(connection: object, cursor: object, statement: str, *further: object) -> None:
        read.append(statement)

    with listening(Engine, "before_cursor_execute", note):
        add(store, request("first", [*TALK, NEXT], ANSWER, 1000))

    assert sum("FROM messages" in one for one in read) == reads
    conversation = store.find_conversation("first")
    assert conversation is not None
    assert len(conversation.requests) == (21 if reads == 1 else 1 + reads)


def request(name: str, messages: list[Json], answer: Json, created: int) -> Json:
    choices = [{"index": 0, "message": answer, "finish_reason": "stop"}]
    return {"id": name, "created": created, "messages": messages, "choices": choices}
