"""Run viewers in processes of their own that read from the upstream with all faults."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.faults.broken_upstream import KEY, MIB, answers, compress_bombs
from tests.support.command import PATIENCE, Readback, Served
from tests.support.raw_server import RawServer
from tools.forking import Forkable


@pytest.fixture(scope="module")
def upstream() -> Iterator[RawServer]:
    compress_bombs()
    with RawServer(answers) as running:
        yield running


@contextmanager
def serve(readback: Readback, upstream: RawServer, *, page: float, read: float) -> Iterator[Served]:
    """Start a viewer that waits so many seconds, and reads at most 1 MiB of an answer."""
    settings = {
        "OPENAI_BASE_URL": upstream.base_url,
        "OPENAI_API_KEY": KEY,
        "READBACK_WORKERS": "1",
        "READBACK_PAGE_TIMEOUT": str(page),
        "READBACK_READ_TIMEOUT": str(read),
        "READBACK_MAX_RETRIES": "1",
        "READBACK_MAX_BYTES": str(MIB),
    }
    with readback.serve(**settings) as served:
        assert served.get("/healthz").ok
        yield served


@pytest.fixture(scope="module")
def hasty_viewer(
    tmp_path_factory: pytest.TempPathFactory, forkable: Forkable, upstream: RawServer
) -> Iterator[Served]:
    """Yield a viewer that soon gives up, for servers that are late on purpose."""
    readback = Readback.of_user(tmp_path_factory.mktemp("hasty"), forkable=forkable)
    with serve(readback, upstream, page=2, read=1) as served:
        yield served


@pytest.fixture(scope="module")
def patient_viewer(
    tmp_path_factory: pytest.TempPathFactory, forkable: Forkable, upstream: RawServer
) -> Iterator[Served]:
    """Yield a viewer that no busy machine makes give up."""
    readback = Readback.of_user(tmp_path_factory.mktemp("patient"), forkable=forkable)
    with serve(readback, upstream, page=PATIENCE / 2, read=PATIENCE / 2) as served:
        yield served
