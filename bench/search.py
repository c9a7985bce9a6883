"""Measure the search in long transcripts: time to the first hits, memory, and growth with length.

`python -m bench.search` stores the longest real transcript, if it is there, and synthetic ones of
1,000, 10,000 and 100,000 messages. It searches each for a word that is frequent and for one that is
nowhere, and goes to the last hit of a page. A line for each says how long the answer took, and how
much more memory the process then held at most.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from flask.testing import FlaskClient

from tools.memory import HAS_PEAKS, read_held, read_peak, reset_peak
from tools.paths import REAL_DATA
from tools.store_rows import database_url
from webapp import create_app
from webapp.config import Config, Limits
from webapp.embedded import Store, import_files

SIZES: Final = (1_000, 10_000, 100_000)
REAL: Final = REAL_DATA / "transcripts" / "coding_log_long.jsonl"
PATIENCE: Final = 600.0
_MEGABYTE: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Cost:
    """What a page took; memory is in bytes, and 0 where it cannot be measured."""

    seconds: float
    memory: int
    length: int


def main() -> None:
    """Print a line for each transcript and search."""
    with tempfile.TemporaryDirectory(prefix="readback-bench-") as folder:
        client, known = open_client(Path(folder), write_transcripts(Path(folder), SIZES))
        print(f"{'transcript':24}{'search':24}{'seconds':>9}{'memory':>10}{'page':>9}")
        for name, address in known.items():
            for label, path in (
                ("a frequent word", "search?q=line"),
                ("a word that is nowhere", "search?q=zyzzyva"),
                ("an expression", "search?pattern=1&q=line+%5Cd%7B3%7D%5Cb"),
                ("hit 150", "search/150?q=e"),
            ):
                print_cost(name, label, measure(client, f"{address}/{path}"))


def print_cost(name: str, label: str, cost: Cost) -> None:
    print(
        f"{name:24}{label:24}{cost.seconds:8.2f}s{cost.memory / _MEGABYTE:7.1f} MB"
        f"{cost.length / 1000:6.0f} kB",
        flush=True,
    )


def measure(client: FlaskClient, address: str) -> Cost:
    """Return what an answer of `client` took. Exit if it is an error."""
    here = os.getpid()
    before = 0
    if HAS_PEAKS:
        reset_peak(here)
        before = read_held(here)
    began = time.perf_counter()
    response = client.get(address)
    seconds = time.perf_counter() - began
    if response.status_code >= 400:
        sys.exit(f"{address} answered {response.status_code}")
    memory = max(0, read_peak(here) - before) if HAS_PEAKS else 0
    return Cost(seconds, memory, len(response.data))


def open_client(folder: Path, files: dict[str, Path]) -> tuple[FlaskClient, dict[str, str]]:
    """Store the completions in `files`; return a client, and the address of each by its name."""
    config = Config(
        database_url=database_url(folder),
        limits=Limits(page_timeout=PATIENCE),
        max_pages=1000,
        whole_requests=1000,
    )
    store = Store(database_url(folder))
    known = {}
    for name, path in files.items():
        import_files(store, [path])
        with path.open(encoding="utf-8") as lines:
            known[name] = f"/completions/{json.loads(next(lines))['id']}"
    store.close()
    return create_app(config).test_client(), known


def write_transcripts(folder: Path, sizes: tuple[int, ...]) -> dict[str, Path]:
    """Return the files of the real transcript, if it is there, and of one for each size."""
    files = {"real, 1,143 messages": REAL} if REAL.exists() else {}
    for size in sizes:
        path = folder / f"{size}.jsonl"
        path.write_text(json.dumps(build_transcript(f"chatcmpl-{size}", size)) + "\n")
        files[f"{size:,} messages"] = path
    return files


def build_transcript(completion_id: str, size: int) -> dict[str, object]:
    """Return a completion of `size` messages, of 600 characters each."""
    choice = {"index": 0, "message": {"role": "assistant", "content": "The end."}}
    return {"id": completion_id, "messages": list(iter_messages(size)), "choices": [choice]}


def iter_messages(size: int) -> Iterator[dict[str, object]]:
    for number in range(size):
        text = "".join(f"This is line {number + at} of a long log.\n" for at in range(16))
        yield {"role": "user" if number % 2 == 0 else "assistant", "content": text}


if __name__ == "__main__":
    main()
