"""Measure the memory that a worker of `readback serve` needs for large completions.

`python -m bench.memory` stores forty completions with spoken answers of 8 MB and one with a
message of 60 MB of images. It reads pages and lists of the API from one server on loopback, one
address after the other. A line for each says how long the slowest client waited, how much all of
them read, and how much memory the largest worker had before and at most. Takes at most two
minutes: what does not fit into them is left out, and named. The exit status is 1 if an answer is
no 200.
"""

from __future__ import annotations

import base64
import http.client
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.attack import running, silent_server
from tools.memory import HAS_PEAKS, find_children, read_held, read_peak, reset_peak
from tools.store_rows import add, completion, copy_completion, database_url
from webapp.embedded import Store

SECONDS: Final = 120.0
PATIENCE: Final = 25.0
"""Seconds for one answer; a page may take twenty."""
MEGABYTE: Final = 1_000_000
SPOKEN: Final = 40
SPOKEN_BYTES: Final = 8 * MEGABYTE
IMAGES: Final = 11
IMAGES_BYTES: Final = 60 * MEGABYTE
CHUNK: Final = 1024 * 1024

_ID: Final = "chatcmpl-images"
_SPOKEN_ID: Final = "chatcmpl-spoken-"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a client was answered; the status is 0 if it was not, or not completely."""

    status: int
    length: int
    seconds: float


CASES: Final = (
    ("/completions", 1),
    (f"/completions/{_ID}", 1),
    ("/v1/chat/completions?limit=100", 1),
    (f"/v1/chat/completions/{_ID}/messages", 1),
    ("/v1/chat/completions?limit=100", 6),
    (f"/v1/chat/completions/{_ID}/messages", 6),
    (f"/completions/{_ID}", 6),
    ("/completions", 6),
)
"""Addresses, and how many clients request each at the same time."""


def main() -> int:
    """Print a line for each case; return 1 if an answer is no 200."""
    if not HAS_PEAKS:
        print("This system does not say how much memory a process has held.", file=sys.stderr)
        return 2
    # Leave no server when a time limit ends the program.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    end = time.monotonic() + SECONDS
    has_failed = False
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="readback-bench-")))
        fill(folder)
        model = stack.enter_context(silent_server())
        process, port = stack.enter_context(running(folder, model))
        workers = find_children(process.pid)
        print(f"{'address':44}{'clients':>8}{'slowest':>9}{'read':>9}{'before':>9}{'peak':>9}")
        for path, clients in CASES:
            if time.monotonic() > end - PATIENCE:
                print(f"{path:44}{clients:8}  left out: no time", flush=True)
                continue
            before = max(map(read_held, workers))
            for worker in workers:
                reset_peak(worker)
            with ThreadPoolExecutor(clients) as pool:
                answers = list(pool.map(lambda _, a=path: read(port, a), range(clients)))
            peak = max(map(read_peak, workers))
            has_failed = has_failed or any(answer.status != 200 for answer in answers)
            slowest = max(answer.seconds for answer in answers)
            length = sum(answer.length for answer in answers)
            odd = sorted({answer.status for answer in answers} - {200})
            print(
                f"{path:44}{clients:8}{slowest:8.1f}s{length // MEGABYTE:6} MB"
                f"{before // MEGABYTE:6} MB{peak // MEGABYTE:6} MB"
                f"{f'  answered {odd}' if odd else ''}",
                flush=True,
            )
    return int(has_failed)


def fill(folder: Path) -> None:
    """Store the completions, the one with the images as the newest."""
    store = Store(database_url(folder))
    audio = {"id": "audio-1", "data": make_data(SPOKEN_BYTES), "transcript": "Yes."}
    message = {"role": "assistant", "content": None, "audio": audio}
    choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
    add(store, completion(f"{_SPOKEN_ID}0", created=1) | {"choices": choices})
    # With one emoji, a text in memory takes four bytes a character.
    words = {"type": "text", "text": "What do these show? \N{SLIGHTLY SMILING FACE}"}
    said = {"role": "user", "content": [words, *iter_images()]}
    add(store, completion(_ID, created=SPOKEN + 1) | {"messages": [said]})
    store.close()
    for at in range(1, SPOKEN):
        names = f"{_SPOKEN_ID}0", f"{_SPOKEN_ID}{at}"
        copy_completion(database_url(folder), *names, created=at + 1)


def iter_images() -> Iterator[dict[str, object]]:
    for _ in range(IMAGES):
        url = f"data:image/png;base64,{make_data(IMAGES_BYTES // IMAGES)}"
        yield {"type": "image_url", "image_url": {"url": url}}


def make_data(length: int) -> str:
    """Return `length` characters of random bytes in base64."""
    return base64.b64encode(os.urandom(length // 4 * 3)).decode()


def read(port: int, path: str) -> Answer:
    """Read an answer piece by piece."""
    began = time.monotonic()
    status = length = 0
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        while (piece := response.read(CHUNK)) and time.monotonic() < began + PATIENCE:
            length += len(piece)
        status = 0 if piece else response.status
    except (OSError, http.client.HTTPException):
        status = 0
    finally:
        connection.close()
    return Answer(status, length, time.monotonic() - began)


if __name__ == "__main__":
    sys.exit(main())
