"""An empty database of each kind, a store in it, and a client of the server over that."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.support.postgres import HOW_TO_INSTALL, PostgresServer, programs, running_postgres
from tests.support.store_rows import database_url
from webapp.embedded import Store, create_server


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
        yield database_url(tmp_path)
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.database() as address:
        yield address


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with closing(Store(url)) as opened:
        yield opened


@pytest.fixture
def client(store: Store) -> FlaskClient:
    return create_server(store).test_client()
