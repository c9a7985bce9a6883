"""Declare commands and their filters."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from webapp.cli import COMMANDS
from webapp.config import Config

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
Run: TypeAlias = Callable[[argparse.Namespace, Config], int]


def add_command(
    commands: Commands, name: str, run: Run, *, description: str, example: str
) -> argparse.ArgumentParser:
    """Add a command and return its parser; `run` carries it out and returns the exit status."""
    _, help = COMMANDS[name]
    parser = commands.add_parser(
        name, help=help, description=description, epilog=f"example: {example}"
    )
    parser.set_defaults(run=run)
    return parser


def parse_count(text: str) -> int:
    """Parse a number from 1 on; raise `ArgumentTypeError` for anything else."""
    if not re.fullmatch("[1-9][0-9]{0,8}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 on")
    return int(text)


def add_filters(parser: argparse.ArgumentParser) -> None:
    """Add `--model` and `--metadata`, the filters of the list of completions."""
    parser.add_argument("--model", metavar="MODEL", help="only completions of this model")
    parser.add_argument(
        "--metadata",
        action="append",
        default=[],
        type=_parse_pair,
        metavar="KEY=VALUE",
        help="only completions with this metadata; may be given several times",
    )


def add_keep_both(parser: argparse.ArgumentParser) -> None:
    """Add `--keep-both`, for completions whose id is stored with other content."""
    parser.add_argument(
        "--keep-both",
        action="store_true",
        help="store a completion whose id is stored with other content under another id "
        "(default: report it)",
    )


def has_filters(options: argparse.Namespace) -> bool:
    return options.model is not None or bool(options.metadata)


def _parse_pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not KEY=VALUE")
    return key, value


def parse_path(raw: str) -> Path:
    """Parse the path of a file; `-` alone is standard input or output, and `./-` is a file."""
    if not raw:
        raise argparse.ArgumentTypeError("the name of a file is missing")
    path = Path(raw)
    return path.absolute() if path == Path("-") and raw != "-" else path
