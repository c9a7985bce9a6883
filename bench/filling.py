"""Measure how a store of the schema before facts is filled: speed, a kill, and reads meanwhile.

`python -m bench.filling` fills 100,000 generated completions in SQLite, and in PostgreSQL if its
programs are installed; `--completions` sets another number. A process fills the store and is
killed after some seconds, as often as `--kills` says; the last one completes it.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from sqlalchemy import NullPool, create_engine, text

from tools.postgres import HOW_TO_INSTALL, find_programs, running_postgres
from tools.store_rows import compact
from webapp.database import Schema, migrate, open_database
from webapp.embedded import Store
from webapp.embedded.documents.records import parse_record
from webapp.embedded.store.pages import PageRequest
from webapp.embedded.store.schema import SCHEMA

STEPS_BEFORE: Final = 4
"""Of the schema, those of the version before facts."""
REQUESTS: Final = 5
"""Of each generated conversation; each has two messages more than the one before."""
SECONDS_TO_KILL: Final = 5.0

_ADD: Final = text(
    "INSERT INTO completions (seq, id, created, model, digest, is_large, wire_json, given_json,"
    " stored) VALUES (:seq, :id, :created, :model, 'd', 0, :wire, :given, 0)"
)
_ADD_MESSAGE: Final = text(
    "INSERT INTO messages (completion, position, id, is_large, wire_json, given_json)"
    " VALUES (:seq, :position, :id, 0, :wire, :given)"
)
_COUNT: Final = text("SELECT count(*) FROM facts")


def main() -> None:
    """Print a block for each database."""
    parser = argparse.ArgumentParser(prog="python -m bench.filling", description=__doc__)
    parser.add_argument("--completions", type=int, default=100_000)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--fill", metavar="URL", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.fill:
        with closing(Store(options.fill)) as store:
            store.complete()
        return
    with tempfile.TemporaryDirectory(prefix="readback-bench-") as folder:
        _measure("SQLite", f"sqlite:///{Path(folder) / 'store.db'}", options)
    found = find_programs()
    if found is None:
        print(f"PostgreSQL is left out: {HOW_TO_INSTALL}")
        return
    with running_postgres(found) as server, server.database() as url:
        _measure("PostgreSQL", url, options)


def _measure(name: str, url: str, options: argparse.Namespace) -> None:
    _store_old(url, options.completions)
    print(f"\n{name}: {options.completions:,} completions of the schema before facts")
    started = time.perf_counter()
    with closing(Store(url)):
        print(f"opened, and can be read, after {time.perf_counter() - started:.2f} s")
    spent = 0.0
    for kill in range(options.kills + 1):
        is_last = kill == options.kills
        began = time.perf_counter()
        slowest = _fill(url, None if is_last else SECONDS_TO_KILL)
        spent += time.perf_counter() - began
        what = "completed" if is_last else "killed"
        print(f"{what} with {_count(url):,} filled; slowest page meanwhile {slowest * 1000:.0f} ms")
    print(f"{options.completions / spent:,.0f} completions a second")


def _fill(url: str, seconds: float | None) -> float:
    """Fill in a process, killed after `seconds`; return the seconds of the slowest page read."""
    command = [sys.executable, "-m", "bench.filling", "--fill", url]
    slowest = 0.0
    with closing(Store(url)) as store, subprocess.Popen(command) as process:
        ends = None if seconds is None else time.perf_counter() + seconds
        while process.poll() is None:
            began = time.perf_counter()
            store.list_completions(PageRequest(None, 20, "desc"))
            slowest = max(slowest, time.perf_counter() - began)
            if ends is not None and time.perf_counter() > ends:
                process.kill()
            time.sleep(0.05)
    return slowest


def _store_old(url: str, count: int) -> None:
    with closing(open_database(url)) as database:
        migrate(database, Schema(SCHEMA.steps[:STEPS_BEFORE]))
    with create_engine(url, poolclass=NullPool).begin() as connection:
        connection.execute(text("UPDATE rebuilt SET form = 1"))
        for seq, record in enumerate(map(parse_record, generate(count)), 1):
            head = {"seq": seq, "id": record.id, "created": record.created, "model": record.model}
            texts = {"wire": record.wire_json, "given": record.given_json}
            connection.execute(_ADD, head | texts)
            connection.execute(
                _ADD_MESSAGE,
                [
                    {
                        "seq": seq,
                        "position": position,
                        "id": message.id,
                        "wire": message.wire_json,
                        "given": message.given_json,
                    }
                    for position, message in enumerate(record.messages)
                ],
            )


def generate(count: int) -> Iterator[str]:
    """Yield completions as JSON: requests of conversations, each with the history before it."""
    for at in range(count):
        conversation, length = divmod(at, REQUESTS)
        said: list[dict[str, str]] = [{"role": "system", "content": f"It is {at} o'clock."}]
        for turn in range(length + 1):
            question = f"Question {turn} of conversation {conversation}: " + "which words? " * 20
            said.append({"role": "user", "content": question})
            if turn < length:
                said.append(_answer(conversation, turn))
        choice = {"message": _answer(conversation, length), "finish_reason": "stop"}
        given = {"id": f"c{at}", "created": at + 1, "model": f"m{at % 7}", "messages": said}
        yield compact(given | {"choices": [choice]})


def _answer(conversation: int, turn: int) -> dict[str, str]:
    return {"role": "assistant", "content": f"Answer {turn} of {conversation}. " + "Words. " * 30}


def _count(url: str) -> int:
    with create_engine(url, poolclass=NullPool).connect() as connection:
        return int(connection.execute(_COUNT).scalar_one())


if __name__ == "__main__":
    main()
