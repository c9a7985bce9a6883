"""One text that suits every context, in every field of the API and as every name of one.

The fields of a message are cases among messages; those of a completion make completions.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from functools import reduce
from typing import Any, Final

from tools.hostile.cases import Case, Json

POLYGLOT: Final = (
    "javascript:/*-->]]>%>?></pre></code></details></section></article></main></title></textarea>"
    "</style></noscript></script><script>pwn()</script><img src=x onerror=pwn() hx-get=/pwned>"
    '\'"`><svg/onload=pwn()> id="main" hx-trigger="load" {{7*7}}{%x%} '
    "[x](javascript:pwn()) ![y](//evil.example/z) \r\nX-Pwned: 1 \u202e\x00*/"
)

_CALL: Final[Json] = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "lookup", "arguments": '{"a": "b"}'},
}
_CUSTOM: Final[Json] = {"id": "c", "type": "custom", "custom": {"name": "run", "input": "ls"}}
_PARTS: Final[list[Json]] = [
    {"type": "text", "text": "words"},
    {"type": "refusal", "refusal": "no"},
    {"type": "thinking", "thinking": "hm"},
    {"type": "image_url", "image_url": {"url": "https://evil.example/", "detail": "low"}},
    {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
    {"type": "file", "file": {"file_id": "f", "filename": "a.pdf", "file_data": "AAAA"}},
    {"type": "video_url", "video_url": {"url": "https://evil.example/"}},
]
_CITATION: Final[Json] = {
    "type": "url_citation",
    "url_citation": {
        "url": "https://evil.example/",
        "title": "t",
        "start_index": 0,
        "end_index": 2,
    },
}
_USER: Final[Json] = {"role": "user", "name": "ann", "content": "Hi", "content_parts": _PARTS}
_ASSISTANT: Final[Json] = {
    "role": "assistant",
    "content": "words",
    "refusal": "no",
    "reasoning": "hm",
    "reasoning_content": "hm",
    "audio": {"id": "a", "data": "AAAA", "transcript": "said", "expires_at": 1},
    "tool_calls": [_CALL, _CUSTOM],
    "function_call": {"name": "f", "arguments": "{}"},
    "annotations": [_CITATION],
}
_TOOL: Final[Json] = {"role": "tool", "tool_call_id": "call_9", "name": "n", "content": "given"}
MESSAGES: Final = {"user": _USER, "assistant": _ASSISTANT, "tool": _TOOL}

COMPLETION: Final[Json] = {
    "object": "chat.completion",
    "model": "gpt-4o",
    "created": 1_758_039_103,
    "request_id": "req_1",
    "system_fingerprint": "fp_1",
    "service_tier": "default",
    "temperature": 1.0,
    "top_p": 1.0,
    "seed": 5,
    "tool_choice": {"type": "function", "function": {"name": "f"}},
    "tools": [
        {"type": "function", "function": {"name": "f", "description": "d", "parameters": {}}}
    ],
    "response_format": {"type": "json_schema", "json_schema": {"name": "s", "schema": {}}},
    "prediction": {"type": "content", "content": "predicted"},
    "moderation": {"flagged": True, "categories": {"violence": "x"}},
    "metadata": {"team": "blue"},
    "usage": {
        "prompt_tokens": 1,
        "completion_tokens": 2,
        "total_tokens": 3,
        "prompt_tokens_details": {"cached_tokens": 0},
    },
    "choices": [
        {
            "index": 0,
            "finish_reason": "stop",
            "logprobs": {"content": [{"token": "t", "logprob": -0.1, "bytes": [1]}]},
            "content_filter_results": {"hate": {"filtered": False, "severity": "safe"}},
            "message": {"role": "assistant", "content": "answer", "refusal": None},
        }
    ],
}
Path = tuple[str | int, ...]


def paths(value: Any, above: Path = ()) -> Iterator[Path]:
    """The way to everything in `value`, containers included."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for name, inner in items:
        yield (*above, name)
        if isinstance(inner, dict | list):
            yield from paths(inner, (*above, name))


def with_at(value: Json, path: Path, given: Any) -> Json:
    """A copy of `value` that has `given` at `path`."""
    changed = copy.deepcopy(value)
    inner: Any = changed
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = given
    return changed


def places(value: Json) -> Iterator[tuple[str, Path]]:
    """Each place of `value`, by its name: all that it holds, and members that objects lack."""
    yield "a member", (POLYGLOT,)
    for path in paths(value):
        name = ".".join(map(str, path))
        yield name, path
        inner: Any = value
        for step in path:
            inner = inner[step]
        if isinstance(inner, dict):
            yield f"a member of {name}", (*path, POLYGLOT)


def variants(value: Json) -> Iterator[tuple[str, Json]]:
    """`value` with the polyglot in one place, for each place; and as the name of a member."""
    for name, path in places(value):
        yield name, with_at(value, path, POLYGLOT)


def crowded_variants(value: Json, count: int) -> list[Json]:
    """`value` with the polyglot in several places, none inside another: `count` for all places.

    Neighbours are in different ones, so that none is the reason that another is not shown.
    """
    crowds: list[list[Path]] = [[] for _ in range(count)]
    for at, (_, path) in enumerate(places(value)):
        turns = (crowds[(at + turn) % count] for turn in range(count))
        fitting = (
            crowd
            for crowd in turns
            if not any(one[: len(path)] == path[: len(one)] for one in crowd)
        )
        next(fitting).append(path)
    return [
        reduce(lambda changed, path: with_at(changed, path, POLYGLOT), crowd, value)
        for crowd in crowds
    ]


_BYTES: Final = (
    "content_parts.4.input_audio.data",
    "content_parts.5.file.file_data",
    "audio.data",
)
"""What stands there is no text: the page says what is wrong with it, the raw view has it."""


def _message_cases() -> Iterator[Case]:
    for kind, message in MESSAGES.items():
        for name, changed in variants(message):
            said = () if name in _BYTES else (POLYGLOT,)
            yield Case(f"fields: {name} of {kind}", (json.dumps(changed),), said)


_IDS: Final = {
    "the polyglot": POLYGLOT,
    "main": "main",
    "a number of ours": "m-1",
    "a path upwards": "..",
    "an encoded path": "%2e%2e%2fopen",
    "slashes": "a/b/../../open",
    "a query": "a?order=desc#main",
    "line breaks": "a\r\nLocation: https://evil.example",
    "NUL": "a\x00b",
    "half a pair": "\ud800",
    "a selector": "a > .loads, body",
    "a template": "{{ 7*7 }}",
    "very long": "i" * 5_000,
    "nothing": "",
    "white space": "  ",
}
_ID_CASES: Final = [
    Case(
        f"ids: {name}",
        (json.dumps({"id": message_id, "role": "user", "content": "named oddly"}),),
        ("named oddly",),
        True,
    )
    for name, message_id in _IDS.items()
]

CASES: Final = [*_message_cases(), *_ID_CASES]
_METADATA: Final = ("status", "__proto__", "\u202e\u200b", "<b>", "\ud800", "x" * 5_000)
COMPLETIONS: Final = dict(variants(COMPLETION)) | {
    f"metadata value {at}": {**COMPLETION, "metadata": {text: text}}
    for at, text in enumerate(_METADATA)
}
CROWDED: Final = [
    *crowded_variants(COMPLETION, 16),
    {**COMPLETION, "metadata": {text: text for text in _METADATA}},
]
"""The same in few completions, for what costs much to look at."""
