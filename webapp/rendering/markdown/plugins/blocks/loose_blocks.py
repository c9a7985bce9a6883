"""Parse blocks as models write them: lists nested too little, fences in fences, alerts.

CommonMark nests a list under `10.` from four blanks on, ends a `markdown` fence at the first fence
inside it, and knows no `> [!WARNING]`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_core import StateCore

from webapp.rendering.markdown.code import get_first_word
from webapp.rendering.markdown.context import Scope

_FENCE: Final = re.compile(r"( *)(`{3,}|~{3,})(.*)")
_ITEM: Final = re.compile(r"(?P<marker>[-*+]|(?P<number>[0-9]{1,9})[.)]) +(?=\S)")
_EMPTY_ITEM: Final = re.compile(r"(?P<marker>[-*+]|(?P<number>[0-9]{1,9})[.)]) *$")
_UNDERLINE: Final = re.compile(r"(?:-+|=+) *$")
_BLOCK: Final = re.compile(r"#{1,6} |>|`{3}|~{3}|(?:(?:- *){3,}|(?:\* *){3,}|(?:_ *){3,})$")
_QUOTE: Final = re.compile(r" {0,3}> ?")
_MAX_QUOTES: Final = 3
_CODE: Final = 4
"""Blanks that make a line code."""

_DOCUMENTS: Final = frozenset({"markdown", "md", "mdx"})
_DOCUMENT_NAMES: Final = (".md", ".mdx", ".markdown")
_ALERT: Final = re.compile(
    r"\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION|INFO|HINT|DANGER|ERROR|BUG|SUCCESS|FAILURE|QUESTION"
    r"|EXAMPLE|QUOTE|SUMMARY|ABSTRACT|TODO)\][-+]?[ \t]*",
    re.IGNORECASE,
)
"""The kinds of GitHub and of Obsidian, which folds some and lets a title follow."""


def install(parser: MarkdownIt) -> None:
    """Add these blocks to `parser`."""
    interrupted = ["paragraph", "reference", "blockquote", "list"]
    parser.core.ruler.after("normalize", "nested_blocks", indent_nested_blocks)
    parser.core.ruler.before("inline", "alerts", name_alerts)
    parser.block.ruler.before("fence", "document_fence", parse_document, {"alt": interrupted})


def indent_nested_blocks(state: StateCore) -> None:
    """Indent lines that two or more blanks nest under a numbered item as far as its text."""
    if any(start in state.src for start in ("\n ", "\n\t", "\n>")):
        lines = state.src.split("\n")
        _nest_lines(lines)
        state.src = "\n".join(lines)


@dataclass(slots=True)
class _Item:
    """An item of a list: the columns of its marker and text, and how far that text was moved.

    `nested` is the column of its blocks if they are indented less than the text.
    """

    marker: int
    text: int
    moved: int
    nested: int | None = None

    @property
    def inside(self) -> int:
        return self.text if self.nested is None else self.nested

    def find_move(self, indent: int, *, may_begin: bool) -> int | None:
        """Find how far a line of this indentation moves if it is within the item; None if not."""
        is_nested = may_begin and self.marker + 2 <= indent < self.text
        if self.nested is None and is_nested:
            self.nested = indent
        return self.moved + self.text - self.inside if indent >= self.inside else None


def _nest_lines(lines: list[str], quotes: int = _MAX_QUOTES) -> None:
    """Indent nested `lines` in place, also within as many levels of `quotes`."""
    items: list[_Item] = []
    fence, moved, inside, quote_end, is_after_blank = "", 0, 0, 0, True
    for at, line in enumerate(lines):
        if at < quote_end or not line.strip():
            is_after_blank = True
            continue
        expanded = line.expandtabs(4)
        indent = len(expanded) - len(expanded.lstrip(" "))
        opened = _FENCE.match(expanded)
        if fence and indent >= inside:
            lines[at] = " " * moved + line
            if opened and opened[2].startswith(fence) and not opened[3].strip():
                fence = ""
            continue
        fence = ""
        if quotes and indent < _CODE and expanded[indent] == ">" and not items:
            quote_end = _nest_quote(lines, at, quotes - 1)
            continue
        found = _match_item(expanded, indent, items)
        is_first = found is None or found["number"] in (None, "1")
        # Another number begins no list within a paragraph.
        if not (is_first or items or is_after_blank):
            continue
        is_lazy = not (is_after_blank or found or _BLOCK.match(expanded, indent))
        # Moved below the text of an item, a line of dashes would make a heading of it.
        is_underline = not (is_after_blank or found) and _UNDERLINE.match(expanded, indent)
        is_after_blank = False
        move, innermost = None, items[-1] if items else None
        while items and (move := items[-1].find_move(indent, may_begin=is_first)) is None:
            if is_lazy:
                break
            items.pop()
        if is_underline and items and items[-1] is innermost and indent < innermost.text:
            move = None
        moved = move or 0
        if moved:
            lines[at] = " " * (moved + indent) + line.lstrip(" \t")
        if opened:
            fence, inside = opened[2], items[-1].inside if items else 0
        elif found and indent - (items[-1].inside if items else 0) < _CODE:
            blanks = found.end() - found.end("marker")
            text = found.end() if blanks <= _CODE else found.end("marker") + 1
            items.append(_Item(indent, text, moved))


def _match_item(line: str, indent: int, items: Sequence[_Item]) -> re.Match[str] | None:
    """Match the marker of an item; one without text is an item only below others."""
    found = _ITEM.match(line, indent)
    if found is None and any(item.marker == indent for item in items):
        return _EMPTY_ITEM.match(line, indent)
    return found


def _nest_quote(lines: list[str], start: int, quotes: int) -> int:
    """Indent nested lines within the quote that begins at `start`, and return where it ends."""
    end = start
    markers, texts = [], []
    while end < len(lines) and (marker := _QUOTE.match(lines[end])):
        markers.append(marker[0])
        texts.append(lines[end][marker.end() :])
        end += 1
    _nest_lines(texts, quotes)
    lines[start:end] = map("".join, zip(markers, texts, strict=True))
    return end


def name_alerts(state: StateCore) -> None:
    """Begin a quote with its kind in bold instead of `[!WARNING]`."""
    for quote, _, inline in zip(state.tokens, state.tokens[1:], state.tokens[2:], strict=False):
        if quote.type == "blockquote_open" and inline.type == "inline":
            alert = _ALERT.match(inline.content)
            if alert:
                name, rest = alert[1].capitalize(), inline.content[alert.end() :]
                is_alone = not rest or rest.startswith("\n")
                inline.content = f"**{name}**{rest}" if is_alone else f"**{name}:** {rest}"


def parse_document(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Parse a `markdown` fence up to the one that closes it, if those inside are balanced."""
    begin = state.bMarks[start] + state.tShift[start]
    opening = _FENCE.match(state.src[begin : state.eMarks[start]])
    if opening is None or state.is_code_block(start):
        return False
    language, _, path = get_first_word(opening[3]).lower().partition(":")
    is_document = language in _DOCUMENTS or f"{language}{path}".endswith(_DOCUMENT_NAMES)
    inside, has_inner = 0, False
    for line in range(start + 1, end):
        if state.sCount[line] < state.blkIndent and not state.isEmpty(line):
            return False
        fence = _FENCE.match(state.src, state.bMarks[line] + state.tShift[line], state.eMarks[line])
        if fence is None or fence[2][0] != opening[2][0]:
            continue
        if fence[3].strip():
            inside, has_inner = inside + 1, True
        elif inside:
            inside -= 1
        elif len(fence[2]) >= len(opening[2]):
            # The fence of another text may contain some, but more often it ends at the first one:
            # it ends here only if that closes all fences up to the end, and nothing else does.
            is_whole = is_document or (
                has_inner and _is_closed(state, line + 1, end) and not _is_closed(state, start, end)
            )
            return is_whole and (silent or _push_document(state, start, line, opening))
    # Every such fence may be looked at up to the end of the text.
    Scope.get(state.env).meter.step(end - start)
    return False


def _is_closed(state: StateBlock, start: int, end: int) -> bool:
    """Return whether the fences from `start` to `end` are closed, each by the first that can."""
    opened = ""
    for line in range(start, end):
        fence = _FENCE.match(state.src, state.bMarks[line] + state.tShift[line], state.eMarks[line])
        if fence is None:
            continue
        if not opened:
            opened = fence[2]
        elif fence[2].startswith(opened) and not fence[3].strip():
            opened = ""
    Scope.get(state.env).meter.step(end - start)
    return not opened


def _push_document(state: StateBlock, start: int, line: int, opening: re.Match[str]) -> bool:
    token = state.push("fence", "code", 0)
    token.info, token.markup = opening[3], opening[2]
    token.content = state.getLines(start + 1, line, state.sCount[start], True)
    token.map = [start, line + 1]
    state.line = line + 1
    return True
