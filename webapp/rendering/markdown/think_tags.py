"""Reasoning that stands in front of an answer, in the text itself, between tags of its own.

Some models write `<think>…</think>` first, and their servers leave it there. It is shown folded
when the tags are clean: the text begins with one, it ends once, and no other begins in it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from webapp.formatting import extent
from webapp.rendering.markdown import TextView

_OPENING: Final = re.compile(r"\s*+<(think|thinking|thought|reasoning)>")


@dataclass(frozen=True, slots=True)
class Thought:
    """A text in two: what stands between the tags named `tag`, and the `answer` behind them."""

    tag: str
    text: str
    answer: str


def split_reasoning(text: str) -> Thought | None:
    """The reasoning that `text` begins with, or None when it has none or an unclean one."""
    opening = _OPENING.match(text)
    if opening is None:
        return None
    tag = opening[1]
    inside, closing, answer = text[opening.end() :].partition(f"</{tag}>")
    if not closing or f"<{tag}>" in inside or f"</{tag}>" in answer:
        return None
    return Thought(tag, inside, answer)


def fold_reasoning(thought: Thought, reasoning: TextView, answer: TextView) -> TextView:
    """Both views as one: the reasoning behind a fold, the answer below it."""
    html = Markup(
        '<details class="reasoning"><summary>Reasoning <code class="fold-name">&lt;{}&gt;</code> '
        '<span class="fold-size">{}</span></summary>{}</details>{}'
    ).format(thought.tag, extent(thought.text), reasoning.html, answer.html)
    notes = (reasoning.note, answer.note)
    return TextView(html, next((note for note in notes if note), None), ())
