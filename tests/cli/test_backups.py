"""`readback backup` and `readback restore` as an administrator runs them."""

from __future__ import annotations

import json
import resource
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.command import Readback
from tools.forking import Forkable
from tools.store_rows import add, compact, completion, database_url, jsonl
from webapp.database import open_database
from webapp.database.copies import back_up
from webapp.embedded import Store
from webapp.embedded.store.schema import SCHEMA

SESSION = (
    "INSERT INTO access_sessions VALUES"
    " ('d', 'openid ann', 'Ann', 0, 'openid', 'b', 1, 1, '192.0.2.1', 'Firefox')"
)


def test_a_backup_is_restored_without_its_sessions(tmp_path: Path, forkable: Forkable) -> None:
    readback = Readback.of_user(tmp_path, forkable=forkable, DATABASE_URL=database_url(tmp_path))
    lines = [compact(completion("c1", messages=3)), compact(completion("c2"))]
    assert readback("import", jsonl(tmp_path / "a.jsonl", lines)).status == 0
    assert readback("share", "c1", "--yes").status == 0
    (tmp_path / "new").mkdir()
    new = tmp_path / "new" / "readback.sqlite3"
    old = Path(database_url(tmp_path).removeprefix("sqlite:///"))
    with closing(sqlite3.connect(old)) as database:
        database.execute(SESSION)
        database.commit()

    made = readback("backup", tmp_path / "a.backup")
    again = readback("backup", tmp_path / "a.backup")
    refused = readback("restore", tmp_path / "a.backup")
    elsewhere = readback.with_settings(DATABASE_URL=f"sqlite:///{new}")
    restored = elsewhere("restore", tmp_path / "a.backup")
    exported = elsewhere("export")

    assert (made.status, made.errors) == (0, "")
    assert made.output.startswith(f"Wrote {tmp_path / 'a.backup'} (")
    assert (again.status, again.errors.count("\n")) == (2, 1)
    assert "exists already" in again.errors
    assert (refused.status, refused.errors.count("\n")) == (2, 1)
    assert "is not empty" in refused.errors
    assert restored.status == 0
    assert restored.output == f"Restored 2 completions into {new}.\n"
    assert "1 share open as when the backup was made" in restored.errors
    assert {json.loads(line)["id"] for line in exported.output.splitlines()} == {"c1", "c2"}
    with closing(sqlite3.connect(new)) as database:
        assert database.execute("SELECT count(*) FROM access_sessions").fetchone() == (0,)
    with closing(sqlite3.connect(old)) as database:
        events = database.execute("SELECT entry FROM access_record WHERE event = 'export'")
        assert ['"backup"' in entry for (entry,) in events] == [True]


def test_a_backup_can_go_to_standard_output(tmp_path: Path, forkable: Forkable) -> None:
    readback = Readback.of_user(tmp_path, forkable=forkable, DATABASE_URL=database_url(tmp_path))
    assert readback("import", jsonl(tmp_path / "a.jsonl", [completion("c1")])).status == 0

    with readback.start("backup", "-") as process:
        copy, errors = process.communicate()
    refused = readback("restore", "-")

    assert (process.returncode, errors) == (0, b"")
    (tmp_path / "copy").write_bytes(copy)
    with closing(sqlite3.connect(tmp_path / "copy")) as database:
        assert database.execute("SELECT count(*) FROM completions").fetchone() == (1,)
    assert (refused.status, refused.errors.count("\n")) == (2, 1)
    assert not Path("-").exists()


def test_a_backup_onto_a_full_disk_leaves_no_file(tmp_path: Path) -> None:
    store = Store(database_url(tmp_path))
    add(store, completion("c1", messages=2_000))
    store.close()
    copies = tmp_path / "copies"
    copies.mkdir()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with closing(open_database(database_url(tmp_path))) as database:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
        try:
            with pytest.raises(sqlite3.OperationalError):
                back_up(database, (SCHEMA,), copies / "a.backup")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert list(copies.iterdir()) == []
