"""Parse the passages that the text blocks of Anthropic's API cite, from documents and searches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from webapp.exact_json import Number, Object, String
from webapp.messages.piece import BasePiece

MAX_QUOTATIONS: Final = 200
"""Citations read from one block; longer lists are shown as JSON."""

_RANGES: Final = (
    ("start_char_index", "end_char_index", "characters"),
    ("start_page_number", "end_page_number", "pages"),
    ("start_block_index", "end_block_index", "blocks"),
)
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
        title = next((name for name in _TITLES if value.text(name)), None)
        url = next((name for name in ("url", "source") if value.text(name)), None)
        names = [*_INDEXES, *(name for one in _RANGES for name in one[:2])]
        read: dict[str, type] = dict.fromkeys(names, Number)
        read |= dict.fromkeys(filter(None, (title, url)), String) | {"cited_text": String}
        if value.text("type") in _KINDS:
            read["type"] = String
        return cls(
            json=value,
            url=value.text(url) or "" if url else "",
            title=value.text(title) if title else None,
            quote=value.text("cited_text"),
            place=", ".join(_describe_place(value)),
            extras=value.find_unread(**read),
        )


def find_quoted(block: Object) -> Sequence[Object]:
    """Find the `citations` of a text block; nothing if one is no object, or of a long list."""
    given = block.items("citations") or ()
    quoted = [one for one in given if isinstance(one, Object)]
    return quoted if len(quoted) == len(given) <= MAX_QUOTATIONS else ()


def _describe_place(value: Object) -> list[str]:
    """Describe a place by the numbers as they were sent, which mostly count from 0."""
    words = [
        f"{noun} {number}"
        for name, noun in _INDEXES.items()
        if (number := value.integer(name)) is not None
    ]
    for first, last, noun in _RANGES:
        start, end = value.integer(first), value.integer(last)
        if start is not None and end is not None:
            words.append(f"{noun} {start} to {end}")
        elif start is not None or end is not None:
            words.append(f"{noun} from {start}" if end is None else f"{noun} to {end}")
    return words
