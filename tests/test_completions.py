"""Completions, choices and pages as values: total, and nothing that was sent is lost."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.any_json import TRANSCRIPTS, Json, checked, values_over
from tests.support.loose_shapes import COMPLETION, KNOWN_WORDS, leaves, shown_of_completion, written
from webapp.completions import Completion, scalar_text
from webapp.exact_json import Object, Value, parse
from webapp.messages import Message, Unknown
from webapp.messages.choices import Choice
from webapp.messages.parts import MAX_ITEMS
from webapp.upstream.decoding import NotAPage, Page

FIELDS = sorted(COMPLETION) if isinstance(COMPLETION, dict) else []
PAGE_FIELDS = ("object", "data", "first_id", "last_id", "has_more", "total")


def completion(**members: Any) -> Completion:
    return Completion.from_json(parse(json.dumps(members)))


def choice(value: Any) -> Choice:
    return Choice.from_json(parse(json.dumps(value)))


def page(text: str) -> Page[Message]:
    return Page.from_json(parse(text), Message.from_json)


def names(members: Any) -> list[str]:
    return [member.name.text for member in members]


def test_a_recorded_completion_is_read() -> None:
    found = Completion.from_json(
        parse(
            '{"object":"chat.completion","id":"chatcmpl-1","model":"gpt-4o-mini-2024-07-18",'
            '"created":1758039249,"request_id":"req_1","tool_choice":null,"usage":{"total_tokens":3'
            ',"completion_tokens":2,"prompt_tokens":1},"seed":-8132613597486110237,"top_p":1.0,'
            '"metadata":{"k":"v","k":"w"},"choices":[{"index":0,"message":{"role":"assistant",'
            '"content":"Hi"},"finish_reason":"stop","logprobs":null}],"response_format":null}'
        )
    )

    assert (found.id, found.created) == ("chatcmpl-1", 1758039249)
    assert found.model == "gpt-4o-mini-2024-07-18"
    assert found.usage is not None
    assert (found.usage.prompt_tokens, found.usage.completion_tokens) == (1, 2)
    assert found.usage.total_tokens == 3
    assert [scalar_text(member.value) for member in found.metadata] == ["v", "w"]
    assert names(found.settings) == ["request_id", "seed", "top_p"]
    assert scalar_text(found.settings[1].value) == "-8132613597486110237"
    (answer,) = found.choices
    assert answer.message is not None and answer.message.plain_text == "Hi"
    assert (answer.index, answer.finish_reason, answer.also_sent) == (0, "stop", ())
    assert found.input_messages is None


def test_finish_reasons_are_told_once_each_in_order() -> None:
    reasons = ["stop", None, "length", "stop", 5]
    found = completion(choices=[{"finish_reason": reason} for reason in reasons])

    assert found.finish_reasons == ("stop", "length")


@pytest.mark.parametrize("name", [*FIELDS, "object", "unheard_of"])
@pytest.mark.parametrize("value", [True, 1.5, "text", 7, [], {}])
def test_a_member_is_read_or_else_a_setting(name: str, value: Any) -> None:
    found = completion(**{name: value})
    kinds = {"id": str, "model": str, "created": int, "usage": dict}
    kinds |= {"metadata": dict, "choices": list, "input_messages": list}

    assert names(found.settings) == ([] if type(value) is kinds.get(name) else [name])
    assert completion(**{name: None}).settings == ()


def test_settings_hold_what_was_sent_twice_but_for_the_last() -> None:
    found = Completion.from_json(parse('{"model": "old", "seed": 1, "model": "new", "seed": 2}'))

    assert found.model == "new"
    assert [scalar_text(member.value) for member in found.settings] == ["old", "1", "2"]


def test_input_messages_are_read_where_a_server_gives_them() -> None:
    found = completion(input_messages=[{"role": "user", "content": "Hi"}, 5])

    assert found.input_messages is not None
    assert [message.role for message in found.input_messages] == ["user", None]
    assert completion(input_messages=[]).input_messages == ()


@pytest.mark.parametrize(
    ("audio", "expected"),
    [({"format": "pcm16"}, "pcm16"), ({"format": 5}, None), ("pcm16", None), (None, None)],
)
def test_the_format_asked_for_spoken_answers_is_read(audio: Any, expected: str | None) -> None:
    assert completion(audio=audio).audio_format == expected


def test_a_choice_keeps_what_it_has_beyond_its_message() -> None:
    found = choice(
        {"index": "0", "finish_reason": 5, "logprobs": {"content": []}, "note": "x", "none": None}
    )

    assert (found.index, found.finish_reason, found.message) == (None, None, None)
    assert names(found.also_sent) == ["index", "finish_reason", "logprobs", "note"]


def test_the_message_of_a_choice_may_be_anything() -> None:
    found = choice({"message": "text", "index": 0})

    assert found.message is not None
    (part,) = found.message.parts
    assert isinstance(part, Unknown)
    assert part.json.source == '"text"'


@pytest.mark.parametrize("value", [None, 5, "x", []])
def test_choices_and_completions_that_are_no_objects_keep_their_json(value: Any) -> None:
    text = json.dumps(value)

    assert choice(value).json.source == text
    assert Completion.from_json(parse(text)).json.source == text
    assert Completion.from_json(parse(text)).audio_format is None


def test_a_page_is_read() -> None:
    found = page(
        '{"object":"list","data":[{"id":"c-0"},{"id":"c-1"}],"first_id":"c-0","last_id":"c-1",'
        '"has_more":true,"total":7}'
    )

    assert [message.id for message in found.data] == ["c-0", "c-1"]
    assert (found.has_more, found.first_id, found.last_id) == (True, "c-0", "c-1")
    assert found.total == 7


@pytest.mark.parametrize("ids", ['"first_id":null,"last_id":null,', '"first_id":"","last_id":"",'])
def test_an_empty_page_has_no_ids(ids: str) -> None:
    found = page(f'{{{ids}"data":[],"has_more":false}}')

    assert (found.data, found.first_id, found.last_id, found.has_more) == ((), None, None, False)


@pytest.mark.parametrize("said", ["", '"has_more": null,', '"has_more": "true",'])
def test_a_page_that_does_not_say_whether_more_follows_leaves_it_open(said: str) -> None:
    assert page(f'{{{said} "data": []}}').has_more is None


@pytest.mark.parametrize("text", ["null", "[]", '"data"', "{}", '{"data": {}}', '{"data": null}'])
def test_json_without_a_list_is_not_a_page(text: str) -> None:
    with pytest.raises(NotAPage):
        page(text)


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ('"a\\n"', "a\n"),
        ("1.0", "1.0"),
        ("-8132613597486110237", "-8132613597486110237"),
        ("true", "true"),
        ("null", None),
        ("[]", None),
        ("{}", None),
    ],
)
def test_scalars_are_shown_by_their_meaning_and_numbers_by_their_lexeme(
    written: str, text: str | None
) -> None:
    assert scalar_text(parse(written)) == text


@given(values_over(st.sampled_from([*FIELDS, "message", "index", "finish_reason"])) | st.text())
@checked
def test_any_json_makes_a_completion_and_a_choice(value: Json) -> None:
    text = json.dumps(value)

    assert Completion.from_json(parse(text)).json.source == text
    assert Choice.from_json(parse(text)).json.source == text


REPORTS = ("content_filter_results", "prompt_filter_results", "moderation")
REPORTED = [
    *(*REPORTS, "results", "input", "categories", "category_scores", "filtered", "detected"),
    *("severity", "prompt_index"),
]


@given(values_over(st.sampled_from(REPORTED)), st.sampled_from(REPORTS))
@checked
def test_any_json_makes_a_report_or_is_left_where_it_was(value: Json, name: str) -> None:
    for found in (completion(**{name: value}).reports, choice({name: value}).reports):
        for report in found:
            assert json.loads(report.json.source) == value
            assert report.count == report.left_out + sum(len(one.found) for one in report.shown)
            assert set(report.notable) <= {one for all_ in report.results for one in all_.found}
    left = completion(**{name: value}).settings + completion(**{name: value}).reports
    assert len(left) == (value is not None)


def test_a_list_that_nobody_could_read_is_a_setting() -> None:
    many = [None] * (MAX_ITEMS + 1)

    found = completion(choices=many, input_messages=many)
    assert (found.choices, found.input_messages) == ((), None)
    assert names(found.settings) == ["choices", "input_messages"]
    assert len(completion(choices=many[1:]).choices) == MAX_ITEMS


@given(values_over(st.sampled_from(PAGE_FIELDS)))
@checked
def test_any_json_makes_a_page_or_is_told_not_to_be_one(value: Json) -> None:
    is_page = isinstance(value, dict) and isinstance(value.get("data"), list)
    try:
        found = page(json.dumps(value))
    except NotAPage:
        assert not is_page
    else:
        assert is_page
        assert found.has_more in (True, False, None)


@given(written(COMPLETION))
@checked
def test_every_text_and_number_of_a_completion_is_shown(text: str) -> None:
    value = parse(text)
    shown = KNOWN_WORDS.union(shown_of_completion(Completion.from_json(value)))

    assert set(object_leaves(value)) - shown == set()


def object_leaves(value: Value) -> list[str]:
    """Return the leaves of an object; any other completion is shown as JSON."""
    return list(leaves(value)) if isinstance(value, Object) else []


@pytest.mark.skipif(not TRANSCRIPTS, reason="the recorded transcripts are not beside the checkout")
def test_every_recorded_completion_shows_all_that_it_holds() -> None:
    count = 0
    for file in TRANSCRIPTS:
        for line in file.read_text(encoding="utf-8").splitlines():
            value = parse(line)
            shown = {"", *KNOWN_WORDS, *shown_of_completion(Completion.from_json(value))}
            assert set(object_leaves(value)) - shown == set()
            count += 1
    assert count > 500


@pytest.mark.parametrize("logprobs", [{}, {"logprobs": None}])
@pytest.mark.parametrize("index", [{}, {"index": 1}, {"index": None}, {"index": 1.5}])
@pytest.mark.parametrize("message", [{"role": "assistant", "content": "14C"}, {"content": []}, {}])
def test_a_choice_of_the_usual_members_is_read_as_any_other(
    message: dict[str, object], index: dict[str, object], logprobs: dict[str, object]
) -> None:
    usual = {**index, "message": message, "finish_reason": "stop", **logprobs}
    read = []
    for value in (usual, usual | {"unknown": None}):
        choice = Choice.from_json(parse(json.dumps(value)))
        left = [member.name.text for member in choice.also_sent]
        found = choice.message
        assert found is not None
        said = (found.role, found.plain_text, len(found.parts), found.also_sent)
        read.append((choice.index, said, choice.finish_reason, choice.logprobs, left))
    assert read[0] == read[1]
