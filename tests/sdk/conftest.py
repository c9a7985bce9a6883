"""The whole of Readback as users start it, with a model server to forward to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.sdk.api import Api
from tests.support.command import Readback
from tests.support.model_server import FakeModel
from tools.forking import Forkable
from tools.store_rows import database_url
from webapp.embedded import Store


@pytest.fixture(scope="session")
def shared_model() -> FakeModel:
    return FakeModel()


@pytest.fixture(scope="session")
def shared_api(
    tmp_path_factory: pytest.TempPathFactory, shared_model: FakeModel, forkable: Forkable
) -> Iterator[Api]:
    """Start one server for all tests; its store exists before it, and so has no samples."""
    folder = tmp_path_factory.mktemp("sdk")
    url = database_url(folder)
    with closing(Store(url)) as store, shared_model.serve() as model_url:
        settings = {"DATABASE_URL": url, "READBACK_MODEL_URL": model_url}
        readback = Readback.of_user(folder, forkable=forkable, **settings)
        with readback.serve() as served:
            assert served.get("/healthz").ok
            yield Api(served.url("/v1"), url, store)


@pytest.fixture
def model(shared_model: FakeModel) -> FakeModel:
    shared_model.forget()
    return shared_model


@pytest.fixture
def api(shared_api: Api, model: FakeModel) -> Api:
    """Return the server with an empty store."""
    shared_api.clear()
    return shared_api
