"""Load two or more nodes behind nginx, and let them fail: `python -m bench.cluster --minutes 10`.

Prints every half minute the pages read, the completions written, the failures and the memory of
each node; in the end what was lost and which pages were wrong: nothing may be. Source
`tools/nginx.sh`, `tools/postgres.sh` and `tools/redis.sh` first.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from urllib3.exceptions import InsecureRequestWarning

from tools.cluster import (
    HOST,
    Load,
    Node,
    find_missing,
    find_nginx,
    go_through_failures,
    open_client,
    running_echo_model,
    running_proxy,
    wait_for,
)
from tools.postgres import find_programs, running_postgres
from webapp.access.passwords import hash_password

KEY = "key-of-the-cluster-0123456789"
PASSWORD = "correct horse battery"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--nodes", type=int, default=2)
    parser.add_argument("--readers", type=int, default=64)
    parser.add_argument("--writers", type=int, default=8)
    options = parser.parse_args()
    # Leave no server when a time limit ends the program.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    warnings.simplefilter("ignore", InsecureRequestWarning)
    programs, nginx = find_programs(), find_nginx()
    if programs is None or nginx is None:
        raise SystemExit("PostgreSQL and nginx are needed")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        postgres = stack.enter_context(running_postgres(programs))
        settings = {
            "DATABASE_URL": stack.enter_context(postgres.database()),
            "RATELIMIT_STORAGE_URI": stack.enter_context(running_redis()),
            "READBACK_MODEL_URL": stack.enter_context(running_echo_model()),
            "READBACK_API_KEY": KEY,
            "READBACK_PASSWORD_HASH": hash_password(PASSWORD),
            "READBACK_TRUSTED_PROXIES": HOST,
            "READBACK_WORKERS": "1",
            "SECRET_KEY": "the-same-on-each-node-0123456789",
        }
        nodes = [
            Node(folder / str(number), find_port(), settings) for number in range(options.nodes)
        ]
        for node in nodes:
            stack.callback(node.kill)
            node.start()
        ports = [node.port for node in nodes]
        address = stack.enter_context(running_proxy(nginx, folder / "nginx", ports))
        reader = open_client()
        reader.post(f"{address}/login", data={"password": PASSWORD}, allow_redirects=False)
        load = Load(address, KEY, reader.cookies.get_dict())
        with load.running(readers=options.readers, writers=options.writers):
            half = options.minutes * 30
            watch(load, nodes, half)
            go_through_failures(load, nodes, postgres)
            watch(load, nodes, half)
        acknowledged = load.written | load.spooled
        wait_for(lambda: find_missing(nodes[0], KEY, load.spooled) == [])
        lost = {one for node in nodes for one in find_missing(node, KEY, acknowledged)}
        print(f"{len(acknowledged)} acknowledged, {len(lost)} lost, {load.pages} pages read")
        print(f"{load.failures} failures, {len(load.problems)} of them while nothing was down")
        for problem in load.problems[:20]:
            print(f"  {problem}")


def watch(load: Load, nodes: list[Node], seconds: float) -> None:
    """Print a line every half minute."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(30, left))
        memory = " ".join(f"{node.read_memory() / 2**20:.0f} MB" for node in nodes)
        written = len(load.written) + len(load.spooled)
        print(
            f"{load.pages} pages, {written} written, {load.failures} failures; {memory}", flush=True
        )


@contextmanager
def running_redis() -> Iterator[str]:
    program = os.environ.get("READBACK_REDIS") or shutil.which("redis-server")
    if program is None:
        raise SystemExit("Redis is needed")
    port = find_port()
    command = [program, "--port", str(port), "--bind", HOST, "--save", "", "--appendonly", "no"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        yield f"redis://{HOST}:{port}"
        process.terminate()


def find_port() -> int:
    with socket.create_server((HOST, 0)) as free:
        port: int = free.getsockname()[1]
        return port


if __name__ == "__main__":
    main()
