"""Walk through the completions that pass filters, in an order, by index seeks and bounded scans.

Every index that has rows in the order of the list is a way to walk: that of a tag, of a pair of
metadata, of a model. A walk goes in growing chunks. Before each, it asks every index how far its
next rows lead, and takes the one that leads farthest, which is the rarest filter from there on;
the other filters are conditions on each row. A filter that has few rows in all needs no order:
its rows are sorted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice, repeat
from typing import Any, Final, NamedTuple, TypeAlias

from sqlalchemy import Connection, CursorResult, bindparam, text

from webapp.embedded.finding.filters import Filter, Selection
from webapp.embedded.store.pages import Order

CHUNKS: Final = (500, 5_000, 25_000)
"""Rows of an index; together the most that a bounded walk looks at."""
_FEW: Final = 2
"""So many times the rows of a chunk are sorted in about the time that looking at it takes."""
_FOLDED: Final = 500
"""Of sorted completions, how many are asked at once whether their conversation goes on."""
_FARTHEST: Final = 2**63 - 1
_EVERY_ROW: Final = "1 = 1"
"""A condition to which others are added."""

_SIGNS: Final = {"asc": (">", "<="), "desc": ("<", ">=")}


_Key: TypeAlias = tuple[int, ...]


class ListCursor(NamedTuple):
    """A completion's place in a list; `value` is the number it is sorted by, if any."""

    value: int | None
    created: int
    seq: int


@dataclass(frozen=True, slots=True)
class Walked:
    """The completions found. `resume` is where a bounded walk ended before it had enough."""

    places: tuple[ListCursor, ...]
    resume: ListCursor | None = None


@dataclass(frozen=True, slots=True)
class _Way:
    """An index whose rows fulfil `condition` and are in the order of `columns`.

    The columns are the time of creation and the seq; if it `has_number`, before them the number
    that the list is sorted by. All rows pass `filter`.
    """

    table: str
    condition: str
    columns: tuple[str, ...]
    filter: Filter | None = None

    @property
    def has_number(self) -> bool:
        """Whether its rows are sorted by a number first; else by the time alone."""
        return len(self.columns) == 3

    @property
    def names(self) -> tuple[str, ...]:
        return ("value", "created", "seq") if self.has_number else ("created", "seq")

    def to_place(self, row: Sequence[Any]) -> ListCursor:
        return ListCursor(row[0] if self.has_number else None, row[-2], row[-1])

    def to_key(self, place: ListCursor) -> _Key:
        by_time = (place.created, place.seq)
        return (place.value or 0, *by_time) if self.has_number else by_time

    def to_end(self, far: int) -> _Key:
        """Build the key of a place beyond all rows, with `far` in each column."""
        return (far,) * len(self.columns)


_ALL: Final = _Way("completions", _EVERY_ROW, ("created", "seq"))


def walk(
    connection: Connection,
    selection: Selection,
    *,
    order: Order,
    after: ListCursor | None,
    rows: int,
    sort: str | None = None,
    folds: bool = False,
    is_bounded: bool = True,
    chunks: Sequence[int] = CHUNKS,
) -> Walked:
    """List up to `rows` completions after a place.

    They are sorted by the column `sort` of facts, those without a number last, or by time. If it
    `folds`, only the last one of each conversation that passes the filters. A walk that is not
    bounded ends with the list. `chunks` are the numbers of rows of an index to look at.
    """
    walker = _Walker(connection, selection, order, sort, folds)
    found: list[ListCursor] = []
    for phase in walker.list_phases(after):
        sizes = chain(chunks, () if is_bounded else repeat(chunks[-1]))
        start: ListCursor | None = after if after and walker.is_within(phase, after) else None
        ends = False
        while not ends:
            size = next(sizes, None)
            if size is None:
                return Walked(tuple(found), start)
            places, start = walker.take(phase, start, size, rows - len(found))
            found += places
            if len(found) >= rows:
                return Walked(tuple(found))
            ends = start is None
    return Walked(tuple(found))


@dataclass(frozen=True, slots=True)
class _Walker:
    connection: Connection
    selection: Selection
    order: Order
    sort: str | None
    folds: bool

    def list_phases(self, after: ListCursor | None) -> Iterator[tuple[_Way, ...]]:
        """Yield the ways through each part of the list: with a number, then those without one."""
        if self.sort is None:
            ways = tuple(
                _Way(one.table, one.condition, ("created", one.key), one)
                for one in self.selection.filters
                if one.is_ordered
            )
            yield ways or (_ALL,)
            return
        if after is None or after.value is not None:
            columns = (self.sort, "created", "completion")
            yield (_Way("facts", f"{self.sort} IS NOT NULL", columns),)
        if self.sort != "messages":
            yield (_Way("facts", f"{self.sort} IS NULL", ("created", "completion")),)

    def is_within(self, phase: tuple[_Way, ...], place: ListCursor) -> bool:
        """Return whether `place` is in a part of the list."""
        has_number = self.sort is not None and place.value is not None
        return has_number == phase[0].has_number

    def take(
        self, ways: tuple[_Way, ...], start: ListCursor | None, size: int, rows: int
    ) -> tuple[list[ListCursor], ListCursor | None]:
        """List some completions after `start`, and where the chunk ends; None if all are done."""
        best = ways[0]
        has_others = any(one is not best.filter for one in self.selection.filters)
        is_bounded = self.sort is not None and self.selection.has_bounds
        if not (has_others or self.folds or is_bounded):
            # All rows of the index are listed, so that none are looked at in vain.
            return self._walk_until(best, start, None, rows), None
        end = self._find_end(best, start, size)
        for way in ways[1:]:
            if end is None:
                break
            other = self._find_end(way, start, size)
            if other is None or (other < end) == (self.order == "desc"):
                best, end = way, other
        if end is not None and (few := self._find_few(size * _FEW)) is not None:
            return self._sort_few(best, few, start, rows), None
        return self._walk_until(best, start, end, rows), end

    def _find_end(self, way: _Way, start: ListCursor | None, size: int) -> ListCursor | None:
        """Find the last of the next `size` rows, or None if there are fewer.

        For completions with `metadata:team=travel`, newest first, after a place:

            SELECT created, completion FROM metadata
            WHERE key = :key0 AND value = :value0
              AND (created, completion) < (:after0, :after1)
              AND (created, completion) >= (:until0, :until1)
            ORDER BY created desc, completion desc LIMIT 1 OFFSET :skipped
        """
        condition, binds = self._between(way, way.columns, start, None)
        statement = (
            f"SELECT {', '.join(way.columns)} FROM {way.table}"
            f" WHERE {way.condition}{condition} ORDER BY {self._sorted_by(way.columns)}"
            " LIMIT 1 OFFSET :skipped"
        )
        row = self._execute(statement, binds | {"skipped": size - 1}).one_or_none()
        return None if row is None else way.to_place(row)

    def _find_few(self, size: int) -> Filter | None:
        """Find a filter that at most `size` completions within the bounds of time pass."""
        filters = [one for one in self.selection.filters if self.sort or not one.is_ordered]
        if self.sort and self.selection.has_bounds:
            filters.append(Filter("facts", "completion", _EVERY_ROW))
        for one in filters:
            statement = f"SELECT count(*) FROM ({self._select(one, '1')}) AS s"
            if self._execute(statement, {"most": size + 1}).scalar_one() <= size:
                return one
        return None

    def _walk_until(
        self, way: _Way, start: ListCursor | None, end: ListCursor | None, rows: int
    ) -> list[ListCursor]:
        condition, binds = self._between(way, way.columns, start, end)
        listed = (f"{old} AS {new}" for old, new in zip(way.columns, way.names, strict=True))
        source = f"SELECT {', '.join(listed)} FROM {way.table} WHERE {way.condition}{condition}"
        fold = self.selection.is_last if self.folds else ""
        return self._read_passing(way, source, fold, way.filter, binds | {"rows": rows})

    def _sort_few(
        self, way: _Way, few: Filter, start: ListCursor | None, rows: int
    ) -> list[ListCursor]:
        """Sort those of the few completions that are in the part of the list of `way`.

        If the list folds, only the first ones are asked for the rest of their conversation.
        """
        columns, part = f"o.created, o.{few.key} AS seq", ""
        if self.sort is not None:
            value = f"(SELECT f.{self.sort} FROM facts AS f WHERE f.completion = o.{few.key})"
            columns = f"{f'o.{self.sort}' if few.table == 'facts' else value} AS value, {columns}"
            part = f" AND value IS {'NOT ' if way.has_number else ''}NULL"
        source = self._select(few, columns)
        found: list[ListCursor] = []
        all_rows = sum(CHUNKS) * _FEW
        for most in (_FOLDED, all_rows):
            condition, binds = self._between(way, way.names, start, None)
            limits = {"most": all_rows, "rows": most if self.folds else rows}
            passing = self._read_passing(way, source, part + condition, few, binds | limits)
            last = self._iter_last(passing) if self.folds else passing
            found += islice(last, rows - len(found))
            if len(found) == rows or len(passing) < most:
                break
            start = passing[-1]
        return found

    def _iter_last(self, passing: Sequence[ListCursor]) -> Iterator[ListCursor]:
        """Yield those completions that are the last one of their conversation to pass."""
        for at in range(0, len(passing), _FOLDED):
            some = passing[at : at + _FOLDED]
            statement = text(
                "SELECT seq FROM (SELECT created, seq FROM completions WHERE seq IN :seqs) AS d"
                f" WHERE {_EVERY_ROW}{self.selection.is_last}"
            ).bindparams(bindparam("seqs", expanding=True))
            binds = self.selection.binds | {"seqs": [place.seq for place in some]}
            last = set(self.connection.execute(statement, binds).scalars())
            yield from (place for place in some if place.seq in last)

    def _select(self, few: Filter, columns: str) -> str:
        """Build the query for up to `:most` rows of a filter within the bounds of time.

        Its limit and its order keep the databases from taking another index for it:

            SELECT 1 FROM tags AS o WHERE tag = :tag0 AND created >= :since
            ORDER BY created LIMIT :most
        """
        # So does the plus sign.
        bound = self.selection.bound("created" if few.is_ordered else "+created")
        return (
            f"SELECT {columns} FROM {few.table} AS o WHERE {few.condition}{bound}"
            f" ORDER BY {few.column} LIMIT :most"
        )

    def _read_passing(
        self, way: _Way, source: str, further: str, known: Filter | None, binds: dict[str, object]
    ) -> list[ListCursor]:
        """Read the completions of a query that pass the filters and `further` conditions.

        All of them pass the filter that is `known`. With the index of metadata as the `source`, and
        a model as another filter:

            SELECT created, seq FROM (
              SELECT created AS created, completion AS seq FROM metadata
              WHERE key = :key0 AND value = :value0 AND …
            ) AS d WHERE 1 = 1 AND (
              SELECT 1 FROM completions AS o WHERE o.seq = d.seq AND model = :model0 LIMIT 1
            ) IS NOT NULL ORDER BY created desc, seq desc LIMIT :rows
        """
        checks = self.selection.checks("d.seq", without=known)
        statement = (
            f"SELECT {', '.join(way.names)} FROM ({source}) AS d"
            f" WHERE {_EVERY_ROW}{checks}{further}"
            f" ORDER BY {self._sorted_by(way.names)} LIMIT :rows"
        )
        return [way.to_place(row) for row in self._execute(statement, binds)]

    def _between(
        self, way: _Way, columns: tuple[str, ...], start: ListCursor | None, end: ListCursor | None
    ) -> tuple[str, dict[str, object]]:
        """Build the condition on the rows after `start` and up to `end`, within the bounds.

        In an order by time, the bounds are those of the index: it takes one on each side.
        """
        low, high = self.selection.since, self.selection.before
        is_desc = self.order == "desc"
        far = _FARTHEST if is_desc else -_FARTHEST
        begin: _Key = way.to_key(start) if start else way.to_end(far)
        until: _Key = way.to_key(end) if end else way.to_end(-far)
        bound = ""
        if self.sort is not None:
            bound = self.selection.bound("+created")
        elif is_desc:
            begin = begin if high is None else min(begin, (high, -_FARTHEST))
            until = until if low is None else max(until, (low, -_FARTHEST))
        else:
            begin = begin if low is None else max(begin, (low, -_FARTHEST))
            until = until if high is None else min(until, (high, -_FARTHEST))
        after, up_to = _SIGNS[self.order]
        binds: dict[str, object] = {}
        condition = ""
        for name, sign, key in (("after", after, begin), ("until", up_to, until)):
            binds |= {f"{name}{at}": value for at, value in enumerate(key)}
            names = ", ".join(f":{name}{at}" for at in range(len(key)))
            condition += f" AND ({', '.join(columns)}) {sign} ({names})"
        return condition + bound, binds

    def _sorted_by(self, columns: tuple[str, ...]) -> str:
        return ", ".join(f"{column} {self.order}" for column in columns)

    def _execute(self, statement: str, binds: dict[str, object]) -> CursorResult[Any]:
        return self.connection.execute(text(statement), self.selection.binds | binds)
