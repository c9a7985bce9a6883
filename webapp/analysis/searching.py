"""Search the texts, calls, results and names of messages for words or a regular expression.

Words are folded as in the search of all completions, so that both find the same. Patterns run on
RE2, so that no pattern of a reader runs for ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, Literal, TypeAlias

import re2

from webapp.analysis.naming import parse_arguments
from webapp.exact_json import Member, NotJson, String
from webapp.exact_json.writing import decode_strings
from webapp.finding import FoldedText, cut_after, cut_before, fold_text
from webapp.formatting import LONE_SURROGATES
from webapp.messages import Audio, File, InputAudio, Text, ToolCall, UrlCitation
from webapp.messages.message import get_text
from webapp.transcript import Entry

Kind: TypeAlias = Literal["text", "input", "output", "metadata"]

KINDS: Final[tuple[Kind, ...]] = ("text", "input", "output", "metadata")
"""Texts of messages, input of tools, output of tools, and metadata of the completion."""

LONGEST_QUERY: Final = 1_000
MAX_IN_A_TEXT: Final = 20
"""Hits shown of one text; further ones are counted."""

_MAX_COUNTED: Final = 10_000
_MAX_MEMORY: Final = 8 * 1024 * 1024


class BadPattern(ValueError):
    """The regular expression cannot be used; the message is the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One match with the words `before` and `after` it, and the anchor of its place.

    `label` names the text: `text`, `arguments of find_seat`, `result`.
    """

    kind: Kind
    label: str
    before: str
    match: str
    after: str
    anchor: str | None
    message_id: str | None
    number: int | None
    role: str


@dataclass(frozen=True, slots=True)
class Searched:
    """The first hits in a message, and the number of all."""

    hits: tuple[Hit, ...] = ()
    count: int = 0


@dataclass(frozen=True, slots=True)
class SearchedText:
    """A text of a message that is searched."""

    kind: Kind
    label: str
    text: str
    anchor: str | None


class TextSearch:
    """Words or a pattern to search for, and the places to search.

    Case is ignored unless it `is_exact`; accents never are, however a text is composed. `kinds` and
    `role` bound the places. Raises `BadPattern` if the pattern is not a regular expression of RE2,
    or matches nothing.
    """

    def __init__(
        self,
        words: str,
        *,
        is_pattern: bool = False,
        is_exact: bool = False,
        kinds: Iterable[Kind] = KINDS,
        role: str | None = None,
    ) -> None:
        self._is_exact = is_exact
        self._words = fold_text(words, keeps_case=is_exact)
        self._pattern = _compile(words, is_exact=is_exact) if is_pattern else None
        self._kinds = frozenset(kinds)
        self._role = role

    def search(self, entry: Entry) -> Searched:
        """Find the hits in one message."""
        role = entry.message.speaker or ""
        if self._role is not None and role != self._role:
            return Searched()
        hits: list[Hit] = []
        count = 0
        for place in iter_places(entry):
            if place.kind not in self._kinds:
                continue
            text = LONE_SURROGATES.sub("\ufffd", place.text)
            spans, found = self._find(text, most=_MAX_COUNTED - count)
            count += found
            for start, end in spans:
                hits.append(
                    Hit(
                        kind=place.kind,
                        label=place.label,
                        before=cut_before(text, start),
                        match=text[start:end],
                        after=cut_after(text, end),
                        anchor=place.anchor,
                        message_id=entry.sent_as.id,
                        number=entry.number,
                        role=role or "no role",
                    )
                )
            if count >= _MAX_COUNTED:
                break
        return Searched(tuple(hits), count)

    def search_metadata(self, members: Iterable[Member]) -> Iterator[Hit]:
        """Yield the hits in the metadata of a completion, one for each pair at most."""
        if "metadata" not in self._kinds or self._role is not None:
            return
        for member in members:
            value = member.value
            written = value.text if isinstance(value, String) else value.source
            text = LONE_SURROGATES.sub("\ufffd", f"{member.name.text}: {written}")
            spans, _ = self._find(text, most=1)
            for start, end in spans:
                yield Hit(
                    kind="metadata",
                    label="metadata",
                    before=cut_before(text, start),
                    match=text[start:end],
                    after=cut_after(text, end),
                    anchor=None,
                    message_id=None,
                    number=None,
                    role="",
                )

    def _find(self, text: str, *, most: int) -> tuple[list[tuple[int, int]], int]:
        """Find the first matches in a text, to be shown, and count them all up to `most`."""
        if self._pattern is None:
            folded = FoldedText(text, keeps_case=self._is_exact)
            count = min(most, folded.folded.count(self._words))
            return list(islice(folded.iter_spans(self._words), min(count, MAX_IN_A_TEXT))), count
        spans: list[tuple[int, int]] = []
        count = 0
        # A pattern such as `seat|\b` may also match between two characters.
        for found in islice((one for one in self._pattern.finditer(text) if one[0]), most):
            count += 1
            if count <= MAX_IN_A_TEXT:
                spans.append(found.span())
        return spans, count


def _compile(pattern: str, *, is_exact: bool) -> Any:
    """Compile a regular expression. Raise `BadPattern` if it is none, or matches nothing."""
    options: Any = re2.Options()
    options.log_errors = False
    options.case_sensitive = is_exact
    options.max_mem = _MAX_MEMORY
    try:
        compiled: Any = re2.compile(LONE_SURROGATES.sub("\ufffd", pattern), options)
    except re2.error as error:
        reason = error.args[0] if error.args else ""
        said = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise BadPattern(said) from error
    if compiled.search("") is not None:
        raise BadPattern("it matches the empty text, so it matches everywhere")
    return compiled


def iter_places(entry: Entry) -> Iterator[SearchedText]:
    """Yield the texts of a message in the order of the page: parts, names, calls, citations."""
    message = entry.message
    is_result = message.is_tool_result or message.holds_only_results
    kind: Kind = "output" if is_result else "text"
    for part in message.parts:
        text = part.transcript if isinstance(part, Audio) else get_text(part)
        if isinstance(part, File):
            text = part.words
        elif isinstance(part, InputAudio):
            text = part.url
        if text:
            label = "result" if is_result else part.kind.replace("_", " ")
            yield SearchedText(kind, label, text, entry.anchor)
        for quotation in part.quotations if isinstance(part, Text) else ():
            yield SearchedText(kind, "citation", quotation.words, entry.anchor)
    if message.name:
        yield SearchedText(kind, "name", message.name, entry.anchor)
    for call in entry.calls:
        if isinstance(call.call, ToolCall):
            name = call.call.name or "no name"
            yield SearchedText("input", "name of the tool", name, call.anchor)
            written = _write_shown(call.call.arguments or "")
            yield SearchedText("input", f"arguments of {name}", written, call.anchor)
        else:
            yield SearchedText("input", call.call.label, get_text(call.call) or "", call.anchor)
    for annotation in message.annotations:
        if isinstance(annotation, UrlCitation):
            cited = f"{annotation.title or ''} {annotation.url or annotation.content}"
            yield SearchedText(kind, "citation", cited, entry.anchor)


def _write_shown(arguments: str) -> str:
    """Write the strings of arguments as pages show them: without the escapes of JSON."""
    if "\\" not in arguments:
        return arguments
    try:
        parse_arguments(arguments)
    except NotJson:
        return arguments
    return decode_strings(arguments)
