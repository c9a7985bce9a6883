"""The background work on a store tells an outage from a fault of ours."""

from __future__ import annotations

from contextlib import closing

import pytest

from tools.store_rows import rows
from webapp.embedded import Store
from webapp.embedded.upkeep import Upkeep


class FaultyStore(Store):
    """A store whose own code has a fault."""

    def complete(self) -> None:
        raise KeyError("x")


def test_a_fault_of_ours_is_logged_with_its_traceback(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(FaultyStore(url)) as store:
        Upkeep(store, lambda *_: (), rules=1).complete()
    [record] = caplog.records
    assert record.exc_info is not None
    assert record.exc_info[0] is KeyError


def test_an_outage_is_one_line(store: Store, url: str, caplog: pytest.LogCaptureFixture) -> None:
    rows(url, "ALTER TABLE facts RENAME TO elsewhere")
    Upkeep(store, lambda *_: (), rules=1).complete()
    [record] = caplog.records
    assert record.exc_info is None
    assert "could not be completed yet" in record.message
