"""Count the completions of the store that pass filters: over time, by model, failure and tool.

A count reads indexes alone, and a bounded number of their rows: the newest completions, if there
are more. Those of a few completions are sought one by one; those of many are read in the order of
each index. Counts that took a while are kept for a minute, others for some seconds or until a
completion is added.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, count
from threading import Lock
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, text

from webapp.embedded.finding.filters import Filter, Selection, build_selection
from webapp.embedded.store.store import Store
from webapp.finding import Query
from webapp.finding.results import MAX_BARS, MAX_NAMES, OUTCOMES, Bar, Overview, Tally

MAX_COUNTED: Final = 100_000
FEW: Final = 10_000
"""Completions whose rows are sought one by one; counts of more are kept for long."""
_KEPT_SECONDS: Final = 60.0
_FEW_SECONDS: Final = 5.0
"""Other processes may have deleted or changed some of a few completions this long ago."""
_MAX_KEPT: Final = 64
_MAX_PROBED: Final = 50_000

_TAGS: Final = {
    "broken off": ("failure:incomplete",),
    "content filter": ("failure:content_filter",),
    "refused": ("failure:refusal",),
    "cut off": ("failure:length",),
    "tool calls": ("finish:tool_calls", "finish:function_call"),
    "stop": ("finish:stop",),
}
_FAILURES: Final = ("has:failure", *(tag for tag in sum(_TAGS.values(), ()) if "failure:" in tag))
_DAY: Final = 86_400
_WIDTHS: Final = (
    *(60, 300, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200),
    *(_DAY, 2 * _DAY, 7 * _DAY, 14 * _DAY, 28 * _DAY, 91 * _DAY, 364 * _DAY),
)
"""Seconds of a bar."""
_LEAST_BARS: Final = 24
_MONDAY: Final = 4 * _DAY
"""The first Monday, where weeks are counted from."""

# In SQLite a range of the index; the order of texts in PostgreSQL is that of its collation.
_IS_TOOL: Final = {
    "sqlite": "t.tag >= 'tool:' AND t.tag < 'tool;'",
    "postgresql": "t.tag LIKE 'tool:%'",
}
# In SQLite a seek in the index of the counts; PostgreSQL would multiply two chances that depend on
# each other, expect one row, and look for it in all the others.
_IS_FACTS_OF: Final = {
    "sqlite": "f.created = t.created AND f.completion = t.seq",
    "postgresql": "f.completion = t.seq",
}
_NEWEST: Final = text("SELECT max(seq) FROM completions")
_LACKS_OLD: Final = text(
    "SELECT EXISTS (SELECT 1 FROM completions AS c WHERE seq > (SELECT filled FROM derived)"
    " AND NOT EXISTS (SELECT 1 FROM facts WHERE completion = c.seq))"
)


class StoreOverview:
    """Counts the completions of a store, at most the newest `most` that a filter yields."""

    def __init__(
        self,
        store: Store,
        *,
        most: int = MAX_COUNTED,
        few: int = FEW,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._most, self._few = most, few
        self._clock = clock
        self._kept: dict[Query, _Kept] = {}
        self._lock = Lock()

    def summarize(self, query: Query) -> Overview:
        """Count the completions that pass the filters of `query`; its texts do not matter.

        Those of many completions may be a minute old. Those of few lack no completion that is
        stored, but may have some that another process deleted some seconds ago.
        """
        query = replace(query, terms=(), scopes=Query().scopes)
        with self._lock:
            kept = self._kept.get(query)
        if kept is not None and self._clock() < kept.until and kept.state is None:
            return kept.overview
        with self._store.connect() as connection:
            state = (self._store.changes, connection.execute(_NEWEST).scalar())
        if kept is not None and self._clock() < kept.until and kept.state == state:
            return kept.overview
        selection = build_selection(query)
        found = self._store.read(
            lambda connection: _Count(connection, selection, self._most, self._few).summarize()
        )
        is_large = found.total.completions > self._few
        until = self._clock() + (_KEPT_SECONDS if is_large else _FEW_SECONDS)
        with self._lock:
            self._kept.pop(query, None)
            self._kept[query] = _Kept(until, None if is_large else state, found)
            while len(self._kept) > _MAX_KEPT:
                del self._kept[next(iter(self._kept))]
        return found


class _Kept(NamedTuple):
    """Counts that are kept `until` a time of the clock, and while the store is in a `state`."""

    until: float
    state: tuple[int, int | None] | None
    overview: Overview


@dataclass(frozen=True, slots=True)
class _Span:
    """The completions that are counted.

    `first` and `last` are the least and greatest known time of creation. The count begins at
    `lowest`, a time and a seq, if there are too many.
    """

    completions: int
    first: int | None
    last: int | None
    lowest: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class _Count:
    connection: Connection
    selection: Selection
    most: int
    few: int

    def summarize(self) -> Overview:
        matched = self._select_matched()
        span = self._find_span(matched)
        lacks_old = bool(self.connection.execute(_LACKS_OLD).scalar())
        if not span.completions:
            return Overview(lacks_old=lacks_old)
        starts = _divide(span)
        statement = self._count_all(matched, span, starts)
        binds = self.selection.binds | {"most": self.most, "names": MAX_NAMES}
        rows = self.connection.execute(text(statement), binds).all()
        return replace(
            _build(rows, starts),
            counted_from=span.lowest[0] if span.lowest else None,
            counted_at=int(time.time()) if span.completions > self.few else None,
            lacks_old=lacks_old,
        )

    def _select_matched(self) -> str:
        """Select the tables `looked`, the newest rows of the rarest filter, and `matched`.

        Those are its completions that pass all filters, each with `created` and `seq`.
        """
        filters = self.selection.filters
        ordered = [one for one in filters if one.is_ordered]
        if ordered:
            source = min(ordered, key=self._probe)
            checks = self.selection.checks("d.seq", without=source)
        else:
            conditions = " AND ".join(one.condition for one in filters)
            source, checks = Filter("facts", "completion", conditions or "1 = 1"), ""
        return (
            f"WITH looked AS (SELECT created, {source.key} AS seq FROM {source.table}"
            f" WHERE {source.condition}{self.selection.bound('created')}"
            f" ORDER BY created DESC, {source.key} DESC LIMIT :most), matched AS"
            f" (SELECT d.created, d.seq FROM looked AS d WHERE 1 = 1{checks})"
        )

    def _probe(self, one: Filter) -> int:
        """Count the rows that a filter yields, up to a bound."""
        binds = self.selection.binds
        used = {name: value for name, value in binds.items() if f":{name}" in one.condition}
        statement = text(
            f"SELECT count(*) FROM (SELECT 1 FROM {one.table} WHERE {one.condition} LIMIT :rows)"
            " AS probed"
        )
        return int(self.connection.execute(statement, used | {"rows": _MAX_PROBED}).scalar_one())

    def _find_span(self, matched: str) -> _Span:
        statement = text(
            f"{matched} SELECT count(*) AS matching, min(CASE WHEN created > 0 THEN created END)"
            " AS first, max(created) AS last, (SELECT count(*) FROM looked) AS looked FROM matched"
        )
        binds = self.selection.binds | {"most": self.most}
        row = self.connection.execute(statement, binds).one()
        lowest = None
        if row.looked == self.most:
            statement = text(
                f"{matched} SELECT created, seq FROM looked ORDER BY created, seq LIMIT 1"
            )
            created, seq = self.connection.execute(statement, binds).one()
            lowest = (created, seq)
        return _Span(row.matching, row.first, row.last or None, lowest)

    def _count_all(self, matched: str, span: _Span, starts: range) -> str:
        """Build the query for all counts, one to a row, each with the name of its `part`."""
        dialect = self.connection.dialect.name
        facts, within_facts = self._select_rows(span, "facts", "completion")
        tags, within_tags = self._select_rows(span, "tags", "completion")
        completions, within = self._select_rows(span, "completions", "seq")
        bar = f"CASE WHEN t.created > 0 THEN (t.created - {starts.start}) / {starts.step} END"
        sums = "count(*), sum(f.prompt_tokens), sum(f.completion_tokens), count(f.prompt_tokens)"
        ranks = " ".join(
            f"WHEN '{tag}' THEN {rank}"
            for rank, outcome in enumerate(OUTCOMES)
            for tag in _TAGS.get(outcome, ())
        )
        return (
            f"{matched} SELECT 'time' AS part, {bar} AS bar, CAST(NULL AS TEXT) AS name,"
            " count(*) AS completions, sum(t.prompt_tokens) AS input,"
            " sum(t.completion_tokens) AS output, count(t.prompt_tokens) AS known"
            f" FROM {facts} WHERE {within_facts} GROUP BY 2"
            f" UNION ALL SELECT 'outcome', bar, CAST(rank AS TEXT), count(*), NULL, NULL, 0 FROM"
            f" (SELECT t.completion, {bar} AS bar, min(CASE t.tag {ranks} END) AS rank FROM {tags}"
            f" WHERE {within_tags} AND t.tag IN ({_quote(sum(_TAGS.values(), ()))})"
            " GROUP BY t.completion, t.created) AS ended GROUP BY bar, rank"
            f" UNION ALL SELECT * FROM (SELECT 'model', CAST(NULL AS BIGINT), t.model, {sums}"
            f" FROM {completions} CROSS JOIN facts AS f WHERE {within}"
            f" AND {_IS_FACTS_OF[dialect]}"
            " GROUP BY t.model ORDER BY 4 DESC, t.model IS NULL, t.model LIMIT :names) AS models"
            f" UNION ALL SELECT 'failure', NULL, t.tag, count(*), NULL, NULL, 0 FROM {tags}"
            f" WHERE {within_tags} AND t.tag IN ({_quote(_FAILURES)}) GROUP BY t.tag"
            " UNION ALL SELECT * FROM (SELECT 'tool', CAST(NULL AS BIGINT), t.tag, count(*),"
            " CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), 0"
            f" FROM {tags} WHERE {within_tags} AND {_IS_TOOL[dialect]}"
            " GROUP BY t.tag ORDER BY 4 DESC, 3 LIMIT :names) AS tools"
        )

    def _select_rows(self, span: _Span, table: str, key: str) -> tuple[str, str]:
        """Select the tables and the condition for the rows `t` of the completions that match."""
        if span.completions <= self.few:
            return f"matched AS m CROSS JOIN {table} AS t", f"t.{key} = m.seq"
        within = f"1 = 1{self.selection.bound('t.created')}"
        if span.lowest:
            created, seq = span.lowest
            within += f" AND (t.created, t.{key}) >= ({created}, {seq})"
        if self.selection.filters:
            # Its sign keeps SQLite from seeking the rows of each completion.
            within += f" AND +t.{key} IN (SELECT seq FROM matched)"
        return f"{table} AS t", within


def _divide(span: _Span) -> range:
    """Divide the known times of creation into bars, and return where they start.

    They are in steps of their width, which divides days or whole weeks where it can. A short time
    has empty bars before it.
    """
    if span.first is None or span.last is None:
        return range(0, 0, _DAY)
    for width in chain(_WIDTHS, count(2 * _WIDTHS[-1], _WIDTHS[-1])):
        origin = _MONDAY if width % (7 * _DAY) == 0 else 0
        low, high = ((at - origin) // width for at in (span.first, span.last))
        if high - low < MAX_BARS:
            low = min(low, high + 1 - _LEAST_BARS)
            return range(low * width + origin, (high + 1) * width + origin, width)
    raise AssertionError("widths have no end")


def _build(rows: Sequence[Any], starts: range) -> Overview:
    """Build the overview from the rows of `_Count._count_all`."""
    parts: defaultdict[str, list[Any]] = defaultdict(list)
    for row in rows:
        parts[row.part].append(row)
    tallies = {row.bar: _read_tally(row) for row in parts["time"]}
    ended: defaultdict[int | None, Counter[str]] = defaultdict(Counter)
    for row in parts["outcome"]:
        ended[row.bar][OUTCOMES[int(row.name)]] += row.completions
    for at, tally in tallies.items():
        ended[at]["other"] = tally.completions - ended[at].total()
    failures = {row.name: row.completions for row in parts["failure"]}
    nothing = Tally()
    return Overview(
        total=_add(tallies.values()),
        outcomes=_order(sum(ended.values(), Counter())),
        bars=tuple(
            Bar(start, start + starts.step, tallies.get(at, nothing), _order(ended[at]))
            for at, start in enumerate(starts)
        ),
        timeless=tallies.get(None, nothing).completions,
        models=tuple((row.name, _read_tally(row)) for row in parts["model"]),
        failures={tag: failures[tag] for tag in _FAILURES if tag in failures},
        tools=tuple((row.name.removeprefix("tool:"), row.completions) for row in parts["tool"]),
    )


def _read_tally(row: Any) -> Tally:
    # PostgreSQL sums counts to decimals if they might not fit.
    read, written = (None if one is None else int(one) for one in (row.input, row.output))
    return Tally(row.completions, read, written, row.known)


def _add(tallies: Collection[Tally]) -> Tally:
    def add(numbers: Iterable[int | None]) -> int | None:
        known = [number for number in numbers if number is not None]
        return sum(known) if known else None

    return Tally(
        sum(one.completions for one in tallies),
        add(one.input_tokens for one in tallies),
        add(one.output_tokens for one in tallies),
        sum(one.known for one in tallies),
    )


def _order(ended: Mapping[str, int]) -> dict[str, int]:
    return {outcome: ended[outcome] for outcome in OUTCOMES if ended.get(outcome)}


def _quote(tags: Iterable[str]) -> str:
    return ", ".join(f"'{tag}'" for tag in tags)
