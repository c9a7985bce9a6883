"""Measure the comparison of long transcripts, and of long texts: time, memory and growth.

`python -m bench.compare` compares transcripts of 1,000 and 10,000 messages with copies in which one
message changed, in which every tenth did, and which have nothing in common; one of 100,000 messages
only with the first of these; then two texts of 2, 20, 200 and 2,000 kB. A line for each says how
long it took, and how much more memory the process then held at most.
"""

from __future__ import annotations

import json
import os
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from bench.search import Cost, build_transcript, measure, open_client, print_cost
from tools.memory import HAS_PEAKS, read_held, read_peak, reset_peak
from webapp.analysis.differences import compare_texts

SIZES: Final = (1_000, 10_000, 100_000)
TEXTS: Final = (2_000, 20_000, 200_000, 2_000_000)

_MAX_CHANGED: Final = 10_000

Message = dict[str, Any]


def main() -> None:
    """Print a line for each pair of transcripts and of texts."""
    print(f"{'pair':24}{'what changed':24}{'seconds':>9}{'memory':>10}{'page':>9}")
    with tempfile.TemporaryDirectory(prefix="readback-bench-") as folder:
        for size in SIZES:
            compare_transcripts(Path(folder), size)
    for size in TEXTS:
        compare_long_texts(size)


def compare_transcripts(folder: Path, size: int) -> None:
    """Print the costs of comparing a transcript with its copies."""
    changes: dict[str, Callable[[int], bool]] = {
        "one message": lambda at: at == size // 2,
        "every tenth message": lambda at: at % 10 == 0,
        "all messages": lambda at: True,
    }
    if size > _MAX_CHANGED:
        changes = {"one message": changes["one message"]}
    ids = {f"chatcmpl-{size}": None} | {
        f"chatcmpl-{size}-{place}": changed for place, changed in enumerate(changes.values())
    }
    files = {}
    for completion_id, changed in ids.items():
        document = build_transcript(completion_id, size)
        if changed is not None:
            document["messages"] = change(document["messages"], changed)
        files[completion_id] = folder / f"{completion_id}.jsonl"
        files[completion_id].write_text(json.dumps(document) + "\n")
    place = folder / str(size)
    place.mkdir()
    client, _ = open_client(place, files)
    first, *others = ids
    for label, other in zip(changes, others, strict=True):
        print_cost(f"{size:,} messages", label, measure(client, f"/compare?a={first}&b={other}"))


def change(messages: Any, changed: Callable[[int], bool]) -> list[Message]:
    """Return the messages, those at the changed places with another text."""
    return [
        one | {"content": f"Otherwise: {one['content']}"} if changed(at) else one
        for at, one in enumerate(messages)
    ]


def compare_long_texts(size: int) -> None:
    """Print the costs of comparing a text with one of small edits, and with another text."""
    pick = random.Random(1)
    words = [f"word{pick.randrange(500)}" for _ in range(size // 8)]
    edited = [f"other{at}" if at % 100 == 0 else word for at, word in enumerate(words)]
    another = [f"word{pick.randrange(500, 1000)}" for _ in words]
    for label, other in (("every hundredth word", edited), ("all words", another)):
        before, after = " ".join(words), " ".join(other)
        here = os.getpid()
        held = 0
        if HAS_PEAKS:
            reset_peak(here)
            held = read_held(here)
        began = time.perf_counter()
        found = compare_texts(before, after)
        seconds = time.perf_counter() - began
        memory = max(0, read_peak(here) - held) if HAS_PEAKS else 0
        length = sum(len(edit.after) for edit in found.edits)
        print_cost(f"texts of {size // 1000:,} kB", label, Cost(seconds, memory, length))


if __name__ == "__main__":
    main()
