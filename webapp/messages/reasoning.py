"""Parse reasoning that is sent as a list, and join pieces of one text and repetitions.

OpenRouter sends `reasoning_details`, LiteLLM `thinking_blocks`, and both repeat the text of another
field. Servers that keep their stream's pieces send one thought as many items.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from webapp.exact_json import Array, Integer, Member, Null, Object, String, Value
from webapp.messages.parts import (
    Part,
    Reasoning,
    RedactedReasoning,
    Text,
    Unknown,
    is_readable_list,
)
from webapp.messages.think_tags import Thought, split_reasoning

DETAIL_FIELDS: Final = ("reasoning_details", "thinking_blocks")

THOUGHTS: Final = frozenset({"thinking", "reasoning", "reasoning_content"})
"""The types of content parts that are reasoning."""

_TEXTS: Final = {
    "reasoning.text": "text",
    "reasoning.summary": "summary",
    "summary_text": "text",
    "text": "text",
    "thinking": "thinking",
}
_FIELDS: Final = ("text", "content", "thinking", "summary")
"""The members of an object of reasoning that have its text, or a list of texts."""
_ENCRYPTED: Final = frozenset({"reasoning.encrypted", "redacted_thinking"})

DETAIL_TYPES: Final = _ENCRYPTED | frozenset(_TEXTS)
"""The types of items in `DETAIL_FIELDS` that are read."""


def parse_details(value: Value, field: str) -> Iterator[Part]:
    """Yield the items of a list of reasoning, those of one index and type joined.

    An object is the only item, or has a text or such a list itself.
    """
    if isinstance(value, Object):
        yield _parse_object(value, field) or Unknown(json=value, label=field)
        return
    if not is_readable_list(value):
        yield Unknown(json=value, label=field)
        return
    parts = (_parse_detail(item, field) for item in value.items)
    yield from _join_runs(part for part in parts if part is not None)


def _parse_object(value: Object, field: str) -> Part | None:
    """Parse an object of reasoning; None if it has no text."""
    if value.text("type") is not None:
        part = _parse_detail(value, field)
        return None if isinstance(part, Unknown) else part
    name = next((one for one in _FIELDS if value.text(one)), None)
    if name is None:
        found = next((one for one in _FIELDS if value.items(one)), None)
        return _parse_list(value, field, found) if found else None
    extras = value.find_unread(**{name: String})
    return Reasoning(json=value, text=value.text(name) or "", field=field, extras=extras)


def parse_thoughts(part: Object) -> Reasoning | None:
    """Parse a content part whose reasoning is a list of texts; None if it contains others.

    LangChain puts that of Bedrock into an object.
    """
    name = part.text("type") or ""
    found = next((one for one in (name, "summary", "details") if part.items(one)), None)
    if found is None and (inner := part.object(name)) and inner.text("text") is not None:
        extras = part.find_unread(type=String, **{name: Object})
        extras += inner.find_unread(type=String, text=String)
        return Reasoning(json=part, text=inner.text("text") or "", field=name, extras=extras)
    return _parse_list(part, name, found) if found else None


def _parse_list(part: Object, name: str, found: str) -> Reasoning | None:
    """Parse the list of texts in the member `found`; None if it contains others."""
    items = part.items(found) or ()
    thoughts: list[Reasoning] = []
    for item in items:
        thought = _parse_detail(item, name)
        if not isinstance(thought, Reasoning):
            return None
        thoughts.append(thought)
    is_summary = found == "summary" or all(map(_is_paragraph, thoughts))
    whole = _join(thoughts, "\n\n" if is_summary else "")
    extras = whole.extras + part.find_unread(type=String, **{found: Array})
    return replace(whole, json=part, extras=extras)


def join_reasoning(parts: Iterable[Part]) -> Iterator[Part]:
    """Yield `parts` with consecutive pieces of one thought joined, and each text shown once.

    A field that repeats the text of another is only named there.
    """
    joined = tuple(parts)
    if not any(isinstance(part, Reasoning) for part in joined):
        yield from joined
        return
    joined = tuple(_join_runs(joined))
    texts: dict[str, list[str]] = {}
    for part in joined:
        if isinstance(part, Reasoning):
            texts.setdefault(part.field, []).extend(part.text.split())
    first: dict[str, str] = {}
    same: dict[str, list[str]] = {}
    for field, words in texts.items():
        same.setdefault(first.setdefault("".join(words), field), []).append(field)
    shown: set[str] = set()
    for part in joined:
        if not isinstance(part, Reasoning):
            yield part
        elif fields := same.get(part.field):
            # The other members of the others are shown once, at the first part.
            rest = () if part.field in shown else fields[1:]
            others = (one for one in joined if isinstance(one, Reasoning) and one.field in rest)
            shown.add(part.field)
            united = _unite(part.extras, *(one.extras for one in others))
            yield replace(part, field=", ".join(fields), extras=united)


def find_repeated(parts: Sequence[Part]) -> Thought | None:
    """Find the reasoning between tags in the only text that a part of reasoning has as well.

    There is an answer after it, so that something is left of the text without it.
    """
    texts = [part for part in parts if isinstance(part, Text)]
    others = [part for part in parts if isinstance(part, Reasoning)]
    thought = split_reasoning(texts[0].text) if others and len(texts) == 1 else None
    if thought is None or thought.further or not thought.answer.strip():
        return None
    return thought if any(is_same_thought(one.text, thought.text) for one in others) else None


def is_same_thought(one: str, other: str) -> bool:
    """Return whether two texts differ in white space alone."""
    return "".join(one.split()) == "".join(other.split())


def _parse_detail(item: Value, field: str) -> Part | None:
    """Parse an item of a list of reasoning; return None if there is nothing in it."""
    if isinstance(item, String):
        return Reasoning(json=item, text=item.text, field=field) if item.text else None
    kind = item.text("type") if isinstance(item, Object) else None
    if isinstance(item, Object) and kind is None and item.text("text"):
        kind = "text"
    label = f"{field} {kind}" if kind else field
    if not isinstance(item, Object) or kind is None:
        return Unknown(json=item, label=label)
    if kind in _ENCRYPTED and item.text("data"):
        extras = item.find_unread(type=String, data=String, index=Integer)
        return RedactedReasoning(json=item, data=item.text("data") or "", extras=extras)
    name = _TEXTS.get(kind)
    value = item.get(name) if name else None
    if name is None or not isinstance(value, String | Null | None):
        return Unknown(json=item, label=label)
    text = value.text if isinstance(value, String) else ""
    extras = item.find_unread(type=String, index=Integer, **{name: String})
    # A summary is not a thought of the model's own, so its type is part of its name.
    field = label if kind == "reasoning.summary" else field
    # The last streamed item often has nothing but a signature.
    return Reasoning(json=item, text=text, field=field, extras=extras) if text or extras else None


def _join_runs(parts: Iterable[Part]) -> Iterator[Part]:
    """Yield `parts`, the pieces of one thought as one."""
    run: list[Reasoning] = []
    for part in parts:
        if isinstance(part, Reasoning) and run and _continues(run[-1], part):
            run.append(part)
            continue
        if run:
            yield _join(run)
        run = [part] if isinstance(part, Reasoning) else []
        if not run:
            yield part
    if run:
        yield _join(run)


def _continues(before: Reasoning, part: Reasoning) -> bool:
    """Return whether two pieces are of one thought: of one index, or the first unsigned."""
    if before.field != part.field or not isinstance(part.json, Object):
        return False
    if not isinstance(before.json, Object):
        return False
    if before.json.text("type") != part.json.text("type"):
        return False
    indexes = before.json.integer("index"), part.json.integer("index")
    if indexes != (None, None):
        return indexes[0] == indexes[1]
    return not part.text or not (before.extras or _is_paragraph(part))


def _is_paragraph(thought: Reasoning) -> bool:
    """Return whether a text is a paragraph of a summary, which is whole, and not a piece."""
    return isinstance(thought.json, Object) and thought.json.text("type") == "summary_text"


def _join(thoughts: Sequence[Reasoning], between: str = "") -> Reasoning:
    if len(thoughts) == 1:
        return thoughts[0]
    text = between.join(thought.text for thought in thoughts)
    extras = _unite(*(thought.extras for thought in thoughts))
    return replace(thoughts[0], text=text, extras=extras)


def _unite(*extras: tuple[Member, ...]) -> tuple[Member, ...]:
    """Unite the extras of several pieces, each once."""
    members = (member for some in extras for member in some)
    return tuple({(one.name.text, one.value.source): one for one in members}.values())
