"""Read many different transcripts in one process, and print how its memory grows.

`python -m bench.soak` reads 100,000 pages of 10,000 transcripts: most often the start of one, also
its compact view, a link to a message, its JSON, and the list. A few transcripts are read often and
most seldom, as people do. A line after each tenth says how much memory the process held, as a
ratio of that after the first tenth, and how full the cache of bubbles was. The exit status is 1 if
the memory has grown by more than half since the first tenth, or if a page was wrong.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bench.browser import make_completion
from tools.memory import read_held
from webapp.app import create_app
from webapp.config import Config
from webapp.embedded import Store, import_files
from webapp.factories import find_database_url
from webapp.templating.bubbles import BUBBLES

MAX_GROWTH: Final = 1.5
_SIZES: Final = (2, 5, 20, 45, 110)
"""Messages of the generated transcripts, in turn."""
_PAGES: Final = (
    ("/completions/{id}", 12),
    ("/completions/{id}?view=compact", 3),
    ("/completions/{id}/messages/{id}-1", 2),
    ("/completions/{id}/json", 1),
    ("/completions", 2),
)


def main() -> None:
    """Print a line after each tenth of the pages."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--transcripts", type=int, default=10_000)
    parser.add_argument("--views", type=int, default=100_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="readback-bench-") as folder:
        config = Config(database_url=f"sqlite:///{folder}/readback.sqlite3")
        _fill(config, Path(folder, "soak.jsonl"), options.transcripts)
        app = create_app(config)
        client, bubbles = app.test_client(), app.extensions[BUBBLES]
        first = held = 0
        print(f"{'views':>10}{'MB held':>10}{'ratio':>8}{'bubbles':>10}{'MB':>8}")
        for count, path in enumerate(_choose(options.views, options.transcripts), start=1):
            response = client.get(path)
            if response.status_code != 200:
                sys.exit(f"{path}: {response.status}")
            response.close()
            if count % (options.views // 10) == 0:
                held = read_held(os.getpid())
                first = first or held
                kept = f"{len(bubbles):10,}{bubbles.size / 1e6:8.1f}"
                print(f"{count:10,}{held / 1e6:10.0f}{held / first:8.2f}{kept}", flush=True)
    if held > MAX_GROWTH * first or bubbles.size > bubbles.most:
        sys.exit("The memory grows.")


def _choose(views: int, transcripts: int) -> Iterator[str]:
    """Yield paths; the first transcripts are read far more often than the last ones."""
    chance = random.Random(17)
    weights = [weight for _, weight in _PAGES]
    for page, _ in chance.choices(_PAGES, weights, k=views):
        at = int(transcripts * chance.random() ** 3)
        yield page.format(id=f"chatcmpl-soak-{at}")


def _fill(config: Config, path: Path, transcripts: int) -> None:
    with path.open("w", encoding="utf-8") as file:
        for at in range(transcripts):
            made = make_completion(_SIZES[at % len(_SIZES)], f"chatcmpl-soak-{at}")
            # Bubbles of different transcripts must not be equal.
            for message in made["messages"]:
                message["content"] = f"{message['content']} (run {at})"
            file.write(json.dumps(made) + "\n")
    store = Store(find_database_url(config))
    report = import_files(store, [path])
    assert report.added == transcripts, report.problems
    store.close()


if __name__ == "__main__":
    main()
