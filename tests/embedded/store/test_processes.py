"""One store, many processes: they create it, write and read it at once, and may be killed."""

from __future__ import annotations

from contextlib import closing
from random import Random

import pytest

from tools.store_processes import UPDATED, half_stored, killed, lost, start, whole
from tools.store_rows import add, rows
from webapp.embedded import Store

pytestmark = pytest.mark.process

KILLS = 3


def test_processes_create_read_and_write_one_store_at_once(url: str) -> None:
    running = [start("contend", url, f"p{at}", 20) for at in range(4)]
    ended = [process.communicate() for process in running]

    assert [problems for _, problems in ended] == [""] * 4
    said = sorted(line for stored, _ in ended for line in stored.split())
    assert len(said) == 4 * 15
    assert sorted(rows(url, "SELECT id FROM completions")) == [(one,) for one in said]
    assert rows(url, "SELECT count(DISTINCT seq) FROM completions") == [(60,)]
    assert half_stored(url) == []


@pytest.mark.parametrize("work", ["add", "import", "update"])
def test_a_process_that_is_killed_loses_nothing_it_stored_and_leaves_no_half(
    url: str, work: str
) -> None:
    moments = Random(work)
    with closing(Store(url)) as store:
        add(store, whole(UPDATED, "the test"))

    for at in range(KILLS):
        said = killed(work, url, f"run{at}", after=moments.uniform(0, 0.1))
        assert said
        assert lost(work, url, said) == []
        assert half_stored(url) == []
