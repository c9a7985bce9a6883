"""Find the words of an answer that name its subject, for one line of a list."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from webapp import exact_json
from webapp.completions import scalar_text
from webapp.exact_json import Array, NotJson, Object, Value

_MAX_READ: Final = 8_000
_MAX_JSON: Final = 256 * 1024
_MAX_SHOWN: Final = 300
_MAX_LEAVES: Final = 8
_MAX_DEPTH: Final = 4

_FENCE: Final = re.compile(r"\s{0,3}(?:```|~~~)")
_FENCED_JSON: Final = re.compile(
    r"\s*```(?:json)?[ \t]*\n(.*?)\n?```\s*", re.DOTALL | re.IGNORECASE
)
_LINE_MARKS: Final = re.compile(
    r"(?:\s|>){0,20}(#{1,6}\s+|[-*+•]\s+(?:\[[ xX]\]\s+)?|\d{1,3}[.)]\s+|\|)?"
)
_RULE: Final = re.compile(r"[\s|:=*_-]+")
_LINK: Final = re.compile(r"!?\[([^\[\]]{0,200})\]\([^()\s]{0,1000}\)")
_INLINE_MARKS: Final = re.compile(r"\*\*|__|~~|`|(?<!\w)[*_](?=\w)|(?<=[\w.,!?])[*_](?!\w)")
_SENTENCE_END: Final = re.compile(r"(\S{0,20}?)[.!?…:]{1,6}[\"'”’)\]]{0,4}\s+|[。！？]\s*")
_ABBREVIATION: Final = re.compile(
    r"(?:.*\W)?(?:[a-z]|\w\.\w|etc|vs|dr|mrs?|ms|prof|st|no|fig|approx|cf|al|inc|ltd|jr|sr|bzw|ca)",
    re.IGNORECASE,
)
_OPENING: Final = re.compile(
    r"let\b.*|(?:sure|certainly|of course|absolutely|okay|ok|alright|got it|great|hello|hi|thanks"
    r"|thank you)\b[^.:]{0,40}\W*|(?:here|below)(?:['’]s| is| are)\b[^.]{0,120}:\s*",
    re.IGNORECASE | re.DOTALL,
)


def find_gist(text: str) -> str:
    """Find the first words of `text` that say something, without the marks of Markdown.

    Sentences that only open an answer ("Sure!", "Let me see.") are passed over, as are headings,
    tables and code, unless there is nothing else. JSON is summarized by its values.
    """
    fenced = _FENCED_JSON.fullmatch(text) if len(text) <= _MAX_JSON else None
    if summary := _summarize_json(fenced[1] if fenced else text):
        return summary
    prose, others = _split_blocks(text[:_MAX_READ])
    opening = ""
    for block in prose:
        rest = block
        while rest:
            sentence = rest[: _find_end(rest)]
            if any(map(str.isalnum, sentence)):
                if not _OPENING.fullmatch(sentence):
                    return _cut(rest)
                opening = opening or rest
            rest = rest[len(sentence) :]
    return _cut(opening or next(iter((*others, *prose)), ""))


def _split_blocks(text: str) -> tuple[list[str], list[str]]:
    """Split a text into paragraphs and items of lists, and the headings, rows and lines of code."""
    prose: list[str] = []
    others: list[str] = []
    is_code = is_open = False
    for line in text.splitlines():
        if _FENCE.match(line):
            is_code, is_open = not is_code, False
            continue
        marks = _LINE_MARKS.match(line)
        mark = (marks[1] or "") if marks else ""
        words = line[marks.end() if marks and not is_code else 0 :]
        if not is_code:
            words = _INLINE_MARKS.sub("", _LINK.sub(r"\1", words))
        if not words.strip() or (not is_code and _RULE.fullmatch(line)):
            is_open = False
        elif is_code or mark.startswith(("#", "|")):
            others.append(" ".join(words.replace("|", " ").split()))
            is_open = False
        elif is_open and not mark:
            prose[-1] += f" {' '.join(words.split())}"
        else:
            prose.append(" ".join(words.split()))
            is_open = True
    return prose, others


def _find_end(block: str) -> int:
    for end in _SENTENCE_END.finditer(block):
        if not (end[1] and end[0].rstrip().endswith(".") and _ABBREVIATION.fullmatch(end[1])):
            return end.end()
    return len(block)


def _summarize_json(text: str) -> str:
    """Summarize a JSON object or list by its first values with names; empty if it is not JSON."""
    if text.lstrip()[:1] not in ("{", "[") or len(text) > _MAX_JSON:
        return ""
    try:
        value = exact_json.parse(text)
    except NotJson:
        return ""
    return _cut(", ".join(islice(_iter_leaves(value, "", 0), _MAX_LEAVES)))


def _iter_leaves(value: Value, name: str, depth: int) -> Iterator[str]:
    if isinstance(value, Object) and depth < _MAX_DEPTH:
        for member in value.members:
            yield from _iter_leaves(member.value, member.name.text, depth + 1)
    elif isinstance(value, Array) and value.items:
        count = f"{len(value.items):,} {'item' if len(value.items) == 1 else 'items'}"
        yield f"{name}: {count}" if name else count
        if depth == 0:
            yield from _iter_leaves(value.items[0], "", 1)
    else:
        plain = " ".join((scalar_text(value) or "")[:400].split())
        if plain:
            plain = plain if len(plain) <= 80 else f"{plain[:79]}…"
            yield f"{name}: {plain}" if name else plain


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_SHOWN else f"{text[: _MAX_SHOWN - 1]}…"
