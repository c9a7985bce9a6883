"""How much of a long text is shown at once, and how much is behind its fold.

The whole text stands in the page; the style sheet clips it after so many lines. What is told
here is the size of the rest, estimated with the width of the column: low rather than high, so
that a fold never promises lines that are in view already.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from webapp.formatting import count, size

LINES: Final = {"assistant": 25}
"""Lines in view by role; for every other role it is `OTHER_LINES`."""

OTHER_LINES: Final = 15
MIN_HIDDEN: Final = 5
"""Fewer lines than these are not worth a fold."""

MAX_ESTIMATED: Final = 200_000
"""Characters whose lines are looked at one by one; behind them line breaks are counted."""

_PROSE_WIDTH: Final = 104
_MONO_WIDTH: Final = 96
# Heights in lines of prose: code is set smaller, and a blank line is a gap between paragraphs.
_CODE: Final = 0.84
_GAP: Final = 0.45
_FENCE: Final = ("```", "~~~")
_MEMBER: Final = re.compile(r'([,{\[])\s*(?=")')
_WIDE: Final = re.compile(
    "[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6"
    "\U0001f300-\U0001faff\U00020000-\U0003fffd]"
)


@dataclass(frozen=True, slots=True)
class Fold:
    """A fold after `shown` lines; `lines` and `bytes` (of UTF-8) are behind it."""

    shown: int
    lines: int
    bytes: int
    is_open: bool = False

    @property
    def told(self) -> str:
        """`412 lines, 38 kB`."""
        return f"{count(self.lines, 'line')}, {size(self.bytes)}"


def estimate_fold(
    text: str, *, role: str | None = None, mono: bool = False, is_open: bool = False
) -> Fold | None:
    """The fold for `text` in a message of `role`, or None when it is short.

    `mono` tells that it is shown as it was written and not read as Markdown.
    """
    shown = LINES.get(role or "", OTHER_LINES)
    height, hidden, cut = 0.0, 0, None
    for start, wrapped, each, width in _lines(text[:MAX_ESTIMATED], mono):
        if cut is None and height + wrapped * each > shown:
            fitting = int((shown - height) / each)
            cut = start + fitting * width
            hidden -= fitting
        height += wrapped * each
        if cut is not None:
            hidden += wrapped
    hidden += text.count("\n", MAX_ESTIMATED)
    if cut is None or height < shown + MIN_HIDDEN * _CODE or hidden < MIN_HIDDEN:
        return None
    return Fold(shown, hidden, len(text[cut:].encode("utf-8", "surrogatepass")), is_open)


def expand_lines(json: str) -> str:
    """JSON with the line breaks that a reader sees: one a member, and those within its texts."""
    return _MEMBER.sub(r"\1\n", json.replace("\\n", "\n"))


def _lines(text: str, mono: bool) -> Iterator[tuple[int, int, float, int]]:
    """Of every line: where it starts, how many it wraps to, their height, characters on one."""
    start = 0
    in_code = False
    narrow = text.isascii()
    for line in text.split("\n"):
        fence = not mono and line.lstrip(" >\t").startswith(_FENCE)
        wide = 0 if narrow else len(_WIDE.findall(line))
        width = _MONO_WIDTH if mono else _PROSE_WIDTH
        wrapped = 1 if in_code or fence else max(1, -(-(len(line) + wide) // width))
        blank = not line.strip()
        each = _CODE if mono or in_code else _GAP if blank or fence else 1.0
        yield start, wrapped, each, width * len(line) // (len(line) + wide) if wide else width
        in_code ^= fence
        start += len(line) + 1
