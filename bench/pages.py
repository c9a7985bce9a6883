"""Measure the CPU time of pages side by side with an empty Flask route.

`python -m bench.pages` prints, for each page, the median of its CPU time as a ratio of that of a
route that says hello, so that the machine cancels out. Cold pages are of completions that this
process has not shown before; templates are compiled by then, as in a server that has run a while,
and Python looks for cycles of objects as rarely as there.
Nothing but the process's own CPU time is measured, so a busy machine does not matter.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from flask import Flask
from flask.testing import FlaskClient

from bench.browser import make_completion
from webapp.analysis.assessing import assess_completion
from webapp.analysis.checks import CHECKS_VERSION
from webapp.app import create_app
from webapp.cli.serving import collect_rarely
from webapp.config import Config
from webapp.embedded import Store, import_files
from webapp.factories import find_database_url

COPIES: Final = 24
"""Equal completions under ids of their own: each is cold once."""

ROUNDS: Final = 40
TARGETS: Final = {
    "warm page of 20": 10,
    "cold page of 20": 60,
    "list page": 40,
    "/v1 messages": 2.2,
}


def main() -> None:
    """Print a line for each page."""
    with tempfile.TemporaryDirectory() as folder:
        config = Config(database_url=f"sqlite:///{folder}/readback.sqlite3")
        path = Path(folder, "pages.jsonl")
        made = (make_completion(20, f"chatcmpl-bench-{at}") for at in range(COPIES))
        path.write_text("".join(json.dumps(one) + "\n" for one in made), encoding="utf-8")
        store = Store(find_database_url(config))
        report = import_files(store, [path])
        assert report.added == COPIES, report.problems
        # As a server does a moment later.
        store.check(assess_completion, rules=CHECKS_VERSION)
        store.close()
        client = create_app(config).test_client()
        collect_rarely()
        _measure(client)


def _measure(client: FlaskClient) -> None:
    empty = _create_empty().test_client()
    # Templates are compiled by the first page; only then is a page cold and nothing else.
    _time(client, ["/completions/chatcmpl-bench-0", "/completions"])
    cold = [f"/completions/chatcmpl-bench-{at}" for at in range(1, COPIES)]
    pages = {
        "cold page of 20": cold,
        "warm page of 20": [cold[0]] * ROUNDS,
        "list page": ["/completions"] * ROUNDS,
        "/v1 messages": [f"/v1/chat{cold[0]}/messages"] * ROUNDS,
    }
    _time(empty, ["/"] * ROUNDS)
    print(f"{'':20}{'ms':>8}{'ratio':>8}{'target':>8}")
    for name, paths in pages.items():
        # Next to each other, since the clock of a busy machine changes its speed.
        hello = statistics.median(_time(empty, ["/"] * ROUNDS))
        seconds = statistics.median(_time(client, paths))
        print(f"{name:20}{seconds * 1000:8.2f}{seconds / hello:8.1f}{TARGETS[name]:8}", flush=True)


def _create_empty() -> Flask:
    app = Flask("empty")
    app.add_url_rule("/", "hello", lambda: "hello")
    return app


def _time(client: FlaskClient, paths: Iterable[str]) -> list[float]:
    """Return the CPU seconds of each answer."""
    found = []
    for path in paths:
        started = time.process_time()
        response = client.get(path)
        size = len(response.data)
        found.append(time.process_time() - started)
        assert response.status_code == 200 and size, path
    return found


if __name__ == "__main__":
    main()
