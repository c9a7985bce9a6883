"""Messages and completions as servers might send them: nearly right, all leaves different.

A shape says what the API documents. What is drawn from it may lack members, repeat them, add
others, or hold a value of another type anywhere; each text and number in it occurs once, so a
test can ask of every single one whether it is shown.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator
from dataclasses import fields
from typing import Final, TypeAlias

from hypothesis import strategies as st

from webapp.completions import Completion, scalar_text
from webapp.exact_json import Array, Member, NotJson, Null, Object, Value, parse
from webapp.messages import FilterReport, Message, ToolCall, Unknown
from webapp.messages.choices import Choice

TEXT: Final = "text"
INTEGER: Final = 0

Shape: TypeAlias = "str | int | Fixed | list[Shape] | dict[str, Shape]"


class Fixed(str):
    """A text that is not changed, such as the name of a type."""


_PARTS: Final[list[Shape]] = [
    {"type": Fixed("text"), "text": TEXT},
    {"type": Fixed("refusal"), "refusal": TEXT},
    {"type": Fixed("thinking"), "thinking": TEXT},
    {"type": Fixed("reasoning"), "reasoning": TEXT},
    {"type": Fixed("thinking"), "thinking": [{"type": Fixed("text"), "text": TEXT}]},
    {"type": Fixed("redacted_thinking"), "data": TEXT},
    {"type": Fixed("output_text"), "text": TEXT, "annotations": [TEXT]},
    {"type": Fixed("input_image"), "image_url": TEXT, "detail": TEXT},
    {"type": Fixed("image_url"), "image_url": {"url": TEXT, "detail": TEXT}},
    {"type": Fixed("image_url"), "image_url": TEXT},
    {"type": Fixed("input_audio"), "input_audio": {"data": TEXT, "format": TEXT}},
    {"type": Fixed("file"), "file": {"file_id": TEXT, "filename": TEXT, "file_data": TEXT}},
]
_CALLS: Final[list[Shape]] = [
    {"id": TEXT, "type": Fixed("function"), "function": {"name": TEXT, "arguments": TEXT}},
    {"id": TEXT, "type": Fixed("custom"), "custom": {"name": TEXT, "input": TEXT}},
]
_CITATION: Final[Shape] = {
    "type": Fixed("url_citation"),
    "url_citation": {"url": TEXT, "title": TEXT, "start_index": INTEGER, "end_index": INTEGER},
}
MESSAGE: Final[Shape] = {
    **dict.fromkeys(("id", "role", "name", "tool_call_id", "refusal"), TEXT),
    **dict.fromkeys(("reasoning", "reasoning_content", "thinking"), TEXT),
    **dict.fromkeys(("content", "content_parts"), _PARTS),
    "tool_calls": _CALLS,
    "function_call": {"name": TEXT, "arguments": TEXT},
    "annotations": [_CITATION],
    "audio": {"id": TEXT, "data": TEXT, "transcript": TEXT, "expires_at": INTEGER},
}
COMPLETION: Final[Shape] = {
    **dict.fromkeys(("id", "model", "request_id"), TEXT),
    **dict.fromkeys(("created", "seed"), INTEGER),
    "usage": {"prompt_tokens": INTEGER, "completion_tokens": INTEGER, "total_tokens": INTEGER},
    "metadata": {"a": TEXT, "b": TEXT},
    "choices": [
        {
            **{"index": INTEGER, "message": MESSAGE, "finish_reason": TEXT},
            "logprobs": {"content": [{"token": TEXT, "logprob": INTEGER}]},
            "content_filter_results": {"hate": {"filtered": TEXT, "severity": TEXT}},
        }
    ],
    "prompt_filter_results": [
        {"prompt_index": INTEGER, "content_filter_results": {"hate": {"severity": TEXT}}}
    ],
    "moderation": {"input": {"model": TEXT, "results": [{"categories": {"hate": TEXT}}]}},
    "prediction": {"type": Fixed("content"), "content": _PARTS},
    "input_messages": [MESSAGE],
}
# Values that may take the place of any other: a shape, or JSON as it is with a number for its N.
_ODD: Final[list[Shape]] = [TEXT, INTEGER, [TEXT], {"odd": TEXT}, Fixed("N.5"), Fixed("null")]
_FIXED: Final = ("text", "refusal", "thinking", "reasoning", "image_url", "input_audio", "file")
KNOWN_WORDS: Final = {
    *(
        *_FIXED,
        "redacted_thinking",
        "reasoning.encrypted",
        "reasoning.summary",
        "function",
        "custom",
        "url_citation",
        "chat.completion",
        "video_url",
    )
}
"""The pages show these by the form of a value."""


@st.composite
def written(draw: st.DrawFn, shape: Shape) -> str:
    """JSON text near `shape`."""
    return _written(draw, shape, itertools.count(1000))


def _written(draw: st.DrawFn, shape: Shape, numbers: Iterator[int]) -> str:
    if draw(st.integers(0, 9)) == 0:
        odd = draw(st.sampled_from(_ODD))
        if isinstance(odd, Fixed):
            return odd.replace("N", str(next(numbers)))
        shape = odd
    if isinstance(shape, dict):
        return _written_object(draw, shape, numbers)
    if isinstance(shape, list):
        chosen = draw(st.lists(st.sampled_from(shape), max_size=3))
        return "[" + ",".join(_written(draw, one, numbers) for one in chosen) + "]"
    if isinstance(shape, int):
        return str(next(numbers))
    return json.dumps(shape if isinstance(shape, Fixed) else f"t{next(numbers)}")


def _written_object(draw: st.DrawFn, shape: dict[str, Shape], numbers: Iterator[int]) -> str:
    left_out = draw(st.sets(st.sampled_from(sorted(shape)), max_size=len(shape) - 1))
    names = [name for name in shape if name not in left_out]
    names += draw(st.lists(st.sampled_from([*sorted(shape), "other", "type"]), max_size=2))
    members = (
        f"{json.dumps(name)}:{_written(draw, shape.get(name, TEXT), numbers)}" for name in names
    )
    return "{" + ",".join(members) + "}"


def leaves(value: Value) -> Iterator[str]:
    """Every text and number in `value`, as a reader sees it."""
    if isinstance(value, Array):
        for item in value.items:
            yield from leaves(item)
    elif isinstance(value, Object):
        yield from member_leaves(value.members)
    elif not isinstance(value, Null):
        yield scalar_text(value) or ""


def member_leaves(members: Iterable[Member]) -> Iterator[str]:
    for member in members:
        yield from leaves(member.value)


def shown_of_message(message: Message) -> Iterator[str]:
    """Every text and number that the values of `message` give."""
    yield from filter(None, (message.id, message.role, message.name, message.tool_call_id))
    yield from member_leaves(message.also_sent)
    for piece in (*message.parts, *message.calls, *message.annotations):
        if isinstance(piece, Unknown):
            yield from leaves(piece.json)
            continue
        yield from member_leaves(piece.extras)
        said = (getattr(piece, field.name) for field in fields(piece))
        yield from (str(value) for value in said if isinstance(value, str | int))
        if isinstance(piece, ToolCall):
            yield from _leaves_of_text(piece.arguments or "")


def _leaves_of_text(text: str) -> Iterator[str]:
    try:
        yield from leaves(parse(text))
    except NotJson:
        return


def shown_of_completion(completion: Completion) -> Iterator[str]:
    yield from filter(None, (completion.id, completion.model, str(completion.created)))
    if completion.usage:
        yield from leaves(completion.usage.json)
    yield from member_leaves(completion.metadata)
    yield from member_leaves(completion.settings)
    yield from _reported(completion.reports)
    for choice in completion.choices:
        yield from shown_of_choice(choice)
    for message in completion.input_messages or ():
        yield from shown_of_message(message)


def shown_of_choice(choice: Choice) -> Iterator[str]:
    yield from filter(None, (str(choice.index), choice.finish_reason))
    yield from member_leaves(choice.also_sent)
    yield from leaves(choice.logprobs) if choice.logprobs else ()
    yield from _reported(choice.reports)
    yield from shown_of_message(choice.message_or_empty)


def _reported(reports: Iterable[FilterReport]) -> Iterator[str]:
    for report in reports:
        yield from leaves(report.json)
