"""What is open at a place of a Markdown text: quotes, list items, a block of code, a table.

Reads no more of Markdown than tells whether a line is code, and where its block ends: with the
quote or list item that it stands in, else with its closing fence. One pass over the lines, of
which those that change nothing are skipped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

_MAX_AROUND: Final = 20
_MAX_INFO: Final = 64
_MAX_SIGNS: Final = 64
_BEGINNING: Final = 400
"""Characters of a line that tell where it stands, in which tabs go to the next stop."""

_LINE: Final = re.compile(r"([^\r\n]*+)(?:\r\n?|\n)")
_TELLING: Final = re.compile(r"(?<![^\r\n])[ \t]{0,3}(?:[>`~*+|:-]|[0-9]{1,9}[.)])")
"""The beginning of a line that may open something where nothing is open."""

_FENCES: Final = re.compile(r"(?<![^\r\n]) {0,3}(?:```|~~~)")
_BLANK: Final = ("\n\n", "\n\r\n", "\r\r")
_QUOTE: Final = re.compile(r" {0,3}> ?")
_ITEM: Final = re.compile(
    r"(?P<mark> {0,3}(?:[-+*]|(?P<number>[0-9]{1,9})[.)]))"
    r"(?:(?P<empty> *+$)|(?P<space> {1,4})(?! )| (?= ))"
)
_FENCE: Final = re.compile(r" {0,3}(?P<signs>```++(?=[^`]*+$)|~~~++)(?P<info>.*+)")
_RULE: Final = re.compile(r" {0,3}(?:(?:- *+){3,}+|(?:\* *+){3,}+|(?:_ *+){3,}+)$")
_HEADING: Final = re.compile(r" {0,3}#{1,6}(?: |$)")
_UNDERLINE: Final = re.compile(r" {0,3}(?:=+|-+) *+$")
_DELIMITER: Final = re.compile(r" {0,3}(?=[|:-])\|? *+:?-++:? *+(?:\| *+:?-++:? *+)*+\|? *+$")
_PIPE: Final = re.compile(r"\\.|(\|)")


@dataclass(frozen=True, slots=True)
class Open:
    """What is open behind a line.

    `around` holds what each line has to begin with: `>` for a quote; the sign of a list item
    with its spaces, as many characters as the item is indented. `signs` open the block of code,
    `head` are the first two lines of the table. `text` is the paragraph's last line.
    """

    around: tuple[str, ...] = ()
    signs: str = ""
    info: str = ""
    head: tuple[str, ...] = ()
    text: str = ""
    is_empty_item: bool = False

    @property
    def is_code(self) -> bool:
        return self.signs != ""

    def reopened(self, *, within_line: bool) -> str:
        """Lines that open the same block again; with what a line begins with, `within_line`."""
        lines = (self.signs + self.info,) if self.is_code else self.head
        if not lines:
            return ""
        first = "".join("> " if one == ">" else one for one in self.around)
        later = "".join("> " if one == ">" else " " * len(one) for one in self.around)
        return first + f"\n{later}".join(lines) + "\n" + (later if within_line else "")


def walked(text: str, opened: Open, *, start: int, end: int) -> Iterator[tuple[int, Open]]:
    """What is open behind lines, when `opened` is at `start`, where a line begins.

    Gives all lines that change it and the last line that ends before `end`, or there.
    """
    at = start
    while line := _LINE.match(text, telling := _non_empty(text, opened, at, end), end):
        if telling > at:
            opened = replace(opened, text=_text_before(text, telling))
        opened = _after(opened, _spaced(line[1]))
        at = line.end()
        yield at, opened


def open_within(text: str, opened: Open, *, start: int, place: int) -> Open:
    """What is open at `place`, in the line that begins at `start`, where `opened` is."""
    if place <= start:
        return opened
    return _after(opened, _spaced(text[start : min(place, start + _BEGINNING)]))


def _non_empty(text: str, opened: Open, at: int, end: int) -> int:
    """Where the next line begins that may change something, or the one in front of it, which may
    be a head; else the last line."""
    if opened.around or opened.head:
        return at
    found = (_FENCES if opened.signs else _TELLING).search(text, at, end)
    return _line_before(text, at, end if found is None else found.start())


def _text_before(text: str, place: int) -> str:
    """Stands for the paragraph that the skipped line in front of `place` belongs to, if any."""
    return "" if text[max(place - 3, 0) : place].endswith(_BLANK) else "text"


def _line_before(text: str, low: int, place: int) -> int:
    """Where the last line begins that ends before `place`, or there."""
    last = max(text.rfind("\n", low, place), text.rfind("\r", low, place))
    if last < 0:
        return low
    if text[last - 1 : last + 1] == "\r\n":
        last -= 1
    return max(text.rfind("\n", low, last), text.rfind("\r", low, last), low - 1) + 1


def _spaced(line: str) -> str:
    """`line` with spaces for the tabs at its beginning."""
    if "\t" not in line:
        return line
    return line[:_BEGINNING].expandtabs(4) + line[_BEGINNING:].replace("\t", " ")


def _after(opened: Open, line: str) -> Open:
    kept, at = _going_on(opened, line)
    if kept < len(opened.around):
        if opened.text and _is_text(line, at):
            return opened
        opened = Open(opened.around[:kept])
    if opened.signs:
        return _in_code(opened, line, at)
    if not line[at:].strip(" "):
        return Open(opened.around[:-1] if opened.is_empty_item else opened.around)
    return _new_block(opened, line, at)


def _going_on(opened: Open, line: str) -> tuple[int, int]:
    """How many of what is around goes on in `line`, and where the rest of it begins."""
    at = 0
    is_blank = not line.strip(" ")
    for count, one in enumerate(opened.around):
        if one == ">":
            if not (found := _QUOTE.match(line, at)):
                return count, at
            at = found.end()
            is_blank = not line[at:].strip(" ")
        elif is_blank:
            at = min(at + len(one), len(line))
        elif line.startswith(" " * len(one), at):
            at += len(one)
        else:
            return count, at
    return len(opened.around), at


def _in_code(opened: Open, line: str, at: int) -> Open:
    found = _FENCE.match(line, at)
    if not found or found["info"].strip(" ") or not found["signs"].startswith(opened.signs):
        return opened
    return Open(opened.around)


def _new_block(opened: Open, line: str, at: int) -> Open:
    """What is open behind a line that is neither blank nor within code."""
    around = opened.around
    text = opened.text
    while len(around) < _MAX_AROUND and not _RULE.match(line, at):
        if found := _QUOTE.match(line, at):
            around, at, text = (*around, ">"), found.end(), ""
        elif (found := _ITEM.match(line, at)) and (not text or _may_interrupt(found)):
            around, at, text = (*around, _sign(found)), found.end(), ""
            if found["empty"] is not None:
                return Open(around, is_empty_item=True)
        else:
            break
    head = opened.head if len(around) == len(opened.around) else ()
    return _leaf(Open(around, head=head, text=text), line, at)


def _sign(item: re.Match[str]) -> str:
    """What the lines of a list item are indented by, written as its sign."""
    return f"{item['mark']}{item['space'] or ' '}"


def _may_interrupt(item: re.Match[str]) -> bool:
    return item["empty"] is None and item["number"] in (None, "1")


def _leaf(opened: Open, line: str, at: int) -> Open:
    """What is open behind the rest of a line, which holds no quote and no list item."""
    around = opened.around
    found = _FENCE.match(line, at)
    if found and len(found["signs"]) < _MAX_SIGNS:
        return Open(around, found["signs"], found["info"].strip()[:_MAX_INFO])
    rest = line[at:]
    if opened.text and _DELIMITER.match(rest) and _columns(opened.text) == _columns(rest):
        return Open(around, head=(opened.text.strip(), rest.strip()))
    if opened.text and _UNDERLINE.match(rest):
        return Open(around)
    if not rest.strip(" ") or _RULE.match(rest) or _HEADING.match(rest):
        return Open(around)
    if rest.startswith("    "):
        return Open(around, text=opened.text)
    return Open(around, head=opened.head) if opened.head else Open(around, text=rest)


def _is_text(line: str, at: int) -> bool:
    """Whether a line may go on with the paragraph of the quote or item in front of it."""
    if not line[at:].strip(" "):
        return False
    item = _ITEM.match(line, at)
    opens = item or any(one.match(line, at) for one in (_QUOTE, _FENCE, _RULE, _HEADING))
    return not opens


def _columns(row: str) -> int:
    """How many cells a row has; 0 for what has none."""
    row = row.strip()
    pipes = [found.start() for found in _PIPE.finditer(row) if found[1]]
    outer = (pipes[:1] == [0]) + (len(row) > 1 and pipes[-1:] == [len(row) - 1])
    return len(pipes) + 1 - outer if pipes else 0
