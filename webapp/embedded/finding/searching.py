"""Search all stored completions, newest first, for texts and by facts.

A search goes through completions in the order of the list, a bounded number in each statement,
until its page is full or its time is over; its cursor continues it. The rarest of its filters
yields the completions. Texts of three characters and more are looked up in the index of trigrams
first: if it has few candidates, these are all that is read.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from sqlalchemy import Connection, bindparam, text

from webapp.embedded.documents.passages import fold_text
from webapp.embedded.documents.records import index_text
from webapp.embedded.finding.showing import show_found
from webapp.embedded.store.store import Store
from webapp.embedded.store.trigrams import has_trigrams, select_unindexed
from webapp.finding import Cursor, Found, Query, Results

_KEYS_AT_ONCE: Final = 1_000
_PASSAGES_AT_ONCE: Final = 200
"""Completions whose passages one statement reads."""
_MOST_CANDIDATES: Final = 2_000
"""Passages; with more, matches are so frequent that going through the list finds them soon."""
_MOST_PROBED: Final = 1_000
_HITS: Final = 5
_START: Final = Cursor(2**63 - 1, 2**63 - 1)

_CONTAINS: Final = {
    "sqlite": "instr(passages.text, :{term}) > 0",
    "postgresql": "position(:{term} in passages.text) > 0",
}


@dataclass(frozen=True, slots=True)
class _Filter:
    """A condition on rows of `table`, whose column `key` is the completion's seq."""

    table: str
    key: str
    condition: str

    @property
    def as_condition(self) -> str:
        """The condition on a completion `d`."""
        return f"EXISTS (SELECT 1 FROM {self.table} WHERE {self.key} = d.seq AND {self.condition})"

    def select(self, more: str = "") -> str:
        """Return the query for the completions, in the order of an index of the table."""
        return (
            f"SELECT created, {self.key} AS seq FROM {self.table} WHERE {self.condition}{more}"
            f" ORDER BY created DESC, {self.key} DESC LIMIT :rows"
        )


@dataclass(frozen=True, slots=True)
class _Plan:
    """The source of the completions of a search, and the conditions on each of them.

    `bounds` is the time of creation, at which the index of `source` begins and ends.
    """

    source: _Filter
    conditions: tuple[str, ...]
    bounds: str
    binds: dict[str, object]

    def select_keys(self) -> str:
        """Return the query for the next completions, each with whether it fulfils all."""
        checks = " AND ".join(self.conditions) or "1 = 1"
        after = f"{self.bounds} AND (created, {self.source.key}) < (:created, :after)"
        return (
            f"SELECT d.created, d.seq, CASE WHEN {checks} THEN 1 ELSE 0 END AS matches"
            f" FROM ({self.source.select(after)}) AS d ORDER BY d.created DESC, d.seq DESC"
        )

    def select_candidates(self) -> str:
        """Return the query for those of some completions that fulfil all."""
        checks = (self.source.as_condition, *self.conditions)
        return (
            "SELECT d.created, d.seq FROM completions AS d"
            f" WHERE d.seq IN :seqs{self.bounds} AND {' AND '.join(checks)}"
        )


class StoreFinder:
    """Searches the completions of a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def search(self, query: Query, *, after: Cursor | None, limit: int, seconds: float) -> Results:
        """Return up to `limit` completions after a cursor, looking for at most `seconds`."""
        until = time.monotonic() + seconds
        with self._store.connect() as connection:
            terms = [fold_text(term) for term in query.terms]
            plan = _plan(connection, query)
            keys = _iter_keys(connection, plan, after or _START)
            candidates = _find_candidates(connection, query, terms) if terms else None
            if candidates is not None:
                keys = _iter_candidates(connection, plan, candidates, after or _START)
            found: list[Found] = []
            searched = 0
            last: Cursor | None = None
            while some := list(islice(keys, _PASSAGES_AT_ONCE)):
                searched += len(some)
                matching = [key for key, matches in some if matches]
                hits = _find_hits(connection, matching, terms, query.scopes) if terms else {}
                for key in matching:
                    if terms and key.seq not in hits:
                        continue
                    if len(found) == limit:
                        return Results(tuple(found), last, False, searched)
                    found.append(_show(connection, key, hits.get(key.seq, []), terms))
                    last = key
                last = some[-1][0]
                if time.monotonic() >= until:
                    return Results(tuple(found), last, True, searched)
            return Results(tuple(found), None, False, searched)


def _show(
    connection: Connection, key: Cursor, hits: Sequence[tuple[int, str]], terms: Sequence[str]
) -> Found:
    return show_found(connection, key, hits[:_HITS], terms, count=len(hits))


def _plan(connection: Connection, query: Query) -> _Plan:
    """Return the plan in which the rarest filter yields the completions."""
    binds: dict[str, object] = {}
    filters: list[_Filter] = []
    for at, tag in enumerate(query.tags):
        binds[f"tag{at}"] = index_text(tag)
        filters.append(_Filter("tags", "completion", f"tag = :tag{at}"))
    for at, (key, value) in enumerate(query.metadata):
        binds |= {f"key{at}": index_text(key), f"value{at}": index_text(value)}
        filters.append(_Filter("metadata", "completion", f"key = :key{at} AND value = :value{at}"))
    if query.model is not None:
        binds["model"] = index_text(query.model)
        filters.append(_Filter("completions", "seq", "model = :model"))
    ranges = []
    for at, (column, low, high) in enumerate(query.ranges):
        binds |= {f"low{at}": low, f"high{at}": high}
        condition = f"{column} BETWEEN :low{at} AND :high{at}"
        ranges.append(_Filter("facts", "completion", condition).as_condition)
    bounds = ""
    for name, bound, sign in (("since", query.since, ">="), ("before", query.before, "<")):
        if bound is not None:
            binds[name] = bound
            bounds += f" AND created {sign} :{name}"
    filters.sort(key=lambda one: _probe(connection, one, binds))
    source = filters[0] if filters else _Filter("completions", "seq", "1 = 1")
    conditions = (*(one.as_condition for one in filters[1:]), *ranges)
    return _Plan(source, conditions, bounds, binds)


def _probe(connection: Connection, one: _Filter, binds: dict[str, object]) -> int:
    """Return the number of completions that a filter yields, counted up to a bound."""
    used = {name: value for name, value in binds.items() if f":{name}" in one.condition}
    statement = text(f"SELECT count(*) FROM ({one.select()}) AS probed")
    return int(connection.execute(statement, {**used, "rows": _MOST_PROBED}).scalar_one())


def _iter_keys(connection: Connection, plan: _Plan, after: Cursor) -> Iterator[tuple[Cursor, bool]]:
    """Yield the completions after a cursor, with whether they fulfil the plan."""
    statement = text(plan.select_keys())
    while True:
        binds = {"created": after.created, "after": after.seq, "rows": _KEYS_AT_ONCE}
        rows = connection.execute(statement, {**plan.binds, **binds}).all()
        for row in rows:
            after = Cursor(row.created, row.seq)
            yield after, bool(row.matches)
        if len(rows) < _KEYS_AT_ONCE:
            return


def _find_candidates(
    connection: Connection, query: Query, terms: Sequence[str]
) -> list[int] | None:
    """Return the completions whose texts may match; None if the index does not know few."""
    long_terms = [term for term in terms if len(term) >= 3]
    if not long_terms or not has_trigrams(connection):
        return None
    if connection.dialect.name == "postgresql":
        likes = " AND ".join(f"text LIKE :like{at} ESCAPE '!'" for at in range(len(long_terms)))
        statement = f"SELECT completion FROM passages WHERE is_indexed AND {likes} LIMIT :rows"
        binds: dict[str, Any] = {
            f"like{at}": f"%{_escape_like(term)}%" for at, term in enumerate(long_terms)
        }
    else:
        statement = (
            "SELECT completion FROM passages WHERE id IN (SELECT rowid FROM passages_trigrams"
            " WHERE passages_trigrams MATCH :match LIMIT :rows)"
        )
        trigrams = {term[at : at + 3] for term in long_terms for at in range(len(term) - 2)}
        quoted = ('"' + one.replace('"', '""') + '"' for one in sorted(trigrams)[:64])
        binds = {"match": " AND ".join(quoted)}
    rows = connection.execute(text(statement), {**binds, "rows": _MOST_CANDIDATES}).scalars().all()
    if len(rows) == _MOST_CANDIDATES:
        return None
    waiting = text(
        f"SELECT completion FROM passages WHERE {select_unindexed(connection)} LIMIT :rows"
    )
    fresh = connection.execute(waiting, {"rows": _MOST_CANDIDATES}).scalars().all()
    if len(fresh) == _MOST_CANDIDATES:
        return None
    return sorted({*rows, *fresh})


def _escape_like(term: str) -> str:
    return term.replace("!", "!!").replace("%", "!%").replace("_", "!_")


def _iter_candidates(
    connection: Connection, plan: _Plan, candidates: Sequence[int], after: Cursor
) -> Iterator[tuple[Cursor, bool]]:
    """Yield the candidates that fulfil the plan, in the order of the list."""
    statement = text(plan.select_candidates()).bindparams(bindparam("seqs", expanding=True))
    keys = []
    for at in range(0, len(candidates), _PASSAGES_AT_ONCE):
        seqs = candidates[at : at + _PASSAGES_AT_ONCE]
        rows = connection.execute(statement, {**plan.binds, "seqs": seqs}).all()
        keys += [Cursor(row.created, row.seq) for row in rows]
    for key in sorted(keys, reverse=True):
        if key < after:
            yield key, True


def _find_hits(
    connection: Connection, keys: Sequence[Cursor], terms: Sequence[str], scopes: Sequence[str]
) -> dict[int, list[tuple[int, str]]]:
    """Return the position and scope of each passage with all terms, by its completion."""
    if not keys:
        return {}
    contains = _CONTAINS[connection.dialect.name]
    names = {f"term{at}": term for at, term in enumerate(terms)}
    checks = " AND ".join(contains.format(term=name) for name in names)
    statement = text(
        "SELECT completion, position, scope FROM passages WHERE completion IN :seqs"
        f" AND scope IN :scopes AND {checks} ORDER BY completion, position, scope"
    ).bindparams(bindparam("seqs", expanding=True), bindparam("scopes", expanding=True))
    binds = {**names, "seqs": [key.seq for key in keys], "scopes": list(scopes)}
    found: dict[int, list[tuple[int, str]]] = {}
    for row in connection.execute(statement, binds):
        found.setdefault(row.completion, []).append((row.position, row.scope))
    return found
