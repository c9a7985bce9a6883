"""Parse the sources that Cohere and Gemini list with the ranges of the text that they support.

Cohere sends `citations` with a message, each a range with its sources. Gemini sends metadata of
grounding with a choice: a list of sources, and ranges with the numbers of those that support them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from webapp.exact_json import Array, Number, Object, String, Value
from webapp.messages.parts import UrlCitation

MAX_RANGES: Final = 1_000
"""Citations read from one list; longer lists are shown as JSON."""

_MAX_MEMBERS: Final = 10_000
"""Further members of the sources of all citations, of which each range repeats those of its own."""

_GROUNDING: Final = ("groundingMetadata", "grounding_metadata")
_CONTINUATIONS: Final = bytes(range(0x80, 0xC0))
"""The bytes of UTF-8 that go on with a character."""
_HOLDERS: Final = ("web", "retrievedContext", "retrieved_context", "maps")


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
        others = value.find_unread(start=Number, end=Number, text=String, sources=Array)
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
