"""Measure the memory that a worker of `readback serve` needs for large completions.

`python -m bench.memory` stores forty completions with spoken answers of 8 MB and one with a
message of 60 MB of images. It reads pages, files and lists of the API from one server on loopback,
one address after the other, and then pages of a server that reads the same message from another
one. A line for each says how long the slowest client waited, how much all of them read, and how
much memory the largest worker had before and at most. `--only TEXT` takes the addresses that have
it, `--server` one of both. Takes at most four minutes: what does not fit into them is left out,
and named. The exit status is 1 if an answer is neither 200 nor, of more than two at once, 503.
"""

from __future__ import annotations

import argparse
import base64
import http.client
import json
import os
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

from bench.attack import running, silent_server
from tools.memory import HAS_PEAKS, find_children, read_held, read_peak, reset_peak
from tools.store_rows import add, completion, copy_completion, database_url
from webapp.embedded import Store

SECONDS: Final = 240.0
PATIENCE: Final = 25.0
"""Seconds for one answer; a page may take twenty."""
MEGABYTE: Final = 1_000_000
SPOKEN: Final = 40
SPOKEN_BYTES: Final = 8 * MEGABYTE
IMAGES: Final = 11
IMAGES_BYTES: Final = 60 * MEGABYTE
CHUNK: Final = 1024 * 1024
AT_ONCE: Final = 2
"""Clients that wait for nobody: one may have to wait longer than a page may take."""

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
    (f"/completions/{_ID}/export.html", 1),
    (f"/completions/{_ID}/export.json", 1),
    ("/v1/chat/completions?limit=100", 1),
    (f"/v1/chat/completions/{_ID}/messages", 1),
    ("/v1/chat/completions?limit=100", 6),
    (f"/v1/chat/completions/{_ID}/messages", 6),
    (f"/completions/{_ID}", 6),
    ("/completions", 6),
    (f"/completions/{_ID}", 16),
    (f"/completions/{_ID}/export.html", 16),
)
"""Addresses, and how many clients request each at the same time."""

OTHER_CASES: Final = (
    (f"/completions/{_ID}", 1),
    (f"/completions/{_ID}/export.html", 1),
    (f"/completions/{_ID}", 16),
    (f"/completions/{_ID}/messages/{_ID}-0/json", 16),
    (f"/completions/{_ID}/export.html", 16),
)
"""The same of a server that reads from another one."""


def main() -> int:
    """Print a line for each case; return 1 if one was not answered as it should be."""
    parser = argparse.ArgumentParser(prog="python -m bench.memory", description=__doc__)
    parser.add_argument("--only", default="", metavar="TEXT", help="addresses that have it")
    parser.add_argument("--server", choices=("own", "other"), help="pages of one server alone")
    options = parser.parse_args()
    cases = [one for one in CASES if options.only in one[0] and options.server != "other"]
    others = [one for one in OTHER_CASES if options.only in one[0] and options.server != "own"]
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
        print(f"{'address':44}{'clients':>8}{'slowest':>9}{'read':>9}{'before':>9}{'peak':>9}")
        with running(folder, model) as (process, port):
            for path, clients in cases:
                has_failed |= measure(process.pid, port, path, clients, end)
        (folder / "own").mkdir()
        other = stack.enter_context(other_server())
        print("read from another server:")
        with running(folder / "own", model, OPENAI_BASE_URL=other) as (process, port):
            for path, clients in others:
                has_failed |= measure(process.pid, port, path, clients, end)
    return int(has_failed)


def measure(pid: int, port: int, path: str, clients: int, end: float) -> bool:
    """Let `clients` read an address at once, and print the line; return whether it failed."""
    if time.monotonic() > end - PATIENCE:
        print(f"{path:44}{clients:8}  left out: no time", flush=True)
        return False
    workers = find_children(pid)
    before = max(map(read_held, workers))
    for worker in workers:
        reset_peak(worker)
    with ThreadPoolExecutor(clients) as pool:
        answers = list(pool.map(lambda _: read(port, path), range(clients)))
    peak = max(map(read_peak, workers))
    slowest = max(answer.seconds for answer in answers)
    length = sum(answer.length for answer in answers)
    expected = {200} if clients <= AT_ONCE else {200, 503}
    odd = Counter(answer.status for answer in answers if answer.status != 200)
    print(
        f"{path:44}{clients:8}{slowest:8.1f}s{length // MEGABYTE:6} MB"
        f"{before // MEGABYTE:6} MB{peak // MEGABYTE:6} MB"
        f"{f'  answered {dict(odd)}' if odd else ''}",
        flush=True,
    )
    return not expected.issuperset(odd)


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


@contextmanager
def other_server() -> Iterator[str]:
    """Yield the base URL of a server that has the completion with the images, and nothing else."""
    words = {"type": "text", "text": "What do these show? \N{SLIGHTLY SMILING FACE}"}
    said = {"id": f"{_ID}-0", "role": "user", "content": [words, *iter_images()]}
    message = {"role": "assistant", "content": "Noise."}
    choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
    listed = {"object": "list", "data": [said], "has_more": False}
    answers = {
        f"/v1/chat/completions/{_ID}": {"id": _ID, "created": 1, "choices": choices},
        f"/v1/chat/completions/{_ID}/messages": listed,
    }
    bodies = {
        path: json.dumps(answer, ensure_ascii=False).encode() for path, answer in answers.items()
    }

    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = bodies.get(self.path.partition("?")[0])
            self.send_response(404 if body is None else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body or b"{}")))
            self.end_headers()
            with suppress(OSError):
                self.wfile.write(body or b"{}")

        def log_message(self, format: str, *args: object) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1"
        finally:
            server.shutdown()


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
