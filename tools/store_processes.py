"""Processes at work on one store, some of them killed, and what must be true of it afterwards.

`python -m tools.store_processes WORK URL NAME ROUNDS` is such a process: it prints a line
for everything it was told is stored. The tests run few of them, `bench.durability` many.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Final, TypeAlias

from flask.testing import FlaskClient

from tools.paths import ROOT
from tools.store_rows import add, completion, jsonl, rows
from webapp.embedded import Store, create_server, import_files

Work: TypeAlias = Callable[[Store, str, int], Iterator[str]]
"""Does rounds of one kind of work under a name, and yields what it has stored."""

MESSAGES: Final = 5
UPDATED: Final = "updated"
"""The completion that all updates are of."""

_HALF: Final = {
    "completions with some of their messages": (
        "SELECT c.id FROM completions AS c LEFT JOIN messages AS m ON m.completion = c.seq"
        f" GROUP BY c.id HAVING count(m.id) <> {MESSAGES}"
    ),
    "completions with some of their metadata": (
        "SELECT c.id FROM completions AS c LEFT JOIN metadata AS m ON m.completion = c.seq"
        " GROUP BY c.id HAVING count(m.key) <> 2"
    ),
    "messages of no completion": (
        "SELECT id FROM messages WHERE completion NOT IN (SELECT seq FROM completions)"
    ),
}


def whole(completion_id: str, by: str, number: int = 0) -> dict[str, object]:
    """A completion as these processes store it."""
    return completion(completion_id, messages=MESSAGES, metadata={"by": by, "n": str(number)})


def adding(store: Store, name: str, rounds: int) -> Iterator[str]:
    for at in range(rounds):
        add(store, whole(f"{name}-{at}", name))
        yield f"{name}-{at}"


def importing(store: Store, name: str, rounds: int) -> Iterator[str]:
    """Imports one file; what a batch held is stored when the progress is told."""
    stored = [0]

    def tell(_done: int, _total: int, completions: int) -> None:
        for at in range(stored[-1], completions):
            print(f"{name}-{at}")
        sys.stdout.flush()
        stored.append(completions)

    with tempfile.TemporaryDirectory() as folder:
        lines = (whole(f"{name}-{at}", name) for at in range(rounds))
        import_files(store, [jsonl(Path(folder) / "a.jsonl", lines)], progress=tell)
    yield from ()


def updating(store: Store, name: str, rounds: int) -> Iterator[str]:
    """Updates one completion over and over; yields the `n` it then has."""
    client = create_server(store).test_client()
    for at in range(rounds):
        metadata = {"by": name, "n": str(at)}
        answer = client.post(f"/chat/completions/{UPDATED}", json={"metadata": metadata})
        assert answer.get_json()["metadata"] == metadata
        yield str(at)


def contending(store: Store, name: str, rounds: int) -> Iterator[str]:
    """Adds, reads, updates, lists and deletes through the routes; yields what it left stored."""
    client = create_server(store).test_client()
    for at in range(rounds):
        completion_id = f"{name}-{at}"
        add(store, whole(completion_id, name))
        _use(client, completion_id, name)
        if at % 4:
            yield completion_id
        else:
            assert client.delete(f"/chat/completions/{completion_id}").status_code == 200


def _use(client: FlaskClient, completion_id: str, name: str) -> None:
    one = f"/chat/completions/{completion_id}"
    metadata = {"by": name, "n": "1"}
    answer = client.post(one, json={"metadata": metadata})
    assert answer.status_code == 200, answer.text
    assert client.get(one).get_json()["metadata"] == metadata
    assert len(client.get(f"{one}/messages").get_json()["data"]) == MESSAGES
    listed = client.get("/chat/completions", query_string={"metadata[by]": name, "limit": 1})
    assert listed.get_json()["first_id"] == completion_id


WORKS: Final[dict[str, Work]] = {
    "add": adding,
    "import": importing,
    "update": updating,
    "contend": contending,
}


def start(work: str, url: str, name: str, rounds: int) -> subprocess.Popen[str]:
    """A process at `work`."""
    return subprocess.Popen(
        [sys.executable, "-m", "tools.store_processes", work, url, name, str(rounds)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def killed(work: str, url: str, name: str, *, after: float) -> list[str]:
    """What a process said it had stored when it was killed `after` seconds at work."""
    process = start(work, url, name, 1_000_000 if work != "import" else 5_000)
    assert process.stdout is not None and process.stderr is not None
    # The first line is what was stored first: from here on the moment is any.
    first = process.stdout.readline()
    with suppress(subprocess.TimeoutExpired):
        process.wait(after)
    process.kill()
    # Not `communicate`, which does not know what `readline` has read ahead.
    with process:
        rest, problems = process.stdout.read(), process.stderr.read()
    assert not problems, problems
    # The last line may be cut off where the pipe was.
    return [line.rstrip("\n") for line in (first + rest).splitlines(True) if line.endswith("\n")]


def lost(work: str, url: str, said: list[str]) -> list[str]:
    """What of all that was `said` to be stored is not there any more."""
    with closing(Store(url)) as store:
        if work != "update":
            return [one for one in said if store.retrieve_completion(one) is None]
        stored = int(json.loads(store.retrieve_completion(UPDATED) or "")["metadata"]["n"])
        searched = rows(url, "SELECT value FROM metadata WHERE key = 'n' ORDER BY completion")
    return [n for n in said if int(n) > stored or (str(stored),) not in searched]


def half_stored(url: str) -> list[str]:
    """What is in the database and must not be visible in any state."""
    return [f"{name}: {row[0]}" for name, query in _HALF.items() for row in rows(url, query)]


def main(work: str, url: str, name: str, rounds: str) -> None:
    with closing(Store(url)) as store:
        for stored in WORKS[work](store, name, int(rounds)):
            print(stored, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
