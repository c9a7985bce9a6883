"""Split off reasoning that precedes an answer in the same text, between tags.

Some models write `<think>…</think>` first, and their servers leave it in the text. If a template
wrote the first tag, the text has only the second one; if the answer was cut off, only the first.
The reasoning is folded if the tags are clean: each occurs once, and none inside code or a sentence.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from webapp.formatting import extent
from webapp.rendering.markdown import TextView

_NAMES: Final = ("think", "thinking", "thought", "thoughts", "reasoning", "seed:think")
_TAGS: Final = {
    **{f"<{name}>": f"</{name}>" for name in _NAMES},
    "[THINK]": "[/THINK]",
    "◁think▷": "◁/think▷",
    "<|begin_of_thought|>": "<|end_of_thought|>",
}
"""The opening tags in lower case, except one, with their closing tags."""

_OPENING: Final = re.compile(r"\s*+({})".format("|".join(map(re.escape, _TAGS))), re.IGNORECASE)
_ANY: Final = re.compile(
    "|".join(re.escape(tag) for pair in _TAGS.items() for tag in pair), re.IGNORECASE
)
_FENCE: Final = re.compile(r"^[ \t>]*(?:```|~~~)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Thought:
    """The `text` beside a tag, and the `answer` after it; `is_cut_off` if nothing closes it."""

    tag: str
    text: str
    answer: str
    is_cut_off: bool = False


def split_reasoning(text: str) -> Thought | None:
    """Return the reasoning that `text` begins with, or None if there is none or it is unclean."""
    opening = _OPENING.match(text)
    if opening:
        return _split_opened(text, opening)
    tags = [found for found in _ANY.finditer(text) if not _is_code(text, found.start())]
    if len(tags) != 1 or not ("/" in tags[0][0] or "end" in tags[0][0]):
        return None
    reasoning, answer = text[: tags[0].start()], text[tags[0].end() :]
    # Words surround the tag on its line if the text is about it.
    is_mentioned = reasoning[-1:] in (" ", "\t", '"', "'") and answer[:1] not in ("", "\n", "\r")
    return None if is_mentioned else Thought(tags[0][0], reasoning, answer)


def fold_reasoning(thought: Thought, reasoning: TextView, answer: TextView) -> TextView:
    """Join both views: the reasoning in a fold, followed by the answer."""
    cut = Markup(' <span class="fold-size">cut off</span>') if thought.is_cut_off else ""
    html = Markup(
        '<details class="reasoning"><summary>Reasoning <code class="fold-name">{}</code> '
        '<span class="fold-size">{}</span>{}</summary>{}</details>{}'
    ).format(thought.tag, extent(thought.text), cut, reasoning.html, answer.html)
    return TextView(html, reasoning.note or answer.note)


def _split_opened(text: str, opening: re.Match[str]) -> Thought | None:
    tag = opening[1]
    closing_tag = next(closes for opens, closes in _TAGS.items() if opens.lower() == tag.lower())
    closing = re.compile(re.escape(closing_tag), re.IGNORECASE)
    inside = text[opening.end() :]
    found = list(closing.finditer(inside))
    if len(found) > 1 or tag.lower() in inside.lower()[: found[0].start() if found else None]:
        return None
    if not found:
        return Thought(tag, inside, "", is_cut_off=True)
    return Thought(tag, inside[: found[0].start()], inside[found[0].end() :])


def _is_code(text: str, offset: int) -> bool:
    """Return whether `offset` is in a fence or in an inline piece of code."""
    line = text[text.rfind("\n", 0, offset) + 1 : offset]
    return len(_FENCE.findall(text, 0, offset)) % 2 == 1 or line.count("`") % 2 == 1
