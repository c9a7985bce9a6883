"""A copy of the whole database, made while it is used, and the database restored from it."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from threading import Event, Thread
from typing import Final

import pytest
from sqlalchemy import Connection, text

from tools.postgres import PostgresServer
from tools.store_rows import add, completion, listening
from webapp.database import (
    Database,
    Outage,
    Schema,
    StoreError,
    StoreUnavailable,
    migrate_all,
    open_database,
)
from webapp.database.copies import back_up, restore
from webapp.embedded import Store, create_server, load_samples
from webapp.embedded.store.schema import SCHEMA
from webapp.factories import APP_SCHEMAS

pytestmark = pytest.mark.new_database

SCHEMAS: Final = (SCHEMA, *APP_SCHEMAS)


@pytest.fixture
def other(url: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """Yield the URL of a second empty database of the same kind."""
    with ExitStack() as stack:
        if url.startswith("sqlite"):
            yield f"sqlite:///{tmp_path / 'new' / 'other.sqlite3'}"
        else:
            server: PostgresServer = request.getfixturevalue("postgres")
            yield stack.enter_context(server.database())


@pytest.fixture
def opened() -> Iterator[Callable[[str], Database]]:
    with ExitStack() as stack:
        yield lambda url: stack.enter_context(closing(open_database(url)))


def read_api(url: str) -> dict[str, bytes]:
    """Return the answers of the API for every list and every completion."""
    with closing(Store(url)) as store:
        client = create_server(store).test_client()
        listed = client.get("/chat/completions?limit=100")
        answers = {"list": listed.data}
        for one in listed.get_json()["data"]:
            for path in (
                f"/chat/completions/{one['id']}",
                f"/chat/completions/{one['id']}/messages",
            ):
                answers[path] = client.get(path).data
        return answers


def test_a_restored_copy_answers_as_the_original_did(
    url: str, other: str, tmp_path: Path, opened: Callable[[str], Database]
) -> None:
    with closing(Store(url)) as store:
        load_samples(store)
    source = opened(url)
    file = tmp_path / "a.backup"
    back_up(source, SCHEMAS, file)
    before = read_api(url)
    with closing(Store(url)) as store:
        store.delete_completion(json.loads(before["list"])["data"][0]["id"])
    restore(opened(other), SCHEMAS, file)

    assert len(before) > 40
    assert read_api(other) == before
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    # It continues the numbers of the original: new rows get new ones.
    with closing(Store(other)) as store:
        add(store, completion("chatcmpl-new", created=1_900_000_000))
        client = create_server(store).test_client()
        assert client.get("/chat/completions?limit=1").get_json()["data"][0]["id"] == "chatcmpl-new"
    assert [path.name for path in tmp_path.glob("a.backup*")] == ["a.backup"]


def test_a_copy_made_while_others_write_is_of_one_moment(
    url: str, other: str, tmp_path: Path, opened: Callable[[str], Database]
) -> None:
    """Each completion is added with its messages: none is in the copy in part."""
    stopped, begun = Event(), Event()
    with closing(Store(url)) as store:

        def write() -> None:
            number = 0
            while not stopped.is_set():
                number += 1
                add(store, completion(f"c{number}", created=number, messages=5))
                if number == 3:
                    begun.set()

        writer = Thread(target=write)
        writer.start()
        begun.wait()
        try:
            back_up(opened(url), SCHEMAS, tmp_path / "a.backup")
        finally:
            stopped.set()
            writer.join()
    restored = opened(other)
    restore(restored, SCHEMAS, tmp_path / "a.backup")

    with restored.reader.connect() as connection:
        completions = connection.execute(text("SELECT count(*) FROM completions")).scalar_one()
        messages = connection.execute(text("SELECT count(*) FROM messages")).scalar_one()
    assert completions >= 3
    assert messages == 5 * completions


def test_nothing_is_overwritten(
    url: str, other: str, tmp_path: Path, opened: Callable[[str], Database]
) -> None:
    file = tmp_path / "a.backup"
    back_up(opened(url), SCHEMAS, file)
    kept = file.read_bytes()
    with pytest.raises(StoreError, match="exists already"):
        back_up(opened(url), SCHEMAS, file)
    with pytest.raises(StoreError, match="is not empty"):
        restore(opened(url), SCHEMAS, file)
    target = opened(other)
    restore(target, SCHEMAS, file)
    with pytest.raises(StoreError, match="is not empty"):
        restore(target, SCHEMAS, file)
    assert file.read_bytes() == kept


def test_what_cannot_be_restored_leaves_the_database_empty(
    url: str, other: str, tmp_path: Path, opened: Callable[[str], Database]
) -> None:
    with closing(Store(url)) as store:
        load_samples(store)
    file, target = tmp_path / "a.backup", opened(other)
    back_up(opened(url), SCHEMAS, file)
    content = file.read_bytes()
    middle = len(content) // 3
    damaged = tmp_path / "damaged"
    damaged.write_bytes(content[:middle] + bytes(20_000) + content[middle + 20_000 :])
    text_file = tmp_path / "text"
    text_file.write_text("a text")
    newer = tmp_path / "newer"
    make_newer(file, newer)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    for path, complaint in (
        (damaged, "is damaged"),
        (text_file, "is no backup"),
        (newer, "newer Readback"),
        (Path("/dev/null"), "is no file"),
        (pipe, "is no file"),
    ):
        with pytest.raises(StoreError, match=complaint):
            restore(target, SCHEMAS, path)
    restore(target, SCHEMAS, file)


def test_a_restore_that_fails_at_its_end_leaves_the_database_empty(
    url: str, other: str, tmp_path: Path, opened: Callable[[str], Database]
) -> None:
    """A later version may have a step that fails, and old sessions must not be let in."""
    with closing(Store(url)) as store:
        add(store, completion("c1"))
    file, target = tmp_path / "a.backup", opened(other)
    back_up(opened(url), SCHEMAS, file)

    def fail(connection: Connection) -> None:
        connection.execute(text("SELECT * FROM nothing"))

    broken = Schema((*SCHEMA.steps, fail), SCHEMA.prefix)
    with pytest.raises(StoreError, match="nothing"):
        restore(target, (broken, *APP_SCHEMAS), file)
    restore(target, SCHEMAS, file, emptied=("completions",))

    assert json.loads(read_api(other)["list"])["data"] == []
    assert [path.name for path in tmp_path.rglob("*") if path.is_dir()] in ([], ["new"])


def test_a_connection_that_is_lost_during_a_copy_is_an_outage(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    """The rows are copied by the driver, whose errors SQLAlchemy does not see."""
    with postgres.database() as address, closing(open_database(address)) as database:
        migrate_all(database, SCHEMAS)

        def disconnect(_connection: object, _cursor: object, statement: str, *_: object) -> None:
            if "pg_sequences" in statement:
                postgres.drop_connections(address)

        with (
            listening(database.reader, "after_cursor_execute", disconnect),
            pytest.raises(StoreUnavailable) as raised,
        ):
            back_up(database, SCHEMAS, tmp_path / "a.backup")
        assert raised.value.outage is Outage.DOWN
    assert list(tmp_path.iterdir()) == []


def make_newer(file: Path, newer: Path) -> None:
    """Write a copy of `file` whose tables have a version that this program does not know."""
    if not zipfile.is_zipfile(file):
        newer.write_bytes(file.read_bytes())
        with closing(sqlite3.connect(newer)) as connection, connection:
            connection.execute("UPDATE share_schema_version SET version = 99")
        return
    with zipfile.ZipFile(file) as source, zipfile.ZipFile(newer, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "manifest.json":
                manifest = json.loads(content)
                manifest["versions"]["share_schema_version"] = 99
                content = json.dumps(manifest).encode()
            target.writestr(name, content)


def test_a_copy_of_the_other_kind_says_how_to_move_completions(
    tmp_path: Path, postgres: PostgresServer, opened: Callable[[str], Database]
) -> None:
    lite = f"sqlite:///{tmp_path / 'a.sqlite3'}"
    with postgres.database() as address, closing(open_database(address)) as server:
        back_up(opened(lite), SCHEMAS, tmp_path / "lite")
        back_up(server, SCHEMAS, tmp_path / "server")
        for database, file in ((server, "lite"), (opened(lite), "server")):
            with pytest.raises(StoreError, match="readback export, then readback import"):
                restore(database, SCHEMAS, tmp_path / file)
