"""Measure where the time of an import goes, step by step in one run.

`python -m bench.importing FILE…` adds the completions of JSONL files as often as makes megabytes,
each time under other ids. It prints the bytes a second of CPU time of each step, and of each
process together. The processes beside the import parse documents, derive the rows of completions
and send them. The one that writes to the store splits files into documents, receives the rows and
stores them. The search index is built later.
"""

from __future__ import annotations

import pickle
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

from webapp.embedded import Store
from webapp.embedded.documents.records import (
    CompletionRecord,
    NotACompletion,
    build_record,
    parse_json,
)
from webapp.embedded.transfer.files import read_documents
from webapp.embedded.transfer.splitting import Document
from webapp.exact_json import Object, Value

LEAST_BYTES: Final = 16 * 1024 * 1024
AT_ONCE: Final = 200
STEPS: Final = {
    "beside": ("parse", "derive", "send"),
    "here": ("split", "receive", "store"),
    "later": ("index",),
}

P = ParamSpec("P")
T = TypeVar("T")


def main() -> None:
    """Print a line for each step, and one for the steps of each process."""
    files = [Path(name) for name in sys.argv[1:]]
    size = sum(file.stat().st_size for file in files)
    rounds = 1 + LEAST_BYTES // max(1, size)
    spent = {step: 0.0 for steps in STEPS.values() for step in steps}

    def time_step(step: str, run: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
        began = time.process_time()
        result = run(*args, **named)
        spent[step] += time.process_time() - began
        return result

    with tempfile.TemporaryDirectory() as folder:
        store = Store(f"sqlite:///{folder}/readback.sqlite3")
        documents = time_step("split", _read_all, files)
        spent["split"] *= rounds
        for number in range(rounds):
            texts = [one.text.decode() for one in documents if one.text]
            values = time_step("parse", _parse_all, texts)
            records = time_step("derive", _build_records, values)
            for start in range(0, len(records), AT_ONCE):
                some = [_rename(one, number) for one in records[start : start + AT_ONCE]]
                sent = time_step("send", pickle.dumps, some)
                received = time_step("receive", pickle.loads, sent)
                time_step("store", store.add, received)
        time_step("index", store.complete)
        store.close()
    for process, steps in STEPS.items():
        for step in steps:
            _print_speed(f"  {step}", spent[step] / rounds / size)
        _print_speed(process, sum(map(spent.__getitem__, steps)) / rounds / size)


def _read_all(files: list[Path]) -> list[Document]:
    return [document for file in files for document in read_documents(file)]


def _parse_all(texts: list[str]) -> list[Value]:
    return list(map(parse_json, texts))


def _build_records(values: list[Value]) -> list[CompletionRecord]:
    records = []
    for value in values:
        with suppress(NotACompletion):
            if isinstance(value, Object):
                records.append(build_record(value))
    return records


def _rename(record: CompletionRecord, number: int) -> CompletionRecord:
    return replace(record, id=f"{record.id}-{number}", digest=f"{record.digest}-{number}")


def _print_speed(name: str, seconds: float) -> None:
    """Print a line for the seconds that a byte takes."""
    print(f"{name:12}{1e-6 / seconds:8.1f} MB/s{seconds * 1e9:8.0f} ns a byte")


if __name__ == "__main__":
    main()
