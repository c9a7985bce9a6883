"""Parse the arguments of `readback`.

Each command is in a module of this package, which is imported only if it is chosen: to import all
of them takes longer than most commands do.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Collection, Sequence
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from io import TextIOWrapper
from typing import Final

COMMANDS: Final = {
    "serve": ("serving", "show completions in the browser"),
    "import": ("importing", "load completions from files into the embedded server"),
    "export": ("exporting", "write the embedded server's completions as files"),
    "pull": ("pulling", "copy completions from the configured server into the embedded one"),
    "list": ("listing", "list the embedded server's completions"),
    "search": ("searching", "search the texts of the embedded server's completions"),
    "conversations": (
        "conversing",
        "list the conversations of the embedded server's completions",
    ),
    "check": ("checking", "check completions for the usual faults"),
    "redact": ("redacting", "write files with their secrets and personal data masked"),
    "share": ("sharing", "share a transcript by a link"),
    "shares": ("sharing", "list shares"),
    "revoke": ("sharing", "revoke shares"),
    "delete": ("deleting", "delete completions from the embedded server"),
    "backup": ("backups", "copy the whole database into a file, while it is used"),
    "restore": ("backups", "fill an empty database from such a file"),
    "password": ("passwords", "make READBACK_PASSWORD_HASH"),
}
"""The module of each command, whose `add_parser` declares it, and the help in the list of them."""


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the arguments of the program; import the module of the chosen command.

    Raises `SystemExit` after the help, the version or a mistake in the arguments.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # Completions have characters that the terminal's encoding may lack.
            stream.reconfigure(errors="backslashreplace")
    given = sys.argv[1:] if arguments is None else arguments
    # No option before the command takes a value.
    chosen = next((one for one in given if not one.startswith("-")), "")
    return build_parser([chosen] if chosen in COMMANDS else []).parse_args(given)


def build_parser(complete: Collection[str] = COMMANDS) -> argparse.ArgumentParser:
    """Build the parser of all commands, of which those in `complete` know their arguments."""
    try:
        number = version("readback")
    except PackageNotFoundError:
        number = "(not installed)"
    parser = argparse.ArgumentParser(
        prog="readback", description="A web viewer for stored chat completions."
    )
    parser.add_argument("--version", action="version", version=f"readback {number}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    # Some modules declare several commands.
    modules = dict.fromkeys(COMMANDS[name][0] for name in complete)
    for module in modules:
        import_module(f"webapp.cli.{module}").add_parser(commands)
    for name, (module, help) in COMMANDS.items():
        if module not in modules:
            commands.add_parser(name, help=help)
    return parser
