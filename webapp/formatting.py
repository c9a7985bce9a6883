"""Format numbers, sizes and times for people, and parse the numbers that they type."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

_UNITS: Final = (
    ("year", 31_557_600),
    ("month", 2_629_800),
    ("day", 86_400),
    ("h", 3600),
    ("min", 60),
)


LONE_SURROGATES: Final = re.compile("[\ud800-\udfff]")
"""JSON can hold them, UTF-8 cannot."""
_MOST_READ: Final = 100_000
"""Characters of a text that its first words are looked for in."""

# Marks of Markdown that would only disturb a few words: headings, stars, backticks.
_LINE_MARK: Final = re.compile(r"^[ \t]{0,3}(?:#{1,6}[ \t]+|```\w*)", re.MULTILINE)
_MARKED: Final = re.compile(r"(\*\*|`)(?=\S)([^*`\n]+)(?<=\S)\1")
_LEADER: Final = re.compile(r"[.·]{4,}|-{4,}")
_PREAMBLE: Final = re.compile(r"[^\n]{0,300}\bissue\b[^\n]{0,100}\s+ISSUE:\s+(?=\S)", re.DOTALL)
"""The beginning of an agent's prompt, before the issue that it is to solve."""
_BLANKS: Final = {ord(" "): "␣", ord("\n"): "↵\n", ord("\t"): "⇥"}


def replace_surrogates(text: str) -> str:
    """Replace lone surrogates by U+FFFD; the raw view shows them as escapes."""
    if text.isascii():
        return text
    try:
        # Far faster than a search.
        text.encode()
    except UnicodeEncodeError:
        return type(text)(LONE_SURROGATES.sub("\ufffd", text))
    return text


def parse_whole_number(text: str, *, low: int, high: int = 999_999_999) -> int | None:
    """Parse a whole number in ASCII digits; None unless it is from `low` to `high`."""
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        return None
    return int(text) if low <= int(text) <= high else None


def count(number: int | None, one: str, many: str | None = None) -> str:
    """Format a number with its noun: `1 message`, `1,204 messages`."""
    return f"{number or 0:,} {one if number == 1 else many or one + 's'}"


def size(number: int) -> str:
    """Format bytes in the largest unit that keeps a digit: `812 bytes`, `42 kB`, `1.3 MB`."""
    if number < 1000:
        return count(number, "byte")
    if number < 999_500:
        return f"{number / 1000:.0f} kB"
    return f"{number / 1_000_000:.1f} MB"


def extent(text: str) -> str:
    """Format the length of a text: `312 words, 2 kB`; characters for scripts without spaces."""
    words = len(text.split())
    spaced = len(text) <= 20 * words
    length = count(words, "word") if spaced else count(len(text), "character")
    return f"{length}, {size(len(text.encode('utf-8', 'surrogatepass')))}"


def duration(milliseconds: int) -> str:
    """Format a duration in one or two units: `0.42 s`, `3.1 s`, `42 s`, `2 min 5 s`, `3 d 4 h`."""
    if milliseconds < 995:
        return f"{milliseconds / 1000:.2f} s"
    if milliseconds < 9950:
        return f"{milliseconds / 1000:.1f} s"
    minutes, seconds = divmod((milliseconds + 500) // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days:,} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


def moment(seconds: int | None) -> str:
    """Format unix seconds as `2026-11-03 14:03 UTC`, or the number itself if it is not a time."""
    if seconds is None:
        return "no time"
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (OverflowError, ValueError, OSError):
        return str(seconds)


def iso_moment(seconds: int | None) -> str:
    """Format unix seconds for a `datetime` attribute; `""` if they are not a time."""
    if seconds is None:
        return ""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError, OSError):
        return ""


def ago(seconds: int | None, *, now: float | None = None) -> str:
    """Format the distance from now: `2 h ago`, `in 40 min`, `just now`."""
    if seconds is None:
        return ""
    try:
        past = (time.time() if now is None else now) - seconds
    except OverflowError:
        return ""
    for unit, length in _UNITS:
        whole = int(abs(past) // length)
        if whole >= 1000:
            return ""
        if whole:
            name = unit if unit in ("h", "min") or whole == 1 else f"{unit}s"
            return f"{whole} {name} ago" if past > 0 else f"in {whole} {name}"
    return "just now" if past >= 0 else "in a moment"


def is_past(seconds: int, *, now: float | None = None) -> bool:
    return seconds <= (time.time() if now is None else now)


def drop_markup(text: str) -> str:
    """Drop the marks of Markdown at headings and fences, and around bold words and code.

    Names such as `__init__` are kept as they are, and dots that lead to a word are shortened.
    """
    return _LEADER.sub("…", _MARKED.sub(r"\2", _LINE_MARK.sub("", text)))


def skip_preamble(text: str) -> str:
    """Return the text after a heading `ISSUE:` and the sentence about it, or the whole text."""
    found = _PREAMBLE.match(text)
    return text[found.end() :] if found else text


def first_words(text: str, limit: int = 160) -> str:
    """Cut the first line with words to `limit` characters, without the marks of Markdown."""
    for line in text[:_MOST_READ].splitlines():
        words = drop_markup(line).strip()
        if words.strip("…"):
            return words if len(words) <= limit else words[:limit].rsplit(" ", 1)[0] + " …"
    return ""


def show_blanks(text: str) -> str:
    """Replace each space, tab and end of a line by a sign."""
    return text.translate(_BLANKS)


FILTERS: Final[dict[str, Callable[..., Any]]] = {
    "ago": ago,
    "count": count,
    "duration": duration,
    "extent": extent,
    "first_words": first_words,
    "is_past": is_past,
    "iso_moment": iso_moment,
    "moment": moment,
    "show_blanks": show_blanks,
    "size": size,
    "skip_preamble": skip_preamble,
}
