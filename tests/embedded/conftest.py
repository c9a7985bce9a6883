"""A store in an empty database of each kind, and a client of the server that serves it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from flask.testing import FlaskClient

from webapp.embedded import Store, create_server


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with closing(Store(url)) as opened:
        yield opened


@pytest.fixture
def client(store: Store) -> FlaskClient:
    return create_server(store).test_client()
