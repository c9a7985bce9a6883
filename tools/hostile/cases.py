"""What a hostile case is: messages as JSON text, with ids given when they are served.

A payload that runs calls `pwn()` or `alert()`, and what it would reach is below `evil.example`;
tests in the browser watch for both. What a payload would put into the page is named `pwned`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

Json: TypeAlias = dict[str, Any]

MANY: Final = 20_000
"""Characters of a payload from which on a page need not show all of it at once."""


@dataclass(frozen=True, slots=True)
class Case:
    """One hostile thing: `messages` are JSON objects without an id, unless `has_ids`.

    `said` are the texts that a reader must find on the page, at least their words in order;
    with `is_exact` each stands there to the letter.
    """

    name: str
    messages: tuple[str, ...]
    said: tuple[str, ...] = ()
    has_ids: bool = False
    is_exact: bool = False

    @property
    def is_large(self) -> bool:
        return sum(map(len, self.messages)) > MANY

    def with_ids(self, ids: Iterable[str]) -> list[str]:
        """The messages as a server sends them."""
        if self.has_ids:
            return list(self.messages)
        named = zip(ids, self.messages, strict=False)
        return [f'{{"id":{json.dumps(one)},{message[1:]}' for one, message in named]


def text_cases(area: str, payloads: Mapping[str, str]) -> list[Case]:
    """Each payload wherever a message holds text, and in what its tool gives back."""
    return [_text_case(f"{area}: {name}", payload) for name, payload in payloads.items()]


def _text_case(name: str, payload: str) -> Case:
    calls = [
        {"id": "call_1", "type": "function", "function": {"name": "run", "arguments": payload}},
        {
            "id": "call_2",
            "type": "function",
            "function": {"name": "run", "arguments": json.dumps({"value": payload})},
        },
    ]
    said = {
        "role": "assistant",
        "content": payload,
        "reasoning_content": payload,
        "tool_calls": calls,
    }
    result = {"role": "tool", "tool_call_id": "call_1", "content": payload}
    return Case(name, (json.dumps(said), json.dumps(result)), (payload,), is_exact=True)


def size_cases(area: str, payloads: Mapping[str, str]) -> list[Case]:
    """Each payload as a message and as what a tool gives back, too large for more places."""
    return [
        Case(
            f"{area}: {name}",
            tuple(json.dumps({"role": role, "content": text}) for role in ("user", "tool")),
            (text,),
        )
        for name, text in payloads.items()
    ]


def message_case(name: str, message: Json, *said: str) -> Case:
    """One message; `said` are the texts of it that must be shown."""
    return Case(name, (json.dumps({"role": "user"} | message),), said, "id" in message)


def exact_case(name: str, members: str, *said: str) -> Case:
    """One message whose JSON is `members` in braces, as no writer of JSON makes it."""
    return Case(name, ("{" + members + "}",), said)


def part_cases(area: str, parts: Mapping[str, Any]) -> list[Case]:
    """Each content part in a message of its own."""
    return [message_case(f"{area}: {name}", {"content": [part]}) for name, part in parts.items()]
