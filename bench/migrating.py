"""Migrate a store of an older version, kill the process in the middle, and go on.

`python -m bench.migrating` stores 100,000 completions (`--completions` for another number), takes
away all that later versions derive from them, and completes the store in a process that is killed
when a third is done, then in another one. Pages of the list and completions are read meanwhile.
Prints how long each run took and the slowest read, and exits with status 1 if a row differs from
those that were there before. `--url` takes an empty PostgreSQL database in place of SQLite.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any, Final

from sqlalchemy import text

from tools.store_rows import add, completion, rows
from webapp.analysis.assessing import assess_completion
from webapp.analysis.checks import CHECKS_VERSION
from webapp.database import open_database
from webapp.embedded import Store
from webapp.embedded.store.pages import PageRequest
from webapp.embedded.store.passages import TABLES
from webapp.embedded.store.schema import SCHEMA

OLD: Final = 4
"""The version before rows were derived from completions."""
DERIVED: Final = ("tags", "ends", "facts", "derived", "unchecked", "checking")
COUNTS: Final = (
    "SELECT count(*), sum(messages), count(DISTINCT conversation), count(parent) FROM facts",
    "SELECT tag, count(*) FROM tags GROUP BY tag ORDER BY tag",
    "SELECT scope, count(*), sum(length(text)) FROM passages GROUP BY scope ORDER BY scope",
    "SELECT count(*), count(DISTINCT hash) FROM ends",
    "SELECT count(DISTINCT input), count(DISTINCT answer) FROM facts",
    "SELECT count(*) FROM unchecked",
)
_AT_ONCE: Final = 200


def main() -> None:
    """Print a line for each run."""
    parser = argparse.ArgumentParser(prog="python -m bench.migrating", description=__doc__)
    parser.add_argument("--completions", type=int, default=100_000)
    parser.add_argument("--url", help="an empty database")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="readback-bench-") as folder:
        url = options.url or f"sqlite:///{folder}/store.sqlite3"
        if not migrate(url, options.completions):
            sys.exit(1)


def migrate(url: str, count: int) -> bool:
    """Fill and migrate a store; return whether it is the same as before."""
    with closing(Store(url)) as store:
        for some in _iter_completions(count):
            add(store, *some)
    complete(url)
    before = [rows(url, statement) for statement in COUNTS]
    downgrade(url)
    print(f"{count:,} completions in a store of version {OLD}", flush=True)
    began = time.monotonic()
    Store(url).close()
    print(f"{'tables':12}{time.monotonic() - began:9.1f} s")
    for name, stop in (("killed", count // 3), ("to the end", None)):
        # What a killed process had taken to check is free after five minutes; this does not wait.
        rows(url, "UPDATE unchecked SET leased = 0")
        seconds, slowest, done = _run(url, stop)
        print(f"{name:12}{seconds:9.1f} s{done:12,} done{slowest:9.2f} s the slowest read")
    is_same = before == [rows(url, statement) for statement in COUNTS]
    print("every row is as before" if is_same else "the rows differ from those before")
    return is_same


def complete(url: str) -> None:
    """Derive all rows of the store."""
    with closing(Store(url)) as store:
        store.complete()
        store.check(assess_completion, rules=CHECKS_VERSION)


def downgrade(url: str) -> None:
    """Take away the tables that came after version `OLD`."""
    with closing(open_database(url)) as database, database.exclusive.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("DROP SEQUENCE completions_seq"))
            connection.execute(text("DROP VIEW passages"))
        else:
            connection.execute(text("DROP TABLE passages_trigrams"))
        for table in (*TABLES[connection.dialect.name], *DERIVED):
            connection.execute(text(f"DROP TABLE {table}"))
        version = {"version": OLD}
        connection.execute(text(f"UPDATE {SCHEMA.version_table} SET version = :version"), version)


def _run(url: str, stop: int | None) -> tuple[float, float, int]:
    """Complete the store in a process, killed when `stop` are done, and read meanwhile.

    Return the seconds, those of the slowest read, and how many completions have facts.
    """
    process = multiprocessing.get_context("spawn").Process(target=complete, args=(url,))
    began, slowest, done = time.monotonic(), 0.0, 0
    with closing(Store(url)) as store:
        process.start()
        while process.is_alive():
            slowest = max(slowest, _time(lambda: _read(store)))
            done = int(rows(url, "SELECT count(*) AS n FROM facts")[0].n)
            if stop is not None and done >= stop:
                process.kill()
            process.join(0.2)
    done = int(rows(url, "SELECT count(*) AS n FROM facts")[0].n)
    return time.monotonic() - began, slowest, done


def _read(store: Store) -> None:
    page = store.list_completions(PageRequest(None, 20, "desc"))
    assert len(page.ids) == 20
    assert store.retrieve_completion(page.ids[0]) is not None
    assert store.list_messages(page.ids[0], PageRequest(None, 20, "asc")) is not None


def _time(action: Callable[[], None]) -> float:
    began = time.monotonic()
    action()
    return time.monotonic() - began


def _iter_completions(count: int) -> Iterator[list[dict[str, Any]]]:
    """Yield conversations of ten requests, each with two messages more than the one before."""
    some = []
    for at in range(count):
        run, turn = divmod(at, 10)
        one = completion(f"chatcmpl-{at}", created=1_760_000_000 + 60 * at, model=f"m{run % 3}")
        said = [
            f"Run {run}, turn {n}: which trains go to Oslo on day {n}?" for n in range(turn + 1)
        ]
        messages = []
        for words in said[:-1]:
            messages += [
                {"role": "user", "content": words},
                {"role": "assistant", "content": "Yes."},
            ]
        one["messages"] = [*messages, {"role": "user", "content": said[-1]}]
        some.append(one)
        if len(some) == _AT_ONCE:
            yield some
            some = []
    if some:
        yield some


if __name__ == "__main__":
    main()
