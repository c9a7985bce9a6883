"""An answer is masked if the question before it asks for a secret or a personal detail."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import pytest

from tests.redaction.test_unseen import find_missed, unescape
from webapp.exact_json import Value, parse
from webapp.redaction import Redactor
from webapp.redaction.detecting import detect

_HERE: Final = Path(__file__).parent
ANSWERS: Final = _HERE / "answers.txt"
"""Questions and answers, a message after ` ¦ `; what is asked for is between `«` and `»`."""

NO_ANSWERS: Final = _HERE / "no_answers.txt"
"""Questions about secrets, or for other things, with their answers."""


def _redact(value: object) -> Value:
    return Redactor().redact(parse(json.dumps(value, ensure_ascii=False)))


def test_answers_are_known_by_their_questions() -> None:
    assert find_missed(ANSWERS) == []


def test_answers_to_other_questions_stay() -> None:
    lines = [unescape(line) for line in NO_ANSWERS.read_text("utf-8").splitlines()]
    values = [[{"role": "user", "content": one} for one in line.split(" ¦ ")] for line in lines]

    changed = [
        line
        for line, value in zip(lines, values, strict=True)
        if json.loads(_redact(value).source) != value
    ]

    assert changed == []


ASKING_CALL: Final = {
    "role": "assistant",
    "content": None,
    "tool_calls": [
        {"id": "c", "function": {"name": "ask", "arguments": '{"text": "Your date of birth?"}'}}
    ],
}


@pytest.mark.parametrize(
    "value",
    [
        pytest.param([ASKING_CALL, {"role": "tool", "content": "1991-03-14"}], id="tool call"),
        pytest.param(
            {
                "messages": [{"role": "user", "content": "What is her date of birth?"}],
                "choices": [{"message": {"role": "assistant", "content": "1991-03-14"}}],
            },
            id="choice",
        ),
        pytest.param({"question": "Date of birth", "answer": "1991-03-14"}, id="form"),
        pytest.param({"label": "Geburtsdatum", "value": "1991-03-14"}, id="field"),
        pytest.param({"log": 'Q: "Your birthday?"\nA: 1991-03-14'}, id="one text"),
    ],
)
def test_questions_and_answers_are_found_in_other_places(value: object) -> None:
    assert "[masked: birth-date]" in _redact(value).source


def test_only_the_answer_is_masked() -> None:
    question = {"role": "assistant", "content": "What is your PIN, Ms Weber?"}
    answer = {"role": "user", "content": "It is 8842, and I live in Ulm."}

    shown = json.loads(_redact([question, answer]).source)

    assert [one["content"] for one in shown] == [
        "What is your PIN, Ms Weber?",
        "It is [masked: pin], and I live in Ulm.",
    ]


def test_personal_answers_are_left_if_they_are_not_looked_for() -> None:
    text = "What is your date of birth?\n1991-03-14\nWhat is your PIN?\n8842\n"

    found = [one.kind for one in detect(text, with_people=False)]

    assert found == ["pin"]


def test_half_a_character_hides_no_answer() -> None:
    text = "\ud83d What is your PIN? \ud83d\n8842\nThe PIN \ud83d of her card is 5573."

    assert {text[one.start : one.end] for one in detect(text)} == {"5573"}
    assert [one.text for one in detect("What is \ud83d your PIN?\n8842")] == ["8842"]
