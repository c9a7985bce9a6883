"""Split off reasoning that precedes an answer in the same text, between tags.

Some models write `<think>…</think>` first, and their servers leave it in the text. If a template
wrote the first tag, the text has only the second one; if the answer was cut off, only the first.
Tags in code do not count unless the reasoning has no other end.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

_NAMES: Final = (
    "think",
    "thinking",
    "thought",
    "thoughts",
    "reasoning",
    "seed:think",
    "mm:think",
    "antthinking",
    "scratchpad",
    "longcat_think",
)
_TAGS: Final = {
    **{f"<{name}>": f"</{name}>" for name in _NAMES},
    "[THINK]": "[/THINK]",
    "◁think▷": "◁/think▷",
    "<|begin_of_thought|>": "<|end_of_thought|>",
    "<|START_THINKING|>": "<|END_THINKING|>",
    "<unused94>thought": "<unused95>",
    "<|channel>thought": "<channel|>",
}
"""The opening tags with their closing tags."""

_HARMONY_END: Final = "<|end|><|start|>assistant<|channel|>final<|message|>"
"""It stands alone if the prompt had the special tokens before the reasoning, as templates do."""

_CLOSED_BY: Final = {opens.lower(): closes.lower() for opens, closes in _TAGS.items()}


def _join(tags: Sequence[str]) -> str:
    """Write the pattern of any of `tags`; those of a name may have attributes."""
    named = f"(?:{'|'.join(map(re.escape, _NAMES))}) [\\w-]{{1,20}}=[^<>\\n]{{0,100}}>"
    angled = "|".join((*(re.escape(tag[1:]) for tag in tags if tag[0] == "<"), named))
    others = "|".join(re.escape(tag) for tag in tags if tag[0] != "<")
    return f"<(?=[a-z/|])(?:{angled})|{others}"


_OPENING: Final = re.compile(rf"\s*+((?ai:{_join(tuple(_TAGS))}))")
_ANY: Final = re.compile(_join((*_TAGS, *_TAGS.values(), _HARMONY_END)), re.IGNORECASE | re.ASCII)
_STARTS: Final = frozenset(tag[0] for tag in (*_TAGS, *_TAGS.values(), _HARMONY_END))
"""The characters that tags begin with, which most texts do not have."""
_FENCE: Final = re.compile(r"^[ \t>]*(?:```|~~~)", re.MULTILINE)
_MAX_TAGS: Final = 100
_WINDOW: Final = 128 * 1024
_LONGEST_TAG: Final = 200
_FORMS: Final = (
    # Harmony, of gpt-oss; also with its special tokens left out, as by some servers.
    (
        re.compile(r"\s*+(?:<\|start\|>assistant)?(<\|channel\|>analysis<\|message\|>)"),
        re.compile(
            r"(?:<\|end\|>\s{0,9})?(?:<\|start\|>assistant)?<\|channel\|>final<\|message\|>"
        ),
    ),
    (re.compile(r"(analysis)(?=[A-Z\"'*(])"), re.compile(r"assistantfinal(?![a-z])")),
    # Granite.
    (
        re.compile(r"\s*+(Here(?: is|['\u2019]s) my thought process:)", re.IGNORECASE),
        re.compile(r"Here(?: is|['\u2019]s) my response:", re.IGNORECASE),
    ),
)
"""How other models begin their reasoning and their answer."""


@dataclass(frozen=True, slots=True)
class Thought:
    """The `text` beside a tag, and the `answer` after it; `is_cut_off` if nothing closes it.

    `further` is the reasoning after the answer, with the rest of the answer.
    """

    tag: str
    text: str
    answer: str
    is_cut_off: bool = False
    further: Thought | None = None


def split_reasoning(text: str) -> Thought | None:
    """Split off the reasoning that `text` begins with; None if there is none or it is unclean."""
    if thought := _split_form(text):
        return thought
    if not any(map(text.__contains__, _STARTS)):
        return None
    opening = _OPENING.match(text)
    tags = list(islice(_iter_tags(text), _MAX_TAGS + 1))
    if not tags or len(tags) > _MAX_TAGS:
        return None
    fences = [fence.start() for fence in _FENCE.finditer(text)]
    outside = [tag for tag in tags if not _is_code(text, tag.start(), fences)]
    if opening:
        return _split_opened(text, tags, outside)
    if len(outside) != 1 or _get_name(outside[0]) in _CLOSED_BY:
        return None
    reasoning, answer = text[: outside[0].start()], text[outside[0].end() :]
    # Words surround the tag on its line if the text is about it.
    is_mentioned = _ends_within_words(reasoning) and answer[:1] not in ("", "\n", "\r")
    return None if is_mentioned else Thought(outside[0][0], reasoning, answer)


def _iter_tags(text: str) -> Iterator[re.Match[str]]:
    """Yield all tags; a search holds the interpreter, so one has a part of the text."""
    for start in range(0, len(text), _WINDOW):
        for tag in _ANY.finditer(text, start, start + _WINDOW + _LONGEST_TAG):
            if tag.start() < start + _WINDOW:
                yield tag


def remove_reasoning(text: str) -> str:
    """Return the answer without the reasoning before it; all of `text` if there is nothing else."""
    thought = split_reasoning(text)
    answers = []
    while thought is not None:
        answers.append(thought.answer)
        thought = thought.further
    answer = "".join(answers)
    return answer if answer.strip() else text


def _split_form(text: str) -> Thought | None:
    """Split reasoning that no tags enclose; only a special token says that it is cut off."""
    for begins, ends in _FORMS:
        if opened := begins.match(text):
            tag, start = opened[1], opened.end()
            if closed := ends.search(text, start):
                return Thought(tag, text[start : closed.start()], text[closed.end() :])
            return Thought(tag, text[start:], "", is_cut_off=True) if tag[0] == "<" else None
    return None


def _split_opened(
    text: str, tags: Sequence[re.Match[str]], outside: Sequence[re.Match[str]]
) -> Thought | None:
    """Pair the tags of the kind that begins `text`; those in code if it has no other end."""
    opens = _get_name(tags[0])
    closes = _CLOSED_BY[opens]
    kind = [tag for tag in outside if _get_name(tag) in (opens, closes)]
    if not any(_get_name(tag) == closes for tag in kind):
        kind = [tag for tag in tags if _get_name(tag) in (opens, closes)]
    if len(kind) == 1:
        # Some models end their reasoning by another tag than they began it with.
        others = [tag for tag in outside if _get_name(tag) in _CLOSED_BY.values()]
        if len(outside) != 2 or len(others) != 1:
            return Thought(tags[0][0], text[tags[0].end() :], "", is_cut_off=True)
        kind += others
    pairs = _pair(kind, opens)
    if pairs is None or any(_ends_within_words(text[: one.start()]) for one, _ in pairs[1:]):
        return None
    thought: Thought | None = None
    end = len(text)
    for opened, closed in reversed(pairs):
        inside, answer = text[opened.end() : closed.start()], text[closed.end() : end]
        thought = Thought(opened[0], inside, answer, further=thought)
        end = opened.start()
    return thought


def _pair(
    tags: Sequence[re.Match[str]], opens: str
) -> list[tuple[re.Match[str], re.Match[str]]] | None:
    """Pair the outermost tags; None if one has no partner."""
    pairs = []
    opened: list[re.Match[str]] = []
    for tag in tags:
        if _get_name(tag) == opens:
            opened.append(tag)
        elif not opened:
            return None
        elif len(opened) == 1:
            pairs.append((opened.pop(), tag))
        else:
            opened.pop()
    return None if opened else pairs


def _get_name(tag: re.Match[str]) -> str:
    """Return a tag in lower case and without attributes."""
    name, space, _ = tag[0].lower().partition(" ")
    return f"{name}>" if space else name


def _ends_within_words(text: str) -> bool:
    return text[-1:] in (" ", "\t", '"', "'")


def _is_code(text: str, offset: int, fences: Sequence[int]) -> bool:
    """Return whether `offset` is in a fence or in an inline piece of code."""
    line = text[text.rfind("\n", 0, offset) + 1 : offset]
    return bisect_left(fences, offset) % 2 == 1 or line.count("`") % 2 == 1
