"""Share an application on its embedded server, one on a fake upstream, and empty databases."""

from __future__ import annotations

import gc
import os
import shutil
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType
from typing import Final

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, settings
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry, Pool

from tests.support.fake_upstream import FakeUpstream
from tests.support.kept_databases import KeptDatabases
from tools.forking import Forkable, running_forkable
from tools.postgres import HOW_TO_INSTALL, PostgresServer, find_programs, running_postgres
from tools.store_rows import database_url as sqlite_url
from webapp import create_app
from webapp.addresses.building import SharedRule
from webapp.config import Budgets, Config, Limits
from webapp.embedded import Store, import_files
from webapp.factories import find_database_url, open_app_database

TESTS: Final = Path(__file__).parent
PATIENCE: Final = 120.0
"""Seconds that a page may take, and its rendering: no test depends on how busy the machine is."""

MARKERS_BY_FOLDER: Final = {
    "browser": ("browser",),
    "cli": ("process",),
    "cluster": ("process",),
    "docs": ("process",),
    "faults": ("process",),
    "hostile": ("hostile",),
    "packaging": ("process",),
    "sdk": ("sdk", "process"),
}
MARKERS_BY_FIXTURE: Final = {"browser": "browser", "postgres": "process"}


class CompiledTemplates(BytecodeCache):
    """Templates compiled once for all applications of the tests, which are many."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._known.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            self._known[bucket.key, bucket.checksum] = bucket.code


Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": CompiledTemplates()}
# The embedded server as well compiles its rules once, as the pages do anyway.
Flask.url_rule_class = SharedRule

# No property test depends on how busy the machine is.
settings.register_profile(
    "readback", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("readback")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark each test by its folder and by the fixtures it asks for; leave out what is cycled."""
    left_out = set(find_left_out(items))
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]
    for item in items:
        folder = item.path.relative_to(TESTS).parts[0]
        names = {*MARKERS_BY_FOLDER.get(folder, ())}
        asked_for = getattr(item, "fixturenames", ())
        names |= {MARKERS_BY_FIXTURE[name] for name in asked_for if name in MARKERS_BY_FIXTURE}
        for name in sorted(names):
            item.add_marker(name)


def find_left_out(items: list[pytest.Item]) -> Iterator[pytest.Item]:
    """Yield the tests on PostgreSQL that `cycled_databases` omits.

    Of `n` neighbours in any parameter one is kept, and another one beside each value of the others.
    """
    numbers: dict[tuple[str, str], dict[int, int]] = {}
    for item in items:
        cycled = item.get_closest_marker("cycled_databases")
        if cycled is None or not isinstance(item, pytest.Function):
            continue
        total = 0
        for name, value in item.callspec.params.items():
            if name != "database_kind":
                known = numbers.setdefault((item.originalname, name), {})
                total += known.setdefault(id(value), len(known))
        if item.callspec.params["database_kind"] == "postgres" and total % cycled.args[0]:
            yield item


@event.listens_for(Pool, "connect")
def close_with_pool(connection: DBAPIConnection, entry: ConnectionPoolEntry) -> None:
    """Close a connection when the pool of an application is gone that no test has closed.

    From Python 3.13 on, a connection to SQLite that is collected unclosed is a warning.
    """
    weakref.finalize(entry, connection.close)


# While tests are collected, nearly all that is made is kept.
gc.disable()


def pytest_collection_finish() -> None:
    """Keep the garbage collector from looking at the thousands of tests again and again.

    That would add seconds to whichever page is rendered when it runs. Objects that tests make are
    examined less often as well, which saves a tenth of their CPU time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    gc.enable()


@pytest.fixture(scope="session", autouse=True)
def own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep data and caches of the tests out of the user's folders."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the SQLite file of an application and its store that hold nothing, to be copied."""
    folder = tmp_path_factory.mktemp("empty")
    create_tables(sqlite_url(folder))
    [file] = folder.iterdir()
    return file


def create_tables(url: str) -> None:
    """Create the tables of an application and its store in the database at `url`."""
    Store(url).close()
    opener = open_app_database(Config(database_url=url))
    opener.get()
    opener.close()


@pytest.fixture
def config(empty_store: Path, tmp_path: Path) -> Config:
    database = shutil.copy(empty_store, tmp_path / "readback.sqlite3")
    return Config(
        database_url=f"sqlite:///{database}",
        limits=Limits(page_timeout=PATIENCE),
        budgets=Budgets(seconds=PATIENCE),
    )


@pytest.fixture
def load(config: Config) -> Callable[[Path], None]:
    """Return a function that loads a JSONL file into the store of `app`, every line of it."""

    def load_file(path: Path) -> None:
        store = Store(find_database_url(config))
        report = import_files(store, [path])
        store.close()
        assert not report.problems

    return load_file


@pytest.fixture
def app(config: Config) -> Flask:
    """Return the application on its embedded server, which is empty."""
    return create_app(config)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def fake() -> FakeUpstream:
    return FakeUpstream()


@pytest.fixture
def fake_app(fake: FakeUpstream) -> Iterator[Flask]:
    """Yield the application reading from `fake` on a real port.

    Its pages may take long to read and to render: these tests are not about a busy machine.
    """
    with fake.serve() as base_url:
        yield create_app(
            Config(
                openai_base_url=base_url,
                openai_api_key="sk-test-4f9a",
                limits=Limits(max_retries=0, page_timeout=PATIENCE),
                budgets=Budgets(seconds=PATIENCE),
                # Another test may get the same port.
                message_cache_bytes=0,
            )
        )


@pytest.fixture
def fake_client(fake_app: Flask) -> FlaskClient:
    return fake_app.test_client()


@pytest.fixture(scope="session")
def forkable() -> Iterator[Forkable]:
    """Yield the process whose forks are the commands and servers of all tests."""
    with running_forkable() as imported:
        yield imported


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """Run one server for the session; skip the test if PostgreSQL is not installed."""
    found = find_programs()
    if found is None and os.environ.get("CI") == "true":
        pytest.fail(HOW_TO_INSTALL)
    if found is None:
        pytest.skip(HOW_TO_INSTALL)
    with running_postgres(found) as server:
        yield server


@pytest.fixture(scope="session")
def kept_databases(postgres: PostgresServer) -> KeptDatabases:
    """Return the databases of PostgreSQL that have the tables of an empty store."""
    return KeptDatabases(postgres, create_tables)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that asks for `url` once for each kind of database, or once if any will do."""
    if "database_kind" in metafunc.fixturenames:
        kinds = [pytest.param("sqlite"), pytest.param("postgres", marks=pytest.mark.process)]
        if metafunc.definition.get_closest_marker("one_database"):
            kinds = kinds[:1]
        metafunc.parametrize("database_kind", kinds)


@pytest.fixture
def url(request: pytest.FixtureRequest, database_kind: str, tmp_path: Path) -> Iterator[str]:
    """Yield the URL of an empty database; a test that asks for it runs once for each kind.

    On PostgreSQL it has the tables of an empty store, unless the test is marked `new_database`.
    """
    if database_kind == "sqlite":
        yield sqlite_url(tmp_path)
        return
    if request.node.get_closest_marker("new_database"):
        server: PostgresServer = request.getfixturevalue("postgres")
        lent = server.database()
    else:
        kept: KeptDatabases = request.getfixturevalue("kept_databases")
        lent = kept.lend()
    with lent as address:
        yield address
