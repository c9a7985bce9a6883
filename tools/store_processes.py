"""Run processes that write to one store, kill some, and check the store afterwards.

`python -m tools.store_processes WORK URL NAME ROUNDS` is such a process. It prints a line for
every completion that it has stored. The tests run few processes, `bench.durability` many.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Final, TypeAlias

from flask.testing import FlaskClient

from tools.forking import Forkable, Process, start_module
from tools.store_rows import add, completion, jsonl, rows
from webapp.embedded import Store, create_server, import_files

Work: TypeAlias = Callable[[Store, str, int], Iterator[str]]
"""Do rounds of one kind of work under a name, and yield each id or number stored."""

MESSAGES: Final = 5
UPDATED: Final = "updated"
"""The completion that all updates change."""

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


def build_completion(completion_id: str, by: str, number: int = 0) -> dict[str, object]:
    """Return a completion as these processes store it."""
    return completion(completion_id, messages=MESSAGES, metadata={"by": by, "n": str(number)})


def add_completions(store: Store, name: str, rounds: int) -> Iterator[str]:
    for at in range(rounds):
        add(store, build_completion(f"{name}-{at}", name))
        yield f"{name}-{at}"


def import_completions(store: Store, name: str, rounds: int) -> Iterator[str]:
    """Import one file; print the ids of each batch when its progress is reported."""
    stored = [0]

    def report(_done: int, _total: int, completions: int) -> None:
        for at in range(stored[-1], completions):
            print(f"{name}-{at}")
        sys.stdout.flush()
        stored.append(completions)

    with tempfile.TemporaryDirectory() as folder:
        lines = (build_completion(f"{name}-{at}", name) for at in range(rounds))
        import_files(store, [jsonl(Path(folder) / "a.jsonl", lines)], progress=report)
    yield from ()


def update_metadata(store: Store, name: str, rounds: int) -> Iterator[str]:
    """Update one completion over and over; yield its new `n` each time."""
    client = create_server(store).test_client()
    for at in range(rounds):
        metadata = {"by": name, "n": str(at)}
        answer = client.post(f"/chat/completions/{UPDATED}", json={"metadata": metadata})
        assert answer.get_json()["metadata"] == metadata
        yield str(at)


def use_every_route(store: Store, name: str, rounds: int) -> Iterator[str]:
    """Add, read, update, list and delete through the routes; yield the ids still stored."""
    client = create_server(store).test_client()
    for at in range(rounds):
        completion_id = f"{name}-{at}"
        add(store, build_completion(completion_id, name))
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
    "add": add_completions,
    "import": import_completions,
    "update": update_metadata,
    "contend": use_every_route,
}


def start(work: str, url: str, name: str, rounds: int, forkable: Forkable | None = None) -> Process:
    """Start a process that does `work`."""
    arguments = ("tools.store_processes", work, url, name, str(rounds))
    return start_module(*arguments, environ=os.environ, forkable=forkable)


def run_until_killed(
    work: str, url: str, name: str, forkable: Forkable | None = None, *, after: float
) -> list[str]:
    """Kill a process `after` seconds of work; return the lines it had printed."""
    process = start(work, url, name, 1_000_000 if work != "import" else 5_000, forkable)
    assert process.stdout is not None and process.stderr is not None
    # After the first line there is something to lose, so any moment will do.
    first = process.stdout.readline()
    with suppress(subprocess.TimeoutExpired):
        process.wait(after)
    process.kill()
    # Not `communicate`, which does not know what `readline` has read ahead.
    with process:
        rest, problems = process.stdout.read(), process.stderr.read()
    assert not problems, problems.decode()
    # The last line may be incomplete.
    *lines, _ = (first + rest).decode().split("\n")
    return lines


def find_lost(work: str, url: str, printed: list[str]) -> list[str]:
    """Return those of the `printed` ids or numbers that are not stored any more."""
    with closing(Store(url)) as store:
        if work != "update":
            return [one for one in printed if store.retrieve_completion(one) is None]
        stored = int(json.loads(store.retrieve_completion(UPDATED) or "")["metadata"]["n"])
        searched = rows(url, "SELECT value FROM metadata WHERE key = 'n' ORDER BY completion")
    return [n for n in printed if int(n) > stored or (str(stored),) not in searched]


def find_half_stored(url: str) -> list[str]:
    """Return the incomplete rows, which must not be visible in any state."""
    return [f"{name}: {row[0]}" for name, query in _HALF.items() for row in rows(url, query)]


def main(work: str, url: str, name: str, rounds: str) -> None:
    with closing(Store(url)) as store:
        for stored in WORKS[work](store, name, int(rounds)):
            print(stored, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
