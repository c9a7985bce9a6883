r"""The same text with its escapes decoded, each character with its place in the source.

A secret may be written with `\"`, `\u002d`, `%2F`, `=3D` or `&amp;` in it, also several times
over; with characters that nobody sees, in full width, or as two literals that are joined; in lines
that are numbered, quoted, added to a file or have their time before them. It is searched in the
decoded text, and masked at its place in the source.
"""

from __future__ import annotations

import html
import re
import sys
import unicodedata
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, unquote_plus

_MAX_DECODED: Final = 8
_SIMPLE: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_SIGN: Final = re.compile(r'[\\%&\x1b=+">]')
"""All escapes in ASCII have one of them."""
_ESCAPE: Final = re.compile(
    r"\\(?:u[0-9A-Fa-f]{4}|u\{[0-9A-Fa-f]{1,6}\}|x[0-9A-Fa-f]{2}|U[0-9A-Fa-f]{8}|[0-3][0-7]{2}|\r?\n"
    r"|[\"'\\/bfnrt_*:=#!$&;@.+(){}\[\]<>~|`,%^?-])"
)
_PERCENT: Final = re.compile(r"%[0-7][0-9A-Fa-f]|(?:%[89A-Fa-f][0-9A-Fa-f]){1,64}")
_ENTITY: Final = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z]{2,8});")

_QUOTED_PRINTABLE: Final = re.compile(r"=[ \t]*\r?\n|(?:=[0-9A-F]{2}){1,64}")
_COLOR: Final = re.compile(r"\x1b\[[0-9;]{0,20}m")


_LITERALS: Final = re.compile(r"([\"'])[ \t]{0,20}\+\s{0,40}\1")
"""The end of a literal with the beginning of the next one."""

_CELL: Final = re.compile('""')
_CELL_HINT: Final = re.compile('""[\\w.-]{1,60}""\\s{0,2}:')
"""A member of JSON in a cell of CSV, where each quote is doubled."""

_QUOTED: Final = re.compile(r"^[ \t]{0,8}(?:>[ ]?){1,8}", re.MULTILINE)
_QUOTED_HINT: Final = re.compile(r"\n[ \t]{0,8}>[^\n]{0,400}\n[ \t]{0,8}>")
"""Lines of a mail that another one quotes, which has tables and files in it."""

_FORM: Final = re.compile(rf"(?<![A-Za-z0-9+/]{{60}})\+|{_PERCENT.pattern}")
_FORM_WORD: Final = r"(?:-{0,2}[A-Z]?[a-z][a-z-]{1,20}|[A-Z]{2,4}|[0-9]{2,8})"
_FORM_HINT: Final = re.compile(
    r"=[^\s&=\"']{0,80}?(?:[0-9]{2}\+[0-9]{2}|[A-Za-z:=]\+-{0,2}[A-Za-z]{1,12}\+)"
    # But not in base64, whose lines have more letters between two of the signs.
    rf"|\+(?<=[A-Za-z0-9].)(?<![A-Za-z0-9+/]{{60}}){_FORM_WORD}\+{_FORM_WORD}(?![^\s+\"'&])"
    r"|\+[\w.*-]{0,40}%[0-9A-Fa-f]{2}|%[0-9A-Fa-f]{2}[\w.*-]{0,40}\+"
    # A word and a key, if other fields are after them.
    r"|=-{0,2}[a-z]{3,20}(?:-[a-z]{2,12}|(?!)){0,3}\+[\w.-]{12,80}&[a-z_]{1,30}="
)
"""Groups of numbers and words in a form, as `card=4539+1488`, or the escape of another sign beside
the one for a space; other sums are too common."""

_UNSEEN: Final = "\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff"
_HYPHENS: Final = "\u2010\u2011"
"""Those of print, which models write in place of the other."""
_DIGITS: Final = "\u0660-\u0669\u06f0-\u06f9\u0966-\u096f"
"""Of Arabic, Persian and Hindi."""

_DISGUISE: Final = re.compile(
    rf"[{_UNSEEN}{_HYPHENS}\uff01-\uff5e{_DIGITS}]|[^\W\d_][\u0300-\u036f]{{1,8}}"
)
_DISGUISED: Final = re.compile(
    rf"[{_UNSEEN}{_HYPHENS}\uff10-\uff19\uff20\uff21-\uff3a\uff41-\uff5a\u0300-\u036f{_DIGITS}]"
)
"""Full width alone, without letters and digits, is usual in Chinese and Japanese."""

_MARGINS: Final = tuple(
    (sign, re.compile(rf"\n(?={margin})"), re.compile(f"^{margin}", re.MULTILINE))
    for sign, margin in (
        # Of a difference: of all its lines, since those around the changed ones have a space.
        ("\n@@ -", r"[+ -](?!(?:--|\+\+) )"),
        # But not of numbers of phones.
        ("\n+", r"\+(?!\+|[0-9(][0-9 ()./-]{6})"),
        ("\n>", r"(?:>[ ]?){1,9}"),
        ("\t", r"[ ]{1,6}(?P<number>[0-9]{1,6})\t"),
        ("→", r"[ ]{0,6}(?P<number>[0-9]{1,6})→"),
        (":", r"(?P<number>[0-9]{1,6}):"),
        (
            ":",
            r"\[?[12][0-9]{3}-[01][0-9]-[0-3][0-9][T ][0-2][0-9](?::[0-5][0-9]){2}"
            r"(?:[.,][0-9]{1,9})?(?:Z|[+-][0-9:]{4,6})?\]?[ ](?:\[?[A-Z]{4,7}\]?:?[ ])?",
        ),
    )
)
"""What each of several lines has before its own text."""


def _uncover(disguise: str) -> str:
    """Find the plain form of a character; "" of one that is not seen."""
    if "\uff01" <= disguise <= "\uff5e":
        return chr(ord(disguise) - 0xFEE0)
    if disguise in _HYPHENS:
        return "-"
    if disguise.isdecimal():
        return str(unicodedata.decimal(disguise))
    return unicodedata.normalize("NFC", disguise) if len(disguise) > 1 else ""


def _unescape(escape: str) -> str:
    if escape[1] in "uUx":
        code = int(escape[2:].strip("{}"), 16)
        return chr(code) if code <= sys.maxunicode else escape
    if escape[1] in "0123":
        return chr(int(escape[1:], 8))
    if escape[1] in "\r\n":
        return ""
    return _SIMPLE.get(escape[1], escape[1])


def _read_quoted_printable(escape: str) -> str:
    return unquote(escape.replace("=", "%")) if escape[1] in "0123456789ABCDEF" else ""


_DECODERS: Final[tuple[tuple[str, re.Pattern[str], Callable[[str], str]], ...]] = (
    ("\\", _ESCAPE, _unescape),
    ("%", _PERCENT, unquote),
    ("&", _ENTITY, html.unescape),
    ("\x1b[", _COLOR, lambda _: ""),
    ("=3D", _QUOTED_PRINTABLE, _read_quoted_printable),
    ("=\n", _QUOTED_PRINTABLE, _read_quoted_printable),
    ("=\r\n", _QUOTED_PRINTABLE, _read_quoted_printable),
    ('""', _CELL, lambda _: '"'),
    (">", _QUOTED, lambda _: ""),
    ("+", _LITERALS, lambda _: ""),
    ("+", _FORM, unquote_plus),
    ("", _DISGUISE, _uncover),
)


@dataclass(frozen=True, slots=True)
class DecodedText:
    """A decoded text; after the `decoded[i]`-th character the `places[i]`-th of `source` follows.

    Without a `source` it is the text itself.
    """

    text: str
    source: DecodedText | None = None
    decoded: Sequence[int] = ()
    places: Sequence[int] = ()

    def locate(self, start: int, end: int) -> tuple[int, int]:
        """Locate the characters from `start` to `end` in the text as it was written."""
        text: DecodedText | None = self
        while text is not None and text.source is not None:
            start, end = text._locate(start), text._locate(end)
            text = text.source
        return start, end

    def _locate(self, at: int) -> int:
        index = bisect_right(self.decoded, at) - 1
        return at if index < 0 else self.places[index] + at - self.decoded[index]


def has_escapes(text: str) -> bool:
    """Return whether something in `text` may be an escape; most texts have none."""
    if text.isascii() and _SIGN.search(text) is None:
        return False
    return any(_may_decode(text, hint, pattern) for hint, pattern, _ in _DECODERS)


def _may_decode(text: str, hint: str, pattern: re.Pattern[str]) -> bool:
    """Return whether a decoder may change `text`; a sum or a character alone is too common."""
    if pattern is _DISGUISE:
        return not text.isascii() and _DISGUISED.search(text) is not None
    rare = {_LITERALS: _LITERALS, _FORM: _FORM_HINT, _CELL: _CELL_HINT, _QUOTED: _QUOTED_HINT}.get(
        pattern
    )
    return hint in text and (rare is None or rare.search(text) is not None)


def iter_decoded(text: str) -> Iterator[DecodedText]:
    """Yield `text` without the margins of its lines, and with its escapes decoded."""
    plain = _strip_margins(DecodedText(text))
    if not has_escapes(plain.text):
        yield plain
        return
    texts = [plain]
    seen = {plain.text}
    # The list grows while it is read: what is decoded may have escapes of another kind in it.
    for written in texts:
        yield written
        is_form = _may_decode(written.text, "+", _FORM)
        for hint, pattern, decode in _DECODERS:
            if is_form and pattern is _PERCENT:
                # With its spaces as `+` a sentence is taken for a value.
                continue
            if len(texts) < _MAX_DECODED and _may_decode(written.text, hint, pattern):
                decoded = _strip_margins(_decode(written, pattern, decode))
                if decoded.text not in seen:
                    seen.add(decoded.text)
                    texts.append(decoded)


def _strip_margins(source: DecodedText) -> DecodedText:
    """Strip the margins of lines, which are no part of a secret that goes on in the next one."""
    for sign, begin, margin in _MARGINS:
        text = source.text
        if sign in text and any(_goes_on(text, at.start(), margin) for at in begin.finditer(text)):
            source = _decode(source, margin, lambda _: "")
    return source


def _goes_on(text: str, at: int, margin: re.Pattern[str]) -> bool:
    """Return whether the lines before and after a place have margins, with numbers in order."""
    before = margin.match(text, text.rfind("\n", 0, at) + 1)
    after = margin.match(text, at + 1)
    if before is None or after is None or "number" not in margin.groupindex:
        return before is not None
    return int(after["number"]) == int(before["number"]) + 1


def _decode(
    source: DecodedText, pattern: re.Pattern[str], decode: Callable[[str], str]
) -> DecodedText:
    pieces: list[str] = []
    decoded = array("q")
    places = array("q")
    length = at = 0
    for match in pattern.finditer(source.text):
        written = decode(match[0])
        pieces += (source.text[at : match.start()], written)
        length += match.start() - at + len(written)
        at = match.end()
        decoded.append(length)
        places.append(at)
    pieces.append(source.text[at:])
    return DecodedText("".join(pieces), source, decoded, places)
