"""Measure where the time of an import goes: reading and storing, side by side in one run.

`python -m bench.importing FILE…` adds the completions of JSONL files as often as makes megabytes,
each time under other ids. It prints the bytes that are read (parsed, and prepared for storing),
stored and indexed in a second of CPU time. With reading and storing in two processes, and the index
built behind, the slower one of these two bounds an import.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from webapp.embedded import Store
from webapp.embedded.documents.records import CompletionRecord, NotACompletion, parse_record

LEAST_BYTES: Final = 16 * 1024 * 1024
AT_ONCE: Final = 100


def main() -> None:
    """Print a line for each step."""
    lines = [line for name in sys.argv[1:] for line in Path(name).read_text("utf-8").splitlines()]
    size = sum(len(line.encode()) for line in lines)
    rounds = 1 + LEAST_BYTES // max(1, size)
    spent = {"read": 0.0, "store": 0.0}
    with tempfile.TemporaryDirectory() as folder:
        store = Store(f"sqlite:///{folder}/readback.sqlite3")
        for number in range(rounds):
            began = time.process_time()
            records = list(_read(lines, number))
            spent["read"] += time.process_time() - began
            began = time.process_time()
            for start in range(0, len(records), AT_ONCE):
                store.add(records[start : start + AT_ONCE])
            spent["store"] += time.process_time() - began
        began = time.process_time()
        store.complete()
        spent["index"] = time.process_time() - began
        store.close()
    for name, seconds in spent.items():
        nanoseconds = 1e9 * seconds / rounds / size
        print(f"{name:8}{1000 / nanoseconds:8.1f} MB/s{nanoseconds:8.0f} ns a byte")


def _read(lines: list[str], number: int) -> Iterator[CompletionRecord]:
    for line in lines:
        try:
            record = parse_record(line)
        except NotACompletion:
            continue
        yield replace(record, id=f"{record.id}-{number}", digest=f"{record.digest}-{number}")


if __name__ == "__main__":
    main()
