"""Run a viewer in a process of its own that reads from the upstream with all faults."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.broken_upstream import KEY, MIB, answers, compress_bombs
from tests.support.command import Readback, Served
from tests.support.raw_server import RawServer
from tools.forking import Forkable


@pytest.fixture(scope="module")
def viewer(tmp_path_factory: pytest.TempPathFactory, forkable: Forkable) -> Iterator[Served]:
    """Yield an impatient viewer, which reads at most 1 MiB of an answer."""
    readback = Readback.of_user(tmp_path_factory.mktemp("viewer"), forkable=forkable)
    compress_bombs()
    with RawServer(answers) as upstream:
        settings = {
            "OPENAI_BASE_URL": upstream.base_url,
            "OPENAI_API_KEY": KEY,
            "READBACK_WORKERS": "1",
            "READBACK_PAGE_TIMEOUT": "2",
            "READBACK_READ_TIMEOUT": "1",
            "READBACK_MAX_RETRIES": "1",
            "READBACK_MAX_BYTES": str(MIB),
        }
        with readback.serve(**settings) as served:
            assert served.get("/healthz").ok
            yield served
