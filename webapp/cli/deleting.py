"""`readback delete`: delete completions from the embedded server's store."""

from __future__ import annotations

import argparse
import sys

from webapp.cli.commands import Commands, add_command, open_store
from webapp.cli.terminal import print_line
from webapp.config import Config
from webapp.factories import find_store_media_folder
from webapp.folders import FolderCache
from webapp.formatting import count
from webapp.media import MediaCache


def add_parser(commands: Commands) -> None:
    parser = add_command(
        commands,
        "delete",
        _run_delete,
        help="delete completions from the embedded server",
        description="Deletes completions and their messages, for good. Asks on a terminal. The "
        "exit status is 1 when an ID is not stored.",
        example="readback delete chatcmpl-9Xk2fA",
    )
    parser.add_argument("ids", nargs="+", metavar="ID")
    parser.add_argument("--yes", action="store_true", help="do not ask")


def _run_delete(options: argparse.Namespace, config: Config) -> int:
    # Anywhere but on a terminal there is nobody to ask, so the command counts as a yes.
    if not options.yes and sys.stdin.isatty():
        print_line(f"Delete {count(len(options.ids), 'completion')}? [y/N] ", end="")
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            print_line("Nothing was deleted.")
            return 1
    media_cache = MediaCache(
        FolderCache(
            find_store_media_folder(config),
            max_bytes=config.media_cache_bytes,
            max_age=config.media_cache_seconds,
        )
    )
    unknown = []
    with open_store(config) as store:
        for one in options.ids:
            if not store.delete_completion(one):
                unknown.append(one)
            media_cache.forget(one)
    for completion_id in unknown:
        print_line(f"{completion_id} is not stored", file=sys.stderr)
    print_line(f"{count(len(options.ids) - len(unknown), 'completion')} deleted.")
    return 1 if unknown else 0
