"""Measure the store as it grows: pages of messages and completions, imports and their memory.

`python -m bench.store` runs at small sizes in about a minute, with `--large` at those that the
store is made for: a million messages in one completion, a million completions, an import of
1 GB. It compares SQLite and PostgreSQL, which runs in a server of its own, as durable as by
default.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import NullPool, create_engine, text

from tools.postgres import HOW_TO_INSTALL, find_programs, running_postgres
from webapp.embedded import Store, import_files
from webapp.embedded.store.pages import PageRequest

ROUNDS: Final = 300
LIMIT: Final = 20
MAX_RATIO: Final = 1.5
"""The cost of the last page may be this many times that of the first."""

_COUNTED: Final = "WITH RECURSIVE ns (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM ns WHERE n < {})"
_TEXT: Final = "words that a reader may have written " * 5
_ADD_MESSAGES: Final = (
    f"INSERT INTO messages {_COUNTED} SELECT {{}}, n, 'm' || n,"
    f' \'{{{{"id":"m\' || n || \'","role":"user","content":"{_TEXT}"}}}}\', \'{_TEXT}\' FROM ns'
)
# Three in each second, so that ties in the order occur too.
_ADD_COMPLETIONS: Final = (
    f"INSERT INTO completions {_COUNTED} SELECT {{}} + n, 'c' || n, n / 3, 'model', '',"
    f' \'{{{{"id":"c\' || n || \'","model":"{_TEXT}"}}}}\', \'{_TEXT}\' FROM ns'
)
_ADD_METADATA: Final = (
    "INSERT INTO metadata (completion, key, value, created)"
    " SELECT seq, 'topic', 'weather', created FROM completions"
)


@dataclass(frozen=True, slots=True)
class Sizes:
    messages: tuple[int, ...]
    completions: int
    imported: tuple[int, ...]
    """Bytes."""


SMALL: Final = Sizes((1_000, 100_000), 50_000, (2_000_000, 20_000_000))
LARGE: Final = Sizes((1_000, 100_000, 1_000_000), 1_000_000, (20_000_000, 1_000_000_000))


def main() -> None:
    """Print a block for each database."""
    parser = argparse.ArgumentParser(prog="python -m bench.store", description=__doc__)
    parser.add_argument("--large", action="store_true")
    sizes = LARGE if parser.parse_args().large else SMALL
    with tempfile.TemporaryDirectory(prefix="readback-bench-") as folder:
        files = [_completions_file(Path(folder), size) for size in sizes.imported]
        for name, url in _databases(Path(folder)):
            print(f"\n{name:34}{'first page':>12}{'last page':>12}{'ratio':>8}", flush=True)
            _measure_pages(url, sizes)
            for file in files:
                _measure_import(url, file)


def _databases(folder: Path) -> Iterator[tuple[str, str]]:
    yield "SQLite", f"sqlite:///{folder / 'store.db'}"
    found = find_programs()
    if found is None:
        print(f"\nPostgreSQL is left out: {HOW_TO_INSTALL}")
        return
    durable = running_postgres(found, options="-c listen_addresses=")
    with durable as server, server.database() as url:
        yield "PostgreSQL", url


def _measure_pages(url: str, sizes: Sizes) -> None:
    with closing(Store(url)) as store:
        _fill(url, sizes)
        for at, count in enumerate(sizes.messages):
            _compare(f"of {count:,} messages", _message_pages(store, f"c{at}", count))
        _compare(f"of {sizes.completions:,} completions", _completion_pages(store, sizes))
        by_topic = _completion_pages(store, sizes, metadata=[("topic", "weather")])
        _compare(f"of {sizes.completions:,} by metadata", by_topic)


def _fill(url: str, sizes: Sizes) -> None:
    """Fill the tables by SQL: reading is measured here, importing later."""
    with _writing(url) as run:
        run(_ADD_COMPLETIONS.format(sizes.completions - 1, 1))
        run(_ADD_METADATA)
        for seq, count in enumerate(sizes.messages, start=1):
            run(_ADD_MESSAGES.format(count - 1, seq))
        if url.startswith("postgresql"):
            run("SELECT setval('completions_seq', (SELECT max(seq) FROM completions))")


@contextmanager
def _writing(url: str) -> Iterator[Callable[[str], object]]:
    with create_engine(url, poolclass=NullPool).begin() as connection:
        yield lambda statement: connection.execute(text(statement.replace(":", r"\:")))


Pages = tuple[Callable[[], object], Callable[[], object]]
"""Two functions: one requests the first page, the other the last full one."""


def _message_pages(store: Store, completion_id: str, count: int) -> Pages:
    first, last = _ends("m", count)
    return (
        lambda: store.list_messages(completion_id, first),
        lambda: store.list_messages(completion_id, last),
    )


def _completion_pages(
    store: Store, sizes: Sizes, metadata: list[tuple[str, str]] | None = None
) -> Pages:
    first, last = _ends("c", sizes.completions)
    return (
        lambda: store.list_completions(first, metadata=metadata or ()),
        lambda: store.list_completions(last, metadata=metadata or ()),
    )


def _ends(prefix: str, count: int) -> tuple[PageRequest, PageRequest]:
    """Return two requests that both continue after a cursor, so that they do the same work."""
    return (
        PageRequest(f"{prefix}0", LIMIT, "asc"),
        PageRequest(f"{prefix}{count - LIMIT - 1}", LIMIT, "asc"),
    )


def _compare(name: str, pages: Pages) -> None:
    """Request both in turn, so that other work of the machine affects both alike."""
    seconds: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for ask, taken in zip(pages, seconds, strict=True):
            started = time.perf_counter()
            ask()
            taken.append(time.perf_counter() - started)
    first, last = map(statistics.median, seconds)
    verdict = "" if last / first < MAX_RATIO else f"  more than {MAX_RATIO}"
    times = f"{first * 1e6:9.0f} µs{last * 1e6:9.0f} µs{last / first:8.2f}{verdict}"
    print(f"  {name:32}{times}", flush=True)


def _completions_file(folder: Path, size: int) -> Path:
    """Write JSONL of about `size` bytes: completions of ten messages of half a kilobyte each."""
    said = [{"role": role, "content": _TEXT * 3} for role in ("user", "assistant") * 5]
    answer = {"index": 0, "message": said[1], "finish_reason": "stop"}
    path = folder / f"{size}.jsonl"
    with path.open("w") as file:
        at = 0
        while file.tell() < size:
            one = {"id": f"i{size}-{at}", "created": at, "messages": said, "choices": [answer]}
            file.write(json.dumps(one) + "\n")
            at += 1
    return path


def _measure_import(url: str, file: Path) -> None:
    """Measure in a process of its own, whose memory is that of the import alone."""
    program = [sys.executable, "-c", "from bench.store import import_one; import_one()"]
    done = subprocess.run([*program, url, file], check=True, stdout=subprocess.PIPE, text=True)
    completions, seconds, peak = map(float, done.stdout.split())
    size = file.stat().st_size / 1e6
    print(
        f"  import of {size:,.0f} MB".ljust(34)
        + f"{completions / seconds:8,.0f} completions/s, {size / seconds:.1f} MB/s,"
        f" at most {peak:,.0f} MB of memory",
        flush=True,
    )


def import_one() -> None:
    """Import a file into a store; print completions, seconds, and MB of memory at most."""
    url, file = sys.argv[1:]
    with closing(Store(url)) as store:
        started = time.perf_counter()
        report = import_files(store, [file])
        seconds = time.perf_counter() - started
    assert not report.problems
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(report.added, seconds, peak)


if __name__ == "__main__":
    main()
