"""Estimate how many lines of a long text are hidden by its fold.

The page contains the whole text, and the style sheet clips it after a number of lines. The size
of the rest is estimated by the width of the column: rather too low than too high, so that a fold
never promises lines that are in view already.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from webapp.formatting import count, size

LINES: Final = {"assistant": 25}
"""Lines in view by role; `OTHER_LINES` for any other role."""

OTHER_LINES: Final = 15
COMPACT_LINES: Final = 3
"""Lines in view of results and instructions when the transcript is compact."""

MIN_HIDDEN: Final = 5
"""A fold that would hide fewer lines is left out."""

MAX_ESTIMATED: Final = 200_000
"""Characters whose lines are measured one by one; after them only line breaks are counted."""

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
    """A fold after `shown` lines, which hides `lines` and `bytes` (of UTF-8)."""

    shown: int
    lines: int
    bytes: int
    is_open: bool = False

    @property
    def summary(self) -> str:
        """The size of the hidden text, like `412 lines, 38 kB`."""
        return f"{count(self.lines, 'line')}, {size(self.bytes)}"


def estimate_fold(
    text: str,
    *,
    role: str | None = None,
    mono: bool = False,
    is_open: bool = False,
    is_compact: bool = False,
) -> Fold | None:
    """Estimate the fold of `text` in a message of `role`; None if the text is short.

    Pass `mono` if the text is shown as written and not read as Markdown, and `is_compact` if
    only user and assistant are read at length.
    """
    shown = LINES.get(role or "", OTHER_LINES)
    if is_compact and role not in ("user", "assistant"):
        shown = COMPACT_LINES
    height, hidden, cut = 0.0, 0, None
    for start, wrapped, each, width in _iter_lines(text[:MAX_ESTIMATED], mono):
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
    """Expand `json` to the line breaks of its tree: one a member, and those in its strings."""
    return _MEMBER.sub(r"\1\n", json.replace("\\n", "\n"))


def _iter_lines(text: str, mono: bool) -> Iterator[tuple[int, int, float, int]]:
    """Yield for each line its offset, the lines it wraps to, their height and their width."""
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
