"""A store in an empty database of each kind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from webapp.embedded import Store


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with closing(Store(url)) as opened:
        yield opened
