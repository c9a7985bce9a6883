"""Take a server through outages of its database, with many creates in each.

`python -m bench.outage [CREATES]` creates that many completions (default: 50) before, in and
after each outage: a full disk, a read-only store, PostgreSQL stopped and killed. In each outage
a worker and the parent process are killed, pages are read and a file is imported. Exits with
status 1 if an answer that was promised to be kept is lost, or if the server does not recover.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from tools.outages import (
    MountRefused,
    Outage,
    full_postgres_outage,
    go_through,
    postgres_outages,
    running_site,
    small_disk,
    sqlite_outages,
)
from tools.postgres import HOW_TO_INSTALL, find_programs, running_postgres


def main() -> None:
    """Print a line for each outage."""
    parser = argparse.ArgumentParser(prog="python -m bench.outage", description=__doc__)
    parser.add_argument("creates", nargs="?", type=int, default=50, metavar="CREATES")
    creates = parser.parse_args().creates
    failed = False
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="readback-bench-")))
        for at, outage in enumerate(_find_outages(stack, folder)):
            with running_site(outage, folder / str(at)) as site:
                report = go_through(outage, site, creates)
            kept = ", ".join(f"{number:,} {name}" for name, number in report.kept.items())
            pages = ", ".join(f"{status}: {number}" for status, number in report.pages.items())
            print(
                f"{outage.name}: {kept}; {report.broken} broken off; pages {pages};"
                f" {len(report.lost)} lost",
                flush=True,
            )
            for problem in [*report.lost, *report.problems]:
                print(f"  {problem}")
            failed |= bool(report.lost or report.problems)
    sys.exit(failed)


def _find_outages(stack: ExitStack, folder: Path) -> Iterator[Outage]:
    try:
        yield from sqlite_outages(stack, folder)
    except MountRefused as refusal:
        print(f"A full and a read-only disk are left out: {refusal}")
    programs = find_programs()
    if programs is None:
        print(f"PostgreSQL is left out: {HOW_TO_INSTALL}")
        return
    yield from postgres_outages(stack, stack.enter_context(running_postgres(programs)))
    try:
        # The path of a socket must be short.
        disk = Path(tempfile.mkdtemp(prefix="readback-", dir="/tmp")) / "d"
        stack.enter_context(small_disk(disk, megabytes=160))
    except MountRefused as refusal:
        print(f"PostgreSQL on a full disk is left out: {refusal}")
        return
    full = stack.enter_context(running_postgres(programs, parent=disk))
    yield full_postgres_outage(stack, full, disk)


if __name__ == "__main__":
    main()
