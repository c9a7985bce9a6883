"""`python -m tests.shares.opening URL TOKEN` opens a share by eight threads at the same time.

It prints "ready", waits for a line, and prints how many threads got a view. The share is the one of
TOKEN in the database at URL.
"""

from __future__ import annotations

import sys
import threading
from concurrent.futures import ThreadPoolExecutor

from webapp.database import open_later
from webapp.shares import SCHEMA, ShareStore


def open_eight_times(url: str, token: str) -> int:
    """Return how many of eight threads got a view."""
    database = open_later(url, SCHEMA)
    store = ShareStore(database)
    share = store.find_open(token)
    assert share is not None
    together = threading.Barrier(8)
    print("ready", flush=True)
    sys.stdin.readline()

    def take(_: int) -> bool:
        together.wait()
        return store.take_view(share, token, agent="") is not None

    with ThreadPoolExecutor(8) as pool:
        got = sum(pool.map(take, range(8)))
    database.close()
    return got


if __name__ == "__main__":
    print(open_eight_times(*sys.argv[1:]))
