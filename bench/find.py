"""Measure the list by filters and the search in a large store, SQLite and PostgreSQL side by side.

`python -m bench.find` generates 100,000 completions with ten message parts each, by statements of
the databases; `--completions 1000000` makes a million, and ten million parts. It prints the time of
adding with and without the derived rows, the size of their tables against the text, a page of the
list by each filter and each pair of them, in each order, and searches for a rare, a common, a
two-character and an absent term, first page and continued. `--no-index` leaves out the trigrams.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from itertools import chain, combinations
from pathlib import Path
from typing import Final

from sqlalchemy import NullPool, create_engine, text

from bench.filling import generate
from tools.memory import HAS_PEAKS, read_peak, reset_peak
from tools.postgres import HOW_TO_INSTALL, find_programs, running_postgres
from webapp.database import Database, open_database
from webapp.embedded import Store, StoreFinder
from webapp.embedded.documents.facts import extract_facts
from webapp.embedded.documents.records import (
    CompletionRecord,
    build_record,
    parse_json,
    parse_record,
)
from webapp.embedded.store.pages import ListRequest, PageRequest
from webapp.embedded.store.passages import TABLES
from webapp.embedded.store.writing import add_parts, add_record
from webapp.exact_json import Array, Object
from webapp.finding import Cursor, parse_query
from webapp.finding.query import SORTS, BadQuery

AT_ONCE: Final = 50_000
ADDED: Final = 1_000
"""Completions that are added through the store, for the time of adding."""
ADDING_TURNS: Final = 4
PARTS: Final = 10
START: Final = 1_760_000_000

WORDS: Final = (
    *("finish:stop", "finish:length", "has:failure", "has:image", "has:logprobs"),
    *("tool:shell", "tool:read_file", "tool:rare", "model:m1", "model:rare", "model:nobody"),
    *("metadata:team=t1", "metadata:team=t2", "metadata:user=u7", "tokens:>99000", "tokens:<500"),
    *("messages:>8", "duration:>59000", "since:2025-10-10", "before:2025-10-10"),
)
TERMS: Final = {
    "rare": "zyzzyva",
    "common": "w17",
    "two characters": "東京",
    "absent": "qqqqqq",
    "common, by a filter": "tool:rare w17",
}

_TAGS: Final = (
    "CASE n % 10 WHEN 7 THEN 'finish:length' WHEN 8 THEN 'finish:tool_calls' ELSE 'finish:stop'"
    " END",
    "CASE WHEN n % 10 = 7 THEN 'has:failure' END",
    "CASE WHEN n % 2 = 0 THEN 'tool:shell' ELSE 'tool:read_file' END",
    "CASE WHEN n % 20000 = 0 THEN 'tool:rare' END",
    "CASE WHEN n % 100 = 0 THEN 'has:image' END",
    "CASE WHEN n % 1000 = 0 THEN 'has:logprobs' END",
)
_PAIRS: Final = {"team": "'t' || (n % 3)", "run": "'r' || (n % 1000)", "user": "'u' || (n % 5000)"}
_TEXT: Final = (
    # In SQLite, || comes before all arithmetic.
    "'w' || (n * 7919 % 5003) || ' of w' || (n * 31 % 97) || ' and w' || ((n + p) * 104729 % 50021)"
    " || CASE WHEN n % 50 = p THEN ' 東京の天気 ' ELSE ' the weather ' END || 'in w' || (n % 1009)"
    " || CASE WHEN n % 50000 = 1 AND p = 3 THEN ' zyzzyva' ELSE '' END || ' ' || (n * p)"
)
_MESSAGE: Final = f"""'{{"role":"user","content":"' || {_TEXT} || '"}}'"""
_ROWS: Final = (
    "INSERT INTO completions (seq, id, created, model, digest, is_large, wire_json, given_json,"
    f" stored) SELECT n, 'c' || n, {START} + n, CASE WHEN n % 20000 = 0 THEN 'rare' ELSE"
    " 'm' || (n % 7) END, 'd', 0, '{\"id\":\"c' || n || '\",\"choices\":[]}', '{}', 0 FROM n",
    "INSERT INTO messages (completion, position, id, is_large, wire_json, given_json)"
    f" SELECT n, p, 'c' || n || '-' || p, 0, {_MESSAGE}, {_MESSAGE} FROM n, p",
    "INSERT INTO facts (completion, created, messages, total_tokens, prompt_tokens,"
    " completion_tokens, duration_ms, first_token_ms, conversation, parent, parent_depth, depth,"
    " opening, system, input, answer, hashes)"
    f" SELECT n, {START} + n, n % {PARTS}, n * 7919 % 100000, 1, 1,"
    " CASE WHEN n % 3 > 0 THEN n * 31 % 60000 END, 1, n / 5 * 5, NULL, 0,"
    f" {PARTS}, n, 0, n * 7919, n * 7919 + 1, {{hashes}} FROM n",
    *(
        f"INSERT INTO tags (completion, tag, created) SELECT n, {tag}, {START} + n FROM n"
        f" WHERE {tag} IS NOT NULL"
        for tag in _TAGS
    ),
    *(
        "INSERT INTO metadata (completion, key, value, created)"
        f" SELECT n, '{key}', {value}, {START} + n FROM n"
        for key, value in _PAIRS.items()
    ),
)
_HASHES: Final = {
    "sqlite": f"zeroblob({8 * PARTS})",
    "postgresql": f"decode(repeat('00', {8 * PARTS}), 'hex')",
}
_PASSAGES: Final = {
    "sqlite": (
        "INSERT INTO passages (completion, position, scope, further, text)"
        " SELECT n, 0, 'text', substr(group_concat(p, ' '), 3), group_concat(said, char(29))"
        f" FROM (SELECT n, p, {_TEXT} AS said FROM n, p ORDER BY n, p) GROUP BY n"
    ),
    "postgresql": (
        "INSERT INTO unindexed_passages (completion, scope, positions, text)"
        " SELECT n, 'text', CAST('{}' AS INTEGER[]), string_agg(said, chr(29) ORDER BY p)"
        f" FROM (SELECT n, p, {_TEXT} AS said FROM n, p) AS passages GROUP BY n"
    ),
}
_SERIES: Final = {
    "sqlite": (
        "WITH RECURSIVE n (n) AS (SELECT :first UNION ALL SELECT n + 1 FROM n WHERE n < :last),"
        " p (p) AS (SELECT 0 UNION ALL SELECT p + 1 FROM p WHERE p < :parts) "
    ),
    "postgresql": (
        "WITH n (n) AS (SELECT generate_series(CAST(:first AS bigint), :last)),"
        " p (p) AS (SELECT generate_series(0, CAST(:parts AS integer))) "
    ),
}
_DERIVED: Final = ("facts", "tags", "ends", *chain(*TABLES.values()))
_SIZES: Final = {
    "sqlite": (
        "SELECT sum(pgsize) FROM dbstat WHERE name IN"
        " (SELECT name FROM sqlite_master WHERE tbl_name IN :tables"
        " OR tbl_name LIKE 'passages_trigrams%')"
    ),
    "postgresql": (
        "SELECT sum(pg_total_relation_size(oid)) FROM pg_class"
        " WHERE relname IN :tables AND relkind = 'r'"
    ),
}


def main() -> None:
    """Print a block for each database."""
    parser = argparse.ArgumentParser(prog="python -m bench.find", description=__doc__)
    parser.add_argument("--completions", type=int, default=100_000)
    parser.add_argument("--no-index", action="store_true", help="without the index of trigrams")
    parser.add_argument("--pairs", type=int, default=15, help="how many of the slowest to print")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="readback-bench-") as folder:
        _measure("SQLite", lambda name: f"sqlite:///{Path(folder) / name}.db", options)
    found = find_programs()
    if found is None:
        print(f"PostgreSQL is left out: {HOW_TO_INSTALL}")
        return
    with running_postgres(found) as server, server.database() as added, server.database() as url:
        _measure("PostgreSQL", lambda name: added if name == "added" else url, options)


def _measure(name: str, place: Callable[[str], str], options: argparse.Namespace) -> None:
    print(f"\n{name}: {options.completions:,} completions, {options.completions * PARTS:,} parts")
    _measure_adding(place("added"))
    url = place("store")
    began = time.perf_counter()
    with closing(Store(url)) as store:
        _generate_rows(url, options.completions)
        print(f"generated in {time.perf_counter() - began:.0f} s")
        _print_size(url, "without trigrams")
        if not options.no_index:
            began = time.perf_counter()
            store.complete()
            print(f"trigrams built in {time.perf_counter() - began:.0f} s")
            _print_size(url, "with trigrams")
        with _watch_memory("the list"):
            _measure_list(store, options.pairs)
        with _watch_memory("the search"):
            _measure_search(StoreFinder(store))


def _measure_adding(url: str) -> None:
    """Print what the derived rows add to the CPU time of adding completions, by turns.

    The time of PostgreSQL itself does not count. That of parsing does. Without the rows, nothing
    would extract the facts that they are made from, so the time of that is subtracted.
    """
    spent: dict[bool, list[float]] = {True: [], False: []}
    texts = list(generate(ADDED))
    for _ in range(ADDING_TURNS):
        for with_rows, seconds in spent.items():
            with closing(Store(url)) as store, closing(open_database(url)) as database:
                began = time.process_time()
                records = [parse_record(one) for one in texts]
                for at in range(0, ADDED, 100):
                    some = records[at : at + 100]
                    if with_rows:
                        store.add(some)
                    else:
                        _add_without(database, [*enumerate(some, at + 1)])
                seconds.append(time.process_time() - began)
            _empty(url)
    with_rows_least = min(spent[True])
    without = min(spent[False]) - min(_time_facts(texts) for _ in range(ADDING_TURNS))
    print(
        f"adding {ADDED:,}: {with_rows_least:.2f} s of CPU with the derived rows, {without:.2f} s"
        f" without, {with_rows_least / without:.2f} times"
    )


def _time_facts(texts: Sequence[str]) -> float:
    """Return the seconds of CPU that extracting the facts of parsed completions takes.

    Their records were built, so that the time of looking up members first is not counted here.
    """
    completions = [value for one in texts if isinstance(value := parse_json(one), Object)]
    for one in completions:
        build_record(one)
    began = time.process_time()
    for one in completions:
        messages = one.get("messages")
        assert isinstance(messages, Array)
        extract_facts(one, messages.items)
    return time.process_time() - began


def _add_without(database: Database, records: list[tuple[int, CompletionRecord]]) -> None:
    with database.writer.begin() as connection:
        for seq, record in records:
            add_record(connection, record, seq)
        add_parts(connection, records)


def _empty(url: str) -> None:
    with create_engine(url, poolclass=NullPool).begin() as connection:
        searched = TABLES[connection.dialect.name]
        for table in ("ends", "tags", *searched, "facts", "metadata", "messages", "completions"):
            connection.execute(text(f"DELETE FROM {table}"))


_TEXT_SIZE: Final = "SELECT sum(length(given_json)) FROM messages"


def _print_size(url: str, which: str) -> None:
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            # It would do so itself before long.
            connection.execute(text("VACUUM unindexed_passages"))
        listed = ", ".join(f"'{table}'" for table in _DERIVED)
        query = _SIZES[connection.dialect.name].replace(":tables", f"({listed})")
        # PostgreSQL sums whole numbers to decimal ones.
        size = float(connection.execute(text(query)).scalar_one())
        held = float(connection.execute(text(_TEXT_SIZE)).scalar_one())
    sizes = f"{size / 1e6:,.0f} MB, text {held / 1e6:,.0f} MB: {size / held:.1f} times"
    print(f"derived tables {which} {sizes}")


def _generate_rows(url: str, count: int) -> None:
    with create_engine(url, poolclass=NullPool).connect() as connection:
        dialect = connection.dialect.name
        for first in range(1, count + 1, AT_ONCE):
            binds = {"first": first, "last": min(count, first + AT_ONCE - 1), "parts": PARTS - 1}
            for rows in (*_ROWS, _PASSAGES[dialect]):
                insert, select = rows.replace("{hashes}", _HASHES[dialect]).split(" SELECT ", 1)
                statement = f"{insert} {_SERIES[dialect]} SELECT {select}"
                connection.execute(text(statement), binds)
            connection.commit()
        connection.execute(text("UPDATE derived SET filled = :count"), {"count": count})
        if dialect == "postgresql":
            # It would do so itself before long. SQLite does not, and a store has no statistics.
            connection.execute(text("ANALYZE"))
        connection.commit()


def _measure_list(store: Store, most: int) -> None:
    """Print the time of a page of the folded list by each filter, and of the slowest pairs."""
    for words in ("", *WORDS):
        times = [f"{sort} {_time_page(store, words, sort) * 1000:7.1f} ms" for sort in SORTS]
        print(f"  {words or 'no filter':24}{'  '.join(times)}")
    pairs = [" ".join(pair) for pair in combinations(WORDS, 2) if _is_valid(pair)]
    for sort in ("time", "tokens"):
        spent = sorted(((_time_page(store, pair, sort), pair) for pair in pairs), reverse=True)
        median = statistics.median(seconds for seconds, _ in spent)
        print(f"  {len(pairs)} pairs by {sort}: median {median * 1000:.1f} ms; the slowest:")
        for seconds, pair in spent[:most]:
            print(f"    {pair:48}{seconds * 1000:8.1f} ms")


def _is_valid(pair: tuple[str, str]) -> bool:
    """Return whether two filters can be combined, unlike two models, or ranges apart."""
    with suppress(BadQuery):
        return bool(parse_query(" ".join(pair)))
    return False


def _time_page(store: Store, words: str, sort: str) -> float:
    """Return the seconds of one page, the better of two."""
    request = ListRequest(parse_query(words), sort, folds=True)
    return min(
        _time(lambda: store.list_completions(PageRequest(None, 20, "desc"), listed=request))
        for _ in range(2)
    )


def _measure_search(finder: StoreFinder) -> None:
    for label, words in TERMS.items():
        query = parse_query(words)
        after: Cursor | None = None
        for page in ("first page", "continued"):
            began = time.perf_counter()
            results = finder.search(query, after=after, limit=20, seconds=2.0)
            seconds = time.perf_counter() - began
            end = "cut off" if results.is_cut else "more follow" if results.cursor else "complete"
            found = f"{len(results.found)} found, {end}"
            print(f"  search, {label:20} {page:11}{seconds * 1000:8.1f} ms, {found}")
            after = results.cursor
            if after is None:
                break


def _time(run: Callable[[], object]) -> float:
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


@contextmanager
def _watch_memory(what: str) -> Iterator[None]:
    if HAS_PEAKS:
        reset_peak(os.getpid())
    yield
    if HAS_PEAKS:
        print(f"  peak memory with {what}: {read_peak(os.getpid()) / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
