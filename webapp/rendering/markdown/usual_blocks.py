"""Render paragraphs, headings and flat lists of words and code, without the Markdown parser.

Most questions and many answers are nothing else. What could be any other syntax is left to the
parser, and so are texts with more elements than a page should make without counting them.
"""

from __future__ import annotations

import html
import re
from itertools import cycle
from typing import Final

from webapp.rendering.markdown.plugins.blocks.block_attributes import FIRST_HEADING

_CODE: Final = r"`([!-_a-~]+(?: [!-_a-~]+|(?!))*+)`(?!`)"
_LETTERS: Final = (
    "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u017f\u0391-\u03c9\u0400-\u045f\u3041-\u3096\u30a1-\u30fa"
    "\u30fc\u4e00-\u9fff\uac00-\ud7a3"
)
"""Of Latin, Greek, Cyrillic, Japanese, Chinese and Korean."""
_SIGNS: Final = (
    ",;'\"?!()/%+\u2013\u2014\u2018\u2019\u201c\u201d\u2026"
    "\u3001\u3002\u300c-\u300f\uff01\uff08\uff09\uff0c\uff1a\uff1b\uff1f"
)
_INLINE: Final = (
    rf"[{_LETTERS}0-9{_SIGNS}-]++|\.(?<!www\.)|:(?!//)|(?<=[A-Za-z0-9])_(?=[A-Za-z0-9])| (?=[^ ])"
    rf"|{_CODE}"
)
_STRONG: Final = (
    rf"(?<![^ ])\*\*(?=[A-Za-z0-9`])(?:{_INLINE}|(?!))++"
    r"(?:(?<=[A-Za-z0-9])\*\*(?=[ ,.;:?!)]|\Z)|(?<=[,.;:?!)`])\*\*(?= |\Z))"
)
"""Stars that begin and end strong words by every reading of the rules for them."""
_LINE: Final = re.compile(
    rf"(?:(#{{1,6}}|-|[1-9]\.) )?(?:[{_LETTERS}\"(/\u201c\u300c]|{_CODE}|{_STRONG})"
    rf"(?:{_INLINE}|{_STRONG}|(?!))*+"
)
_ELEMENT: Final = re.compile(rf"{_CODE}|\*\*")

_BLOCKS: Final = {"": "p", "#": "h", "-": "ul"}
_LISTS: Final = frozenset({"ol", "ul"})
_ENDS: Final = {
    "": "",
    "p": "</p>\n",
    "ol": "</li>\n</ol>\n",
    "ul": "</li>\n</ul>\n",
}

_MOST_SIGNS: Final = 100
"""The elements of one text that need not be counted in the budgets of its page."""


def render_usual_blocks(text: str) -> str | None:
    """Render `text` as safe HTML if it has only these blocks; else return None."""
    signs = text.count("\n") + text.count("`") + text.count("**")
    if signs > _MOST_SIGNS or "citeturn" in text:
        return None
    pieces: list[str] = []
    headings: list[int] = []
    open_block, number, is_after_blank = "", 0, False
    for line in text.split("\n"):
        if not line and pieces and not is_after_blank:
            is_after_blank = True
            continue
        found = _LINE.fullmatch(line)
        if found is None:
            return None
        marker = found[1] or ""
        words = _mark_words(line[len(marker) + 1 :] if marker else line)
        block = _BLOCKS.get(marker[:1], "ol")
        goes_on = block == open_block and not is_after_blank
        number = 1 if block == "ol" and not goes_on else number + 1
        if block == "ol" and marker != f"{number}.":
            return None
        if goes_on:
            pieces.append(f"<br>\n{words}" if block == "p" else f"</li>\n<li>{words}")
        elif open_block in _LISTS and (block in _LISTS or (block == "p" and not is_after_blank)):
            # They may be paragraphs in the items, items of another list, or lines of the last one.
            return None
        else:
            tag = _find_heading(len(marker), headings) if block == "h" else block
            item = "\n<li>" if block in _LISTS else ""
            end = f"</{tag}>\n" if block == "h" else ""
            pieces.append(f'{_ENDS[open_block]}<{tag} dir="auto">{item}{words}{end}')
        open_block, is_after_blank = "" if block == "h" else block, False
    return None if is_after_blank else "".join([*pieces, _ENDS[open_block]])


def _find_heading(level: int, around: list[int]) -> str:
    """Find the tag of a heading by its nesting, as `block_attributes` numbers them."""
    while around and around[-1] >= level:
        around.pop()
    around.append(level)
    return f"h{min(FIRST_HEADING + len(around) - 1, 6)}"


def _mark_words(line: str) -> str:
    if "`" not in line and "*" not in line:
        return line
    tags = cycle(("<strong>", "</strong>"))

    def mark(found: re.Match[str]) -> str:
        code = found[1]
        return next(tags) if code is None else f"<code>{html.escape(code, quote=False)}</code>"

    return _ELEMENT.sub(mark, line)
