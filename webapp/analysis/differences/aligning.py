"""Align two sequences by the fewest insertions, deletions and replacements of items."""

from __future__ import annotations

import sys
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from rapidfuzz.distance import Levenshtein

MAX_STEPS: Final = 10**10
"""Pairs of items that one page may compare: about a second."""


@dataclass(slots=True)
class Budget:
    """The pairs of items that may still be compared; one for each page or command."""

    left: int = MAX_STEPS

    def take(self, steps: int) -> bool:
        """Use up `steps` if so many are left, and return whether they were."""
        if steps > self.left:
            return False
        self.left -= steps
        return True


class Span(NamedTuple):
    """Items `a_start` to `a_end` (exclusive) of the first sequence, and those of the second.

    They are the same items if it `is_equal`; otherwise the ones became the others.
    """

    is_equal: bool
    a_start: int
    a_end: int
    b_start: int
    b_end: int


def count_common_ends(a: Sequence[Hashable], b: Sequence[Hashable]) -> tuple[int, int]:
    """Count the items that both sequences begin with, and of the rest those that they end with."""
    shorter = min(len(a), len(b))
    head = 0
    while head < shorter and a[head] == b[head]:
        head += 1
    tail = 0
    while tail < shorter - head and a[-1 - tail] == b[-1 - tail]:
        tail += 1
    return head, tail


def align(
    a: Sequence[Hashable], b: Sequence[Hashable], budget: Budget | None = None
) -> tuple[Span, ...]:
    """Divide `a` and `b` into spans, which are in turn equal and not.

    Common items at both ends cost nothing. If the budget does not suffice for the rest,
    that is one span.
    """
    head, tail = count_common_ends(a, b)
    a_end, b_end = len(a) - tail, len(b) - tail
    spans = [Span(True, 0, head, 0, head)] if head else []
    spans += _align_middle(a[head:a_end], b[head:b_end], head, budget or Budget())
    if tail:
        spans.append(Span(True, a_end, len(a), b_end, len(b)))
    return tuple(spans)


def _align_middle(
    a: Sequence[Hashable], b: Sequence[Hashable], start: int, budget: Budget
) -> list[Span]:
    """Divide two sequences that begin at `start` and differ at both ends into spans."""
    if not a and not b:
        return []
    is_small = len(a) + len(b) <= sys.maxunicode
    if not a or not b or not is_small or not budget.take(len(a) * len(b)):
        return [Span(False, start, start + len(a), start, start + len(b))]
    # Texts of one character for each item are compared several times faster than the items.
    numbers: dict[Hashable, str] = {}
    written = (
        "".join(numbers.setdefault(item, chr(len(numbers))) for item in one) for one in (a, b)
    )
    spans: list[Span] = []
    for code in Levenshtein.opcodes(*written):
        is_equal = code.tag == "equal"
        found = Span(
            is_equal,
            *(start + at for at in (code.src_start, code.src_end)),
            *(start + at for at in (code.dest_start, code.dest_end)),
        )
        if spans and not is_equal and not spans[-1].is_equal:
            last = spans.pop()
            found = Span(False, last.a_start, found.a_end, last.b_start, found.b_end)
        spans.append(found)
    return spans
