"""Filters of completions as SQL: each is rows of an index, and a condition on one completion.

Conditions are scalar subqueries with a LIMIT: neither database turns them into joins, so that the
rows come from the index that was chosen, in its order, whatever the statistics say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from webapp.embedded.documents.records import index_text
from webapp.finding.query import Query

FOLLOWED: Final = (
    "(SELECT 1 FROM facts AS g WHERE g.conversation ="
    " (SELECT conversation FROM facts WHERE completion = d.seq)"
    " AND (g.created, g.completion) > (d.created, d.seq){checks} LIMIT 1) IS NOT NULL"
)
"""That a later completion of the same conversation passes `checks`."""


@dataclass(frozen=True, slots=True)
class Filter:
    """A condition on rows of `table`, whose column `key` is the completion's seq.

    An index has these rows in the order of `column`. If that is the time of creation, the filter
    `is_ordered`: equal times are in the order of the key.
    """

    table: str
    key: str
    condition: str
    column: str = "created"

    @property
    def is_ordered(self) -> bool:
        return self.column == "created"

    def check(self, seq: str) -> str:
        """Build the condition on the completion whose seq is the SQL expression `seq`."""
        return (
            f"(SELECT 1 FROM {self.table} AS o WHERE o.{self.key} = {seq}"
            f" AND {self.condition} LIMIT 1) IS NOT NULL"
        )


@dataclass(frozen=True, slots=True)
class Selection:
    """The completions that pass all `filters`, and were created within the bounds of time.

    `binds` are the values of the filters and the bounds.
    """

    filters: tuple[Filter, ...] = ()
    since: int | None = None
    before: int | None = None
    binds: dict[str, object] = field(default_factory=dict)

    @property
    def has_bounds(self) -> bool:
        return self.since is not None or self.before is not None

    def bound(self, created: str) -> str:
        """Build the condition on the time of creation, after an AND; empty without bounds."""
        since = "" if self.since is None else f" AND {created} >= :since"
        return since + ("" if self.before is None else f" AND {created} < :before")

    def checks(self, seq: str, *, without: Filter | None = None) -> str:
        """Build the conditions of all filters but one, each after an AND."""
        return "".join(f" AND {one.check(seq)}" for one in self.filters if one is not without)

    @property
    def is_last(self) -> str:
        """The condition that no later completion of the conversation passes, after an AND."""
        checks = self.bound("g.created") + self.checks("g.completion")
        return f" AND NOT ({FOLLOWED.format(checks=checks)})"


def build_selection(
    query: Query | None = None,
    *,
    model: str | None = None,
    metadata: Sequence[tuple[str, str]] = (),
) -> Selection:
    """Select the completions that pass the filters of `query`, a model and metadata; no texts."""
    query = query or Query()
    binds: dict[str, object] = {}
    filters: list[Filter] = []
    for at, tag in enumerate(query.tags):
        binds[f"tag{at}"] = index_text(tag)
        filters.append(Filter("tags", "completion", f"tag = :tag{at}"))
    for at, (key, value) in enumerate(dict.fromkeys((*metadata, *query.metadata))):
        binds |= {f"key{at}": index_text(key), f"value{at}": index_text(value)}
        filters.append(Filter("metadata", "completion", f"key = :key{at} AND value = :value{at}"))
    for at, name in enumerate(
        dict.fromkeys(one for one in (model, query.model) if one is not None)
    ):
        binds[f"model{at}"] = index_text(name)
        filters.append(Filter("completions", "seq", f"model = :model{at}"))
    for at, (column, low, high) in enumerate(query.ranges):
        binds |= {f"low{at}": low, f"high{at}": high}
        condition = f"{column} BETWEEN :low{at} AND :high{at}"
        filters.append(Filter("facts", "completion", condition, column))
    times = {"since": query.since, "before": query.before}
    binds |= {name: time for name, time in times.items() if time is not None}
    return Selection(tuple(filters), query.since, query.before, binds)
