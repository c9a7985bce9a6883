"""The whole of Readback as users start it, with a model server to forward to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.sdk.api import Api
from tests.support.command import Readback
from tests.support.model_server import FakeModel
from tools.store_rows import database_url
from webapp.embedded import Store


@pytest.fixture
def model() -> FakeModel:
    return FakeModel()


@pytest.fixture
def api(tmp_path: Path, model: FakeModel) -> Iterator[Api]:
    """Start a server for each test; its store exists before it, and so has no samples."""
    url = database_url(tmp_path)
    with closing(Store(url)) as store, model.serve() as model_url:
        readback = Readback.of_user(tmp_path, DATABASE_URL=url, READBACK_MODEL_URL=model_url)
        with readback.serve() as served:
            assert served.get("/healthz").ok
            yield Api(served.url("/v1"), url, store)
