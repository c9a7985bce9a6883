"""How a completion ended, in words."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from webapp import exact_json
from webapp.completions import Completion
from webapp.rendering import render_tool_name
from webapp.templating.headers import is_bad_outcome, is_good_outcome
from webapp.templating.outcomes import glance_at_end

CALL = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
RUN_BY_SERVER = [
    {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {}},
    {"type": "web_search_tool_result", "tool_use_id": "s1", "content": [{"text": "Found."}]},
    {"type": "text", "text": "Done."},
]
CUT = {**CALL, "function": {"name": "look", "arguments": '{"at'}}
SAID = {"role": "assistant", "content": "Done."}


def choice(message: dict[str, Any], reason: str | None) -> dict[str, Any]:
    return {"index": 0, "message": message, "finish_reason": reason}


@pytest.mark.parametrize(
    ("completion", "words", "is_warning"),
    [
        ({"choices": []}, "No answer: the completion has no choices", True),
        ({"choices": [choice(SAID, "stop")]}, "By itself, not cut off", False),
        ({"choices": [choice(SAID, None)]}, "Not known: no finish reason was recorded", False),
        ({"choices": [choice(SAID, "weird")]}, "With a finish reason of the server's own", False),
        ({"choices": [choice({"role": "assistant"}, "stop")]}, "The answer is empty", True),
        (
            {"choices": [choice({"role": "assistant", "content": ""}, "stop")]},
            "The answer is empty",
            True,
        ),
        (
            {"choices": [choice(SAID, "length")]},
            "Cut off: the answer reached the limit of its tokens",
            True,
        ),
        ({"choices": [choice(SAID, "content_filter")]}, "Stopped by a content filter", True),
        (
            {"choices": [choice({"role": "assistant", "refusal": "No."}, "stop")]},
            "The model refused to answer",
            True,
        ),
        (
            {"choices": [choice(SAID, None)], "incomplete": {"reason": "The line went dead."}},
            "Broken off: The line went dead.",
            True,
        ),
        (
            {"choices": [choice({**SAID, "tool_calls": [CALL]}, "tool_calls")]},
            "With a call of look; its result would be in the next request",
            False,
        ),
        (
            {"choices": [choice({**SAID, "tool_calls": [CUT]}, "tool_calls")]},
            "With a call of look that is cut off",
            True,
        ),
        ({"choices": [choice(SAID, "refusal")]}, "The model refused to answer", True),
        (
            {"choices": [choice({"role": "assistant", "content": RUN_BY_SERVER}, "end_turn")]},
            "By itself, not cut off",
            False,
        ),
        (
            {"choices": [choice(SAID, "stop"), choice(SAID, "stop"), choice(SAID, "length")]},
            "3 choices: By itself, not cut off (2); "
            "Cut off: the answer reached the limit of its tokens (1)",
            True,
        ),
    ],
)
def test_the_end_of_an_answer_is_said_in_words(
    completion: dict[str, Any], words: str, is_warning: bool
) -> None:
    found = glance_at_end(Completion.from_json(exact_json.parse(json.dumps(completion))))
    assert (found.words, found.is_warning) == (words, is_warning)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("reward", "0.0", "bad"),
        ("reward", "-1", "bad"),
        ("reward", "1.0", "good"),
        ("reward", "0.9", ""),
        ("finalScore", "0.5", ""),
        ("score", "1", ""),
        ("success_rate", "1", ""),
        ("tests_passed", "1", ""),
        ("is_resolved", "False", "bad"),
        ("is_resolved", "True", "good"),
        ("not_resolved", "True", ""),
        ("result", "true", ""),
        ("label", "Incorrect", "bad"),
        ("label", "Correct", "good"),
        ("label", "", ""),
        ("verdict", "merged", ""),
        ("tests_failed", "0", ""),
        ("tests_failed", "3", "bad"),
        ("error", "none", ""),
        ("error", "The disk is full", "bad"),
    ],
)
def test_a_recorded_outcome_may_say_that_something_failed_or_succeeded(
    name: str, value: str, said: str
) -> None:
    document = exact_json.parse(json.dumps({name: value}))
    assert isinstance(document, exact_json.Object)
    (member,) = document.members
    assert (is_bad_outcome(member), is_good_outcome(member)) == (said == "bad", said == "good")


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("short_name_of_a_tool", ["short_name_of_a_tool"]),
        (
            "create_or_update_pullRequest-review.comments",
            ["create_", "or_", "update_", "pull", "Request-", "review.", "comments"],
        ),
    ],
)
def test_a_long_name_of_a_tool_may_break_between_its_words(name: str, parts: list[str]) -> None:
    shown = re.sub(r"</?span[^>]*>", "", render_tool_name(name))
    assert shown.split("<wbr>") == parts
