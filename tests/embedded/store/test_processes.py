"""Many processes create, write and read one store at once, and may be killed."""

from __future__ import annotations

from contextlib import closing
from random import Random

import pytest

from tools.forking import Forkable
from tools.store_processes import (
    UPDATED,
    build_completion,
    find_half_stored,
    find_lost,
    run_until_killed,
    start,
)
from tools.store_rows import add, rows
from webapp.embedded import Store

pytestmark = [pytest.mark.process, pytest.mark.new_database]

KILLS = 2


def test_processes_create_read_and_write_one_store_at_once(url: str, forkable: Forkable) -> None:
    running = [start("contend", url, f"p{at}", 20, forkable) for at in range(4)]
    ended = [process.communicate() for process in running]

    assert [problems for _, problems in ended] == [b""] * 4
    printed = sorted(line for stored, _ in ended for line in stored.decode().split())
    assert len(printed) == 4 * 15
    assert sorted(rows(url, "SELECT id FROM completions")) == [(one,) for one in printed]
    assert rows(url, "SELECT count(DISTINCT seq) FROM completions") == [(60,)]
    assert find_half_stored(url) == []


@pytest.mark.parametrize("work", ["add", "import", "update"])
def test_a_process_that_is_killed_loses_nothing_it_stored_and_leaves_no_half(
    url: str, work: str, forkable: Forkable
) -> None:
    moments = Random(work)
    with closing(Store(url)) as store:
        add(store, build_completion(UPDATED, "the test"))

    for at in range(KILLS):
        printed = run_until_killed(work, url, f"run{at}", forkable, after=moments.uniform(0, 0.1))
        assert printed
        assert find_lost(work, url, printed) == []
        assert find_half_stored(url) == []
