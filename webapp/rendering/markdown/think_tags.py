"""Fold reasoning that precedes an answer in the same text, between tags.

The reasoning is folded if the tags are clean: they are paired, and none is part of a sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from markupsafe import Markup

from webapp.formatting import extent
from webapp.messages import Annotation, Thought, UrlCitation
from webapp.rendering.markdown import TextView


class Render(Protocol):
    def __call__(self, text: str, annotations: Sequence[Annotation] = ()) -> TextView: ...


def fold_reasoning(
    thought: Thought,
    render: Render,
    *,
    text: str,
    annotations: Sequence[Annotation],
    is_shown: bool,
) -> TextView:
    """Join the rendered texts: each reasoning in a fold, followed by its answer.

    The `annotations` of the whole `text` are shown with the last answer; those whose place is
    elsewhere are listed without one. The direction is that of the answers, or of the reasoning.
    Reasoning that `is_shown` already, from another field, is left out.
    """
    if is_shown:
        return render(thought.answer, _move(annotations, len(text) - len(thought.answer)))
    html = Markup("")
    notes: dict[str, None] = {}
    directions: list[str] = []
    while True:
        reasoning = render(thought.text)
        is_last = thought.further is None
        kept = _move(annotations, len(text) - len(thought.answer)) if is_last else ()
        answer = render(thought.answer, kept)
        cut = Markup(' <span class="fold-size">cut off</span>') if thought.is_cut_off else ""
        html += Markup(
            '<details class="reasoning"><summary>Reasoning <code class="fold-name">{}</code> '
            '<span class="fold-size">{}</span>{}</summary>{}</details>{}'
        ).format(thought.tag, extent(thought.text), cut, reasoning.html, answer.html)
        notes |= {view.note: None for view in (reasoning, answer) if view.note}
        directions = [answer.direction, *directions, reasoning.direction]
        if thought.further is None:
            direction = next((one for one in directions if one != "auto"), "auto")
            return TextView(html, " ".join(notes) or None, answer.sources, direction=direction)
        thought = thought.further


def _move(annotations: Sequence[Annotation], offset: int) -> list[Annotation]:
    """Move the annotations of a text to its part from `offset` on."""
    moved = []
    for one in annotations:
        if isinstance(one, UrlCitation) and one.start_index is not None:
            is_inside = one.start_index >= offset and one.end_index is not None
            start, end = one.start_index - offset, (one.end_index or 0) - offset
            place = (start, end) if is_inside else (None, None)
            one = replace(one, start_index=place[0], end_index=place[1])
        moved.append(one)
    return moved
