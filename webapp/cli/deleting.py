"""`readback delete`: delete completions from the embedded server's store."""

from __future__ import annotations

import argparse
import sys
from contextlib import closing

from webapp.access import SHELL, Event
from webapp.cli.commands import Commands, add_command
from webapp.cli.stores import open_shares, open_store
from webapp.cli.terminal import print_line
from webapp.config import Config
from webapp.embedded import Spool
from webapp.factories import find_spool_folder, find_store_media_folder, open_app_database
from webapp.folders import FolderCache
from webapp.formatting import count, moment
from webapp.media import MediaCache
from webapp.notes import Notes
from webapp.pins import OWN_STORE, Pins


def add_parser(commands: Commands) -> None:
    parser = add_command(
        commands,
        "delete",
        run_delete,
        description="Deletes completions, their messages and all else that is kept of them, for "
        "good. Lists their shares first. Asks on a terminal. The exit status is 1 when an ID is "
        "not stored.",
        example="readback delete chatcmpl-9Xk2fA",
    )
    parser.add_argument("ids", nargs="+", metavar="ID")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument(
        "--shares",
        choices=["revoke", "keep"],
        default="revoke",
        help="revoke the shares of the completions, or keep them to their end (default: revoke)",
    )


def run_delete(options: argparse.Namespace, config: Config) -> int:
    media_cache = MediaCache(
        FolderCache(
            find_store_media_folder(config),
            max_bytes=config.media_cache_bytes,
            max_age=config.media_cache_seconds,
        )
    )
    ids = tuple(dict.fromkeys(options.ids))
    spool = Spool(find_spool_folder(config), max_bytes=config.spool_bytes)
    unknown = []
    with (
        open_store(config) as store,
        open_shares(config) as (shares, record),
        closing(open_app_database(config, is_patient=True)) as database,
    ):
        pins, notes = Pins(database), Notes(database, OWN_STORE)
        now = shares.now()
        verb = "is revoked" if options.shares == "revoke" else "is kept"
        for one in (one for id in ids for one in shares.list_shares(completion=id)):
            if not one.has_ended(now):
                until = moment(one.expires)
                print_line(f"share {one.id} of {one.completion}, until {until}: {verb}")
        if not options.yes and not confirm(f"Delete {count(len(ids), 'completion')}?"):
            print_line("Nothing was deleted.")
            return 1
        for one in ids:
            for share in shares.forget(one, revokes=options.shares == "revoke"):
                record.add(Event.SHARE_REVOKED, SHELL, completion=one, share=share.id)
            spool.forget(one)
            pins.remove(one)
            notes.remove_all(one)
            if store.delete_completion(one):
                record.add(Event.DELETE, SHELL, completion=one)
            else:
                unknown.append(one)
            media_cache.forget(one)
    for completion_id in unknown:
        print_line(f"{completion_id} is not stored", file=sys.stderr)
    print_line(f"{count(len(ids) - len(unknown), 'completion')} deleted.")
    return 1 if unknown else 0


def confirm(question: str) -> bool:
    """Ask on a terminal; elsewhere there is nobody to ask, so the command counts as a yes."""
    if not sys.stdin.isatty():
        return True
    print_line(f"{question} [y/N] ", end="")
    return sys.stdin.readline().strip().lower() in ("y", "yes")
