"""Parse the passages that text blocks cite, from documents and searches.

They are those of Anthropic's API and of its conversations, of LiteLLM, and of Bedrock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import ClassVar, Final

from webapp.exact_json import Array, Integer, Null, Object, String, Value
from webapp.messages.piece import BasePiece

MAX_QUOTATIONS: Final = 200
"""Citations read from one block; longer lists are shown as JSON."""

_RANGES: Final = (
    ("start_char_index", "end_char_index", "characters"),
    ("start_page_number", "end_page_number", "pages"),
    ("start_block_index", "end_block_index", "blocks"),
    ("start_index", "end_index", "text"),
)
_LOCATIONS: Final = {
    "documentChar": ("documentIndex", "document", "characters"),
    "documentPage": ("documentIndex", "document", "pages"),
    "documentChunk": ("documentIndex", "document", "chunks"),
    "searchResultLocation": ("searchResultIndex", "search result", "blocks"),
}
"""The places of Bedrock, the member with the number of the source, and the words for both."""

_INDEXES: Final = {"document_index": "document", "search_result_index": "search result"}
_TITLES: Final = ("title", "document_title")
_KINDS: Final = frozenset(
    {
        *("char_location", "page_location", "content_block_location"),
        *("web_search_result_location", "search_result_location"),
    }
)
"""The types that are plain from the place or the address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotation(BasePiece):
    """A passage that a text cites; `url` is the address or name of its source, or empty.

    `place` is the place in the source as sent, such as `document 0, characters 0 to 20`.
    """

    kind: ClassVar[str] = "quotation"
    url: str
    title: str | None
    quote: str | None
    place: str

    @property
    def words(self) -> str:
        """All of its words, as searches read them."""
        return " ".join(filter(None, (self.title, self.url, self.quote)))

    @classmethod
    def parse(cls, value: Object) -> Quotation:
        """Parse a citation; what is not known of it is in `extras`."""
        if value.object("location") or value.items("sourceContent"):
            return cls._parse_bedrock(value)
        title = next((name for name in _TITLES if value.text(name)), None)
        url = next((name for name in ("url", "source") if value.text(name)), None)
        names = [*_INDEXES, *(name for one in _RANGES for name in one[:2])]
        read: dict[str, type] = dict.fromkeys(names, Integer)
        read |= dict.fromkeys(filter(None, (title, url)), String) | {"cited_text": String}
        if value.text("type") in _KINDS:
            read["type"] = String
        # Exports of claude.ai have the address in `details`.
        details = None if url else value.object("details")
        read |= {"details": Object} if details else {}
        extras = details.find_unread(type=String, url=String) if details else ()
        return cls(
            json=value,
            url=(value.text(url) if url else details and details.text("url")) or "",
            title=value.text(title) if title else None,
            quote=value.text("cited_text"),
            place=", ".join(_describe_place(value)),
            extras=value.find_unread(**read) + extras,
        )

    @classmethod
    def _parse_bedrock(cls, value: Object) -> Quotation:
        """Parse a citation of Bedrock: its `sourceContent`, and its place in the `location`."""
        passages = value.items("sourceContent") or ()
        texts = [one.text("text") for one in passages if isinstance(one, Object)]
        is_text = None not in texts and len(texts) == len(passages)
        quote = "\n\n".join(filter(None, texts)) if is_text else ""
        location = value.object("location")
        kind = next((one for one in (*_LOCATIONS, "web") if location and location.object(one)), "")
        inner = location and location.object(kind)
        url, place = inner and inner.text("url"), ""
        read: dict[str, type] = {"title": String}
        read |= {} if url else {"source": String}
        read |= {"sourceContent": Array} if quote else {}
        read |= {"location": Object} if inner else {}
        extras = value.find_unread(**read)
        if location and inner:
            extras += location.find_unread(**{kind: Object})
        if inner and kind != "web":
            index, noun, unit = _LOCATIONS[kind]
            number, start, end = map(inner.integer, (index, "start", "end"))
            words = [f"{noun} {number}"] if number is not None else []
            place = ", ".join([*words, *_describe_range(unit, start, end)])
            extras += inner.find_unread(**{index: Integer, "start": Integer, "end": Integer})
        elif inner:
            extras += inner.find_unread(url=String)
        return cls(
            json=value,
            url=url or value.text("source") or "",
            title=value.text("title"),
            quote=quote or None,
            place=place,
            extras=extras,
        )


def find_quoted(block: Object) -> tuple[Object, ...]:
    """Find the `citations` of a text block; nothing if one is no object, or of a long list."""
    return _select(block.items("citations") or ())


def find_provider_quoted(fields: Object) -> dict[str, tuple[Object, ...]]:
    """Find the citations of a message among the fields that LiteLLM adds to it, by field.

    They are a list of them for each text block of Anthropic's API, if streamed one for each
    piece, or blocks of Bedrock. A field with anything else is left out.
    """
    found = {
        name: _select(tuple(chain.from_iterable(map(_open, fields.items(name) or ()))))
        for name in ("citation", "citations", "citationsContent")
    }
    return {name: quoted for name, quoted in found.items() if quoted}


def _open(value: Value) -> Sequence[Value]:
    """Return the citations in a list or in a block of Bedrock; any other value but null itself."""
    if isinstance(value, Array):
        return value.items
    if isinstance(value, Object) and not value.find_unread(content=Array, citations=Array):
        return value.items("citations") or ()
    return () if isinstance(value, Null) else (value,)


def _select(given: Sequence[Value]) -> tuple[Object, ...]:
    quoted = tuple(one for one in given if isinstance(one, Object))
    return quoted if len(quoted) == len(given) <= MAX_QUOTATIONS else ()


def _describe_place(value: Object) -> list[str]:
    """Describe a place by the numbers as they were sent, which mostly count from 0."""
    words = [
        f"{noun} {number}"
        for name, noun in _INDEXES.items()
        if (number := value.integer(name)) is not None
    ]
    for first, last, noun in _RANGES:
        words += _describe_range(noun, value.integer(first), value.integer(last))
    return words


def _describe_range(noun: str, start: int | None, end: int | None) -> list[str]:
    if start is None and end is None:
        return []
    if start is None or end is None:
        return [f"{noun} from {start}" if end is None else f"{noun} to {end}"]
    return [f"{noun} {start} to {end}"]
