"""Fixtures of the tests of pages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.support.kept_databases import KeptDatabases
from webapp.config import Config


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.process)])
def database(request: pytest.FixtureRequest, config: Config) -> Iterator[Config]:
    """Settings for each database in turn."""
    if request.param == "sqlite":
        yield config
        return
    kept: KeptDatabases = request.getfixturevalue("kept_databases")
    with kept.lend() as url:
        yield replace(config, database_url=url)
