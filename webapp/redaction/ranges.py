"""Ranges of a text, as citations have them, moved to their places in the masked text.

Beside a masked text the old ones would say how long the secrets before them are.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from operator import itemgetter
from typing import Final

from webapp.exact_json import Array, Number, Object, String, Value
from webapp.redaction.masking import MASK

_IN_CHOICES: Final = ("groundingMetadata", "grounding_metadata", "content_filter_offsets")
RANGED: Final = frozenset(("annotations", "citations", *_IN_CHOICES))
"""Names of members with ranges of the text beside them."""
_OFFSETS: Final = frozenset(
    ("start_index", "end_index", "startIndex", "endIndex", "start", "end")
    + ("start_offset", "end_offset", "check_offset")
)
_TEXTS: Final = ("content", "text", "value")
DOCUMENT_RANGES: Final = frozenset(("start_char_index", "end_char_index", "documentChar"))
"""Names of ranges, or of their offsets, in a document that a citation names."""


@dataclass(frozen=True, slots=True)
class Ranges:
    """The offsets of ranges of a text, or of several texts together; in characters or bytes."""

    offsets: tuple[Number, ...]
    in_bytes: bool
    is_of_one: bool

    def move(self, old: str, new: str) -> Iterator[tuple[Number, str]]:
        """Yield the offsets, each with the one in `new`, which is the masked text `old`.

        Those of several texts become 0.
        """
        if self.in_bytes:
            old, new = (one.encode("utf-8", "replace").decode("latin-1") for one in (old, new))
        kept = _align(old, new) if self.is_of_one else []
        for offset in self.offsets:
            at = min(int(offset.source[:18]), len(old))
            begin, moved, length = (
                kept[bisect_right(kept, at, key=itemgetter(0)) - 1] if kept else (0, 0, 0)
            )
            yield offset, str(moved + min(at - begin, length))


def find_ranges(node: Object) -> Iterator[tuple[String, Ranges]]:
    """Yield the texts in an object that other members of it have ranges of."""
    for member in node.members:
        name = member.name.text
        if name in RANGED:
            message = node.get("message") if name in _IN_CHOICES else node
            texts = _find_texts(message) if isinstance(message, Object) else []
            offsets = tuple(_iter_offsets(member.value))
            is_of_bytes = name in _IN_CHOICES[:2]
            for text in texts if offsets else ():
                yield text, Ranges(offsets, is_of_bytes, len(texts) == 1)


def list_offsets(node: Object) -> list[Number]:
    """List the offsets in documents that an object has."""
    found = [node.get(name) for name in DOCUMENT_RANGES]
    inner = [one for one in found if isinstance(one, Object)]
    found += [one.get(name) for one in inner for name in ("start", "end")]
    return [one for one in found if isinstance(one, Number)]


def _find_texts(holder: Object) -> list[String]:
    value = next((one for name in _TEXTS if (one := holder.get(name)) is not None), None)
    parts = value.items if isinstance(value, Array) else (value,)
    texts = [one.get("text") if isinstance(one, Object) else one for one in parts]
    return [one for one in texts if isinstance(one, String)]


def _iter_offsets(value: Value) -> Iterator[Number]:
    waiting = [value]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Array):
            waiting += node.items
        elif isinstance(node, Object):
            for member in node.members:
                name, inner = member.name.text, member.value
                if name in _OFFSETS and isinstance(inner, Number) and inner.source.isdecimal():
                    yield inner
                elif name not in DOCUMENT_RANGES:
                    waiting.append(inner)


def _align(old: str, new: str) -> list[tuple[int, int, int]]:
    """List the parts of `old` that `new` has between masks: their places in both, their lengths.

    Return no part if the two differ in anything but masks.
    """
    kept: list[tuple[int, int, int]] = []
    at = begin = 0
    for mask in (*MASK.finditer(new), None):
        part = new[begin : mask.start() if mask else len(new)]
        place = (old.find(part, at) if mask else len(old) - len(part)) if kept else 0
        if place < at or not old.startswith(part, place):
            return []
        kept.append((place, begin, len(part)))
        at = place + len(part)
        begin = mask.end() if mask else at
    return kept if at == len(old) else []
