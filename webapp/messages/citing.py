"""Parse the sources that servers list beside a text, for markers or for ranges of the text.

Perplexity and xAI send `citations` and `search_results` with the completion, some gateways with
its message, for `[1]` in the text; Azure sends them in the `context` of the message, for
`[doc1]`; Zhipu sends `web_search`, with the address in `link`, for `[ref_1]`. A list with an
element of another shape is not read at all, so that it is shown as it was sent.

Cohere sends `citations` with a message, each a range with its sources. Gemini sends metadata of
grounding with a choice: a list of sources, and ranges with the numbers of those that support them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Final

from webapp.exact_json import Array, Integer, Member, NotJson, Object, String, Value, parse
from webapp.messages.parts import UrlCitation

MAX_SOURCES: Final = 100
"""Sources read from one list; longer lists are shown as JSON."""

_MAX_PLACES: Final = 100
"""Markers of one text that become links."""

_MAX_CONTEXT: Final = 1_000_000
"""Characters of the JSON in a message that is read for its sources."""

_FIELDS: Final = ("citations", "search_results", "web_search")
_CODE: Final = re.compile(r"(?s)```.*?(?:```|\Z)|~~~.*?(?:~~~|\Z)|`[^`\n]*+`")
_MARKER: Final = re.compile(r"\[(?:doc|ref_)?([0-9]{1,3})\](?![(:])", re.IGNORECASE)

MAX_RANGES: Final = 1_000
"""Citations read from one list; longer lists are shown as JSON."""

_MAX_MEMBERS: Final = 10_000
"""Further members of the sources of all citations, of which each range repeats those of its own."""

_GROUNDING: Final = ("groundingMetadata", "grounding_metadata")
_CONTINUATIONS: Final = bytes(range(0x80, 0xC0))
"""The bytes of UTF-8 that go on with a character."""
_HOLDERS: Final = ("web", "retrievedContext", "retrieved_context", "maps")


def parse_listed(holder: Object) -> dict[str, tuple[UrlCitation, ...]]:
    """Parse the sources in each field of a completion or message that lists some, by its name."""
    given = [(name, items) for name in _FIELDS if (items := holder.items(name))]
    return {name: cited for name, items in given if (cited := _parse_list(items))}


def parse_context(message: Object) -> tuple[tuple[UrlCitation, ...], tuple[Member, ...]]:
    """Parse the sources in the `context` of a message of Azure, and its other members.

    They are its `citations`, or those in the JSON of its only message, as older versions have them.
    """
    context = message.object("context")
    if context is None:
        return (), ()
    if cited := _parse_list(context.items("citations")):
        return cited, context.find_unread(citations=Array)
    messages = context.items("messages") or ()
    only = messages[0] if len(messages) == 1 and isinstance(messages[0], Object) else None
    cited, others = parse_tool_sources(only) if only else ((), ())
    return (cited, others + context.find_unread(messages=Array)) if cited else ((), ())


def find_choice_messages(choice: Object) -> tuple[Object, tuple[Object, ...]] | None:
    """Find the answer in the `messages` of a choice, and the messages of tools before it.

    Previews of Azure have them in place of a `message`.
    """
    items = choice.items("messages")
    messages = [one for one in items if isinstance(one, Object)] if items else []
    if not items or len(messages) < len(items):
        return None
    *tools, answer = messages
    roles = {one.text("role") for one in tools}
    is_answer = answer.text("role") in ("assistant", None) and roles <= {"tool"}
    return (answer, tuple(tools)) if is_answer else None


def parse_tool_sources(tool: Object) -> tuple[tuple[UrlCitation, ...], tuple[Member, ...]]:
    """Parse the sources in the JSON of a message of a tool, and its other members.

    Without sources, all of its members are the others.
    """
    text = tool.text("content")
    try:
        inner = parse(text) if text and len(text) <= _MAX_CONTEXT else None
    except NotJson:
        inner = None
    cited = _parse_list(inner.items("citations")) if isinstance(inner, Object) else ()
    if not isinstance(inner, Object) or not cited:
        return (), tool.find_unread()
    return cited, inner.find_unread(citations=Array) + tool.find_unread(role=String, content=String)


def merge_lists(lists: Sequence[Sequence[UrlCitation]]) -> tuple[UrlCitation, ...]:
    """Merge the sources of `lists` in the order of the first.

    If that has a bare address, a later list gives it its title and facts.
    """
    merged: dict[object, UrlCitation] = {}
    for number, cited in enumerate(lists):
        for at, source in enumerate(cited):
            known = merged.get(source.url) if number and source.url else None
            if known is None:
                # The number of a source is its place in the first list, repeated or not.
                is_new = source.url and source.url not in merged
                merged[source.url if is_new else (number, at)] = source
            elif isinstance(known.json, String):
                merged[source.url] = source
            elif known.json.source != source.json.source:
                merged[(number, at)] = source
    return tuple(merged.values())


def place_cited(cited: Sequence[UrlCitation], text: str | None) -> Iterator[UrlCitation]:
    """Yield each source once for every marker of `text` that cites it, or without a place."""
    places: dict[int, list[tuple[int, int]]] = {}
    if cited and text is not None:
        # Code keeps its length: an index such as `row[1]` cites nothing.
        prose = _CODE.sub(lambda code: " " * len(code[0]), text)
        for found in islice(_MARKER.finditer(prose), _MAX_PLACES):
            places.setdefault(int(found[1]), []).append(found.span())
    for number, source in enumerate(cited, start=1):
        if number not in places:
            yield source
        for start, end in places.get(number, ()):
            yield replace(source, start_index=start, end_index=end)


def _parse_list(values: Sequence[Value] | None) -> tuple[UrlCitation, ...]:
    if not values or len(values) > MAX_SOURCES:
        return ()
    cited = tuple(map(_parse_source, values))
    return () if None in cited else tuple(source for source in cited if source)


def _parse_source(value: Value) -> UrlCitation | None:
    """Parse an address, or an object with a `url`, a `link` or, for files, a `filepath`.

    Azure sends null for both if an index has no addresses; then a title or a content is enough.
    """
    if isinstance(value, String):
        return _make_source(value, value.text)
    if not isinstance(value, Object):
        return None
    name = next((one for one in ("url", "link") if value.text(one)), "filepath")
    url = value.text(name) or ""
    if not (url or value.text("title") or value.text("content")):
        return None
    extras = value.find_unread(**{name: String}, title=String)
    return _make_source(value, url, value.text("title"), extras)


def _make_source(
    json: Value, url: str, title: str | None = None, extras: tuple[Member, ...] = ()
) -> UrlCitation:
    return UrlCitation(
        json=json, url=url, title=title, start_index=None, end_index=None, extras=extras
    )


def parse_ranges(citations: Sequence[Value] | None) -> tuple[UrlCitation, ...]:
    """Parse the `citations` of a message of Cohere; nothing if an element has another shape.

    A source without an address has its id for a title.
    """
    if not citations or len(citations) > MAX_RANGES:
        return ()
    cited: list[UrlCitation] = []
    for value in citations:
        sources = value.items("sources") if isinstance(value, Object) else None
        if not isinstance(value, Object) or not sources or value.integer("start") is None:
            return ()
        others = value.find_unread(start=Integer, end=Integer, text=String, sources=Array)
        for source in sources:
            if not isinstance(source, Object):
                return ()
            name = "document" if source.object("document") else "tool_output"
            inner = source.object(name) or source
            extras = source.find_unread(**{name: Object}) if inner is not source else ()
            # Those of the range are with its first source.
            extras, others = extras + inner.find_unread(url=String, title=String) + others, ()
            cited.append(
                UrlCitation(
                    json=value,
                    url=inner.text("url") or "",
                    title=inner.text("title") or source.text("id"),
                    start_index=value.integer("start"),
                    end_index=value.integer("end"),
                    extras=extras,
                )
            )
            if len(cited) > MAX_RANGES:
                return ()
    return tuple(cited)


def find_grounding(choice: Object) -> Object | None:
    """Find the metadata of grounding of a choice."""
    return next(filter(None, map(choice.object, _GROUNDING)), None)


def parse_grounding(metadata: Object, text: str | None) -> tuple[UrlCitation, ...]:
    """Parse the sources in metadata of grounding, each once for every range that it supports.

    Gemini counts bytes of UTF-8; the indexes are converted to code points of `text`. There is no
    range if that is None. The first 1,000 of all are read, fewer if the sources are large.
    """
    chunks = _get_items(metadata, "groundingChunks", "grounding_chunks")
    given: list[tuple[int, int, Sequence[Value]]] = []
    for support in _get_items(metadata, "groundingSupports", "grounding_supports")[:MAX_RANGES]:
        segment = support.object("segment") if isinstance(support, Object) else None
        if isinstance(support, Object) and segment is not None and text is not None:
            # A segment at the beginning has no start.
            start = segment.integer("startIndex") or segment.integer("start_index") or 0
            end = segment.integer("endIndex") or segment.integer("end_index") or 0
            chosen = _get_items(support, "groundingChunkIndices", "grounding_chunk_indices")
            given.append((start, end, chosen))
    counts = _count_characters(text or "", {at for start, end, _ in given for at in (start, end)})
    places: dict[int, list[tuple[int, int]]] = {}
    for start, end, chosen in given:
        for index in chosen:
            if index.source.isdecimal() and len(index.source) < 6:
                places.setdefault(int(index.source), []).append((counts[start], counts[end]))
    cited: list[UrlCitation] = []
    members = 0
    for citation in islice(_cite(chunks, places), MAX_RANGES):
        members += len(citation.extras)
        if members > _MAX_MEMBERS:
            break
        cited.append(citation)
    return tuple(cited)


def _cite(
    chunks: Sequence[Value], places: dict[int, list[tuple[int, int]]]
) -> Iterator[UrlCitation]:
    for at, chunk in enumerate(chunks[:MAX_RANGES]):
        if not isinstance(chunk, Object):
            continue
        source = next(filter(None, map(chunk.object, _HOLDERS)), chunk)
        url = source.text("uri") or source.text("url") or ""
        title = source.text("title")
        extras = source.find_unread(uri=String, url=String, title=String)
        ranges: Sequence[tuple[int | None, int | None]] = places.get(at) or [(None, None)]
        for start, end in ranges:
            yield UrlCitation(
                json=chunk,
                url=url,
                title=title,
                start_index=start,
                end_index=end,
                extras=extras,
            )


def _count_characters(text: str, offsets: set[int]) -> dict[int, int]:
    """Count the characters before each offset in the UTF-8 of `text`, which is read once."""
    data = text.encode("utf-8", "surrogatepass")
    counts = {}
    at = count = 0
    for offset in sorted(offsets):
        if offset > at:
            count += len(data[at:offset].translate(None, delete=_CONTINUATIONS))
            # An offset beyond the text stays beyond it.
            count += max(0, offset - max(at, len(data)))
            at = offset
        counts[offset] = count if offset >= 0 else offset
    return counts


def _get_items(value: Object, *names: str) -> Sequence[Value]:
    return next(filter(None, map(value.items, names)), ())
