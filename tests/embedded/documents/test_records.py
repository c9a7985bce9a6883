"""Parsing a completion's JSON into a record for the store."""

from __future__ import annotations

import json

import pytest

from tools.store_rows import completion
from webapp.embedded.documents.records import NotACompletion, parse_record

REFUSED = {
    '{"messages": [': "it is not JSON: the text ends early: expected a value at column 15",
    '{"a" 1}': "it is not JSON: expected ':' at column 6",
    '{"a": "x\0"}': "it is not JSON: a raw NUL at column 9",
    "[]": "it is not a JSON object",
    '{"choices": []}': "it has no `messages` list",
    '{"messages": {}, "choices": []}': "it has no `messages` list",
    '{"messages": []}': "it has no `choices` list",
    '{"id": 5, "messages": [], "choices": []}': "its `id` is not a string",
    '{"id": "a/b", "messages": [], "choices": []}': (
        "its `id` cannot be part of a URL: it needs 1 to 240 letters, digits and - . _ : ~"
    ),
}


@pytest.mark.parametrize(("text", "reason"), REFUSED.items())
def test_other_json_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(NotACompletion) as caught:
        parse_record(text)

    assert str(caught.value) == reason


@pytest.mark.parametrize("bad", [".", "..", "a b", "é", "x" * 241, "a\n", "\ud800"])
def test_an_id_that_cannot_be_part_of_a_url_is_refused(bad: str) -> None:
    with pytest.raises(NotACompletion, match="cannot be part of a URL"):
        parse_record(json.dumps(completion(bad)))


def test_an_id_is_made_from_the_content_if_there_is_none() -> None:
    text = '{"messages": [], "choices": [], "n": %d}'
    one, again, other = (parse_record(text % n).id for n in (1, 1, 2))

    assert one == again != other
    assert one.startswith("chatcmpl-")
    assert len(one.removeprefix("chatcmpl-")) == 29
    assert one.removeprefix("chatcmpl-").isalnum()


@pytest.mark.parametrize("empty", ['""', '" "', '"\\n"', "null"])
def test_an_empty_id_is_none(empty: str) -> None:
    one, other = (
        parse_record(f'{{"id": {empty}, "messages": [], "choices": [], "n": {number}}}').id
        for number in (1, 2)
    )

    assert one != other
    assert one.startswith("chatcmpl-")


def test_white_space_between_lexemes_makes_no_other_completion() -> None:
    given = completion("a b".replace(" ", "-"), note="a  b")
    tight, wide = json.dumps(given, separators=(",", ":")), json.dumps(given, indent=3)

    assert parse_record(tight).digest == parse_record(wide).digest
    assert parse_record(tight).digest != parse_record(tight.replace("a  b", "a b")).digest


@pytest.mark.parametrize(
    ("created", "seconds"),
    [
        ("1758039249", 1758039249),
        ("1758039249.9", 1758039249),
        ("null", 0),
        ('"today"', 0),
        ("NaN", 0),
        ("1e999", 0),
        ("9" * 5000, 0),
        ("1" + "0" * 30, 0),
        ("-1" + "0" * 30, 0),
        ("-1", 0),
        ('"1758039249"', 1758039249),
        ('" 1758039249.5 "', 1758039249),
        ("1758039249123", 1758039249),
        ('"1758039249123"', 1758039249),
        ("1758039249123456", 1758039249),
        ("1.758039249e9", 1758039249),
        ('"2025-09-16T16:14:09Z"', 1758039249),
        ('"2025-09-16T18:14:09.500+02:00"', 1758039249),
        ('"2025-09-16 16:14:09"', 1758039249),
        ('"Tue, 16 Sep 2025 16:14:09 GMT"', 1758039249),
        ('"20250916"', 1757980800),
        ('"2025-09-16 16:14:09 UTC"', 1758039249),
        ('"2025/9/16 16:14:09"', 1758039249),
        ('"Sep 16, 2025 4:14:09 PM"', 1758039249),
        ('"Sep 16, 2025 12:14:09 AM"', 1757981649),
        ('{"$date": "2025-09-16T16:14:09Z"}', 1758039249),
        ('{"$date": {"$numberLong": "1758039249000"}}', 1758039249),
        ('{"seconds": 1758039249, "nanos": 5}', 1758039249),
        ("{}", 0),
        ("true", 0),
        ("[1758039249]", 0),
    ],
)
def test_the_time_is_read_or_falls_back_to_zero(created: str, seconds: int) -> None:
    text = f'{{"created": {created}, "messages": [], "choices": []}}'

    assert parse_record(text).created == seconds


def test_the_text_is_kept_with_its_messages_one_by_one() -> None:
    text = (
        '{"seed" : 1.50, "messages" : [ {"role" : "user", "role":"x"} , 1e5 ],'
        ' "seed":-8132613597486110237, "choices":[]}'
    )
    read = parse_record(text)

    assert read.given_json == text.replace('[ {"role" : "user", "role":"x"} , 1e5 ]', "[]")
    assert [one.given_json for one in read.messages] == ['{"role" : "user", "role":"x"}', "1e5"]


def message_ids(*given: object) -> list[str]:
    text = json.dumps({"id": "c", "messages": given, "choices": []})
    return [message.id for message in parse_record(text).messages]


def test_messages_are_numbered_after_their_completion() -> None:
    assert message_ids({}, {"id": None}, "text", {"id": 5}) == ["c-0", "c-1", "c-2", "c-3"]


def test_messages_keep_ids_of_their_own() -> None:
    assert message_ids({"id": "msg_1"}, {}, {"id": "msg_2"}) == ["msg_1", "c-1", "msg_2"]


@pytest.mark.parametrize("second", ["msg_1", "c-0"])
def test_messages_are_numbered_when_their_ids_are_not_distinct(second: str) -> None:
    first = {"id": "msg_1"} if second == "msg_1" else {}

    assert message_ids(first, {"id": second}, {"id": "msg_3"}) == ["c-0", "c-1", "c-2"]


def test_only_scalar_metadata_can_be_searched_by_its_last_value() -> None:
    metadata = '{"a": "x", "n": 1.0, "t": true, "z": null, "l": [], "a": "y", "s": "\\ud800"}'
    read = parse_record(f'{{"metadata": {metadata}, "messages": [], "choices": []}}')

    assert read.metadata == (("a", "y"), ("n", "1.0"), ("t", "true"), ("s", "\ufffd"))


@pytest.mark.parametrize(
    "members",
    [
        {"incomplete": {"reason": "Died"}},
        {"error": "Died"},
        {"choices": [{"finish_reason": "abort"}]},
        {"choices": [{"error": {"message": "Died"}}]},
    ],
)
def test_what_broke_off_is_found_by_its_failure(members: dict[str, object]) -> None:
    record = parse_record(json.dumps({"messages": [], "choices": []} | members))

    assert {"has:failure", "failure:incomplete"} <= set(record.facts.tags)
    whole: dict[str, object] = {"messages": [], "choices": [], "error": None, "incomplete": {}}
    assert "has:failure" not in parse_record(json.dumps(whole)).facts.tags


@pytest.mark.parametrize(
    "answer", [{"message": None, "delta": {"content": "Word"}}, {"text": "Word"}]
)
def test_an_answer_in_another_member_is_searched(answer: dict[str, object]) -> None:
    record = parse_record(json.dumps({"messages": [], "choices": [answer]}))

    assert [passage.text for passage in record.facts.passages] == ["word"]
