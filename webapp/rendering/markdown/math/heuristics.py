r"""Distinguish formulas from prices, shell variables, patterns and words in brackets.

Only the text between two delimiters, and the text that follows, can decide. LaTeX commands and
superscripts make anything a formula; without them, words side by side are words.
"""

from __future__ import annotations

import re
from typing import Final

from webapp.rendering.markdown.plugins.inline.cjk_emphasis import is_cjk

_OPENED: Final = re.compile(r"(?<!\\)\\[\[(]")
_SIGNS: Final = re.compile(r"[\\^_=<>+/{}|]")
_SPECIAL: Final = re.compile(r"[\\^_={}]")
_LATEX: Final = re.compile(r"\\[A-Za-z]|\^|_\{")
_WORD: Final = re.compile(r"[^\W\d_²³¹⁰-ⁿ₀-ₜ]{2,}")
_SIDE_BY_SIDE: Final = re.compile(r"(?<![^\W\d_])[^\W\d_]{2,}[,;:.]?\s+[^\W\d_]{2,}")
_OPERATOR: Final = re.compile(r"\s(?:[=<>+*/×·-]|<=|>=|->)\s")
_HAS_SUBSTANCE: Final = re.compile(r"\w|\\[A-Za-z]")
_CONTINUES: Final = frozenset(");:,&_.?!")
"""Characters that follow a price in dollars or a shell's `$$`, and begin no formula."""

_PATTERN: Final = re.compile(
    r"\[\^|\[(?:0-9|a-z|A-Z)|\.\*|--[A-Za-z]{2}"
    r"|^[^\\]*\\\|[^\\]*$"  # a single alternative: the bars of a norm come in pairs
    r"|^\s*\w+(?:\\\|\w+)+\s*$"
)
_CHOICE: Final = re.compile(r"\s*(?:\d+/\d+|[^\W\d_]+/[^\W\d_]+|<\w+>)\s*")
"""A step of several, a choice of answers, a name to replace: `[1/3]`, `[y/N]`, `[<file>]`."""

_ON_LINES_OF_ITS_OWN: Final = re.compile(r"[ \t]*\n.*\n[ \t>]*", re.DOTALL)
"""A formula whose delimiters are on lines of their own, as brackets of a sentence are not."""

_AMOUNT: Final = re.compile(r"[-+~<>]?[0-9]|\.[0-9]")
_NO_SUM: Final = re.compile(r"[;\n£€¥₩₹₽¢฿₫₱₺]|[:.?] |\w%|[^\W\d_]{2}")
"""Signs of the text between two prices; a formula that begins with a number has none."""

_MONEY: Final = re.compile(
    r"[£€¥₩₹₽¢฿₫₱₺]\s?\d|\d\s?[£€¥₩₹₽¢฿₫₱₺]"
    r"|\b(?:USD|EUR|GBP|JPY|CHF|CNY|INR)\s?\d|\d\s?(?:USD|EUR|GBP|dollars?|euros?|cents?)\b"
)
"""An amount of money in the line before a number after a dollar."""
_AMOUNTS: Final = re.compile(r"\d[\d.,]*[kKmM]?(?:\s?[-–,]\s?\d[\d.,]*[kKmM]?)+")
"""Several numbers, or a range of them: amounts if the line before is about money."""

_MONEY_TALK: Final = re.compile(
    r"\b(?:costs?|prices?|priced|pay|pays|paid|fees?|spends?|spent|worth|budgets?|charges?|charged"
    r"|buys?|bought|sells?|sold|sales?|earns?|salary|wages?|rent|cheap\w*|expensive|discount\w*"
    r"|revenue|profits?|refund\w*|kostet|kosten|preise?|prix|coûte\w*|precios?|cuesta\w*)\b"
    r"|\$\d[\d.,]*[kKmM]?\s?/\s?[a-z]",
    re.IGNORECASE,
)
_DOLLARS: Final = re.compile(r"(?<![\w$])[A-Z]{0,3}\$\d[\d,.]*[kKmM]?(?![^\s,.;:)/-])")
_SUM: Final = re.compile(r"[=+*/^_<>|]|\w\s*-\s*\w")

_ENDING: Final = re.compile(r"(?:th|st|nd|rd|s)(?!\w)")
_COUNTS: Final = re.compile(r"[^\W_]|[)\]}'!*|]")


def is_formula(opening: str, latex: str, following: str) -> bool:
    """Return whether `latex` is a formula between delimiters of two characters, such as `$$`.

    `following` is the character after the closing delimiter.
    """
    if not _HAS_SUBSTANCE.search(latex):
        return False
    if opening == "$`":
        return "`" not in latex and not (following.isascii() and following.isalnum())
    if opening == "$$":
        return _is_double_dollar_formula(latex, following)
    if _OPENED.search(latex) or _PATTERN.search(latex) or _is_wording(latex):
        return False
    if opening == r"\(":
        return True
    if _ON_LINES_OF_ITS_OWN.fullmatch(latex):
        return True
    return following != "(" and bool(_SIGNS.search(latex)) and not _CHOICE.fullmatch(latex)


def is_dollar_formula(before: str, latex: str, following: str) -> bool:
    """Return whether `$latex$` is a formula rather than words and prices.

    `before` is the line before it: `=` assigns a price, and another price makes a number one.
    `following` is the text after it, of three characters. If that begins with a letter, it must be
    an ending as in `$n$th` or `$m$s`, and `latex` must not look like a variable of a shell. Scripts
    without spaces write a formula beside their characters, but none within.
    """
    if "`" in latex:
        return False
    if is_cjk(following[:1]):
        if any(map(is_cjk, latex)) and not _LATEX.search(latex):
            return False
    elif following[:1].isalnum() or following[:1] in ("$", "_", "(", "{"):
        if not _ENDING.match(following) or not _COUNTS.fullmatch(latex[-1:]):
            return False
        # Placeholders of templates contain braces or percent signs: `${name}$s`, `$s, %1$s`.
        if latex[0] == "{" or "%" in latex:
            return False
        if _WORD.search(latex) and not _LATEX.search(latex):
            return False
    if _AMOUNTS.fullmatch(latex) and _MONEY_TALK.search(before):
        return False
    if _AMOUNT.match(latex) and not _LATEX.search(latex) and _is_between_prices(before, latex):
        return False
    if _SPECIAL.search(latex):
        return True
    words = len(_WORD.findall(latex))
    return words == 0 or (words == 1 and not latex[0].isdigit())


def _is_between_prices(before: str, latex: str) -> bool:
    """Return whether `latex`, which begins with a number, is the text between two prices."""
    if _NO_SUM.search(latex) or (before.endswith("=") and not latex.isalnum()):
        return True
    is_price = before.count("$") % 2 == 1 and _DOLLARS.search(before)
    if (is_price or _MONEY.search(before)) and not _SUM.search(latex) and not latex.isalnum():
        return True
    return any(latex.count(opens) != latex.count(closes) for opens, closes in ("()", "[]"))


def _is_double_dollar_formula(latex: str, following: str) -> bool:
    if following == "$" or latex[0] == "$" or latex.lstrip()[0] in _CONTINUES:
        return False
    if _LATEX.search(latex):
        return True
    if _is_wording(latex) or (following.isascii() and following.isalnum()):
        return False
    if following in ("_", "{"):
        return False
    is_tight = latex == latex.strip(" \t")
    return _SPECIAL.search(latex) is not None or not _WORD.search(latex) or is_tight


def _is_wording(latex: str) -> bool:
    """Return whether `latex` is words as in a sentence: side by side, or several unrelated."""
    if _LATEX.search(latex):
        return False
    if _SIDE_BY_SIDE.search(latex):
        return True
    return len(_WORD.findall(latex)) > 1 and not _OPERATOR.search(latex)
