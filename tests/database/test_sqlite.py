"""Properties of stores in SQLite files only: their place, their mode, and a full disk."""

from __future__ import annotations

import shutil
import sqlite3
import stat
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from tests.support.api_answers import ids
from tools import outages
from tools.store_rows import add, completion, database_url, listening, rows
from webapp.embedded import Store, StoreError, create_server

LARGE = {f"key{at}": "x" * 512 for at in range(16)}


def test_the_store_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "deep"
    with closing(Store(database_url(folder))) as store:
        add(store, completion("c1"))
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}

    made = (folder, folder.parent)
    assert [stat.S_IMODE(one.stat().st_mode) for one in made] == [0o700, 0o700]
    assert modes == {"store.db": 0o600, "store.db-shm": 0o600, "store.db-wal": 0o600}


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_a_store_in_memory_is_refused(url: str) -> None:
    with pytest.raises(StoreError, match="The store needs a file"):
        Store(url)


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StoreError, match=r"The store .*/file/store\.db cannot be created: "):
        Store(database_url(tmp_path / "file"))


def test_a_disk_that_was_read_only_is_written_again_at_once(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    with ExitStack() as stack:
        try:
            disk = stack.enter_context(outages.small_disk(tmp_path / "disk", megabytes=8))
        except outages.MountRefused as refusal:
            pytest.skip(str(refusal))
        with closing(Store(database_url(tmp_path / "old"))) as old:
            add(old, completion("c1"))
            # With rows that are not in the main file yet, as after a server was killed.
            for path in (tmp_path / "old").iterdir():
                shutil.copy(path, disk)
        remount(disk, "ro")
        store = stack.enter_context(closing(Store(database_url(disk))))
        other = stack.enter_context(closing(Store(database_url(disk))))
        for _ in range(2):
            assert store.retrieve_completion("c1") and other.retrieve_completion("c1")
            # The error is kept, as logs and openers of databases keep it.
            with pytest.raises(OperationalError, match="readonly") as _kept:
                add(store, completion("c2"))
        remount(disk, "rw")
        add(store, completion("c2"))
        add(other, completion("c3"))


def remount(disk: Path, mode: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{mode}", str(disk)], check=True)


@contextmanager
def small_disk(pages: int) -> Iterator[None]:
    """SQLite files that are opened here find the disk full beyond so many pages of 4 kB."""

    def limit(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute(f"PRAGMA max_page_count={pages}")

    with listening(Engine, "connect", limit):
        yield


def test_a_full_disk_is_the_servers_error_and_harms_nothing(tmp_path: Path) -> None:
    url = database_url(tmp_path)
    with small_disk(pages=60), closing(Store(url)) as store:
        add(store, *(completion(f"c{at}") for at in range(20)))
        client = create_server(store).test_client()
        statuses = [
            client.post(f"/chat/completions/c{at}", json={"metadata": LARGE}).status_code
            for at in range(20)
        ]
        last = client.post("/chat/completions/c19", json={"metadata": LARGE})
        page = client.get("/chat/completions?limit=100&order=asc").get_json()
        with pytest.raises(OperationalError, match="full"):
            add(store, completion("large", note="x" * 1_000_000))
    with closing(Store(url)) as later:
        update = (
            create_server(later)
            .test_client()
            .post("/chat/completions/c19", json={"metadata": LARGE})
        )

    assert set(statuses) == {200, 500}
    assert last.get_json()["error"]["type"] == "server_error"
    assert ids(page["data"]) == [f"c{at}" for at in range(20)]
    assert [item["metadata"] for item in page["data"]] == [
        LARGE if status == 200 else {} for status in statuses
    ]
    assert update.status_code == 200
    assert rows(url, "PRAGMA integrity_check")[0][0] == "ok"
