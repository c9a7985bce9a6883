r"""What looks like a formula and is none: prices, shell variables, patterns, words in brackets.

Only what is between the signs can tell, with the sign behind it. Commands of LaTeX and things
raised make a formula of anything; without them, words side by side are words.
"""

from __future__ import annotations

import re
from typing import Final

_OPENED: Final = re.compile(r"(?<!\\)\\[\[(]")
_SIGNS: Final = re.compile(r"[\\^_=<>+/{}|]")
_SPECIAL: Final = re.compile(r"[\\^_={}]")
_LATEX: Final = re.compile(r"\\[A-Za-z]|\^|_\{")
_WORD: Final = re.compile(r"[^\W\d_]{2,}")
_SIDE_BY_SIDE: Final = re.compile(r"(?<![^\W\d_])[^\W\d_]{2,}[,;:.]?\s+[^\W\d_]{2,}")
_OPERATOR: Final = re.compile(r"\s(?:[=<>+*/×·-]|<=|>=|->)\s")
_HAS_SUBSTANCE: Final = re.compile(r"\w|\\[A-Za-z]")
_CONTINUES: Final = frozenset(");:,&_.?!")
"""What a price in dollars or a shell's `$$` is followed by, and no formula begins with."""

_PATTERN: Final = re.compile(
    r"\[\^|\[(?:0-9|a-z|A-Z)|\.\*|--[A-Za-z]{2}"
    r"|^[^\\]*\\\|[^\\]*$"  # one alternative: lines of a norm come in pairs
    r"|^\s*\w+(?:\\\|\w+)+\s*$"
)
_CHOICE: Final = re.compile(r"\s*(?:\d+/\d+|[^\W\d_]+/[^\W\d_]+|<\w+>)\s*")
"""A step of several, an answer to give, a name to put in: `[1/3]`, `[y/N]`, `[<file>]`."""

_ENDING: Final = re.compile(r"(?:th|st|nd|rd|s)(?!\w)")
_COUNTS: Final = re.compile(r"[^\W_]|[)\]}'!*|]")


def is_formula(opening: str, latex: str, behind: str) -> bool:
    """Whether `latex` is one between two signs each, such as `$$`; `behind` is what follows."""
    if not _HAS_SUBSTANCE.search(latex):
        return False
    if opening == "$$":
        return _is_between_dollars(latex, behind)
    if _OPENED.search(latex) or _PATTERN.search(latex) or _is_wording(latex):
        return False
    if opening == r"\(":
        return True
    return behind != "(" and bool(_SIGNS.search(latex)) and not _CHOICE.fullmatch(latex)


def _is_between_dollars(latex: str, behind: str) -> bool:
    if behind == "$" or latex[0] == "$" or latex.lstrip()[0] in _CONTINUES:
        return False
    if _LATEX.search(latex):
        return True
    if _is_wording(latex) or (behind.isascii() and behind.isalnum()) or behind in ("_", "{"):
        return False
    return _SPECIAL.search(latex) is not None or not _WORD.search(latex) or _is_tight(latex)


def _is_tight(latex: str) -> bool:
    """Whether no blank is between the signs and what they stand around: `$$ABC$$`."""
    return latex == latex.strip(" \t")


def _is_wording(latex: str) -> bool:
    """Whether words stand here as in a sentence: side by side, or several and no sum of them."""
    if _LATEX.search(latex):
        return False
    if _SIDE_BY_SIDE.search(latex):
        return True
    return len(_WORD.findall(latex)) > 1 and not _OPERATOR.search(latex)


def is_prose(text: str) -> bool:
    """Whether what stands between two dollars is rather words and prices than a formula."""
    if "`" in text:
        return True
    if _SPECIAL.search(text):
        return False
    words = len(_WORD.findall(text))
    return words > 1 or (words > 0 and text[0].isdigit())


def may_stand_in_front_of(latex: str, behind: str) -> bool:
    """Whether `$latex$` can be a formula in front of `behind`, a word or the rest of one.

    In front of an ending, as in `$n$th` or `$m$s`, where variables of a shell would have a name.
    """
    if not (behind[:1].isalnum() or behind[:1] in ("$", "_", "(", "{")):
        return True
    if not _ENDING.match(behind) or not _COUNTS.fullmatch(latex[-1:]):
        return False
    # What templates put in has braces or signs of percent: `${name}$s`, `$s, %1$s`.
    if latex[0] == "{" or "%" in latex:
        return False
    return _LATEX.search(latex) is not None or not _WORD.search(latex)
