"""Pages as values: what a list request asks for, and one page of JSON texts as its answer.

Knows neither HTTP nor SQL. A page is made by joining the stored texts; no JSON is decoded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Order: TypeAlias = Literal["asc", "desc"]


class UnknownCursor(LookupError):
    """`after` is not the id of anything in the list."""


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Where a page starts (`after`, exclusive; None: at the start), its size and direction."""

    after: str | None
    limit: int
    order: Order


@dataclass(frozen=True, slots=True)
class JsonPage:
    """One page: the ids and the wire JSON of its items, in order."""

    ids: tuple[str, ...]
    data: tuple[str, ...]
    has_more: bool

    def json(self) -> str:
        """The page as the API writes it; an empty page has null ids."""
        first, last = (f'"{self.ids[0]}"', f'"{self.ids[-1]}"') if self.ids else ("null", "null")
        return (
            f'{{"object":"list","data":[{",".join(self.data)}],"first_id":{first},'
            f'"last_id":{last},"has_more":{"true" if self.has_more else "false"}}}'
        )
