"""Choose the few completions that together have every structure of many.

A structure is what a layout depends on: who speaks and by which members, the Markdown, scripts
and lengths of a text, the nesting of JSON. Lengths and counts are grouped by powers of four.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, Final

Json = dict[str, Any]

_SIGNS: Final = {
    name: re.compile(pattern, re.MULTILINE)
    for name, pattern in {
        "heading": r"^(#{1,6}) ",
        "bullet": r"^ *[-*+] ",
        "number": r"^ *\d+[.)] ",
        "nested": r"^[ \t]+(?:[-*+]|\d+[.)]) ",
        "fence": r"^ *(?:```|~~~)(\w*)",
        "table": r"^ *\|?[ :]*--[-:]*[ :]*\|",
        "quote": r"^ {0,3}>",
        "rule": r"^ *(?:---+|\*\*\*+)$",
        "strong": r"\*\*\S",
        "code": r"`[^`\n]+`",
        "link": r"\[[^\]\n]*\]\(",
        "image": r"!\[",
        "address": r"https?://",
        "html": r"</?[a-z][a-z0-9]*[ >/]",
        "formula": r"\\\(|\\\[|\$\$",
        "dollars": r"\$[^$\n]+\$",
        "indented": r"^(?: {4}|\t)\S",
        "citation": r"【|\[\^",
        "diff": r"^@@ ",
        "escapes": r"\x1b\[|\\u[0-9a-f]{4}",
        "tabs": r"\t",
        "emoji": r"[\U0001f300-\U0001faff]",
        "right to left": r"[\u0590-\u06ff]",
        "han": r"[\u3400-\u9fff]",
        "kana": r"[\u3040-\u30ff]",
        "hangul": r"[\uac00-\ud7af]",
        "cyrillic": r"[\u0400-\u04ff]",
        "controls": r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u200b-\u200f\u202a-\u202e]",
    }.items()
}
_TEXTS: Final = ("reasoning", "reasoning_content", "refusal")
_DEEPEST: Final = 4
"""Levels of JSON that count as different."""

_OF_A_PAGE: Final = 4_000
"""Bytes that a page costs as much as, whatever it holds."""


def choose_covering(lines: Iterable[str]) -> list[str]:
    """Return those of the JSON `lines` that together have every structure, cheap ones first."""
    found = {line: set(_structures(json.loads(line))) for line in lines}
    left = set().union(*found.values())
    chosen = []
    while left:
        best = max(found, key=lambda line: len(found[line] & left) / (len(line) + _OF_A_PAGE))
        chosen.append(best)
        left -= found.pop(best)
    return chosen


def _structures(completion: Json) -> Iterator[object]:
    choices = completion["choices"]
    yield "messages", _class(len(completion["messages"]))
    yield "choices", len(choices)
    for choice in choices:
        yield "finish reason", str(choice.get("finish_reason"))
        yield from _members("choice", choice)
    yield from _members("completion", completion)
    for message in completion["messages"] + [choice.get("message") or {} for choice in choices]:
        yield from _structures_of_message(message)


def _structures_of_message(message: Json) -> Iterator[object]:
    role, content = message.get("role"), message.get("content")
    present = (name for name, value in message.items() if value not in (None, "", [], {}))
    yield role, "members", tuple(sorted(present))
    texts = [(name, message[name]) for name in _TEXTS if isinstance(message.get(name), str)]
    if isinstance(content, str):
        texts.append(("text", content))
    elif isinstance(content, list):
        parts = [part for part in content if isinstance(part, dict)]
        yield role, "parts", tuple(part.get("type") for part in parts[:4])
        texts += [(str(part.get("type")), part.get("text") or "") for part in parts]
    yield from ((role, kind, one) for kind, text in texts for one in _structures_of_text(text))
    calls = message.get("tool_calls") or []
    yield "calls", min(len(calls), 3)
    for function in [call["function"] for call in calls]:
        yield "name", _class(len(function["name"]))
        arguments = function.get("arguments") or ""
        yield from (("call", one) for one in _structures_of_text(arguments))


@lru_cache(None)
def _structures_of_text(text: str) -> frozenset[object]:
    try:
        value = json.loads(text)
    except ValueError:
        return frozenset(_structures_of_prose(text))
    return frozenset(("JSON", one) for one in _structures_of_json(value, 0))


def _structures_of_prose(text: str) -> Iterator[object]:
    yield "length", _class(len(text))
    yield "line", _class(max(map(len, text.split("\n"))))
    yield "lines", _class(text.count("\n"))
    yield "word", _class(_longest_word(text))
    for name, pattern in _SIGNS.items():
        if pattern.groups:
            yield from ((name, kind) for kind in pattern.findall(text))
        elif pattern.search(text):
            yield name


def _structures_of_json(value: object, depth: int) -> Iterator[object]:
    depth = min(depth, _DEEPEST)
    yield depth, type(value).__name__
    if isinstance(value, dict):
        yield depth, "members", _class(len(value))
        yield from (("key", _class(len(name))) for name in value)
        value = list(value.values())
    elif isinstance(value, list):
        yield depth, "items", _class(len(value))
    if isinstance(value, list):
        for one in value:
            yield from _structures_of_json(one, depth + 1)
    elif isinstance(value, str):
        yield min(depth, 2), "length", _class(len(value))
        yield min(depth, 2), "lines", _class(value.count("\n"))
        yield min(depth, 2), "word", _class(_longest_word(value))


def _members(kind: str, value: Json) -> Iterator[object]:
    return ((kind, name, type(one).__name__) for name, one in value.items())


def _longest_word(text: str) -> int:
    return max(map(len, text.split()), default=0)


def _class(number: int) -> int:
    """Return the class of a length or count: 0, 1 to 3, 4 to 15 and so on."""
    return (number.bit_length() + 1) // 2
