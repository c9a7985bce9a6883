"""Fixtures of the tests of pages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tools.postgres import PostgresServer
from webapp.config import Config


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.process)])
def database(request: pytest.FixtureRequest, config: Config) -> Iterator[Config]:
    """Settings for each database in turn."""
    if request.param == "sqlite":
        yield config
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.database() as url:
        yield replace(config, database_url=url)
