"""An agent that asks thirty times: with retries, an edited message, and a clock in its prompt.

It repeats its history as clients do: without fields of the answer, arguments serialized anew.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from tests.support.model_server import completion

Json: TypeAlias = dict[str, Any]

REQUESTS: Final = 30
STEPS: Final = 26
"""Requests of the longest branch: of thirty, three are retries and one was edited."""
RETRIED: Final = frozenset({4, 9, 17})
"""Steps whose answer was thrown away and asked for again."""
EDITED: Final = 20
"""The step after which the user edits the message that it answered, and continues from there."""

_TOOL: Final = {"type": "function", "function": {"name": "read_file", "parameters": {}}}


def run_agent(ask: Callable[[Json, Json], str]) -> list[str]:
    """Ask thirty times and return the ids in order; `ask` sends a request, given its answer."""
    ids: list[str] = []
    history: list[Json] = [
        {"role": "user", "content": "Find out why the tide table of Bergen is an hour late." * 2}
    ]

    def request(step: int, answer: Json) -> None:
        clock = f"You keep a harbour's tables. It is 15:{len(ids) // 60:02}:{len(ids) % 60:02}."
        body = {
            "model": "gpt-4.1",
            "store": True,
            "temperature": 0.2 if step < 10 else 0.7,
            "messages": [{"role": "system", "content": clock}, *history],
            "tools": [_TOOL],
        }
        ids.append(ask(body, answer))

    for step in range(STEPS):
        answer = _answer(step)
        if step in RETRIED:
            request(step, {"role": "assistant", "content": f"I would rather not do step {step}."})
        request(step, answer)
        if step == EDITED:
            history[-1] = {"role": "user", "content": "Go on, but leave out the summer time."}
            request(step, answer)
        history += _repeat(step, answer)
    return ids


def build_answer(number: int, message: Json) -> Json:
    """Return the model server's answer number `number`, with details of its usage."""
    usage = {
        "prompt_tokens": 100 + number,
        "completion_tokens": 10,
        "total_tokens": 110 + number,
        "prompt_tokens_details": {"cached_tokens": 50},
    }
    reason = "tool_calls" if message.get("tool_calls") else "stop"
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": reason}
    return completion(
        f"chatcmpl-run-{number}", usage=usage, choices=[choice], created=1_766_000_000
    )


def _answer(step: int) -> Json:
    if step % 5 == 0:
        return {
            "role": "assistant",
            "content": f"Step {step} is done.\nShall I go on?",
            "refusal": None,
        }
    arguments = json.dumps({"path": f"tides/{step}.csv", "line": step})
    call = {
        "id": f"call_{step}",
        "type": "function",
        "function": {"name": "read_file", "arguments": arguments},
    }
    return {"role": "assistant", "content": None, "refusal": None, "tool_calls": [call]}


def _repeat(step: int, answer: Json) -> list[Json]:
    """Return the answer as the next request repeats it, and what follows it."""
    if step % 5 == 0:
        parts = [{"type": "text", "text": line} for line in answer["content"].split("\n")]
        return [
            {"role": "assistant", "content": parts},
            {"role": "user", "content": f"Yes, go on after step {step}."},
        ]
    function = {
        "name": "read_file",
        "arguments": json.dumps({"line": step, "path": f"tides/{step}.csv"}, indent=1),
    }
    call = {"id": f"call_{step}", "type": "function", "function": function}
    return [
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": f"call_{step}", "content": f"06:{step:02}, 0.4 m"},
    ]
