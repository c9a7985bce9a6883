"""Parse blocks as models write them: lists nested too little, fences in fences, alerts.

CommonMark nests a list under `10.` from four blanks on, ends a `markdown` fence at the first fence
inside it, and knows no `> [!WARNING]`.
"""

from __future__ import annotations

import re
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_core import StateCore

from webapp.rendering.markdown.context import Scope

_FENCE: Final = re.compile(r"( *)(`{3,}|~{3,})(.*)")
_ITEM: Final = re.compile(r"( {0,3})[0-9]{1,9}[.)] +(?=\S)")
_NESTED: Final = re.compile(r"(?:[-*+] +|1[.)] +|`{3}|~{3})\S*")
_DOCUMENTS: Final = frozenset({"markdown", "md", "mdx"})
_ALERT: Final = re.compile(
    r"\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\][ \t]*(?=\n|\Z)", re.IGNORECASE
)


def install(parser: MarkdownIt) -> None:
    """Add these blocks to `parser`."""
    interrupted = ["paragraph", "reference", "blockquote", "list"]
    parser.core.ruler.after("normalize", "nested_lists", indent_nested_lists)
    parser.core.ruler.before("inline", "alerts", name_alerts)
    parser.block.ruler.before("fence", "document_fence", parse_document, {"alt": interrupted})


def indent_nested_lists(state: StateCore) -> None:
    """Indent lines that two or more blanks nest under a numbered item as far as its text."""
    if "\n " not in state.src:
        return
    lines = state.src.split("\n")
    fence = ""
    item, text, nested, shift = 0, 0, 0, 0
    for at, line in enumerate(lines):
        indent = len(line) - len(line.lstrip(" "))
        if not line.strip():
            continue
        if shift and indent < nested and not fence:
            shift = 0
        is_nested = item + 2 <= indent < text and _NESTED.match(line, indent) is not None
        if not fence and not shift and is_nested:
            nested, shift = indent, text - indent
        opened = _FENCE.match(line)
        if shift:
            lines[at] = " " * shift + line
        elif not fence and (found := _ITEM.match(line)):
            item, text = len(found[1]), min(found.end(), len(found[0].rstrip()) + 1)
        elif not fence and indent <= item and not opened:
            text = 0
        if opened and not fence:
            fence = opened[2]
        elif opened and opened[2].startswith(fence) and not opened[3].strip():
            fence = ""
    state.src = "\n".join(lines)


def name_alerts(state: StateCore) -> None:
    """Begin a quote with its kind in bold instead of `[!WARNING]`."""
    for quote, _, inline in zip(state.tokens, state.tokens[1:], state.tokens[2:], strict=False):
        if quote.type == "blockquote_open" and inline.type == "inline":
            alert = _ALERT.match(inline.content)
            if alert:
                name = alert[1].capitalize()
                inline.content = f"**{name}**{inline.content[alert.end() :]}"


def parse_document(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Parse a `markdown` fence up to the one that closes it, if those inside are balanced."""
    begin = state.bMarks[start] + state.tShift[start]
    opening = _FENCE.match(state.src[begin : state.eMarks[start]])
    if opening is None or state.is_code_block(start):
        return False
    if opening[3].strip().lower() not in _DOCUMENTS:
        return False
    inside = 0
    for line in range(start + 1, end):
        if state.sCount[line] < state.blkIndent and not state.isEmpty(line):
            return False
        fence = _FENCE.match(state.src, state.bMarks[line] + state.tShift[line], state.eMarks[line])
        if fence is None or fence[2][0] != opening[2][0]:
            continue
        if fence[3].strip():
            inside += 1
        elif inside:
            inside -= 1
        elif len(fence[2]) >= len(opening[2]):
            return silent or _push_document(state, start, line, opening)
    # Every such fence may be looked at up to the end of the text.
    Scope.get(state.env).meter.step(end - start)
    return False


def _push_document(state: StateBlock, start: int, line: int, opening: re.Match[str]) -> bool:
    token = state.push("fence", "code", 0)
    token.info, token.markup = opening[3], opening[2]
    token.content = state.getLines(start + 1, line, state.sCount[start], True)
    token.map = [start, line + 1]
    state.line = line + 1
    return True
