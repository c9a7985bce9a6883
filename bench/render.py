"""Measure rendering: CPU time of pages, as ratios to that of a page with one empty message.

`python -m bench.render` asks the application in this process, over its embedded store, for a page
of each kind of message, for pages of real messages, and for pages of 1 MB of the most hostile
content there is. The ordinary ones take turns, so that other work of the
machine affects them alike. Exits with status 1 if a hostile page costs more than 2 s of CPU time.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from typing import Final

from flask.testing import FlaskClient

from bench.render_cases import EMPTY, KINDS, hostile, of_messages, pages
from tools.memory import HAS_PEAKS, read_held, read_peak, reset_peak
from webapp import create_app
from webapp.config import Config, Limits
from webapp.embedded import Store, import_files

ROUNDS: Final = 7
HOSTILE_ROUNDS: Final = 3
SIZE: Final = 1_000_000
MAX_SECONDS: Final = 2.0
WORST_SHOWN: Final = 25

_MB: Final = 1024 * 1024


@dataclass
class Case:
    """A page to request, and its cost each time."""

    name: str
    path: str
    seconds: list[float] = field(default_factory=list)
    memory: int = 0
    sent: int = 0
    status: int = 0

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


def main() -> None:
    """Print a line for each page."""
    parser = argparse.ArgumentParser(prog="python -m bench.render", description=__doc__)
    parser.add_argument("--size", type=int, default=SIZE, help="bytes of each hostile page")
    parser.add_argument("--rounds", type=int, default=HOSTILE_ROUNDS, help="of hostile pages")
    parser.add_argument("--only", default="", help="a part of the names of hostile pages")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="readback-bench-") as folder:
        bench = _Bench(Path(folder))
        empty = bench.measure_ordinary()
        worst = bench.measure_hostile(
            options.size, rounds=options.rounds, only=options.only, empty=empty
        )
    sys.exit(_report_failures(worst))


class _Bench:
    """The application over a store in `folder`, to which the pages are added."""

    def __init__(self, folder: Path) -> None:
        self._numbers = count()
        self._file = folder / "completions.jsonl"
        self._url = f"sqlite:///{folder / 'store.db'}"
        with closing(Store(self._url)):
            pass
        config = Config(
            database_url=self._url, limits=Limits(page_timeout=600.0), media_cache_bytes=0
        )
        self._client: FlaskClient = create_app(config).test_client()

    def measure_ordinary(self) -> float:
        """Measure and print the ordinary pages; return the seconds of the empty one."""
        cases = [self._add("an empty message", of_messages(EMPTY))]
        for kind, messages in KINDS.items():
            cases.append(self._add(kind, of_messages(*messages)))
        for kind, query, text in pages():
            cases.append(self._add(kind, partial(_rename, text), query))
        self._run_in_turns(cases, ROUNDS)
        empty = cases[0].median
        _print_all(cases, empty)
        return empty

    def measure_hostile(self, size: int, *, rounds: int, only: str, empty: float) -> list[Case]:
        """Print and return the pages that cost most, the worst first."""
        cases = []
        for name, make in hostile(size):
            if only.lower() in name.lower():
                cases.append(case := self._add(name, make))
                self._run_in_turns([case], rounds)
                self._remove(case)
                _print_progress(len(cases), case)
        cases.sort(key=lambda case: case.median, reverse=True)
        print(f"\n{len(cases)} hostile pages of {size:,} bytes, the costliest of them:")
        _print_all(cases[:WORST_SHOWN], empty)
        largest = sorted(cases, key=lambda case: case.memory, reverse=True)[:5]
        print("and those that need the most memory:")
        _print_all(largest, empty)
        return cases

    def _add(self, name: str, make: Callable[[str], str], query: str = "") -> Case:
        completion_id = f"bench-{next(self._numbers)}"
        self._file.write_text(make(completion_id) + "\n", encoding="utf-8")
        with closing(Store(self._url)) as store:
            report = import_files(store, [self._file])
        assert report.added == 1, (name, report.problems)
        return Case(name, f"/completions/{completion_id}{query}")

    def _remove(self, case: Case) -> None:
        """Delete the completion, since the store would grow to a gigabyte."""
        assert self._client.delete(f"/v1/chat{case.path}").status_code == 200

    def _run_in_turns(self, cases: Iterable[Case], rounds: int) -> None:
        cases = list(cases)
        for _ in range(rounds):
            for case in cases:
                self._request(case)

    def _request(self, case: Case) -> None:
        """Request the page once; read a streamed page to its end."""
        before = _reset_peak_memory()
        started = time.process_time()
        response = self._client.get(case.path)
        case.sent = len(response.data)
        case.seconds.append(time.process_time() - started)
        case.memory = max(case.memory, _read_peak_memory() - before)
        case.status = response.status_code
        response.close()


def _print_progress(number: int, case: Case) -> None:
    """Print a line for the user who waits, apart from the results."""
    print(f"{number:4} {case.median:8.3f} s  {case.name}", file=sys.stderr, flush=True)


def _rename(text: str, name: str) -> str:
    """Return a completion under another id."""
    return f'{{"id":"{name}"{text[text.index(",") :]}'


def _reset_peak_memory() -> int:
    if not HAS_PEAKS:
        return 0
    reset_peak("self")
    return read_held("self")


def _read_peak_memory() -> int:
    return read_peak("self") if HAS_PEAKS else 0


def _print_all(cases: Iterable[Case], empty: float) -> None:
    for case in cases:
        odd = f"  status {case.status}" if case.status != 200 else ""
        print(
            f"  {case.name:44}{case.median * 1000:10.1f} ms{case.median / empty:10.1f}"
            f"{case.memory / _MB:9.0f} MB{case.sent / 1000:10,.0f} kB sent{odd}",
            flush=True,
        )


def _report_failures(cases: Iterable[Case]) -> int:
    """Return the exit status, after printing every page that costs too much."""
    costly = [case for case in cases if case.median > MAX_SECONDS]
    broken = [case for case in cases if case.status >= 500]
    for case in costly:
        print(f"more than {MAX_SECONDS:g} s of CPU time: {case.name}, {case.median:.2f} s")
    for case in broken:
        print(f"status {case.status}: {case.name}")
    if not costly and not broken:
        print(f"no input of this size costs more than {MAX_SECONDS:g} s of CPU time")
    return 1 if costly or broken else 0


if __name__ == "__main__":
    main()
