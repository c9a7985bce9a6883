"""Measure exports: time to the first byte, time in all, and memory, which must not grow.

`python -m bench.export` stores transcripts of 1,143 and of 100,000 messages (`--messages` for
another number) and writes each in every format, or in those of `--form`, in a process of its own.
A line says how many megabytes were written, the seconds to the first byte and to the last, the
seconds of CPU, and how many megabytes the process held more at most than after its first byte.
`--import FILE` measures the longest completion of a JSONL file as well.
"""

from __future__ import annotations

import argparse
import gc
import json
import multiprocessing
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from tools.memory import HAS_PEAKS, read_held, read_peak, reset_peak
from webapp.app import load_stored, open_templates
from webapp.config import Config
from webapp.embedded import Store, import_files
from webapp.exports import (
    LeftOut,
    Transcript,
    encode,
    iter_html,
    iter_json,
    iter_markdown,
    iter_promptfoo,
    iter_training_line,
)
from webapp.reading.streaming import stream_transcript
from webapp.static_files import export_sheet
from webapp.upstream import Deadline

FORMS: Final = ("json", "md", "jsonl", "promptfoo", "html")
LENGTHS: Final = (1_143, 100_000)
_MEGABYTE: Final = 1_000_000
_SECONDS: Final = 60.0


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a line for each transcript and format."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m bench.export")
    parser.add_argument("--messages", type=int, action="append", default=[])
    parser.add_argument("--form", choices=FORMS, action="append", default=[])
    parser.add_argument("--import", dest="files", type=Path, action="append", default=[])
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="readback-bench-") as folder:
        store = Store(f"sqlite:///{folder}/store.sqlite3")
        ids = [_add(store, Path(folder), count) for count in options.messages or LENGTHS]
        for file in options.files:
            import_files(store, [file])
            lines = map(json.loads, file.read_text(encoding="utf-8").splitlines())
            ids.append(max(lines, key=lambda one: len(one["messages"]))["id"])
        store.close()
        head = f"{'MB':>7} {'first s':>8} {'all s':>8} {'CPU s':>8} {'MB held':>8}"
        print(f"{'completion':<24} {'form':<10}{head}", flush=True)
        for completion_id in ids:
            for form in options.form or FORMS:
                own = multiprocessing.get_context("spawn").Process(
                    target=_measure, args=(folder, completion_id, form)
                )
                own.start()
                own.join()


def _add(store: Store, folder: Path, count: int) -> str:
    """Store a transcript of questions, calls, results and answers; return its id."""
    completion_id = f"chatcmpl-{count}"
    call = {"id": "call_1", "type": "function", "function": {"name": "read", "arguments": "{}"}}
    turn = [
        {"role": "user", "content": "What does **this** file do?\n\n- one\n- two\n"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "line of a file\n" * 20},
        {"role": "assistant", "content": "It reads:\n\n```python\nprint(1)\n```\n\nand *ends*."},
    ]
    file = folder / "one.jsonl"
    with file.open("w", encoding="utf-8") as out:
        out.write(f'{{"id":"{completion_id}","model":"m","choices":[],"messages":[')
        for at in range(count):
            out.write(("," if at else "") + json.dumps(turn[at % len(turn)]))
        out.write("]}\n")
    report = import_files(store, [file])
    assert not report.problems
    return completion_id


def _open_writers() -> dict[str, Callable[[Transcript], Iterator[str]]]:
    app = open_templates()
    with app.app_context():
        sheet = export_sheet()
    return {
        "json": iter_json,
        "md": iter_markdown,
        "jsonl": lambda transcript: iter_training_line(transcript, LeftOut()),
        "promptfoo": lambda transcript: iter_promptfoo(transcript, LeftOut()),
        "html": lambda transcript: iter_html(transcript, app.jinja_env, sheet),
    }


def _measure(folder: str, completion_id: str, form: str) -> None:
    """Write a completion once; print the line. What is loaded on first use is not counted."""
    store = Store(f"sqlite:///{folder}/store.sqlite3")
    write = _open_writers()[form]
    start, began = time.perf_counter(), time.process_time()
    loader = load_stored(store, Config())
    found = stream_transcript(loader, completion_id, partial(Deadline.after, _SECONDS))
    pieces = encode(write(Transcript(completion_id, found.completion, found.messages)))
    written = len(next(pieces))
    first = time.perf_counter() - start
    gc.collect()
    if HAS_PEAKS:
        reset_peak("self")
    before = read_held("self") if HAS_PEAKS else 0
    written += sum(map(len, pieces))
    seconds = time.perf_counter() - start
    worked = time.process_time() - began
    held = read_peak("self") - before if HAS_PEAKS else 0
    print(
        f"{completion_id[:24]:<24} {form:<10}{written / _MEGABYTE:>7.1f} {first:>8.2f} "
        f"{seconds:>8.1f} {worked:>8.1f} {held / _MEGABYTE:>8.1f}",
        flush=True,
    )
    store.close()


if __name__ == "__main__":
    main()
