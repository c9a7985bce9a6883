"""Split off reasoning that precedes an answer in the same text, between tags.

Some models write `<think>…</think>` first, and their servers leave it in the text. It is folded
if the tags are clean: the text begins with one, it is closed once, and it contains no other.
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
    """The `text` between two tags named `tag`, and the `answer` after them."""

    tag: str
    text: str
    answer: str


def split_reasoning(text: str) -> Thought | None:
    """Return the reasoning that `text` begins with, or None if there is none or it is unclean."""
    opening = _OPENING.match(text)
    if opening is None:
        return None
    tag = opening[1]
    inside, closing, answer = text[opening.end() :].partition(f"</{tag}>")
    if not closing or f"<{tag}>" in inside or f"</{tag}>" in answer:
        return None
    return Thought(tag, inside, answer)


def fold_reasoning(thought: Thought, reasoning: TextView, answer: TextView) -> TextView:
    """Join both views: the reasoning in a fold, followed by the answer."""
    html = Markup(
        '<details class="reasoning"><summary>Reasoning <code class="fold-name">&lt;{}&gt;</code> '
        '<span class="fold-size">{}</span></summary>{}</details>{}'
    ).format(thought.tag, extent(thought.text), reasoning.html, answer.html)
    return TextView(html, reasoning.note or answer.note)
