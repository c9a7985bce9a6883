"""A server of two workers in outages of its database, with processes killed: nothing is lost."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from tools.forking import Forkable
from tools.outages import (
    MountRefused,
    Outage,
    full_sqlite_outage,
    go_through,
    killed_postgres_outage,
    running_site,
    small_disk,
)
from tools.postgres import PostgresServer


def lose_nothing(outage: Outage, folder: Path, forkable: Forkable, *, imports: int = 0) -> None:
    """Take a server through `outage`, and check what it promised and said."""
    with running_site(outage, folder / "site", forkable) as site:
        report = go_through(outage, site, creates=2, imports=imports)

    assert report.problems == []
    assert report.lost == []
    assert report.promised
    assert report.kept["stored"] and report.kept["spooled"]


@pytest.mark.process
def test_a_full_disk_loses_nothing_that_was_promised(tmp_path: Path, forkable: Forkable) -> None:
    with ExitStack() as stack:
        try:
            disk = stack.enter_context(small_disk(tmp_path / "disk", megabytes=8))
        except MountRefused as refusal:
            pytest.skip(str(refusal))
        lose_nothing(full_sqlite_outage(disk), tmp_path, forkable, imports=20)


def test_a_killed_postgres_loses_nothing_that_was_promised(
    postgres: PostgresServer, tmp_path: Path, forkable: Forkable
) -> None:
    with postgres.database() as url:
        lose_nothing(killed_postgres_outage(postgres, url), tmp_path, forkable)
