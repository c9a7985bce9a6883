"""Start commands as forks of one process, which has imported them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.forking import Forkable, import_command


@pytest.fixture(scope="package")
def forkable() -> Iterator[Forkable]:
    with import_command() as imported:
        yield imported
