"""Check a store after kill -9 and with four processes at once, many more times than the tests.

`python -m bench.durability [KILLS]` kills a process at work that often for each kind of work and
each database (default: 100), at a random moment of its first second, and has four
processes write and read at once for five times as many rounds. Exits with status 1 at the
first loss.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from random import Random
from typing import Final

from tools.postgres import HOW_TO_INSTALL, find_programs, running_postgres
from tools.store_processes import (
    UPDATED,
    build_completion,
    find_half_stored,
    find_lost,
    run_until_killed,
    start,
)
from tools.store_rows import add, database_url
from webapp.embedded import Store

PROCESSES: Final = 4
LONGEST: Final = 1.0
"""Seconds for which a process works."""


def main() -> None:
    """Print a line for each kind of work."""
    parser = argparse.ArgumentParser(prog="python -m bench.durability", description=__doc__)
    parser.add_argument("kills", nargs="?", type=int, default=100, metavar="KILLS")
    kills = parser.parse_args().kills
    with ExitStack() as resources:
        for name, url in _databases(resources):
            with closing(Store(url)) as store:
                add(store, build_completion(UPDATED, "the bench"))
            for work in ("add", "import", "update"):
                stored = _kill(work, url, kills)
                print(f"{name}: {kills} times killed at {work}, {stored:,} stored, none lost")
            stored = _contend(url, 5 * kills)
            print(f"{name}: {PROCESSES} processes at once, {stored:,} stored, no error", flush=True)


def _databases(resources: ExitStack) -> Iterator[tuple[str, str]]:
    folder = resources.enter_context(tempfile.TemporaryDirectory(prefix="readback-bench-"))
    yield "SQLite", database_url(Path(folder))
    found = find_programs()
    if found is None:
        print(f"PostgreSQL is left out: {HOW_TO_INSTALL}")
        return
    server = resources.enter_context(running_postgres(found))
    yield "PostgreSQL", resources.enter_context(server.database())


def _kill(work: str, url: str, times: int) -> int:
    """Return how many objects were reported as stored, all of which are there."""
    moments = Random(work)
    stored = 0
    for at in range(times):
        printed = run_until_killed(work, url, f"{work}{at}", after=moments.uniform(0, LONGEST))
        _check(url, find_lost(work, url, printed))
        stored += len(printed)
    return stored


def _contend(url: str, rounds: int) -> int:
    running = [start("contend", url, f"p{at}", rounds) for at in range(PROCESSES)]
    ended = [process.communicate() for process in running]
    _check(url, [problems.decode() for _, problems in ended if problems])
    printed = [line for stored, _ in ended for line in stored.decode().split()]
    _check(url, find_lost("contend", url, printed))
    return len(printed)


def _check(url: str, problems: list[str]) -> None:
    found = problems + find_half_stored(url)
    if found:
        sys.exit("\n".join(found))


if __name__ == "__main__":
    main()
