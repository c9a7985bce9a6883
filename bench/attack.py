"""Attack `readback serve` with clients that are slow, many or large, and watch the others.

`python -m bench.attack [ATTACKERS] [--only NAME]` starts a server, a model server that never
answers and one that drips, and one attack after the other, all on loopback. A line for each says
how long `/healthz` and the list took at worst meanwhile, what the attackers were answered, and what
the largest worker held at most. The probes have the address of the attackers, as readers behind one
NAT would.
The exit status is 1 if a probe failed or took longer than a second. If clients take too long to
send what they send, not all of them begin.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from tools.memory import HAS_PEAKS, find_children, read_peak, reset_peak
from tools.store_rows import add, completion, copy_completion, database_url
from webapp.embedded import Store

SECONDS: Final = 8.0
"""How long each attack lasts."""
CREATE_SECONDS: Final = 6.0
"""The deadline of creates, which ends those that began with the attack within it."""
MOST_SECONDS: Final = 40.0
"""After that no more clients begin their attack."""
SLOWEST: Final = 1.0
PATIENCE: Final = 30.0
IDLE_FACTOR: Final = 6
LARGE: Final = 8 * 1024 * 1024
PROBES: Final = ("/healthz", "/completions?model=small")

_HEAD: Final = b" HTTP/1.1\r\nHost: 127.0.0.1\r\n"
_CREATE: Final = b"POST /v1/chat/completions" + _HEAD

Attack: TypeAlias = Callable[[socket.socket], None]


def wait_for_the_model(peer: socket.socket) -> None:
    """Create a completion with a model server that does not answer."""
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "Hi"}]}).encode()
    peer.sendall(_CREATE + b"Content-Length: %d\r\n\r\n" % len(body) + body)


def wait_for_a_dripping_model(peer: socket.socket) -> None:
    """Create a completion with a model server that sends a byte at a time until the deadline."""
    wait_for_the_model(peer)


def send_half_a_body(peer: socket.socket) -> None:
    """Send half of what the head announces."""
    peer.sendall(_CREATE + b"Content-Length: 50000000\r\n\r\n" + b" " * 100_000)


def send_half_a_form(peer: socket.socket) -> None:
    """Send half of a form."""
    peer.sendall(b"POST /open" + _HEAD + b"Content-Length: 10000\r\n\r\npasted=")


def send_half_a_head(peer: socket.socket) -> None:
    """Send a head without its end."""
    peer.sendall(b"GET /completions" + _HEAD)


def stay_idle(peer: socket.socket) -> None:
    """Connect and send nothing."""


def read_no_page(peer: socket.socket) -> None:
    """Ask for a page of large completions, and read nothing of it."""
    peer.sendall(b"GET /v1/chat/completions?limit=100" + _HEAD + b"\r\n")


def read_no_list(peer: socket.socket) -> None:
    """Ask for the list, and read nothing of it."""
    peer.sendall(b"GET /completions?model=small" + _HEAD + b"\r\n")


def send_many_values(peer: socket.socket) -> None:
    """Send a body of small values, as large as may be."""
    start, values, end = b'{"model":"m","messages":[', b"0," * 1_000_000, b"0]}"
    length = len(start) + 30 * len(values) + len(end)
    peer.sendall(_CREATE + b"Content-Length: %d\r\n\r\n" % length + start)
    for _ in range(30):
        peer.sendall(values)
    peer.sendall(end)


def send_deep_values(peer: socket.socket) -> None:
    """Send a body of nested values, which is slow to parse."""
    deep = b'{"a":' * 100_000 + b"1" + b"}" * 100_000
    body = b'{"model":"m","messages":[{"role":"user","content":' + deep + b"}]}"
    peer.sendall(_CREATE + b"Content-Length: %d\r\n\r\n" % len(body) + body)


def send_long_strings(peer: socket.socket) -> None:
    """Send a body with one string of escapes, as large as may be."""
    start, escapes, end = (
        b'{"model":"m","messages":[{"role":"user","content":"',
        rb"\"" * 500_000,
        b'"}]}',
    )
    peer.sendall(
        _CREATE + b"Content-Length: %d\r\n\r\n" % (len(start) + 60 * len(escapes) + len(end))
    )
    for piece in (start, *[escapes] * 60, end):
        peer.sendall(piece)


ATTACKS: Final[tuple[Attack, ...]] = (
    wait_for_the_model,
    wait_for_a_dripping_model,
    send_half_a_body,
    send_half_a_form,
    send_half_a_head,
    stay_idle,
    read_no_page,
    read_no_list,
    send_many_values,
    send_deep_values,
    send_long_strings,
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the probes took at worst, in seconds, and what the attackers were answered."""

    worst: dict[str, float]
    failures: int
    answers: Counter[str]
    peak: int


def main() -> int:
    """Print a line for each attack; return 1 if one of them was felt."""
    parser = argparse.ArgumentParser(prog="python -m bench.attack", description=__doc__)
    parser.add_argument("attackers", nargs="?", type=int, default=200)
    names = [attack.__name__ for attack in ATTACKS]
    parser.add_argument(
        "--only", action="append", choices=names, help="an attack; may be repeated (default: all)"
    )
    options = parser.parse_args()
    chosen = [attack for attack in ATTACKS if attack.__name__ in (options.only or names)]
    # Leave no server when a time limit ends the program.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    is_felt = False
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="readback-bench-")))
        fill(folder)
        silent = stack.enter_context(silent_server())
        dripping = stack.enter_context(dripping_server())
        print(
            f"{'attack':26}{'clients':>8}{'healthz':>9}{'list':>9}{'failed':>8}{'MB':>6}  answers"
        )
        for attack in chosen:
            count = options.attackers * (IDLE_FACTOR if attack is stay_idle else 1)
            # A server of its own, so that no attack is felt in the next line.
            model = dripping if attack is wait_for_a_dripping_model else silent
            with running(folder, model) as (process, port):
                outcome = run(attack, count, process.pid, port)
            times = "".join(f"{outcome.worst[probe]:8.2f}s" for probe in PROBES)
            said = ", ".join(f"{times} × {status}" for status, times in outcome.answers.items())
            felt = outcome.failures or max(outcome.worst.values()) > SLOWEST
            is_felt = is_felt or bool(felt)
            print(
                f"{attack.__name__:26}{outcome.answers.total():8}{times}{outcome.failures:8}"
                f"{outcome.peak // 2**20:6}  {said}",
                flush=True,
            )
    return int(is_felt)


def fill(folder: Path) -> None:
    """Store forty completions with large answers, and one that the probed list shows."""
    store = Store(database_url(folder))
    message = {"role": "assistant", "content": "x" * LARGE}
    choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
    add(store, completion("chatcmpl-0", created=1) | {"choices": choices})
    add(store, completion("chatcmpl-small", model="small"))
    store.close()
    for at in range(1, 40):
        copy_completion(database_url(folder), "chatcmpl-0", f"chatcmpl-{at}", created=at + 1)


@contextmanager
def silent_server() -> Iterator[str]:
    """Yield the base URL of a server that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"


@contextmanager
def dripping_server() -> Iterator[str]:
    """Yield the base URL of a server that answers every connection with a byte now and then."""
    peers: list[socket.socket] = []
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99999\r\n\r\n"

    def accept(listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                peer, _ = listener.accept()
                peer.sendall(head)
                peers.append(peer)

    def drip(ended: threading.Event) -> None:
        while not ended.wait(0.2):
            for peer in list(peers):
                with suppress(OSError):
                    peer.sendall(b" ")

    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        threading.Thread(target=accept, args=(listener,), daemon=True).start()
        dripper = threading.Thread(target=drip, args=(ended,))
        dripper.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        finally:
            ended.set()
            dripper.join()
            listener.shutdown(socket.SHUT_RDWR)
            for peer in peers:
                peer.close()


@contextmanager
def running(
    folder: Path, model: str, **settings: str
) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Run a server on a free port until the end; yield its process and the port."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    ours = {"PORT": str(port), "DATABASE_URL": database_url(folder), "READBACK_MODEL_URL": model}
    ours["READBACK_CREATE_TIMEOUT"] = str(CREATE_SECONDS)
    process = subprocess.Popen(
        [sys.executable, "-m", "webapp", "serve"],
        env=os.environ | ours | settings,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with suppress(OSError):
                for probe in PROBES * 4:
                    ask(port, probe)
                break
            time.sleep(0.1)
        yield process, port
    finally:
        process.terminate()
        process.wait(PATIENCE)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def run(attack: Attack, count: int, pid: int, port: int) -> Outcome:
    """Attack with `count` clients for a while, and probe meanwhile."""
    workers = find_children(pid)
    if HAS_PEAKS:
        for worker in workers:
            reset_peak(worker)
    worst = dict.fromkeys(PROBES, 0.0)
    failures = 0
    peers: list[socket.socket] = []
    try:
        attacker = threading.Thread(target=start_clients, args=(attack, count, port, peers))
        attacker.start()
        end = time.monotonic() + SECONDS
        while time.monotonic() < end or attacker.is_alive():
            for probe in PROBES:
                began = time.monotonic()
                try:
                    failures += ask(port, probe) != 200
                except OSError:
                    failures += 1
                worst[probe] = max(worst[probe], time.monotonic() - began)
        attacker.join()
        answers = Counter(read_status(peer) for peer in peers)
        return Outcome(worst, failures, answers, max(map(read_peak, workers)))
    finally:
        for peer in peers:
            peer.close()


def start_clients(attack: Attack, count: int, port: int, peers: list[socket.socket]) -> None:
    """Connect `count` clients and let each begin its attack, as long as there is time."""
    end = time.monotonic() + MOST_SECONDS
    for _ in range(count):
        if time.monotonic() > end:
            break
        peer = socket.socket()
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer.settimeout(PATIENCE)
        peers.append(peer)
        with suppress(OSError):
            peer.connect(("127.0.0.1", port))
            attack(peer)


def ask(port: int, path: str) -> int:
    """Return the status of a request on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
        return response.status
    finally:
        connection.close()


def read_status(peer: socket.socket) -> str:
    """Return the status that a client got, `open` if it waits, or `closed`."""
    peer.setblocking(False)
    try:
        line = peer.recv(1024).split(b"\r\n", 1)[0]
    except BlockingIOError:
        return "open"
    except OSError:
        return "closed"
    return line.split(b" ")[1].decode() if line.startswith(b"HTTP/") else "closed"


if __name__ == "__main__":
    sys.exit(main())
