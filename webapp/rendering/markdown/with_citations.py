"""A text read with marks of its citations, where they change nothing around them.

A mark in an awkward place, such as inside `[x]` of a task, would change what the text is read
as. Which marks do is found by trying: all of them, then by halves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from webapp.messages import Annotation
from webapp.rendering.citations.markers import place_marks, settle_marks, without_marks
from webapp.rendering.citations.sources import Source
from webapp.rendering.markdown.context import Scope
from webapp.rendering.markdown.parser import rendered

MAX_TRIES: Final = 16
"""What finds one awkward mark among some hundreds, or a few among some tens."""


class Reading(NamedTuple):
    """The HTML of a text, not yet clean, and what belongs to it."""

    html: str
    sources: tuple[Source, ...]
    scope: Scope


def read(text: str, annotations: Sequence[Annotation], scope: Scope, *, own_host: str) -> Reading:
    """`text` with all marks that leave it as it is. Raises `TooCostly`."""
    text = text.replace("\0", "\u2400")
    before = scope.meter.steps
    html = rendered(_without_bom(text), scope, own_host=own_host)
    cost = scope.meter.steps - before
    marked, sources = place_marks(text, annotations)
    if marked == text:
        return Reading(html, sources, scope)
    places = [place.number for source in sources for place in source.places if place.in_text]
    best = Reading(html, place_marks(text, annotations, without=places)[1], scope)

    def leaves_all(tried: Sequence[int]) -> bool:
        nonlocal best
        # All marks at once are part of what a text costs; to look for the awkward ones is not.
        if len(tried) < len(places) and not scope.meter.has_room(cost):
            return False
        without = frozenset(places).difference(tried)
        marked, sources = place_marks(text, annotations, without=without)
        again = scope.again()
        marked_html = rendered(_without_bom(marked), again, own_host=own_host)
        if without_marks(marked_html) != html:
            return False
        best = Reading(settle_marks(marked_html), sources, again)
        return True

    _try_by_halves(places, leaves_all)
    return best


def _try_by_halves(places: Sequence[int], leaves_all: Callable[[Sequence[int]], bool]) -> None:
    """Tries `places` with all that were found good, until each is known or too many are tried."""
    good: list[int] = []
    groups = [list(places)]
    is_half = False
    for _ in range(MAX_TRIES):
        if not groups:
            return
        group = groups.pop()
        if leaves_all(good + group):
            good += group
            if not is_half:
                continue
            # Both halves changed something and this one does not, so the other one does.
            group = groups.pop()
        groups += _halves(group)
        is_half = len(group) > 1


def _halves(group: list[int]) -> list[list[int]]:
    """The halves of `group`, the first to be taken last; nothing of a single place."""
    middle = len(group) // 2
    return [group[middle:], group[:middle]] if middle else []


def _without_bom(text: str) -> str:
    """`text` without the marks in front that would hide its first block from the parser.

    They count in the ranges of citations, so they go behind the placing of those.
    """
    return text.lstrip("\ufeff")
