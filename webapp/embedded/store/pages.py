"""Values for the pages of a list: the request for one, and one as JSON texts.

A page is joined from stored texts, without parsing any JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias, overload

from webapp.embedded.documents.api_json import Extended
from webapp.finding.query import Query

Order: TypeAlias = Literal["asc", "desc"]

_START: Final = '{"object":"list","data":['


class UnknownCursor(LookupError):
    """`after` is not the id of anything in the list."""


@dataclass(frozen=True, slots=True)
class PageRequest:
    """A request for one page; it starts after the id `after`, or at the start if that is None."""

    after: str | None
    limit: int
    order: Order


@dataclass(frozen=True, slots=True)
class ListRequest:
    """The completions of a list of our own pages, and their order.

    `query` has filters, and no texts. Of each conversation that it `folds`, the last completion
    that passes the filters is listed. A list that `is_bounded` ends its search after some rows.
    """

    query: Query = Query()
    sort: str = "time"
    folds: bool = False
    is_bounded: bool = True


@dataclass(frozen=True, slots=True)
class JsonPage:
    """One page: the ids and the serialized JSON of its objects, in order.

    `data` may read large texts from the store as it is iterated over; `is_large` is whether it
    does, and the page should not be built whole. `resume` is the id after which a bounded search
    for more goes on: it ended before the page was full.
    """

    ids: tuple[str, ...]
    data: Sequence[str]
    has_more: bool
    is_large: bool = False
    resume: str | None = None

    def to_json(self) -> str:
        """Serialize the page as the API does; an empty page has null ids."""
        return f"{_START}{','.join(self.data)}{self._write_end()}"

    def iter_json(self) -> Iterator[str | Extended]:
        """Yield the same text in pieces, one object at a time; none is kept."""
        yield _START
        for at in range(len(self.data)):
            if at:
                yield ","
            yield self.data.find(at) if isinstance(self.data, StoredTexts) else self.data[at]
        yield self._write_end()

    def _write_end(self) -> str:
        first, last = (f'"{self.ids[0]}"', f'"{self.ids[-1]}"') if self.ids else ("null", "null")
        has_more = "true" if self.has_more else "false"
        resume = f',"resume_after":"{self.resume}"' if self.resume else ""
        return f'],"first_id":{first},"last_id":{last},"has_more":{has_more}{resume}}}'


class StoredTexts(Sequence[str]):
    """The texts of a page; those that are None are read with `read(position)` each time."""

    def __init__(
        self,
        rows: Sequence[tuple[int, str | None]],
        read: Callable[[int], str | Extended | None],
    ) -> None:
        self._rows = rows
        self._read = read

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[str]: ...
    def __getitem__(self, at: int | slice) -> str | Sequence[str]:
        if isinstance(at, slice):
            return StoredTexts(self._rows[at], self._read)
        return str(self.find(at))

    def find(self, at: int) -> str | Extended:
        """Return the text at a place, without a copy to extend it if it is read for that."""
        position, small = self._rows[at]
        found = small if small is not None else self._read(position)
        if found is None:
            # Part of the page has been sent: an answer cut off is seen, one without it is not.
            raise LookupError("an object of the page was deleted while the page was read")
        return found


def build_page(
    rows: Sequence[Any],
    page: PageRequest,
    read_row: Callable[[int], Any],
    *,
    write: Callable[[Any], str | Extended | None],
) -> JsonPage:
    """Build the page of `rows`; `write` returns the text of one, None if that is too large for it.

    `read_row` reads the row at a position again, with its large text; None if it was deleted.
    """

    def read(position: int) -> str | Extended | None:
        row = read_row(position)
        return None if row is None else write(row)

    shown = rows[: page.limit]
    written = [write(row) for row in shown]
    texts = [None if one is None else str(one) for one in written]
    small = [text for text in texts if text is not None]
    is_large = len(small) < len(texts)
    data: Sequence[str] = small
    if is_large:
        places = [(row.position, text) for row, text in zip(shown, texts, strict=True)]
        data = StoredTexts(places, read)
    return JsonPage(
        ids=tuple([row.id for row in shown]),
        data=data,
        has_more=len(rows) > page.limit,
        is_large=is_large,
    )
