"""Measure whether the time of an answer tells a wrong link from one that expired or was revoked.

`python -m bench.shares` asks for links of each kind in turn, many times, and prints the median and
the middle half of the times of each. The kinds differ if their middle halves do not overlap.
"""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from typing import Final

from webapp import create_app
from webapp.config import Config
from webapp.exact_json import parse
from webapp.shares import ShareChoices, ShareStore, Terms, make_snapshot

ROUNDS: Final = 400


def make_links(store: ShareStore) -> dict[str, str]:
    """Return a link of each kind, by its name."""
    completion = parse('{"choices":[{"message":{"role":"assistant","content":"Yes."}}]}')
    made = make_snapshot(completion, [parse('{"role":"user","content":"Hello"}')], ShareChoices())
    links = {"wrong": "A" * 32}
    for kind, seconds, limit in (("expired", 0, None), ("revoked", 3600, None), ("used up", 99, 1)):
        share_id = store.add_draft("", "chatcmpl-1", made)
        token = store.publish(share_id, Terms(maker="", seconds=seconds, view_limit=limit))
        assert token is not None
        links[kind] = token
        if kind == "revoked":
            store.revoke(share_id)
        if kind == "used up":
            share = store.find_open(token)
            assert share is not None
            store.take_view(share, token, agent="")
    return links


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(Config(database_url=f"sqlite:///{folder}/store.sqlite3"))
        client = app.test_client()
        links = make_links(app.extensions["readback"].sharing.store)
        times: dict[str, list[float]] = {kind: [] for kind in links}
        for _ in range(ROUNDS):
            for kind in random.sample(sorted(links), len(links)):
                began = time.perf_counter()
                answer = client.get(f"/s/{links[kind]}")
                times[kind].append(time.perf_counter() - began)
                assert answer.status_code == 404
        for kind, taken in times.items():
            low, middle, high = (1000 * one for one in statistics.quantiles(taken[20:], n=4))
            print(f"{kind:8} median {middle:6.3f} ms, middle half {low:6.3f} to {high:6.3f} ms")


if __name__ == "__main__":
    main()
