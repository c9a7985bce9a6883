"""A store in a fresh folder, and a client of the server over it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.embedded.building import database_url
from webapp.embedded import Store, create_server


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(database_url(tmp_path))) as opened:
        yield opened


@pytest.fixture
def client(store: Store) -> FlaskClient:
    return create_server(store).test_client()
