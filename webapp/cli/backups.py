"""`readback backup` and `readback restore`: the whole database as one file."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Final

from sqlalchemy import text

from webapp.access import SHELL, Event
from webapp.cli.commands import Commands, add_command, parse_path
from webapp.cli.stores import open_shares
from webapp.cli.terminal import print_line
from webapp.config import Config
from webapp.database import Database, open_database
from webapp.database.copies import back_up, restore
from webapp.embedded.store.schema import SCHEMA
from webapp.factories import APP_SCHEMAS, find_database_url
from webapp.formatting import count, size

_SCHEMAS: Final = (SCHEMA, *APP_SCHEMAS)
_PIPE: Final = Path("-")
_NOTHING_WRITTEN: Final = "no file was written."
_NOTHING_RESTORED: Final = "nothing was restored: repeat the command."


def add_parser(commands: Commands) -> None:
    backup = add_command(
        commands,
        "backup",
        run_backup,
        description="Copies everything in the database (completions, shares, the record) as it "
        "is at one moment, while Readback runs. Answers that wait in the spool are not in it.",
        example="readback backup readback-2026-08-01.backup",
    )
    backup.add_argument(
        "file", type=parse_path, metavar="FILE", help="a new file; - is standard output"
    )
    restoring = add_command(
        commands,
        "restore",
        run_restore,
        description="Fills the database of DATABASE_URL, which must have no tables, from a file "
        "of `readback backup`. Everybody has to log in again.",
        example="DATABASE_URL=sqlite:////var/lib/readback/new.sqlite3 readback restore "
        "readback-2026-08-01.backup",
    )
    restoring.add_argument(
        "file", type=parse_path, metavar="FILE", help="what `readback backup` wrote"
    )


def run_backup(options: argparse.Namespace, config: Config) -> int:
    is_piped = options.file == _PIPE
    with closing(open_database(find_database_url(config), is_patient=True)) as database:
        try:
            if is_piped:
                _pipe_backup(database)
            else:
                back_up(database, _SCHEMAS, options.file)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(_NOTHING_WRITTEN) from None
    with open_shares(config) as (_, record):
        record.add(Event.EXPORT, SHELL, by="backup")
    if not is_piped:
        print_line(f"Wrote {options.file} ({size(options.file.stat().st_size)}).")
    return 0


def _pipe_backup(database: Database) -> None:
    """Write a copy to standard output, when it is complete."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "backup")
        back_up(database, _SCHEMAS, file)
        with file.open("rb") as made:
            shutil.copyfileobj(made, sys.stdout.buffer)


def run_restore(options: argparse.Namespace, config: Config) -> int:
    if options.file == _PIPE:
        raise ValueError("restore reads its file twice; write standard input to a file first.")
    with closing(open_database(find_database_url(config), is_patient=True)) as database:
        try:
            # Some of the sessions may have been ended since.
            restore(database, _SCHEMAS, options.file, emptied=("access_sessions",))
        except KeyboardInterrupt:
            raise KeyboardInterrupt(_NOTHING_RESTORED) from None
        with database.reader.connect() as connection:
            number = connection.execute(text("SELECT count(*) FROM completions")).scalar_one()
        print_line(f"Restored {count(number, 'completion')} into {database.name}.")
    with open_shares(config) as (store, _):
        live = [one for one in store.list_shares() if not one.has_ended(store.now())]
    if live:
        print_line(
            f"{count(len(live), 'share')} open as when the backup was made, also if revoked since; "
            "`readback shares` lists them.",
            file=sys.stderr,
        )
    return 0
