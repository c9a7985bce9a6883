"""Reveal characters that nobody sees, and describe texts in which there is nothing to see.

A mark names a character, and the text inside stays exact: it is a `<span>` that contains the
character itself, so that selecting and copying return the exact text, and its name for the style
sheet to show. The style sheet isolates it: a character that turns the reading direction turns only
itself.

In a source every invisible character is marked. In Markdown only deceiving ones are: direction
controls, tag characters, and hidden runs of zero-width characters or variation selectors. A
joiner within an emoji, or between letters of a script that needs it, is not a hidden character; a
source underlines it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from html import unescape
from typing import Final

from markupsafe import Markup, escape

from webapp.formatting import LONE_SURROGATES, count
from webapp.hidden_texts import decode_bits, decode_selectors, decode_tags, parse_selector

MAX_DECODED: Final = 80
"""Characters of a hidden message that its mark shows; the source has all of them."""

MAX_MARKS: Final = 1_000
"""Marks in one text; if there are more characters to mark, a last one says so. Browsers take
seconds for each few thousand in one paragraph.
"""

_BIDI: Final = "\u202a-\u202e\u2066-\u2069"
_TAGS: Final = "\U000e0000-\U000e007f"
_ZERO_WIDTH: Final = "\u200b-\u200d\u2060-\u2064\ufeff"
_SELECTORS: Final = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
_NONCHARACTERS: Final = "\ufdd0-\ufdef\ufffe\uffff" + "".join(
    f"{chr(plane * 0x10000 + 0xFFFE)}{chr(plane * 0x10000 + 0xFFFF)}" for plane in range(1, 17)
)
# Models delimit citation markers by them; no font has a glyph for them.
_DELIMITERS: Final = "\ue200-\ue20f"
_INVISIBLE: Final = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ud800-\udfff"
    f"\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff{_NONCHARACTERS}"
    f"{_DELIMITERS}"
)
_EMOJI: Final = (
    "[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u2460-\u24ff\u25a0-\u27bf"
    "\u2900-\u297f\u2b00-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff]"
)
_ONE: Final = f"{_EMOJI}\ufe0f?[\U0001f3fb-\U0001f3ff]?"
_FLAG: Final = "\U0001f3f4(?:{})\U000e007f".format(
    "|".join(
        "".join(chr(0xE0000 + ord(letter)) for letter in region)
        for region in ("gbeng", "gbsct", "gbwls")
    )
)
_LETTER: Final = (
    "[\u0620-\u06ff\u0710-\u074f\u0750-\u077f\u08a0-\u08ff\u0900-\u0dff\u0f00-\u109f\u1780-\u17b3"
    "\u17b6-\u17ff\u1820-\u18aa\ufb50-\ufdcf\ufe70-\ufefc]"
)
_JOINED: Final = (
    f"{_FLAG}|{_ONE}(?:\u200d{_ONE}){{1,9}}|{_EMOJI}[\ufe0e\ufe0f]\u20e3?|[0-9#*]\ufe0f\u20e3?"
    f"|{_LETTER}(?:[\u200c\u200d]{_LETTER}){{1,40}}|[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
    "[\ufe00-\ufe02\U000e0100-\U000e01ef](?![\ufe00-\ufe0f\U000e0100-\U000e01ef])"
)
# A joined sequence contains one as well, so that most texts are searched for nothing else.
_ANY: Final = re.compile(f"[{_INVISIBLE}]")
_PLAIN: Final = re.compile("[\t\n -~]+")
"""What most texts consist of: leaving it out is ten times as fast as a search for all others."""
_IN_SOURCE: Final = re.compile(f"(?P<joined>{_JOINED})|(?P<hidden>[{_INVISIBLE}]+)")
_DECEIVING: Final = f"[{_TAGS}]+|[{_BIDI}]+|[{_ZERO_WIDTH}]{{5,}}|[{_SELECTORS}]{{3,}}"
# Markdown skips byte order marks at the beginning of a text, so that no page shows them.
_IN_TEXT: Final = re.compile(f"(?P<joined>{_FLAG})|(?P<hidden>{_DECEIVING}|\\A\ufeff+)")
# Each of its matches begins with one of these, which are found ten times as fast.
_START_IN_TEXT: Final = re.compile(f"[{_TAGS}{_BIDI}{_ZERO_WIDTH}{_SELECTORS}\U0001f3f4]")
_ANY_IN_HTML: Final = re.compile(f"[{_TAGS}{_BIDI}{_ZERO_WIDTH}{_SELECTORS}{_DELIMITERS}]")
# Skips tags, and formulas, which contain only MathML elements.
_IN_HTML: Final = re.compile(
    f'<math\\b.*?</math>|<(?:[^<>"]|"[^"]*")*>|(?P<joined>{_FLAG})|(?P<hidden>{_DECEIVING}|[{_DELIMITERS}]+)',
    re.DOTALL,
)
_C0: Final = (
    "NUL SOH STX ETX EOT ENQ ACK BEL BS HT LF VT FF CR SO SI "
    "DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC FS GS RS US"
)
_NAMES: Final = {
    **dict(enumerate(_C0.split())),
    0x7F: "DEL",
    0x85: "NEL",
    0xAD: "SHY",
    0x34F: "CGJ",
    0x61C: "ALM",
    0x115F: "HCF",
    0x1160: "HJF",
    0x180E: "MVS",
    0x200B: "ZWSP",
    0x200C: "ZWNJ",
    0x200D: "ZWJ",
    0x200E: "LRM",
    0x200F: "RLM",
    0x2028: "LS",
    0x2029: "PS",
    0x202A: "LRE",
    0x202B: "RLE",
    0x202C: "PDF",
    0x202D: "LRO",
    0x202E: "RLO",
    0x2060: "WJ",
    0x2066: "LRI",
    0x2067: "RLI",
    0x2068: "FSI",
    0x2069: "PDI",
    0x3164: "HF",
    0xFEFF: "BOM",
    0xFFF9: "IAA",
    0xFFFA: "IAS",
    0xFFFB: "IAT",
}


_LAST_MARK: Final = (
    f'<span class="control" data-mark="more than {MAX_MARKS:,} invisible places: '
    'the rest is not marked"></span>'
)

_TAG: Final = re.compile("<[^>]*>")
_BREAK: Final = re.compile("\r\n|[\n\r\x0b\x0c\x85\u2028\u2029]")
_MAX_LENGTH: Final = 100_000
_EMPTY_GLYPHS: Final = frozenset("\u2800\u3164\uffa0\u115f\u1160")
"""Characters that are neither white space nor controls, and have no ink."""


@dataclass(frozen=True, slots=True)
class Hidden:
    """The number of hidden characters in a text, and the words they spell, if any."""

    count: int
    message: str


def render_exact(text: str) -> Markup:
    """Render `text` for a `<pre>`, whose first line break HTML would drop, with marks."""
    return Markup("\n") + reveal_invisible(text)


def reveal_invisible(text: str) -> Markup:
    """Escape `text`, with all invisible characters marked and joiners underlined.

    If each CR is part of a CR LF, only the first one has a word, which counts them.
    """
    if _ANY.search(_PLAIN.sub("", text)) is None:
        return escape(text)
    html = []
    offset = 0
    line_ends, with_cr = text.count("\n"), text.count("\r\n")
    is_crlf = 1 < with_cr == text.count("\r")
    every = "every line end" if with_cr == line_ends else f"{with_cr:,} of {line_ends:,} line ends"
    has_said = False
    for marks, found in enumerate(_IN_SOURCE.finditer(text)):
        html.append(str(escape(text[offset : found.start()])))
        offset = found.start()
        if marks == MAX_MARKS:
            rest = _make_encodable(str(escape(text[offset:])))
            return Markup("".join([*html, _LAST_MARK, f"<bdi>{rest}</bdi>"]))
        offset = found.end()
        if found["joined"]:
            codes = " ".join(_format_code(character) for character in found[0][:12])
            html.append(f'<span class="joined" title="{codes}">{found[0]}</span>')
        elif found[0] == "\r" and is_crlf:
            said = "" if has_said else f' data-mark="CR at {every}"'
            html.append(f'<span class="control" data-quiet{said}>&#13;</span>')
            has_said = True
        else:
            html.append(_render_mark(found[0]))
    return Markup("".join([*html, str(escape(text[offset:]))]))


def is_exact(html: str, text: str) -> bool:
    """Return whether `html` has the characters of `text`, of which none needs a mark."""
    return unescape(_TAG.sub("", html)) == text and "<" not in reveal_invisible(text)


def find_invisible(text: str) -> set[int]:
    """Find the offsets of the characters that `reveal_invisible` marks."""
    if _ANY.search(_PLAIN.sub("", text)) is None:
        return set()
    return {
        at
        for found in _IN_SOURCE.finditer(text)
        if found["hidden"]
        for at in range(found.start(), found.end())
    }


def reveal_in_html(html: str) -> Markup:
    """Mark the deceiving characters in the texts of sanitized `html`.

    Tags and formulas stay as they are.
    """
    if _ANY_IN_HTML.search(_PLAIN.sub("", html)) is None:
        return Markup(html)
    remaining = iter(range(MAX_MARKS, -1, -1))

    def mark(found: re.Match[str]) -> str:
        if not found["hidden"]:
            return found[0]
        left = next(remaining, -1)
        if left > 0:
            return _render_mark(found[0])
        return (_LAST_MARK if left == 0 else "") + _make_encodable(found[0])

    return Markup(_IN_HTML.sub(mark, html))


def find_hidden(text: str) -> Hidden | None:
    """Find the hidden characters of `text` when read as Markdown; None if there are none."""
    if text.isascii():
        return None
    runs = []
    at = 0
    while start := _START_IN_TEXT.search(text, at):
        found = _IN_TEXT.match(text, start.start())
        at = found.end() if found else start.end()
        if found and found["hidden"]:
            runs.append(found["hidden"])
    if not runs:
        return None
    message = " ".join(filter(None, map(_decode_message, runs[:20])))
    return Hidden(sum(map(len, runs)), _truncate(message))


def _render_mark(run: str) -> str:
    """Render the mark of a run of invisible characters. Marks of usual, short runs are cached."""
    return _cache_mark(run) if len(run) < 5 else _cache_mark.__wrapped__(run)


@lru_cache(maxsize=1024)
def _cache_mark(run: str) -> str:
    quiet = " data-quiet" if run == "\r" else ""
    label, content = escape(_label_run(run)), _make_encodable(run)
    return f'<span class="control" data-mark="{label}"{quiet}>{content}</span>'


def _make_encodable(html: str) -> str:
    """Replace the characters that a page cannot contain."""
    html = html.replace("\r", "&#13;").replace("\0", "\u2400")
    return LONE_SURROGATES.sub("\ufffd", html)


def _label_run(run: str) -> str:
    """Label a run like `U+202E RLO`, `U+200B ZWSP × 5,000`, `TAG × 23: the words`, `RLO PDF`
    or `40 invisible: …`.
    """
    message = _decode_message(run)
    if message:
        kind = "TAG" if _is_tag(run[0]) else "ZW" if parse_selector(run[0]) is None else "VS"
        return f"{kind} × {len(run):,}: {_truncate(message)}"
    if run == run[0] * len(run):
        code = _format_code(run[0]) if len(run) > 1 or ord(run[0]) > 0xA0 else ""
        label = f"{code} {_find_name(run[0])}".strip()
        return label if len(run) == 1 else f"{label} × {len(run):,}"
    short = " ".join(_find_name(character) or _format_code(character) for character in run[:4])
    return short if len(run) <= 4 else f"{len(run):,} invisible: {short} …"


def _decode_message(run: str) -> str:
    """Decode the words that a run of invisible characters spells, if any."""
    if _is_tag(run[0]):
        return decode_tags(run)
    return decode_selectors(run) or decode_bits(run)


def _is_tag(character: str) -> bool:
    return 0xE0000 <= ord(character) <= 0xE007F


def _find_name(character: str) -> str:
    """Find the short name of an invisible character; empty if it has none."""
    if _is_tag(character):
        return "TAG"
    number = parse_selector(character)
    return _NAMES.get(ord(character), "") if number is None else f"VS{number + 1}"


def _format_code(character: str) -> str:
    return f"U+{ord(character):04X}"


def _truncate(message: str) -> str:
    return message if len(message) <= MAX_DECODED else message[:MAX_DECODED] + "…"


def describe_blank(text: str) -> str | None:
    """Describe a blank text, like `Only white space (2 line breaks).`; None if there is more."""
    # Braille has a pattern without dots.
    if text and not text.replace("\u2800", " ").isspace():
        return None
    if not text:
        return "Empty text."
    breaks = len(_BREAK.findall(text))
    spaces, tabs = text.count(" "), text.count("\t")
    others = len(_BREAK.sub("", text)) - spaces - tabs
    counts = (
        count(breaks, "line break") if breaks else "",
        count(spaces, "space") if spaces else "",
        count(tabs, "tab") if tabs else "",
        count(others, "other blank") if others else "",
    )
    return f"Only white space ({', '.join(filter(None, counts))})."


def is_unseen(text: str) -> bool:
    """Return whether a reader would see nothing in `text`, neither letters nor other signs."""
    if len(text) > _MAX_LENGTH and not text.isspace():
        return False
    left = "".join(text.split())
    inkless = {at for at, character in enumerate(left) if character in _EMPTY_GLYPHS}
    return not left or len(find_invisible(left) | inkless) == len(left)
