"""Search all stored completions, newest first, for texts and by facts.

A search walks through the completions that pass its filters, a bounded number at a time, until
its page is full or its time is over; its cursor continues it. Texts of three characters and more
are looked up in the index of trigrams first: if it has few candidates, these are all that is read.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Final

from sqlalchemy import Connection, bindparam, text

from webapp.embedded.documents.records import index_text
from webapp.embedded.finding.checking import FAILED_CALLS, count_unchecked
from webapp.embedded.finding.filters import Selection, build_selection
from webapp.embedded.finding.showing import show_found
from webapp.embedded.finding.walking import ListCursor, walk
from webapp.embedded.store.passages import (
    UNINDEXED,
    find_passages,
    has_trigrams,
)
from webapp.embedded.store.queries import COMPLETION_CURSOR
from webapp.embedded.store.store import Store
from webapp.finding import Cursor, Found, Query, Results, RowNumbers, fold_text

_PASSAGES_AT_ONCE: Final = 200
"""Completions whose passages one statement reads, at most."""
_FIRST_AT_ONCE: Final = 25
_STATEMENT_SECONDS: Final = 0.1
"""A statement that took longer is followed by one for half as many completions."""
_MAX_CANDIDATES: Final = 2_000
"""Passages; with more, matches are so frequent that going through the list finds them soon."""
_HITS: Final = 5
_START: Final = Cursor(2**63 - 1, 2**63 - 1)

_NUMBERS: Final = text(
    "SELECT c.id, f.messages, f.total_tokens, f.duration_ms, f.first_token_ms, t.tag"
    " FROM completions AS c JOIN facts AS f ON f.completion = c.seq"
    " LEFT JOIN tags AS t ON t.completion = c.seq AND t.tag LIKE :failed WHERE c.id IN :ids"
).bindparams(bindparam("ids", expanding=True))


class StoreFinder:
    """Searches the completions of a store.

    One statement reads the texts of up to `at_once` of them. `clock` returns seconds.
    """

    def __init__(
        self,
        store: Store,
        *,
        at_once: int = _PASSAGES_AT_ONCE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._at_once = at_once
        self._clock = clock

    def find_numbers(self, ids: Sequence[str]) -> dict[str, RowNumbers]:
        """Find the numbers of stored completions by their ids."""
        if not ids:
            return {}
        binds = {"ids": [index_text(one) for one in ids], "failed": f"{FAILED_CALLS}%"}
        return {
            row.id: RowNumbers(
                messages=row.messages,
                total_tokens=row.total_tokens,
                duration_ms=row.duration_ms,
                first_token_ms=row.first_token_ms,
                failed_calls=int((row.tag or "0").removeprefix(FAILED_CALLS)),
            )
            for row in self._store.read(lambda opened: opened.execute(_NUMBERS, binds).all())
        }

    def count_newer(
        self,
        completion_id: str,
        query: Query,
        *,
        model: str | None,
        metadata: Sequence[tuple[str, str]],
        most: int,
    ) -> int:
        """Count the newer completions that pass the filters, at most `most`."""
        selection = build_selection(query, model=model, metadata=metadata)

        def count(connection: Connection) -> int:
            after = {"after": index_text(completion_id)}
            row = connection.execute(COMPLETION_CURSOR, after).one_or_none()
            if row is None:
                return 0
            place = ListCursor(None, row.created, row.seq)
            found = walk(connection, selection, order="asc", after=place, rows=most)
            return len(found.places)

        return self._store.read(count)

    def count_unchecked(self, most: int) -> int:
        """Count the completions that the checks have yet to read, at most `most`."""
        return self._store.read(partial(count_unchecked, most=most))

    def count_faults(self, completion_id: str, *, rules: int) -> int | None:
        """Count the errors and warnings that `rules` found in a completion; None if not checked."""
        return self._store.count_faults(completion_id, rules=rules)

    def search(self, query: Query, *, after: Cursor | None, limit: int, seconds: float) -> Results:
        """Search for up to `limit` completions after a cursor, for at most `seconds`."""
        until = self._clock() + seconds
        search = partial(self._search, query=query, after=after, limit=limit, until=until)
        return self._store.read(search)

    def _search(
        self,
        connection: Connection,
        *,
        query: Query,
        after: Cursor | None,
        limit: int,
        until: float,
    ) -> Results:
        pace = _Pace(self._at_once)
        terms = [fold_text(term) for term in query.terms]
        selection = build_selection(query)
        candidates = _find_candidates(connection, query, terms) if terms else None
        if candidates is None:
            batches = _iter_passing(connection, selection, after, pace)
        else:
            start = after or _START
            batches = _iter_candidates(connection, selection, candidates, start, pace)
        found: list[Found] = []
        searched = 0
        last = after
        for keys, end in batches:
            began = self._clock()
            seqs = [key.seq for key in keys] if terms else []
            hits = find_passages(connection, seqs, terms, query.scopes)
            pace.adapt(self._clock() - began)
            for at, key in enumerate(keys, 1):
                if terms and key.seq not in hits:
                    continue
                if len(found) == limit:
                    return Results(tuple(found), last, False, searched + len(keys))
                its = hits.get(key.seq, [])
                shown = show_found(connection, key, its[:_HITS], terms, count=len(its))
                found.append(shown)
                last = key
                # To show one reads its messages, which may be long.
                if at < len(keys) and len(found) < limit and self._clock() >= until:
                    return Results(tuple(found), key, True, searched + at)
            searched += len(keys)
            last = end
            if end is not None and self._clock() >= until:
                return Results(tuple(found), end, len(found) < limit, searched)
        return Results(tuple(found), None, False, searched)


class _Pace:
    """How many completions the next statement reads the texts of.

    A few at first: those of 200 may be a gigabyte, and the time is looked at only between two
    statements. As many as are read soon later, since each statement has its own cost.
    """

    def __init__(self, at_once: int) -> None:
        self._most = at_once
        self.at_once = min(_FIRST_AT_ONCE, at_once)

    def adapt(self, seconds: float) -> None:
        """Adapt it to the time of the last statement."""
        is_soon = seconds <= _STATEMENT_SECONDS
        self.at_once = min(self._most, self.at_once * 2) if is_soon else max(1, self.at_once // 2)


def _iter_passing(
    connection: Connection, selection: Selection, after: Cursor | None, pace: _Pace
) -> Iterator[tuple[Sequence[Cursor], Cursor | None]]:
    """Yield completions that pass the filters, newest first, each batch with where it ends.

    That is None after the last batch.
    """
    place = ListCursor(None, *after) if after else None
    while True:
        rows = pace.at_once
        walked = walk(connection, selection, order="desc", after=place, rows=rows)
        is_full = len(walked.places) == rows
        place = walked.places[-1] if is_full else walked.resume
        end = None if place is None else Cursor(place.created, place.seq)
        yield [Cursor(one.created, one.seq) for one in walked.places], end
        if end is None:
            return


def _find_candidates(
    connection: Connection, query: Query, terms: Sequence[str]
) -> list[int] | None:
    """Find the completions whose texts may match; None if the index does not know few."""
    long_terms = [term for term in terms if len(term) >= 3]
    if not long_terms or not has_trigrams(connection):
        return None
    if connection.dialect.name == "postgresql":
        likes = " AND ".join(f"text LIKE :like{at} ESCAPE '!'" for at in range(len(long_terms)))
        marked = "SELECT completion FROM passage_groups WHERE is_indexed"
        statement = f"{marked} AND {likes} LIMIT :rows"
        escaped = (re.sub("[!%_]", r"!\g<0>", term) for term in long_terms)
        binds: dict[str, Any] = {f"like{at}": f"%{term}%" for at, term in enumerate(escaped)}
    else:
        statement = (
            "SELECT completion FROM passages WHERE id IN (SELECT rowid FROM passages_trigrams"
            " WHERE passages_trigrams MATCH :match LIMIT :rows)"
        )
        trigrams = {term[at : at + 3] for term in long_terms for at in range(len(term) - 2)}
        quoted = ('"' + one.replace('"', '""') + '"' for one in sorted(trigrams)[:64])
        binds = {"match": " AND ".join(quoted)}
    rows = connection.execute(text(statement), {**binds, "rows": _MAX_CANDIDATES}).scalars().all()
    if len(rows) == _MAX_CANDIDATES:
        return None
    waiting = text(f"SELECT completion FROM {UNINDEXED[connection.dialect.name]} LIMIT :rows")
    fresh = connection.execute(waiting, {"rows": _MAX_CANDIDATES}).scalars().all()
    if len(fresh) == _MAX_CANDIDATES:
        return None
    return sorted({*rows, *fresh})


def _iter_candidates(
    connection: Connection,
    selection: Selection,
    candidates: Sequence[int],
    after: Cursor,
    pace: _Pace,
) -> Iterator[tuple[Sequence[Cursor], Cursor | None]]:
    """Yield the candidates after a cursor that pass the filters, as `_iter_passing` does."""
    statement = text(
        "SELECT d.created, d.seq FROM completions AS d"
        f" WHERE d.seq IN :seqs{selection.bound('d.created')}{selection.checks('d.seq')}"
    ).bindparams(bindparam("seqs", expanding=True))
    keys: list[Cursor] = []
    for at in range(0, len(candidates), _PASSAGES_AT_ONCE):
        seqs = candidates[at : at + _PASSAGES_AT_ONCE]
        rows = connection.execute(statement, {**selection.binds, "seqs": seqs}).all()
        keys += [Cursor(row.created, row.seq) for row in rows]
    keys = [key for key in sorted(keys, reverse=True) if key < after]
    at = 0
    while at < len(keys):
        some = keys[at : at + pace.at_once]
        at += len(some)
        yield some, some[-1] if at < len(keys) else None
