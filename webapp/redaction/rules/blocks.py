"""Secrets below their names: block scalars of YAML, and values on the next line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from webapp.redaction.rules.context import ANY_HINT, SecretPlace, is_strong
from webapp.redaction.rules.names import Shape, classify, has_shape

_MAX_LINES: Final = 50
_HEAD: Final = re.compile(
    r"^[ \t]{0,60}(?:(?:-|\*|#{1,6})[ ])?[*_\"'`]{0,3}"
    r"(?P<name>[^\W\d][\w. -]{1,60})[\"'`]?[*_]{0,3}:"
    r"[*_]{0,3}(?P<block>[ \t]{1,4}(?:![^\s]{1,40}[ ])?[|>][+-]?[0-9]?[+-]?)?"
    r"[ \t]{0,20}(?:#[^\n]{0,200})?\r?\n",
    re.MULTILINE,
)
_LINE: Final = re.compile(
    r"(?P<indent>[ \t]*)[\"'`*]{0,3}(?P<secret>[^\s\"'`*]{3,4096})[\"'`*]{0,3}[ \t]*\r?$", re.M
)
_STATEMENT: Final = re.compile(r"[-#<(\[{]|[\w.-]{1,60}[:=]|[^\s]*[(){};,=]|https?:", re.IGNORECASE)

BLOCKS_NEEDS: Final = (
    rf"(?i:(?:{ANY_HINT})[\p{{L}}\p{{N}}_. -]*[\"'`]?[*_]*:[*_]*[ \t]*(?:![^\s]+ )?"
    rf"[|>]?[+-]?[0-9]?[+-]?[ \t]*(?:#[^\n]*)?[\r]?\n)"
)

_CODES_HEAD: Final = re.compile(
    r"(?:recovery|backup|scratch|emergency|wiederherstellungs|de secours|de respaldo)[ -]?"
    r"(?:codes?|schlüssel)[^\n]{0,60}\n",
    re.IGNORECASE,
)
_CODE_LINE: Final = re.compile(
    r"[ \t>*|`-]{0,8}(?:[0-9]{1,2}[.)][ \t])?[`*]{0,2}"
    r"(?P<secret>[A-Za-z0-9]{4,12}(?:[ -][A-Za-z0-9]{4,12}){0,4})[`*]{0,2}[ \t|]*"
    r"(?:\r?\n|\Z|(?=[\"'&<]))"
)
_BLANK_LINE: Final = re.compile(r"[ \t`>-]*\r?\n")

CODES_NEEDS: Final = r"(?i:codes|wiederherstellungs|codes? de)[^\n]*\n|codes?[: ]"


_ONE_CODE: Final = r"[\"'`]?[A-Za-z0-9]{4,12}(?:-[A-Za-z0-9]{4,12}){0,4}[\"'`]?"
_CODES_OF_DIGITS: Final = re.compile(
    r"(?:recovery|backup|scratch|emergency) codes?(?:[ ](?:are|is))?[:=]?[ \t]{1,3}"
    r"(?P<codes>[0-9]{4}[ -][0-9]{4}(?:(?:,[ ]?|;[ ]?)[0-9]{4}[ -][0-9]{4}){0,19})(?![0-9])",
    re.IGNORECASE,
)
_CODES_IN_LINE: Final = re.compile(
    r"(?:recovery|backup|scratch|emergency) codes?(?:[ ](?:are|is))?[:=]?[ \t]{1,3}"
    rf"(?P<codes>{_ONE_CODE}(?:(?:,[ ]?|[ ]{{1,2}}|;[ ]?)(?:and[ ])?{_ONE_CODE}){{0,19}})",
    re.IGNORECASE,
)


def find_codes(text: str) -> Iterator[SecretPlace]:
    """Yield the codes in the line of a head that calls them codes of recovery, and below it."""
    for match in _CODES_IN_LINE.finditer(text):
        for code in re.finditer(r"[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*", match["codes"]):
            if len(code[0]) >= 6 and any(map(str.isdigit, code[0])):
                start = match.start("codes")
                yield SecretPlace("recovery-code", start + code.start(), start + code.end())
    for match in _CODES_OF_DIGITS.finditer(text):
        for code in re.finditer("[0-9]{4}[ -][0-9]{4}", match["codes"]):
            start = match.start("codes")
            yield SecretPlace("recovery-code", start + code.start(), start + code.end())
    for head in _CODES_HEAD.finditer(text):
        at = head.end()
        for _ in range(_MAX_LINES):
            line = _CODE_LINE.match(text, at)
            if line is not None:
                if not re.search("[0-9-]", line["secret"]):
                    break
                yield SecretPlace("recovery-code", *line.span("secret"))
            else:
                line = _BLANK_LINE.match(text, at)
                if line is None:
                    break
            at = line.end()


def find_in_blocks(text: str) -> Iterator[SecretPlace]:
    """Yield the secrets in the lines below their names."""
    for match in _HEAD.finditer(text):
        known = classify(match["name"].strip().replace(" ", "_"))
        if known is None or known[1] in (Shape.COOKIE, Shape.DIGITS):
            continue
        kind, shape = known
        if match["block"] is None:
            line = _LINE.match(text, match.end())
            if (
                line is not None
                and is_strong(line["secret"])
                and not _STATEMENT.match(line["secret"])
                and has_shape(line["secret"], shape, is_quoted=False)
            ):
                yield SecretPlace(kind, *line.span("secret"))
            continue
        yield from _read_block(text, match.end(), kind, shape)


def _read_block(text: str, start: int, kind: str, shape: Shape) -> Iterator[SecretPlace]:
    """Yield the lines of a block scalar that hold no sentence."""
    indent = ""
    for _ in range(_MAX_LINES):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        line = text[start:end]
        if line.strip():
            spaces = line[: len(line) - len(line.lstrip())]
            indent = indent or spaces
            if not indent or not line.startswith(indent):
                return
            secret = line.strip()
            if not re.search(r"\s", secret) and has_shape(secret, shape, is_quoted=True):
                begin = start + len(spaces)
                yield SecretPlace(kind, begin, begin + len(secret))
        if end == len(text):
            return
        start = end + 1
