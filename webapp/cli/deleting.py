"""`readback delete`: completions out of the embedded server's store."""

from __future__ import annotations

import argparse
import sys

from webapp.cli.commands import Commands, add_command, open_store
from webapp.cli.terminal import printable
from webapp.config import Config
from webapp.formatting import count


def add_to(commands: Commands) -> None:
    parser = add_command(
        commands,
        "delete",
        _delete,
        help="delete completions from the embedded server",
        description="Deletes completions and their messages, for good. Asks on a terminal. The "
        "exit status is 1 when an ID is not stored.",
        example="readback delete chatcmpl-9Xk2fA",
    )
    parser.add_argument("ids", nargs="+", metavar="ID")
    parser.add_argument("--yes", action="store_true", help="do not ask")


def _delete(options: argparse.Namespace, config: Config) -> int:
    if not options.yes and not _is_meant(len(options.ids)):
        print("Nothing was deleted.")
        return 1
    with open_store(config) as store:
        unknown = [one for one in options.ids if not store.delete_completion(one)]
    for completion_id in unknown:
        print(f"{printable(completion_id)} is not stored", file=sys.stderr)
    print(f"{count(len(options.ids) - len(unknown), 'completion')} deleted.")
    return 1 if unknown else 0


def _is_meant(number: int) -> bool:
    """Asks on a terminal; elsewhere there is nobody to ask, and the command is the answer."""
    if not sys.stdin.isatty():
        return True
    print(f"Delete {count(number, 'completion')}? [y/N] ", end="", flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
