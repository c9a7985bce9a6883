"""Transcripts: calls beside their results, outputs behind the input, every message in its place."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.any_json import TRANSCRIPTS, checked
from webapp.completions import Completion
from webapp.exact_json import Object, parse
from webapp.ids import parse_message_index
from webapp.messages import Message
from webapp.transcript import (
    CallEntry,
    Entry,
    arrange,
    build_output_entries,
    find_first_number,
    mark_outputs,
    select_top_level,
)


def message(role: str, **members: Any) -> Message:
    return Message.from_json(parse(json.dumps({"role": role, **members})))


def caller(*calls: str, **members: Any) -> Message:
    """An assistant message that calls tools: `id` or `id:name`."""
    called = [
        {"id": one.partition(":")[0], "function": {"name": one.partition(":")[2] or "f"}}
        for one in calls
    ]
    return message("assistant", tool_calls=called, **members)


def result(call_id: str | None = None, **members: Any) -> Message:
    return message("tool", tool_call_id=call_id, content="…", **members)


class CountedId(str):
    """An id that counts how often it is compared or looked up."""

    uses = 0

    def __eq__(self, other: object) -> bool:
        CountedId.uses += 1
        return str.__eq__(self, other)

    def __hash__(self) -> int:
        CountedId.uses += 1
        return str.__hash__(self)


def user() -> Message:
    return message("user", content="…")


def arranged(*messages: Message, **keywords: Any) -> tuple[Entry, ...]:
    return arrange(messages, **{"first": 1, **keywords})


def in_page_order(entries: Sequence[Entry]) -> Iterator[Entry]:
    """The entries as a page shows them: results under their calls, all else by itself."""
    for entry in entries:
        if not entry.nested:
            yield from _with_results(entry)


def _with_results(entry: Entry) -> Iterator[Entry]:
    yield entry
    for call in entry.calls:
        for found in call.results:
            yield from _with_results(found)


def pairs(entries: Sequence[Entry]) -> list[tuple[str, list[int | None]]]:
    """Every call by its number, and the numbers of its results."""
    calls = [call for entry in entries for call in entry.calls]
    return [(call.number, [entry.number for entry in call.results]) for call in calls]


def test_results_stand_under_the_calls_whose_ids_they_name() -> None:
    entries = arranged(user(), caller("a", "b"), result("a"), result("b"), user())

    assert pairs(entries) == [("2.1", [3]), ("2.2", [4])]
    assert [entry.number for entry in select_top_level(entries)] == [1, 2, 5]
    first, second = entries[1].calls
    assert (first.results, second.results) == ([entries[2]], [entries[3]])
    assert not any(entry.moved for entry in entries)
    assert not any(entry.inferred for entry in entries)
    assert entries[2].answers is first
    assert entries[4].answers is None


def test_results_without_ids_are_paired_by_their_order_and_it_says_so() -> None:
    entries = arranged(caller("a", "b"), result(), result())

    assert pairs(entries) == [("1.1", [2]), ("1.2", [3])]
    assert [entry.inferred for entry in entries] == [False, True, True]


def test_an_empty_call_id_says_no_more_than_none() -> None:
    entries = arranged(caller("", ""), result(""), result(""))

    assert pairs(entries) == [("1.1", [2]), ("1.2", [3])]
    assert [entry.inferred for entry in entries] == [False, True, True]


def test_functions_of_old_are_paired_by_name() -> None:
    calling = message("assistant", function_call={"name": "f", "arguments": "{}"})
    entries = arranged(calling, message("function", name="f", content="1"))
    strangers = arranged(calling, message("function", name="g", content="1"))

    assert pairs(entries) == [("1.1", [2])]
    assert entries[1].inferred
    assert pairs(strangers) == [("1.1", [])]
    assert strangers[1].answers is None


def test_a_name_decides_among_calls_where_ids_are_missing() -> None:
    entries = arranged(caller("a:f", "b:g"), result(name="g"), result(name="f"))

    assert pairs(entries) == [("1.1", [3]), ("1.2", [2])]


def test_results_out_of_order_go_to_their_calls_and_leave_a_stub() -> None:
    entries = arranged(caller("a", "b"), result("b"), result("a"))

    assert pairs(entries) == [("1.1", [3]), ("1.2", [2])]
    assert [entry.number for entry in in_page_order(select_top_level(entries))] == [1, 3, 2]
    assert [entry.number for entry in select_top_level(entries)] == [1, 3]
    assert [entry.moved for entry in entries] == [False, False, True]


def test_a_message_in_between_ends_the_nesting_but_not_the_pairing() -> None:
    entries = arranged(caller("a", "b"), result("a"), user(), result("b"))

    assert pairs(entries) == [("1.1", [2]), ("1.2", [4])]
    assert [entry.number for entry in select_top_level(entries)] == [1, 3, 4]
    assert [entry.moved for entry in entries] == [False, False, False, True]


def test_a_result_before_its_call_is_not_its_result() -> None:
    entries = arranged(result("a"), caller("a"))

    assert pairs(entries) == [("2.1", [])]
    assert entries[0].answers is None
    assert not entries[0].nested


def test_ids_used_again_go_to_the_call_that_still_lacks_a_result() -> None:
    entries = arranged(caller("a"), result("a"), caller("a"), result("a"), result("a"))

    assert pairs(entries) == [("1.1", [2]), ("3.1", [4, 5])]


def test_two_results_of_one_call_both_stand_under_it() -> None:
    entries = arranged(caller("a"), result("a"), result("a"))

    assert entries[0].calls[0].results == list(entries[1:])


def test_results_of_unknown_calls_answer_nothing() -> None:
    entries = arranged(caller("a"), result("x"))

    assert pairs(entries) == [("1.1", [])]
    assert entries[1].answers is None


def test_a_call_that_is_not_understood_is_answered_by_its_id_or_the_order() -> None:
    strange = message("assistant", tool_calls=["strange"])
    unknown = message("assistant", tool_calls=[{"id": "a", "type": "mcp", "mcp": {}}])

    assert pairs(arranged(strange, result())) == [("1.1", [2])]
    assert pairs(arranged(strange, result("a"))) == [("1.1", [])]
    assert pairs(arranged(unknown, result("a"))) == [("1.1", [2])]
    assert pairs(arranged(unknown, result("b"))) == [("1.1", [])]


def test_a_call_that_was_never_answered_does_not_shift_the_results_of_later_ones() -> None:
    entries = arranged(
        *(caller("a:f"), user()),
        *(caller("a:g"), result("a")),
        *(caller("a:h"), result("a")),
    )

    assert pairs(entries) == [("1.1", []), ("3.1", [4]), ("5.1", [6])]
    assert entries[3].inferred


def test_calls_of_one_turn_with_one_id_are_answered_by_name_and_then_by_order() -> None:
    by_name = arranged(caller("a:f", "a:g"), result("a", name="g"), result("a", name="f"))
    by_order = arranged(caller("a:f", "a:g"), result("a"), result("a"))

    assert pairs(by_name) == [("1.1", [3]), ("1.2", [2])]
    assert pairs(by_order) == [("1.1", [2]), ("1.2", [3])]
    assert [entry.inferred for entry in by_order] == [False, True, False]


def test_only_the_result_that_names_no_call_is_inferred() -> None:
    entries = arranged(caller("a", "b"), result(), result("a"))

    assert pairs(entries) == [("1.1", [2, 3]), ("1.2", [])]
    assert [entry.inferred for entry in entries] == [False, True, False]


def test_a_call_without_a_result_may_follow_only_where_messages_do() -> None:
    last = arranged(caller("a", "b"), result("a"))
    more = arranged(caller("a", "b"), result("a"), is_last=False)

    assert [call.may_follow for call in last[0].calls] == [False, False]
    assert [call.may_follow for call in more[0].calls] == [False, True]


def test_newest_first_keeps_every_call_with_its_results() -> None:
    messages = [user(), caller("a", "b"), result(), result()]
    entries = arrange(messages[::-1], first=4, order="desc")

    assert [entry.number for entry in entries] == [4, 3, 2, 1]
    assert pairs(entries) == [("2.1", [3]), ("2.2", [4])]
    assert [entry.number for entry in select_top_level(entries)] == [2, 1]


def test_without_numbers_entries_are_named_by_their_content() -> None:
    first, second = arrange([user(), caller("a")], first=None)

    assert first.anchor.startswith("m-x")
    assert first.anchor != second.anchor
    assert (first.number, second.calls[0].number) == (None, "1")
    assert second.calls[0].anchor == f"{second.anchor}-call-1"


def test_anchors_are_our_own_numbers() -> None:
    (entry,) = arrange([caller('"><script>')], first=41)
    (output,) = build_output_entries(Completion.from_json(parse('{"choices": [{}]}')).choices)

    assert entry.anchor == "m-41"
    assert (entry.calls[0].anchor, entry.calls[0].number) == ("m-41-call-1", "41.1")
    assert output.anchor == "choice-0"


roles = st.sampled_from(["user", "assistant", "tool", "function", "system"])
ids = st.sampled_from([None, "", "a", "b", "c"])
call_names = st.sampled_from([None, "f", "g"])


@st.composite
def any_message(draw: st.DrawFn) -> Message:
    calls = draw(st.lists(st.tuples(ids, call_names), max_size=3))
    return message(
        draw(roles),
        tool_call_id=draw(ids),
        name=draw(call_names),
        tool_calls=[{"id": one, "function": {"name": name}} for one, name in calls],
    )


@given(st.lists(any_message(), max_size=12), st.sampled_from(["asc", "desc"]))
@checked
def test_no_message_is_dropped_or_doubled_and_only_results_are_moved(
    messages: list[Message], order: str
) -> None:
    entries = arrange(messages, first=1 if order == "asc" else len(messages), order=order)
    top_level = select_top_level(entries)
    shown = list(in_page_order(top_level))

    assert [entry.message for entry in entries] == messages
    assert len(shown) == len(entries) and set(shown) == set(entries)
    assert [entry for entry in shown if not entry.nested] == [
        entry for entry in entries if not entry.nested
    ]


@given(st.lists(any_message(), max_size=12))
@checked
def test_every_pairing_is_of_a_result_behind_its_call(messages: list[Message]) -> None:
    entries = arrange(messages, first=1)

    for entry in entries:
        for call in entry.calls:
            assert call.caller is entry
            assert sorted(call.results, key=entries.index) == call.results
            for found in call.results:
                assert found.answers is call
                assert found.message.is_tool_result
                assert entries.index(found) > entries.index(entry)
                assert found.inferred or found.message.tool_call_id
                assert_matches(found.message, call)
    answering = [entry for entry in entries if entry.answers]
    assert sum(len(call.results) for entry in entries for call in entry.calls) == len(answering)


def assert_matches(found: Message, call: CallEntry) -> None:
    name = getattr(call.call, "name", None)
    if found.tool_call_id:
        assert call.call.id == found.tool_call_id
    else:
        assert found.name in (None, name) or name is None


@pytest.mark.parametrize(
    ("message_id", "index"),
    [
        ("c-0", 0),
        ("c-12", 12),
        ("c-msg-7", 7),
        ("c-", None),
        ("c-x", None),
        ("c--1", None),
        ("c-1234567890", None),
        ("d-1", None),
        ("xc-1", None),
        ("c-1\n", None),
        ("", None),
        (None, None),
    ],
)
def test_an_id_tells_the_index_of_its_message(message_id: str | None, index: int | None) -> None:
    assert parse_message_index("c", message_id) == index


def test_the_completion_id_is_taken_literally() -> None:
    assert parse_message_index("c.d", "cxd-1") is None
    assert parse_message_index("c.d", "c.d-1") == 1


@pytest.mark.parametrize(
    ("indexes", "order", "number"),
    [
        ([0, 1, 2], "asc", 1),
        ([20, 21], "asc", 21),
        ([5], "asc", 6),
        ([5], "desc", 6),
        ([5, 4, 3], "desc", 6),
        ([1, 0], "desc", 2),
        ([0, 1], "desc", None),
        ([1, 0], "asc", None),
        ([0, 2], "asc", None),
        ([0, 0], "asc", None),
        ([], "asc", None),
    ],
)
def test_numbers_come_from_ids_that_count_on_without_a_gap(
    indexes: list[int], order: str, number: int | None
) -> None:
    messages = [message("user", id=f"c-{index}") for index in indexes]

    assert find_first_number("c", messages, order) == number


def test_ids_that_do_not_count_give_no_numbers() -> None:
    named = [message("user", id="msg_a"), message("user", id="msg_b")]

    assert find_first_number("c", named, "asc") is None
    assert find_first_number("c", [user()], "asc") is None
    assert find_first_number("c", [message("user", id="c-0"), user()], "asc") is None


def completion(*answers: Any, **members: Any) -> Completion:
    choices = [{"index": place, "message": answer} for place, answer in enumerate(answers)]
    return Completion.from_json(parse(json.dumps({"choices": choices, **members})))


def answer(text: str, **members: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": text, **members}


def stored(text: str, **members: Any) -> Message:
    return message("assistant", content=text, **members)


def left_and_marked(
    messages: Sequence[Message],
    stored_as: Completion,
    *,
    tail: Sequence[Message] | None = None,
    first: int | None = 1,
    input_only: bool = False,
) -> tuple[list[int | None], list[int | None]]:
    """The indexes of the choices that are left, and for each entry that of its choice."""
    entries = arrange(messages, first=first)
    if tail is None:
        count = len(stored_as.choices)
        tail = messages[-count:] if count else []
    left = mark_outputs(entries, stored_as, tail=tail, input_only=input_only)
    marked = [entry.choice.index if entry.choice else None for entry in entries]
    return [entry.choice.index if entry.choice else None for entry in left], marked


def test_a_server_known_to_list_input_only_has_its_answers_appended_always() -> None:
    messages = [user(), stored("Hi", refusal=None)]

    assert left_and_marked(messages, completion(answer("Hi")), input_only=True) == (
        [0],
        [None, None],
    )


def test_messages_of_the_five_keys_alone_are_input_even_when_equal_to_the_answer() -> None:
    messages = [user(), stored("Hi")]

    assert left_and_marked(messages, completion(answer("Hi"))) == ([0], [None, None])


def test_a_tail_equal_to_the_answers_is_the_answers() -> None:
    messages = [user(), stored("A", refusal=None), stored("B", refusal=None)]

    assert left_and_marked(messages, completion(answer("A"), answer("B"))) == ([], [None, 0, 1])


@pytest.mark.parametrize(
    ("last", "sent"),
    [
        (stored("Other", refusal=None), answer("Hi")),
        (message("user", content="Hi", refusal=None), answer("Hi")),
        (caller("a", refusal=None), answer("", tool_calls=[{"id": "b", "function": {}}])),
        (stored("Hi", refusal=None), None),
    ],
)
def test_a_tail_that_differs_from_the_answer_is_input(last: Message, sent: Any) -> None:
    assert left_and_marked([user(), last], completion(sent)) == ([0], [None, None])


def test_calls_must_be_equal_only_where_both_sides_have_them() -> None:
    calls = [{"id": "a", "function": {"name": "f", "arguments": "{}"}}]
    last = message("assistant", content=None, tool_calls=calls)
    without = message("assistant", content=None, tool_calls=None)

    for one in (last, without):
        assert left_and_marked([user(), one], completion(answer("", tool_calls=calls))) == (
            [],
            [None, 0],
        )


def test_a_page_that_holds_the_last_answers_only_marks_those() -> None:
    tail = [stored("A", refusal=None), stored("B", refusal=None)]

    assert left_and_marked(tail[1:], completion(answer("A"), answer("B")), tail=tail) == ([], [1])


def test_fewer_messages_than_answers_cannot_be_the_answers() -> None:
    messages = [stored("A", refusal=None)]

    assert left_and_marked(messages, completion(answer("A"), answer("B"))) == ([0, 1], [None])


def test_where_the_server_tells_its_input_the_rest_are_outputs() -> None:
    messages = [user(), user(), stored("A"), stored("B")]
    both = completion(answer("A"), answer("B"), input_messages=[{}, {}])

    assert left_and_marked(messages, both) == ([], [None, None, 0, 1])
    assert left_and_marked(messages[:2], both) == ([0, 1], [None, None])
    assert left_and_marked(messages[:3], both) == ([1], [None, None, 0])


def test_outputs_on_the_page_before_are_not_shown_again() -> None:
    both = completion(answer("A"), answer("B"), input_messages=[{}, {}])

    assert left_and_marked([stored("B")], both, first=4) == ([], [1])


def test_without_numbers_the_tail_decides_even_where_the_server_tells_its_input() -> None:
    messages = [user(), stored("A", refusal=None)]
    told = completion(answer("A"), input_messages=[{}])

    assert left_and_marked(messages, told, first=None) == ([], [None, 0])


def test_a_completion_without_choices_has_no_outputs() -> None:
    for input_only in (True, False):
        assert left_and_marked([user()], completion(), input_only=input_only) == ([], [None])


def test_choices_become_entries_in_their_order() -> None:
    text = '{"choices": [{"index": 1, "message": {"tool_calls": [{}, {}]}}, {"text": "old"}, 5]}'
    first, second, third = build_output_entries(Completion.from_json(parse(text)).choices)

    assert [entry.place for entry in (first, second, third)] == [0, 1, 2]
    assert [call.number for call in first.calls] == ["1", "2"]
    assert first.calls[1].anchor == "choice-0-call-2"
    assert second.message.plain_text == "old"
    assert third.message.json.source == "5"


@pytest.mark.skipif(not TRANSCRIPTS, reason="the recorded transcripts are not beside the checkout")
def test_every_recorded_transcript_keeps_its_order_and_pairs_its_results() -> None:
    results = unpaired = 0
    for file in TRANSCRIPTS:
        for line in file.read_text(encoding="utf-8").splitlines():
            root = parse(line)
            assert isinstance(root, Object)
            messages = [Message.from_json(value) for value in root.items("messages") or ()]
            entries = arrange(messages, first=1)
            shown = list(in_page_order(select_top_level(entries)))
            assert [entry.message for entry in entries] == messages
            assert len(shown) == len(entries) and set(shown) == set(entries)
            answers = [entry for entry in entries if entry.message.is_tool_result]
            results += len(answers)
            unpaired += sum(entry.answers is None for entry in answers)
    assert results > 300
    assert unpaired < results / 20


def test_pairing_takes_time_in_proportion_to_the_results() -> None:
    def count(size: int) -> int:
        CountedId.uses = 0
        turns = [
            (caller(f"c{at}"), replace(result(f"c{at}"), tool_call_id=CountedId(f"c{at}")))
            for at in range(size)
        ]
        entries = arranged(*(one for turn in turns for one in turn))
        assert all(entry.nested for entry in entries[1::2])
        return CountedId.uses

    assert count(200) < 3 * count(100)
