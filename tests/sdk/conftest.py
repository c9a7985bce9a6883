"""The whole of Readback as users start it, with a model server behind it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.sdk.api import Api
from tests.support.model_server import FakeModel
from tests.support.served import environ_without_settings, serving
from webapp.embedded import Store


@pytest.fixture
def model() -> FakeModel:
    return FakeModel()


@pytest.fixture
def api(tmp_path: Path, model: FakeModel) -> Iterator[Api]:
    """A server of its own for each test; its store is there before it, and so has no samples."""
    database_url = f"sqlite:///{tmp_path / 'store.db'}"
    environ = environ_without_settings(tmp_path)
    with closing(Store(database_url)) as store, model.serve() as model_url:
        settings = {"DATABASE_URL": database_url, "READBACK_MODEL_URL": model_url}
        with serving(environ, **settings) as served:
            assert served.get("/healthz").ok
            yield Api(served.url("/v1"), database_url, store)
