"""Render a text with the marks of its citations, unless they change anything around them.

A mark in an awkward place, such as inside `[x]` of a task, changes how the text is parsed. The
first try has all marks, the second only those at the end of words; if both change the text, the
sources are listed below it and none is marked.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from webapp.messages import Annotation
from webapp.rendering.citations.markers import place_marks, remove_marks, settle_marks
from webapp.rendering.citations.sources import Source
from webapp.rendering.markdown.context import Scope
from webapp.rendering.markdown.parser import render


class Rendered(NamedTuple):
    """The HTML of a text before it is sanitized, with its sources and its scope."""

    html: str
    sources: tuple[Source, ...]
    scope: Scope


def render_with_citations(
    text: str, annotations: Sequence[Annotation], scope: Scope, *, own_host: str
) -> Rendered:
    """Render `text` with its marks, or without if they change it. Raise `TooCostly`."""
    text = text.replace("\0", "\u2400")
    # Byte order marks would hide the first block from the parser. They count in the ranges of
    # citations, so they are removed after the marks are placed.
    steps_before = scope.meter.steps
    plain = render(text.lstrip("\ufeff"), scope, own_host=own_host)
    cost = scope.meter.steps - steps_before
    sources: tuple[Source, ...] = ()
    for cautious in (False, True):
        # The first try is part of the cost of a text; the second one is made if there is room.
        if cautious and not scope.meter.has_room(cost):
            break
        marked, sources = place_marks(text, annotations, cautious=cautious)
        if marked == text:
            break
        retry = scope.restart()
        html = render(marked.lstrip("\ufeff"), retry, own_host=own_host)
        if remove_marks(html) == plain:
            return Rendered(settle_marks(html), sources, retry)
    return Rendered(plain, tuple(source.unmark() for source in sources), scope)
