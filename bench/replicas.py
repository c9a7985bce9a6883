"""Measure what reads on a replica save the primary and cost the reader, and how often they get it.

`python -m bench.replicas` runs a PostgreSQL and its replica, and stores 2,000 generated
completions; `--completions` sets another number. The first table has the CPU time of both servers
and of this process and the time of a read, alone and with the replica. For the second, other
processes write for `--seconds`, or nobody does: it has the share of reads that the replica ran, and
their time.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, make_url, text

from bench.filling import generate
from tools.memory import find_children
from tools.postgres import HOW_TO_INSTALL, PostgresServer, find_programs, running_postgres
from webapp.database import open_database
from webapp.embedded import Store, StoreFinder, StoreOverview
from webapp.embedded.documents.records import parse_record
from webapp.embedded.store.pages import PageRequest
from webapp.finding import parse_query

OPTIONS: Final = "-c listen_addresses= -c max_connections=100"
"""The log reaches the disk before a commit is reported, as in use."""
PAGE: Final = PageRequest(None, 20, "desc")
TURNS: Final = 5
WRITERS: Final = {"nobody": (), "creates, 1 client": (1,), "creates, 4": (1,) * 4, "import": (200,)}
"""By name, how many completions each of the writers adds in a transaction."""

_PROBE: Final = text(
    "SELECT pg_is_in_recovery(), (SELECT max(created) FROM completions),"
    " (SELECT count(*) FROM (SELECT 1 FROM facts LIMIT 1000) AS few)"
)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(prog="python -m bench.replicas", description=__doc__)
    parser.add_argument("--completions", type=int, default=2_000)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--write", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.write:
        url, first, at_once = options.write
        _write(url, int(first), int(at_once))
        return
    found = find_programs()
    if found is None:
        sys.exit(HOW_TO_INSTALL)
    with (
        running_postgres(found, options=OPTIONS) as primary,
        running_postgres(found, options=OPTIONS, primary=primary) as replica,
        primary.database() as url,
    ):
        replica_url = replica.url(make_url(url).database or "")
        with closing(Store(url)) as store:
            _add(store, 0, options.completions, 100)
            store.complete()
        _measure_reads(url, replica_url, (primary, replica))
        print("\nwrites             on the replica   median ms   95th")
        for name, writers in WRITERS.items():
            _measure_share(name, writers, url, replica_url, options.seconds)


def _add(store: Store, first: int, last: int, at_once: int) -> None:
    records = [parse_record(one.replace('"id":"c', f'"id":"c{first}-')) for one in generate(last)]
    for at in range(0, len(records), at_once):
        store.add(records[at : at + at_once])


def _write(url: str, first: int, at_once: int) -> None:
    """Add completions until the process is ended."""
    with closing(Store(url)) as store:
        while True:
            first += 1_000_000
            _add(store, first, 1_000, at_once)


def _measure_reads(url: str, replica_url: str, servers: tuple[PostgresServer, ...]) -> None:
    print("                   primary, CPU ms  replica  Readback, CPU ms               ms")
    print("read               alone      with     with    alone     with    alone     with")
    with (
        closing(Store(url)) as alone,
        closing(Store(url, replica_url=replica_url)) as replicated,
    ):
        for name in _list_reads(alone):
            turns: list[tuple[float, ...]] = []
            for _ in range(TURNS):
                before, after = (
                    _time(_list_reads(store)[name], servers) for store in (alone, replicated)
                )
                turns.append((before[0], *after[:2], before[2], after[2], before[3], after[3]))
            # Other programs only add to the time of a turn.
            least = map(min, zip(*turns, strict=True))
            print(f"{name:15}" + "".join(f"{one:9.2f}" for one in least), flush=True)


def _list_reads(store: Store) -> dict[str, Callable[[], object]]:
    finder = StoreFinder(store)
    return {
        "20 messages": lambda: store.list_messages("c0-9", PAGE, as_given=True),
        "list": lambda: store.list_completions(PAGE, as_given=True),
        "conversation": lambda: store.find_conversation("c0-9"),
        "overview": lambda: StoreOverview(store).summarize(parse_query("")),
        "search": lambda: finder.search(parse_query("zz"), after=None, limit=20, seconds=2),
    }


def _time(read: Callable[[], object], servers: tuple[PostgresServer, ...]) -> tuple[float, ...]:
    """Return the CPU time of each server and of this process, and the time, of a read in ms."""
    read()
    before = (*map(_read_cpu, servers), time.process_time(), time.perf_counter())
    turns = 0
    while time.perf_counter() - before[-1] < 0.3:
        read()
        turns += 1
    after = (*map(_read_cpu, servers), time.process_time(), time.perf_counter())
    return tuple((new - old) * 1000 / turns for old, new in zip(before, after, strict=True))


def _read_cpu(server: PostgresServer) -> float:
    """Return the seconds that the processes of a server have computed."""
    first = int((server.folder / "data" / "postmaster.pid").read_text().split()[0])
    nanoseconds = 0
    for pid in (first, *find_children(first)):
        with suppress(OSError):
            nanoseconds += int(Path(f"/proc/{pid}/schedstat").read_text().split()[0])
    return nanoseconds / 1e9


def _measure_share(
    name: str, writers: tuple[int, ...], url: str, replica_url: str, seconds: float
) -> None:
    def probe(connection: Connection) -> bool:
        return bool(connection.execute(_PROBE).one()[0])

    started = [
        subprocess.Popen(
            [sys.executable, "-m", "bench.replicas", "--write", url, str(at), str(at_once)]
        )
        for at, at_once in enumerate(writers, 1)
    ]
    try:
        with closing(open_database(url, replica_url=replica_url)) as database:
            on_replica: list[bool] = []
            spent: list[float] = []
            until = time.perf_counter() + seconds
            while (began := time.perf_counter()) < until:
                on_replica.append(database.read(probe))
                spent.append((time.perf_counter() - began) * 1000)
    finally:
        for process in started:
            process.kill()
            process.wait()
    share = statistics.mean(on_replica)
    slowest = statistics.quantiles(spent, n=20)[-1]
    print(f"{name:19}{share:14.0%}{statistics.median(spent):12.1f}{slowest:7.1f}", flush=True)


if __name__ == "__main__":
    main()
