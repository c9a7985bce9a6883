"""Values for the pages of a list: the request for one, and one as JSON texts.

A page is joined from stored texts, without parsing any JSON.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Order: TypeAlias = Literal["asc", "desc"]


class UnknownCursor(LookupError):
    """`after` is not the id of anything in the list."""


@dataclass(frozen=True, slots=True)
class PageRequest:
    """A request for one page; it starts after the id `after`, or at the start if that is None."""

    after: str | None
    limit: int
    order: Order


@dataclass(frozen=True, slots=True)
class JsonPage:
    """One page: the ids and the serialized JSON of its objects, in order."""

    ids: tuple[str, ...]
    data: tuple[str, ...]
    has_more: bool

    def to_json(self) -> str:
        """Return the page as the API serializes it; an empty page has null ids."""
        first, last = (f'"{self.ids[0]}"', f'"{self.ids[-1]}"') if self.ids else ("null", "null")
        return (
            f'{{"object":"list","data":[{",".join(self.data)}],"first_id":{first},'
            f'"last_id":{last},"has_more":{"true" if self.has_more else "false"}}}'
        )
