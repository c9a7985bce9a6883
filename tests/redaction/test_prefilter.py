"""The pre-filter lets every text pass in which a rule finds something."""

from __future__ import annotations

import json
import re
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.redaction.planted import plant
from tests.redaction.test_corpus import CONTEXTS
from tests.redaction.test_unseen import (
    BESIDE_WORDS,
    HEALTHY,
    NEIGHBOURS,
    UNSEEN,
    UNSEEN_LATER,
    unescape,
)
from webapp.redaction.decoding import iter_decoded
from webapp.redaction.detecting import FILTERS, KINDS
from webapp.redaction.prefilter import encode, find_hints, lower

LINES: Final = [line for file in CONTEXTS for line in file.read_text("utf-8").splitlines()] + [
    unescape(line).replace("«", "").replace("»", "")
    for file in (UNSEEN, UNSEEN_LATER, NEIGHBOURS, HEALTHY, BESIDE_WORDS)
    for line in file.read_text("utf-8").splitlines()
]
WORDS: Final = sorted({word for line in LINES for word in re.findall(r"[\w-]+|\W+", line)})
_PIECES: Final = (
    *WORDS,
    *(one.secret for one in plant() if one.place == "content"),
    *("İ", "K", "ſ", "\u00a0", "\u2003", "\x1c", "\x85", "\ud800", "é", "ß", "Ö", "\t", "\r\n"),
    *("key", "token", "passwords", "secret", "x" * 90, "_live_", "sk-", "...", "**", "0" * 16),
    *(
        " for ",
        " is ",
        " (x)",
        ": ",
        "=",
        " = ",
        "->",
        "|",
        ", ",
        '"',
        "'",
        "<",
        ">",
        "{",
        "default",
    ),
    *("value", "-", "--", ".", "@", "+49 30 ", "(212) 555-0199", "call", "DE", "12", "Abcd1234!"),
)

HINTS: Final = max((kind.hints for kind in KINDS if kind.ignores_case), key=len)


def find_missed(text: str) -> list[str]:
    """Return the expressions of rules that find a secret in a text that they do not match."""
    missed = []
    for rules, prefilter in FILTERS:
        matching = set(prefilter.find(encode(text)))
        for at, rule in enumerate(rules):
            if at not in matching and any(rule.find(text, lower(text), "")):
                missed.append(rule.needs)
    return missed


@given(st.lists(st.sampled_from(_PIECES), max_size=12).map("".join))
@settings(deadline=None, derandomize=True, max_examples=300)
def test_a_text_with_a_finding_passes(text: str) -> None:
    assert find_missed(text) == []


@given(st.lists(st.sampled_from((*_PIECES, "ª", "ŉ")), max_size=6).map("".join))
@settings(deadline=None, derandomize=True, max_examples=60)
def test_all_hints_of_a_text_are_found(text: str) -> None:
    lowered = lower(text)

    assert list(find_hints(lowered, HINTS)) == [hint for hint in HINTS if hint in lowered]


def test_every_known_secret_passes() -> None:
    texts = {json.dumps(one.value) for one in plant()}
    texts |= {
        re.sub("@[A-Z]@", "Ab3dEf6hIj9kLm2nOp5q!7", line.replace("\\n", "\n")) for line in LINES
    }
    missed = [view.text for text in texts for view in iter_decoded(text) if find_missed(view.text)]

    assert missed == []
