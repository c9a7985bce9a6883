"""Runs: calls numbered through all messages, turns, tools and failing sequences."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.any_json import checked, values_over
from webapp.analysis import Run, analyze_run
from webapp.completions import Completion
from webapp.exact_json import parse
from webapp.messages import Message
from webapp.transcript import arrange, build_output_entries

Json = dict[str, Any]

NAMES = ("role", "content", "tool_calls", "function", "arguments", "name", "error", "status")
MESSAGES = values_over(st.sampled_from(NAMES))


def analyze(messages: list[Json], **completion: Any) -> Run:
    values = [Message.from_json(parse(json.dumps(message))) for message in messages]
    whole = Completion.from_json(parse(json.dumps(completion)))
    entries = arrange(values, first=1) + build_output_entries(whole.choices)
    return analyze_run(entries, whole, is_whole=True)


def calls(*named: str) -> Json:
    """An assistant message that calls tools: `id:name` or `id:name:arguments`."""
    parts = [(*one.split(":", 2), "{}")[:3] for one in named]
    return {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {"id": id_, "type": "function", "function": {"name": name, "arguments": text}}
            for id_, name, text in parts
        ],
    }


def result(call_id: str, content: str = "done") -> Json:
    return {"role": "tool", "tool_call_id": call_id, "content": content}


def tries(*outcomes: str) -> list[Json]:
    """One call and result for each `name` or `name!`, which fails."""
    messages = []
    for place, outcome in enumerate(outcomes):
        call_id = f"c{place}"
        failed = outcome.endswith("!")
        messages += [
            calls(f"{call_id}:{outcome.rstrip('!')}"),
            result(call_id, "Error: no" if failed else "done"),
        ]
    return messages


def steps(run: Run) -> list[tuple[list[str], bool]]:
    return [
        (
            [f"{step.label} ×{step.count}{'!' if step.is_failed else ''}" for step in one.steps],
            one.is_recovered,
        )
        for one in run.sequences
    ]


def test_calls_are_numbered_through_the_run() -> None:
    run = analyze(
        [
            {"role": "user", "content": "Go"},
            calls("a:look", "b:look"),
            result("a"),
            result("b"),
            calls("c:book"),
        ],
        choices=[{"message": {"role": "assistant", "content": "Done."}, "finish_reason": "stop"}],
    )

    assert [(call.number, call.tool, call.message, call.results) for call in run.calls] == [
        (1, "look", 2, (3,)),
        (2, "look", 2, (4,)),
        (3, "book", 5, ()),
    ]
    assert [call.tool for call in run.without_result] == ["book"]
    assert run.answer is not None
    assert run.answer.words == "Done."
    assert run.roles == {"user": 1, "assistant": 2, "tool": 2}


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"content": "<think>Is it 4?</think>"}, "Reasoning: Is it 4?"),
        ({"content": "<think>Is it 4?"}, "Reasoning: Is it 4?"),
        ({"content": "<think>Is it 4?</think>Yes."}, "Yes."),
        ({"content": None, "reasoning_content": "Is it 4?"}, "Reasoning: Is it 4?"),
        ({"content": "Yes.", "reasoning_content": "Is it 4?"}, "Yes."),
        ({**calls("c1:look"), "reasoning_content": "Is it 4?"}, ""),
    ],
)
def test_an_answer_of_reasoning_alone_is_named_as_such(answer: Json, words: str) -> None:
    message = {"role": "assistant", **answer}
    run = analyze([], choices=[{"index": 0, "message": message, "finish_reason": "stop"}])
    assert run.answer is not None
    assert run.answer.words == words


def test_the_calls_of_the_answer_do_not_lack_their_results() -> None:
    run = analyze([{"role": "user", "content": "Go"}], choices=[{"message": calls("a:look")}])

    assert len(run.calls) == 1
    assert run.without_result == ()


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        (["book"], []),
        (["book!", "book"], [(["book ×1!", "book ×1"], True)]),
        (["book!"], [(["book ×1!"], False)]),
        (
            ["book!", "book!", "think", "book!", "book"],
            [(["book ×2!", "think ×1", "book ×1!", "book ×1"], True)],
        ),
        (["book!", "look", "look"], [(["book ×1!"], False)]),
        (["book!", "book", "book!"], [(["book ×1!", "book ×1"], True), (["book ×1!"], False)]),
        (
            ["test!", "edit!", "edit", "test"],
            [(["test ×1!", "edit ×1!", "edit ×1", "test ×1"], True)],
        ),
        (["book!", *["look"] * 12, "book"], [(["book ×1!"], False)]),
    ],
)
def test_failing_calls_are_followed_to_a_success_or_to_their_end(
    outcomes: list[str], expected: list[tuple[list[str], bool]]
) -> None:
    assert steps(analyze(tries(*outcomes))) == expected


def test_a_shell_is_named_by_what_it_runs() -> None:
    commands = ("cd /a && python -m pytest -q", "TZ=UTC ruff check .", "sudo ls", "bash -lc 'x y'")
    run = analyze(
        [calls(*(f"{n}:shell:{json.dumps({'command': c})}" for n, c in enumerate(commands)))]
    )

    assert [call.label for call in run.calls[:3]] == [
        *("shell: pytest", "shell: ruff", "shell: ls")
    ]
    assert [call.tool for call in run.calls] == ["shell"] * 4
    assert run.calls[0].words == commands[0]


def test_tools_are_counted_with_those_never_called() -> None:
    defined = [{"type": "function", "function": {"name": name}} for name in ("look", "pay")]
    run = analyze(tries("look", "book!", "look"), tools=defined)

    assert [(tool.name, tool.calls, tool.failures, tool.is_defined) for tool in run.tools] == [
        ("look", 2, 0, True),
        ("book", 1, 1, False),
        ("pay", 0, 0, True),
    ]


@checked
@given(st.lists(MESSAGES, max_size=6))
def test_any_json_makes_a_run(messages: list[Any]) -> None:
    run = analyze(messages)

    assert len(run.messages) == len(messages)
    assert [call.number for call in run.calls] == list(range(1, len(run.calls) + 1))
