"""What tests share: an application over its embedded store, and one over a fake upstream."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.support.fake_upstream import FakeUpstream
from tests.support.paths import SHARED
from tests.support.postgres import HOW_TO_INSTALL, PostgresServer, programs, running_postgres
from tests.support.store_rows import database_url as sqlite_url
from webapp import create_app
from webapp.config import Config, Limits
from webapp.embedded import Store, import_files
from webapp.factories import find_database_url

REAL_DATA = SHARED / "data"


def pytest_collection_finish() -> None:
    """Thousands of tests stay for the whole run: what looks for garbage need not look at them.

    It would take seconds of some page's time to render, which is bounded.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Data and caches of the tests stay out of the user's folders."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(database_url=f"sqlite:///{tmp_path / 'readback.sqlite3'}")


@pytest.fixture
def load(config: Config) -> Callable[[Path], None]:
    """Loads a JSONL file into the store of `app`; every line must be good."""

    def load_file(path: Path) -> None:
        store = Store(find_database_url(config))
        report = import_files(store, [path])
        store.close()
        assert not report.problems

    return load_file


@pytest.fixture
def app(config: Config) -> Flask:
    """The application on its embedded server, which is empty."""
    return create_app(config)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def fake() -> FakeUpstream:
    return FakeUpstream()


@pytest.fixture
def fake_app(fake: FakeUpstream) -> Iterator[Flask]:
    """The application reading from `fake` on a real port, impatient."""
    with fake.serve() as base_url:
        yield create_app(
            Config(
                openai_base_url=base_url,
                openai_api_key="sk-test-4f9a",
                limits=Limits(max_retries=0, page_timeout=5.0),
            )
        )


@pytest.fixture
def fake_client(fake_app: Flask) -> FlaskClient:
    return fake_app.test_client()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A server of this process; tests that need it are skipped where it is not installed."""
    found = programs()
    if found is None and os.environ.get("CI") == "true":
        pytest.fail(HOW_TO_INSTALL)
    if found is None:
        pytest.skip(HOW_TO_INSTALL)
    with running_postgres(found) as server:
        yield server


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database; a test that asks for it runs once for each kind."""
    if request.param == "sqlite":
        yield sqlite_url(tmp_path)
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.database() as address:
        yield address
