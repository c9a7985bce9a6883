"""Take a server through outages of its database, with many creates in each.

`python -m bench.outage [CREATES]` creates that many completions (default: 50) before and after
each outage, and three times in it: a full disk, a read-only store, PostgreSQL stopped and killed.
In each outage a worker and the parent process are killed under the creates, pages are read and a
file is imported. Prints how long the whole run and the recovery after the outage took, where the
answers were kept, how many broke off, and how many of those that were promised are lost. Exits
with status 1 if one is, or if the server does not recover.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

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

IMPORTS: Final = 50


def main() -> None:
    """Print a line for each outage."""
    parser = argparse.ArgumentParser(prog="python -m bench.outage", description=__doc__)
    parser.add_argument("creates", nargs="?", type=int, default=50, metavar="CREATES")
    parser.add_argument("--only", default="", metavar="TEXT", help="outages whose name has it")
    options = parser.parse_args()
    # Leave no server and no mount when a time limit ends the program.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    failed = False
    columns = "".join(f"{name:>9}" for name in ("stored", "spooled", "streams", "broken", "lost"))
    print(f"{'outage':24}{'seconds':>8}{'recovery':>10}{columns}  pages")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="readback-bench-")))
        for at, outage in enumerate(_find_outages(stack, folder)):
            if options.only.lower() not in outage.name.lower():
                continue
            began = time.monotonic()
            with running_site(outage, folder / str(at)) as site:
                report = go_through(outage, site, creates=options.creates, imports=IMPORTS)
            kept = [report.kept[name] for name in ("stored", "spooled", "in a stream")]
            numbers = [*kept, report.broken, len(report.lost)]
            pages = ", ".join(f"{number} × {status}" for status, number in report.pages.items())
            print(
                f"{outage.name:24}{time.monotonic() - began:8.1f}{report.recovery:9.1f}s"
                f"{''.join(f'{number:9,}' for number in numbers)}  {pages}",
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
    # The path of a socket must be short, and the server runs as another user.
    parent = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="readback-", dir="/tmp")))
    parent.chmod(0o755)
    try:
        disk = stack.enter_context(small_disk(parent / "d", megabytes=160))
    except MountRefused as refusal:
        print(f"PostgreSQL on a full disk is left out: {refusal}")
        return
    full = stack.enter_context(running_postgres(programs, parent=disk))
    yield full_postgres_outage(stack, full, disk)


if __name__ == "__main__":
    main()
