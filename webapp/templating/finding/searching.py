"""Prepare the state of a search for pages: the current hit, the completions not searched yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from flask import request

from webapp.addresses.building import url_for
from webapp.analysis.searching import LONGEST_QUERY
from webapp.finding import Query
from webapp.formatting import parse_whole_number
from webapp.reading import TranscriptPage
from webapp.services import services

OPTIONS: Final = ("role", "kind", "case", "pattern")
"""The parameters of a search beside its words."""

MAX_UNCHECKED: Final = 10_000
"""Completions that are counted as not checked yet."""


@dataclass(frozen=True, slots=True)
class HitPlace:
    """Hit `number` of a search in `completion_id`, from 1; `total` is None if it is not known."""

    completion_id: str
    words: str
    number: int
    total: int | None

    def url(self, number: int) -> str:
        """Return the address that leads to another hit."""
        query: dict[str, Any] = {"q": self.words, "hits": self.total, **read_options()}
        return url_for("search.go", completion_id=self.completion_id, number=number, **query)

    @property
    def previous_url(self) -> str | None:
        return self.url(self.number - 1) if self.number > 1 else None

    @property
    def next_url(self) -> str | None:
        is_last = self.total is not None and self.number >= self.total
        return None if is_last else self.url(self.number + 1)

    @property
    def all_url(self) -> str:
        """The page of all hits, at this one."""
        query: dict[str, Any] = {"q": self.words, **read_options()}
        page = url_for("search.show", completion_id=self.completion_id, **query)
        return f"{page}#hit-{self.number}"


def find_hit_place(page: TranscriptPage) -> HitPlace | None:
    """Find the hit that the address of this page names; None if it names none."""
    words = request.args.get("find", "")[:LONGEST_QUERY]
    number = _read_number("hit")
    if not words or not number or services().share is not None:
        return None
    total = _read_number("hits")
    is_sound = total is not None and number <= total
    return HitPlace(page.completion_id, words, number, total if is_sound else None)


def count_unchecked(query: Query) -> int:
    """Count the completions that a search by findings misses, since they are not checked yet."""
    finder = services().finder
    return finder.count_unchecked(MAX_UNCHECKED) if finder and query.asks_findings else 0


def read_options() -> dict[str, list[str]]:
    """Read where and how the search of this request looks for its words."""
    return {name: request.args.getlist(name) for name in OPTIONS if name in request.args}


def _read_number(name: str) -> int | None:
    """Read a number of the address, which only the bar shows."""
    return parse_whole_number(request.args.get(name, ""), low=1)
