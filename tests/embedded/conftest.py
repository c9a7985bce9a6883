"""A store in an empty database of each kind, and a client of the server that serves it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import make_url

from webapp.embedded import Store, create_server


@pytest.fixture
def store(url: str, empty_store: Path) -> Iterator[Store]:
    """Yield a store that holds nothing; the tables of SQLite are a copy of those made once."""
    file = make_url(url).database
    if url.startswith("sqlite") and file and not Path(file).exists():
        shutil.copy(empty_store, file)
    with closing(Store(url)) as opened:
        yield opened


@pytest.fixture
def client(store: Store) -> FlaskClient:
    return create_server(store).test_client()
