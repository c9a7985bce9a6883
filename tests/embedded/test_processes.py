"""One store, many processes: they create it, write and read it at once, and may be killed."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from tests.embedded.building import database_url, rows
from webapp.embedded import Store

ROOT = Path(__file__).resolve().parents[2]

WRITER = """
import sys
from tests.embedded.building import add, completion
from webapp.embedded import Store
from webapp.embedded.given import Metadata
from webapp.embedded.pages import PageRequest

url, name = sys.argv[1:]
store = Store(url)
for at in range(40):
    add(store, completion(f"{name}-{at}", messages=3, metadata={"by": name}))
    store.replace_metadata(f"{name}-{at}", Metadata('{"a":"b"}', (("a", "b"),)))
    store.list_completions(PageRequest(None, 5, "desc"))
    if at % 4 == 0:
        store.delete_completion(f"{name}-{at}")
print(store.is_new)
store.close()
"""

KILLED = """
import os, signal, sys
from tests.embedded.building import add, completion
from webapp.embedded import Store

add(Store(sys.argv[1]), completion("c1", messages=2))
os.kill(os.getpid(), signal.SIGKILL)
"""


def python(program: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_processes_create_and_write_one_store_at_once(tmp_path: Path) -> None:
    running = [python(WRITER, database_url(tmp_path), f"p{at}") for at in range(4)]
    ended = [process.communicate() for process in running]

    assert [stderr for _, stderr in ended] == [""] * 4
    assert sorted(stdout.strip() for stdout, _ in ended) == ["False", "False", "False", "True"]
    assert rows(tmp_path, "SELECT count(*), count(DISTINCT seq) FROM completions") == [(120, 120)]
    assert rows(tmp_path, "SELECT count(*) FROM messages") == [(360,)]
    assert rows(tmp_path, "SELECT DISTINCT key, value FROM metadata") == [("a", "b")]


def test_what_was_stored_outlives_a_process_that_is_killed(tmp_path: Path) -> None:
    process = python(KILLED, database_url(tmp_path))
    process.communicate()

    assert process.returncode == -signal.SIGKILL
    with closing(Store(database_url(tmp_path))) as store:
        assert store.retrieve_completion("c1") is not None
