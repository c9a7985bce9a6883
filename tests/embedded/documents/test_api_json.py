"""Stored JSON compared with the JSON of the API."""

from __future__ import annotations

import json
from typing import Any

import pytest

from webapp.embedded.documents.api_json import serialize_completion, serialize_message
from webapp.exact_json import Object, parse

MESSAGES = {
    "string content": (
        '{"content": "Hi", "role": "user"}',
        '{"id":"c-0","role":"user","content":"Hi","content_parts":null,"name":null}',
    ),
    "assistant messages always have a refusal": (
        '{"role": "assistant", "content": null}',
        '{"id":"c-0","role":"assistant","content":null,"content_parts":null,"name":null,'
        '"refusal":null}',
    ),
    "a given refusal stays where it was": (
        '{"role": "assistant", "refusal": "No.", "x": 1}',
        '{"id":"c-0","role":"assistant","content":null,"content_parts":null,"name":null,'
        '"refusal":"No.","x":1}',
    ),
    "further members in their order, nulls and duplicates too": (
        '{"tool_call_id": "t", "role": "tool", "b": null, "a": 1, "a": 2, "name": "f"}',
        '{"id":"c-0","role":"tool","content":null,"content_parts":null,"name":"f",'
        '"tool_call_id":"t","b":null,"a":1,"a":2}',
    ),
    "a given id is not repeated": (
        '{"id": "own", "role": "user", "content": ""}',
        '{"id":"c-0","role":"user","content":"","content_parts":null,"name":null}',
    ),
    "text and image parts": (
        '{"role":"user","content":[{"type":"text","text":"Whose logo is this?: "},'
        '{"type":"image_url","image_url":{"url":"data:,"}}]}',
        '{"id":"c-0","role":"user","content":"Whose logo is this?:  ","content_parts":['
        '{"type":"text","text":"Whose logo is this?: ","image_url":null,"input_audio":null,'
        '"file":null},'
        '{"type":"image_url","text":null,"image_url":{"url":"data:,","detail":null},'
        '"input_audio":null,"file":null}],"name":null}',
    ),
    "audio and file parts": (
        '{"role":"user","content":[{"type":"input_audio","input_audio":{"format":"wav"}},'
        '{"type":"file","file":{"file_id":"f","more":1}}]}',
        '{"id":"c-0","role":"user","content":" ","content_parts":['
        '{"type":"input_audio","text":null,"image_url":null,'
        '"input_audio":{"data":null,"format":"wav"},"file":null},'
        '{"type":"file","text":null,"image_url":null,"input_audio":null,'
        '"file":{"file_data":null,"file_id":"f","filename":null,"more":1}}],"name":null}',
    ),
    "parts of another shape": (
        '{"role":"user","content":["plain",{"type":"thinking","thinking":"hm"},7,'
        '{"type":"image_url","image_url":"https://example.com/a.png"}]}',
        '{"id":"c-0","role":"user","content":"plain   ","content_parts":["plain",'
        '{"type":"thinking","text":null,"image_url":null,"input_audio":null,"file":null,'
        '"thinking":"hm"},7,{"type":"image_url","text":null,'
        '"image_url":"https://example.com/a.png","input_audio":null,"file":null}],"name":null}',
    ),
    "an empty list of parts": (
        '{"role":"user","content":[]}',
        '{"id":"c-0","role":"user","content":"","content_parts":[],"name":null}',
    ),
    "saved from the API": (
        '{"role":"user","content":"a b","content_parts":[{"type":"text","text":"a b"}]}',
        '{"id":"c-0","role":"user","content":"a b",'
        '"content_parts":[{"type":"text","text":"a b"}],"name":null}',
    ),
    "content of another type": (
        '{"role": 5, "content": {"a": 1.50}, "name": false}',
        '{"id":"c-0","role":5,"content":{"a":1.50},"content_parts":null,"name":false}',
    ),
    "not an object": (
        '"just text"',
        '{"id":"c-0","role":null,"content":"just text","content_parts":null,"name":null}',
    ),
    "escapes are copied, also into the joined text": (
        r'{"role":"\u0075ser","content":[{"type":"text","text":"\u00e9\n"},'
        r'{"type":"text","text":"\ud800"}]}',
        r'{"id":"c-0","role":"\u0075ser","content":"\u00e9\n \ud800","content_parts":['
        r'{"type":"text","text":"\u00e9\n","image_url":null,"input_audio":null,"file":null},'
        r'{"type":"text","text":"\ud800","image_url":null,"input_audio":null,"file":null}],'
        '"name":null}',
    ),
    "raw control characters are escaped": (
        '{"role":"user","content":"a\tb"}',
        '{"id":"c-0","role":"user","content":"a\\u0009b","content_parts":null,"name":null}',
    ),
}

COMPLETION_KEYS = [
    "object id model created request_id tool_choice usage seed top_p temperature",
    "presence_penalty frequency_penalty system_fingerprint input_user service_tier tools",
    "metadata choices response_format",
]


@pytest.mark.parametrize(("given", "expected"), MESSAGES.values(), ids=MESSAGES)
def test_a_message_in_the_form_of_the_messages_endpoint(given: str, expected: str) -> None:
    assert serialize_message(parse(given), "c-0") == expected


def completion_text(**members: str) -> str:
    text = ",".join(f'"{name}": {value}' for name, value in members.items())
    given = parse("{" + text + "}")
    assert isinstance(given, Object)
    return serialize_completion(given, "chatcmpl-1")


def member(name: str, **members: str) -> Any:
    return json.loads(completion_text(**members))[name]


def test_a_completion_has_the_recorded_keys_in_the_recorded_order() -> None:
    assert list(json.loads(completion_text())) == " ".join(COMPLETION_KEYS).split()


def test_an_absent_or_null_setting_has_its_default() -> None:
    assert completion_text(temperature="null", metadata="null") == (
        '{"object":"chat.completion","id":"chatcmpl-1","model":null,"created":0,'
        '"request_id":null,"tool_choice":null,"usage":null,"seed":null,"top_p":1.0,'
        '"temperature":1.0,"presence_penalty":0.0,"frequency_penalty":0.0,'
        '"system_fingerprint":null,"input_user":null,"service_tier":null,"tools":null,'
        '"metadata":{},"choices":[],"response_format":null}'
    )


@pytest.mark.parametrize("number", ["-8132613597486110237", "1.0", "1.50", "1e400", "NaN"])
def test_a_number_keeps_its_lexeme(number: str) -> None:
    text = completion_text(seed=number, temperature=number, extra=f"[{number}]")

    assert f'"seed":{number},' in text
    assert f'"temperature":{number},' in text
    assert text.endswith(f',"extra":[{number}]}}')


def test_a_value_of_another_type_is_unchanged() -> None:
    text = completion_text(usage="[1 , 2]", metadata='"x"', created='"today"', model="{}")

    for given in ('"usage":[1,2]', '"metadata":"x"', '"created":"today"', '"model":{}'):
        assert given in text


def test_usage_has_its_three_counts_first_and_only_details_that_count_something() -> None:
    usage = (
        '{"prompt_tokens": 1, "total_tokens": 3, "cached": {"a": [0, 0.0, "", null]},'
        ' "details": {"a": 0, "b": {"c": 5}}, "cost": 0e5, "by": true}'
    )

    assert (
        completion_text(usage=usage)
        .partition('"usage":')[2]
        .startswith(
            '{"total_tokens":3,"completion_tokens":null,"prompt_tokens":1,'
            '"details":{"a":0,"b":{"c":5}},"by":true},'
        )
    )


def test_details_nested_beyond_the_stack_are_read() -> None:
    deep = "[" * 100_000 + "]" * 100_000

    assert "deep" not in completion_text(usage=f'{{"deep": {deep}}}')


def test_a_choice_has_the_stored_keys_then_other_members_that_are_not_empty() -> None:
    choice = (
        '{"finish_reason": "stop", "x": "", "y": 0, "message": {"role": "assistant", "content":'
        ' "Hi", "refusal": null, "annotations": [], "audio": {}, "reasoning": "so"}, "index": 3}'
    )

    assert completion_text(choices=f"[{choice}]").partition('"choices":')[2] == (
        '[{"index":3,"message":{"content":"Hi","role":"assistant","tool_calls":null,'
        '"function_call":null,"reasoning":"so"},"finish_reason":"stop","logprobs":null,"y":0}],'
        '"response_format":null}'
    )


def test_a_choice_without_index_is_numbered_and_without_message_has_an_empty_one() -> None:
    nothing = {"content": None, "role": None, "tool_calls": None, "function_call": None}

    assert member("choices", choices="[{}, 5, {}]") == [
        {"index": 0, "message": nothing, "finish_reason": None, "logprobs": None},
        5,
        {"index": 2, "message": nothing, "finish_reason": None, "logprobs": None},
    ]


@pytest.mark.parametrize(
    ("given", "written"),
    [("abort", "length"), ("cancelled", "length"), ("error", "length"), ("eos", "eos")],
)
def test_an_answer_that_broke_off_has_a_finish_reason_of_the_api(given: str, written: str) -> None:
    choices = f'[{{"message": {{"content": "Half"}}, "finish_reason": "{given}"}}]'

    assert member("choices", choices=choices)[0]["finish_reason"] == written


def test_the_delta_of_a_last_chunk_that_says_nothing_is_not_the_message() -> None:
    choices = '[{"message": {"role": "assistant", "content": ""}, "delta": {}}]'

    assert member("choices", choices=choices)[0]["message"]["role"] == "assistant"


def test_further_members_follow_unless_they_are_empty() -> None:
    text = completion_text(n="1", store="false", a="null", b='""', c="[]", d="{}", messages="[1]")

    assert text.endswith('"response_format":null,"n":1,"store":false}')
