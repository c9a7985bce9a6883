"""Render results by the call that they answer: a file that was read, or the hits of a search.

A file has the colours of the language that its path names, and line numbers apart from its lines.
Hits are found in JSON and in the lines that `grep -n` prints; a text that contains anything else
stays as it is. The text of the result is beside the view, as for every structure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby, islice
from typing import Final

from markupsafe import Markup

from webapp.exact_json import Array, Member, NotJson, Object, String, Value
from webapp.formatting import count
from webapp.messages import ToolCall
from webapp.rendering.markdown.code import find_language, split_lines
from webapp.rendering.structured.budget import StructureBudget, TooLong
from webapp.rendering.structured.detect import Structure
from webapp.rendering.structured.lexemes import write_readable
from webapp.rendering.text.invisible import find_invisible, reveal_invisible
from webapp.rendering.tools.shapes import PATHS, wrap_shape

_WORDS: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
_READERS: Final = frozenset({"cat", "get", "load", "open", "read", "show", "view"})
_SEARCHES: Final = frozenset(
    {"find", "glob", "grep", "lookup", "query", "rg", "ripgrep", "search", "searches"}
)
_SEARCH_COMMAND: Final = re.compile(r"\s{0,80}(?:git\s{1,9})?(?:grep|rg|ag|ack)\s")
_NUMBERED: Final = re.compile(r"([ ]{0,12}\d{1,7}(?:\t|:|→| ?\| ?|  |\Z))(.*)", re.DOTALL)
_GREPPED: Final = re.compile(r"((?=[^:]{0,300}[./A-Za-z])[^:\n]{1,300}):(\d{1,7}):(.*)", re.DOTALL)
_LONGEST_ARGUMENTS: Final = 10_000
_LONGEST_FILE: Final = 20_000
"""Characters of a result that is coloured, in about 50 ms; a page may have many of them."""


_NAMES_OF_FILES: Final = ("file", "path", "file_path", "filename", "file_name")
_ADDRESSES: Final = ("url", "link", "uri", "href")
_LINES: Final = ("line", "line_number", "lineno", "line_no")
_TITLES: Final = ("title", "name", "heading")
_TEXTS: Final = ("text", "content", "snippet", "match", "preview", "summary", "description", "body")


@dataclass(frozen=True, slots=True)
class _Hit:
    """One hit: where it is, its title and its words; `rest` are the other members of its JSON."""

    place: str
    line: str = ""
    title: str = ""
    text: str = ""
    rest: tuple[Member, ...] = ()


def shape_result(
    text: str, structure: Structure, call: ToolCall, *, budget: StructureBudget
) -> Structure:
    """Give the structure of a result of `call` a view of its own, if it has one."""
    words = {one.lower() for one in _WORDS.findall(call.name or "")}
    arguments = _read_arguments(call, budget)
    command = arguments.get("command") or arguments.get("cmd") or ""
    if words & _SEARCHES or _SEARCH_COMMAND.match(command):
        found = _find_hits(text, structure, budget)
        return _show_hits(structure, *found, most=budget.budgets.rows) if found else structure
    path = next((arguments[name] for name in PATHS if arguments.get(name)), None)
    is_read = bool((words | {command.lower()}) & _READERS)
    if path is None or not is_read or structure.kind != "plain" or structure.note:
        return structure
    if len(text) > _LONGEST_FILE:
        return structure
    language = find_language(path.rpartition("/")[2].rpartition(".")[2])
    if language is None or find_invisible(text):
        return structure
    return replace(structure, kind="code", view=_show_file(text, language, budget))


def _read_arguments(call: ToolCall, budget: StructureBudget) -> dict[str, str]:
    """Read the arguments that are strings; none if the text is not a JSON object."""
    text = call.arguments or ""
    if not 2 < len(text) <= _LONGEST_ARGUMENTS:
        return {}
    try:
        value = budget.parse(text)
    except (NotJson, TooLong):
        return {}
    members = value.members if isinstance(value, Object) else ()
    return {one.name.text: one.value.text for one in members if isinstance(one.value, String)}


def _show_file(text: str, language: str, budget: StructureBudget) -> Markup:
    """Show the lines of a file in its colours; numbers before them are not part of the code."""
    lines = text.split("\n")
    matches = [_NUMBERED.fullmatch(line) for line in lines]
    numbers = [int(match[1].strip(" \t:→|")) for match in matches if match]
    is_counted = numbers == list(range(numbers[0], numbers[0] + len(numbers))) if numbers else False
    if not is_counted or 2 * len(numbers) < sum(map(bool, lines)):
        return wrap_shape(budget.colour(text, language), "file")
    code = "\n".join(match[2] for match in matches if match)
    coloured = iter(split_lines(budget.colour(code, language)))
    number = Markup('<span class="line-label">{}</span>{}')
    shown = (
        number.format(match[1], next(coloured)) if match else reveal_invisible(line)
        for line, match in zip(lines, matches, strict=True)
    )
    return wrap_shape(Markup("\n").join(shown), "file")


def _find_hits(
    text: str, structure: Structure, budget: StructureBudget
) -> tuple[list[_Hit], tuple[Member, ...]] | None:
    """Find the hits and the other members of their list; None if `text` is not a list of hits."""
    if structure.kind in ("plain", "csv"):
        lines = [line for line in text.split("\n") if line]
        matches = [_GREPPED.fullmatch(line) for line in lines]
        hits = [_Hit(match[1], line=match[2], text=match[3]) for match in matches if match]
        return (hits, ()) if hits and len(hits) == len(lines) else None
    if structure.kind != "json":
        return None
    try:
        value = budget.parse(text)
    except (NotJson, TooLong):
        return None
    listed, other_members = value, tuple[Member, ...]()
    if isinstance(value, Object):
        lists = [one for one in value.members if isinstance(one.value, Array)]
        other_members = tuple(one for one in value.members if one not in lists)
        if len(lists) != 1 or not all(map(_is_scalar, other_members)):
            return None
        listed = lists[0].value
    if not isinstance(listed, Array) or not listed.items:
        return None
    found = [_read_hit(item) for item in listed.items]
    hits = [hit for hit in found if hit is not None]
    return (hits, other_members) if len(hits) == len(found) else None


def _read_hit(item: Value) -> _Hit | None:
    """Read a hit: an object of a place with a line, a title or a text, and nothing nested."""
    if not isinstance(item, Object) or not all(map(_is_scalar, item.members)):
        return None
    names = [member.name.text for member in item.members]
    if len(set(names)) < len(names):
        return None

    taken: list[str] = []

    def take(among: Iterable[str]) -> str:
        name = next((one for one in among if one in names), None)
        value = item.get(name) if name else None
        if name is None or value is None:
            return ""
        taken.append(name)
        return value.text if isinstance(value, String) else value.source

    place, line, title, text = map(take, ((*_NAMES_OF_FILES, *_ADDRESSES), _LINES, _TITLES, _TEXTS))
    if not place or len(taken) < 2:
        return None
    rest = tuple(one for one in item.members if one.name.text not in taken)
    return _Hit(place, line=line, title=title, text=text, rest=rest)


def _is_scalar(member: Member) -> bool:
    return not isinstance(member.value, Object | Array)


def _show_hits(
    structure: Structure, hits: list[_Hit], other_members: tuple[Member, ...], *, most: int
) -> Structure:
    pieces = [_list_members(other_members)] if other_members else []
    pieces += [
        Markup('<p class="shape-path" dir="auto">{}</p>{}').format(
            reveal_invisible(place), Markup("").join(_iter_hits(group))
        )
        for place, group in groupby(islice(hits, most), key=lambda hit: hit.place)
    ]
    view = Markup('<div class="found-hits">{}</div>').format(Markup("").join(pieces))
    more = len(hits) - most
    note = f"{count(more, 'more hit')} in the source." if more > 0 else structure.note
    return replace(structure, kind="hits", view=view, note=note)


def _iter_hits(hits: Iterable[_Hit]) -> Iterator[Markup]:
    for hit in hits:
        pieces = [
            Markup('<span class="{}">{}</span>').format(kind, reveal_invisible(words))
            for kind, words in (
                ("line-label", hit.line),
                ("found-title", hit.title),
                ("found-text", hit.text),
            )
            if words
        ]
        if hit.rest:
            pieces.append(_list_members(hit.rest))
        yield Markup('<div class="found-hit" dir="auto">{}</div>').format(Markup(" ").join(pieces))


def _list_members(members: Iterable[Member]) -> Markup:
    """List names and values in a line, as they are written."""
    one = Markup("<span><b>{}</b> {}</span>")
    shown = (
        one.format(
            reveal_invisible(member.name.text),
            reveal_invisible(write_readable(member.value.source)),
        )
        for member in members
    )
    return Markup('<span class="found-rest">{}</span>').format(Markup(" ").join(shown))
