"""Rewrite the strings of a JSON value, and nothing else of it.

Strings that are JSON themselves, or lines of it, are parsed and walked, to any depth. Strings that
belong together, as the tokens of an answer or the pieces of a stream, are rewritten as one text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final, Protocol, TypeAlias

from webapp.exact_json import (
    Array,
    Boolean,
    Document,
    NotJson,
    Null,
    Number,
    Object,
    String,
    Value,
    parse,
)
from webapp.redaction.pieces import (
    SECRET_DATA,
    TELLING_NAMES,
    find_answer,
    find_borders,
    find_question,
    iter_pieces,
    iter_sensitive,
    list_known_names,
    read_bytes,
    read_cut,
    read_lines,
    read_tokens,
    write_bytes,
)
from webapp.redaction.ranges import DOCUMENT_RANGES, RANGED, Ranges, find_ranges, list_offsets
from webapp.redaction.rules.kinds import is_mixed
from webapp.redaction.rules.names import classify
from webapp.redaction.rules.spoken.answers import QUESTION, asks

_MAX_DEPTH: Final = 40
_MAX_VALUES: Final = 2_000_000
"""A text with more is edited as a text."""

_JSON: Final = re.compile(r"\s{0,64}[\[{\"]")
_LISTS: Final = frozenset(("tokens", "chunks", "deltas", "pieces"))
"""Names of arrays whose strings are pieces of one text."""

_FLAG: Final = re.compile(r"--?[A-Za-z][\w.-]{0,60}\Z")
"""An argument, and not an item of a list in Markdown."""
_MIN_BYTES: Final = 8

_BORDER: Final = 200
_HEAD: Final = re.compile(r"[^\s\"'`,;()<>]{3,200}(?<![.!?:])")

Step: TypeAlias = "tuple[Step, str | int] | None"
"""The way to a value: that to its container, and its name or position in there; None is the top."""


def list_segments(step: Step) -> list[str | int]:
    """List the names and positions from the top to a value."""
    found: list[str | int] = []
    while step is not None:
        step, segment = step
        found.append(segment)
    return found[::-1]


class Editor(Protocol):
    """Rewrites texts; each method returns its argument if there is nothing to change."""

    def is_plain(self, text: str, name: str) -> bool:
        """Return whether it is known already that there is nothing to do in a text."""

    def remember_plain(self, text: str, name: str) -> None:
        """Remember that there was nothing to do in a text."""

    @property
    def finds(self) -> int:
        """How often something was found so far: the same after a text as before if it is plain."""

    @property
    def hides(self) -> bool:
        """Whether some text becomes another one."""

    def edit_text(self, text: str, step: Step, name: str) -> str:
        """Rewrite the text of the member `name`."""

    def edit_pieces(self, pieces: Sequence[str], step: Step) -> list[str]:
        """Rewrite the pieces of one text."""

    def edit_number(self, number: str, step: Step, name: str) -> str:
        """Rewrite a number, given as its digits."""


@dataclass(slots=True)
class _Changes:
    """The new texts and sources of nodes, which are known by their identity."""

    texts: dict[String, str] = field(default_factory=dict)
    sources: dict[Value, str] = field(default_factory=dict)
    names: dict[Value, str] = field(default_factory=dict)
    """Names that say more of a value than those of their members."""
    ranges: dict[String, list[Ranges]] = field(default_factory=dict)


def write_string(text: str) -> str:
    """Write `text` as JSON; lone surrogates are escaped, since no encoding has them."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(text)
    return json.dumps(text, ensure_ascii=False)


def apply_edits(
    text: Document, edits: Iterable[tuple[int, int, str]], begin: int = 0, end: int | None = None
) -> str:
    """Apply edits, each the start and end of its new text, to `text` from `begin` to `end`."""
    pieces: list[str] = []
    at = begin
    for start, stop, new in sorted(edits):
        pieces += (text[at:start], new)
        at = stop
    return "".join(pieces) + text[at:end]


class Rewriter:
    """Rewrites a value with an editor."""

    def __init__(self, editor: Editor) -> None:
        self._editor = editor
        self._depth = 0

    def rewrite(self, value: Value) -> str:
        """Rewrite the strings in `value`, and return its source."""
        return self._rewrite(value, None, "", _Changes())

    def _rewrite(self, value: Value, step: Step, name: str, changes: _Changes) -> str:
        edits: list[tuple[int, int, str]] = []
        waiting: list[tuple[Value, Step, str]] = [(value, step, name)]
        while waiting:
            node, step, name = waiting.pop()
            new = changes.sources.get(node) if changes.sources else None
            if new is None:
                if isinstance(node, String):
                    text = node.text
                    edited = changes.texts.get(node, text) if changes.texts else text
                    edited = self.rewrite_text(edited, step, name)
                    if edited != text:
                        new = write_string(edited)
                        for ranges in changes.ranges.get(node, ()):
                            changes.sources.update(ranges.move(text, edited))
                elif isinstance(node, Number):
                    new = self._rewrite_number(node, step, name)
                elif isinstance(node, Array):
                    length = len(waiting)
                    new = self._enter_array(node, step, name, changes, waiting)
                    waiting[length:] = reversed(waiting[length:])
                elif isinstance(node, Object):
                    length = len(waiting)
                    edits += self._enter_object(node, step, name, changes, waiting)
                    waiting[length:] = reversed(waiting[length:])
            if new is not None:
                edits.append((node.start, node.end, new))
        if not edits:
            return value.source
        return apply_edits(value.document, edits, value.start, value.end)

    def rewrite_text(self, text: str, step: Step = None, name: str = "") -> str:
        """Rewrite a text: the values in it if it is JSON, or all of it."""
        if self._editor.is_plain(text, name):
            return text
        before = self._editor.finds
        new = self._rewrite_inside(text, step, name)
        if self._editor.finds == before:
            self._editor.remember_plain(text, name)
        return new

    def _rewrite_inside(self, text: str, step: Step, name: str) -> str:
        if self._depth < _MAX_DEPTH and _JSON.match(text):
            self._depth += 1
            try:
                value = parse(text, max_values=_MAX_VALUES)
            except NotJson:
                lines = self._rewrite_lines(text, step, name)
                if lines is not None:
                    return lines
                if cut := read_cut(text, _MAX_VALUES):
                    return self._rewrite_cut(text, *cut, step, name)
            else:
                before, after = text[: value.start], text[value.end :]
                return before + self._rewrite(value, step, name, _Changes()) + after
            finally:
                self._depth -= 1
        elif self._depth < _MAX_DEPTH and (
            text.startswith(("data:", "event:")) or "\ndata: {" in text or "\ndata:{" in text
        ):
            lines = self._rewrite_lines(text, step, name)
            if lines is not None:
                return lines
        return self._editor.edit_text(text, step, name)

    def _rewrite_cut(self, text: str, value: Value, added: int, step: Step, name: str) -> str:
        """Rewrite JSON that was cut off; so many characters were `added` to complete it."""
        before, after = text[: value.start], text[value.end - added :]
        return before + self._rewrite(value, step, name, _Changes())[:-added] + after

    def _rewrite_lines(self, text: str, step: Step, name: str) -> str | None:
        """Rewrite a text of lines of JSON, as server-sent events are; None for other texts."""
        lines = text.split("\n")
        values = read_lines(lines, _MAX_VALUES)
        if values is None:
            return None
        changes = _Changes()
        self._join([value for _, value in values.values()], step, changes)
        written: list[str] = []
        for is_value, numbers in groupby(range(len(lines)), values.__contains__):
            if is_value:
                for before, value in map(values.__getitem__, numbers):
                    written.append(before + self._rewrite(value, step, name, changes))
            else:
                rest = "\n".join(map(lines.__getitem__, numbers))
                written.append(self.rewrite_text(rest, step, name))
        return "\n".join(written)

    def _rewrite_number(self, node: Number, step: Step, name: str) -> str | None:
        new = self._editor.edit_number(node.source, step, name)
        if new == node.source:
            return None
        # A document keeps its form; JSON in a text need not.
        return write_string(new) if self._depth else "0"

    def _enter_object(
        self,
        node: Object,
        step: Step,
        name: str,
        changes: _Changes,
        waiting: list[tuple[Value, Step, str]],
    ) -> Iterator[tuple[int, int, str]]:
        """Await the values of an object, and yield the edits of its names."""
        names = [member.name.text for member in node.members]
        if not TELLING_NAMES.isdisjoint(names):
            self._name_answers(node, changes)
            for sensitive in iter_sensitive(node):
                changes.names[sensitive] = SECRET_DATA
        if not RANGED.isdisjoint(names):
            for text, ranges in find_ranges(node):
                changes.ranges.setdefault(text, []).append(ranges)
        if self._editor.hides and not DOCUMENT_RANGES.isdisjoint(names):
            changes.sources.update(dict.fromkeys(list_offsets(node), "0"))
        known_names = list_known_names(node, names, name)
        used: set[str] = set()
        # Ranges move once their text is known.
        ranged: list[tuple[Value, Step, str]] = []
        for written, member, known in zip(names, node.members, known_names, strict=True):
            inner = (step, written)
            new = self._edit_name(written, inner)
            if new != written:
                number = 2
                unique = new
                while unique in used:
                    unique = f"{new} {number}"
                    number += 1
                used.add(unique)
                yield member.name.start, member.name.end, write_string(unique)
            if not isinstance(member.value, Null | Boolean):
                known = changes.names.get(member.value, known) if changes.names else known
                (ranged if written in RANGED else waiting).append((member.value, inner, known))
        waiting += ranged

    def _name_answers(self, node: Object, changes: _Changes) -> None:
        """Name the answer to a question in an object, and the choices that answer its messages."""
        if pair := find_answer(node):
            self._name_answer(*pair, changes)
        messages = node.items("messages")
        if not messages or not isinstance(messages[-1], Object):
            return
        for choice in node.items("choices") or ():
            message = choice.get("message") if isinstance(choice, Object) else None
            if isinstance(message, Object):
                self._name_answer(find_question(messages[-1]), message.get("content"), changes)

    def _edit_name(self, written: str, step: Step) -> str:
        if self._editor.is_plain(written, ""):
            return written
        before = self._editor.finds
        new = self._editor.edit_text(written, step, "")
        if self._editor.finds == before:
            self._editor.remember_plain(written, "")
        return new

    def _enter_array(
        self,
        node: Array,
        step: Step,
        name: str,
        changes: _Changes,
        waiting: list[tuple[Value, Step, str]],
    ) -> str | None:
        """Await the items of an array; return its new source if it is one of bytes."""
        items = node.items
        if len(items) >= _MIN_BYTES and isinstance(items[0], Number):
            text = read_bytes(node)
            if text is not None:
                new = self._editor.edit_text(text, step, name)
                return None if new == text else write_bytes(new)
        self._join(items, step, changes)
        if name in _LISTS:
            self._edit_together([one for one in items if isinstance(one, String)], step, changes)
        first = items[0] if len(items) == 2 and classify(name) is None else None
        before: Value | None = None
        for position, item in enumerate(items):
            inner = name
            if isinstance(before, String) and (
                before is first or (_FLAG.match(before.text) and isinstance(item, String))
            ):
                # A pair, or the arguments of a command.
                inner = before.text.lstrip("-")
            waiting.append((item, (step, position), inner))
            before = item
        return None

    def _join(self, items: Sequence[Value], step: Step, changes: _Changes) -> None:
        """Edit the texts whose pieces are in `items`, each as one text."""
        if len(items) < 2 or not isinstance(items[0], Object):
            return
        texts: dict[tuple[str | int, ...], list[String]] = {}
        for item in items:
            if isinstance(item, Object):
                for path, piece in iter_pieces(item):
                    texts.setdefault(path, []).append(piece)
        for path, pieces in texts.items():
            self._edit_together(pieces, step, changes)
            if path == ("token",) and (texts_of_bytes := read_tokens(items)):
                self._edit_together(pieces, step, changes, texts_of_bytes)
            if path == ("text",):
                # Parts need not be one text: each may begin a new one.
                for pair in zip(pieces, pieces[1:], strict=False):
                    self._edit_together(pair, step, changes)
        borders = [find_borders(item) for item in items if isinstance(item, Object)]
        for (_, last), (first, _) in zip(borders, borders[1:], strict=False):
            if first is not None and last is not None:
                self._edit_border(last, first, step, changes)
        objects = [item for item in items if isinstance(item, Object)]
        for before, after in zip(objects, objects[1:], strict=False):
            self._name_answer(find_question(before), find_borders(after)[0], changes)
        if changes.texts:
            for item in objects:
                _follow_token(item, changes)

    def _name_answer(self, question: str, answer: Value | None, changes: _Changes) -> None:
        if answer is not None and asks(question):
            changes.names[answer] = f"{QUESTION}{question}"

    def _edit_together(
        self,
        pieces: Sequence[String],
        step: Step,
        changes: _Changes,
        texts: Sequence[str] | None = None,
    ) -> None:
        """Edit the pieces of one text, or those that have `texts` as their own."""
        if len(pieces) < 2:
            return
        written = texts or [changes.texts.get(piece, piece.text) for piece in pieces]
        edited = self._editor.edit_pieces(written, step)
        for piece, old, new in zip(pieces, written, edited, strict=True):
            if old != new:
                changes.texts[piece] = new

    def _edit_border(self, last: String, first: String, step: Step, changes: _Changes) -> None:
        """Edit a secret that begins at the end of one message and goes on in the next one."""
        before = changes.texts.get(last, last.text)
        after = changes.texts.get(first, first.text)
        tail, head = before[-_BORDER:].rpartition("\n")[2], _HEAD.match(after)
        if head is None or not is_mixed(head[0]) or not is_mixed(tail.rpartition(" ")[2]):
            return
        new_tail, new_head = self._editor.edit_pieces([tail, head[0]], step)
        if new_head != head[0]:
            changes.texts[last] = before[: len(before) - len(tail)] + new_tail
            # A secret that is whole in the second message is masked with all of its text.
            alone = self._editor.edit_pieces([after[:_BORDER].partition("\n")[0]], step)[0]
            if not alone.startswith("[masked: "):
                changes.texts[first] = new_head + after[len(head[0]) :]


def _follow_token(item: Object, changes: _Changes) -> None:
    """Change the bytes of a token, and its alternatives, to its new text."""
    token = item.get("token")
    new = changes.texts.get(token) if isinstance(token, String) else None
    if new is None:
        return
    for one in (item, *(item.items("top_logprobs") or ())):
        if isinstance(one, Object):
            text, content = one.get("token"), one.get("bytes")
            if isinstance(text, String):
                changes.sources[text] = write_string(new)
            if isinstance(content, Array):
                changes.sources[content] = write_bytes(new)
