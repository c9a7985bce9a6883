"""What the commands share: how one is declared, its filters, and the store it works on."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from webapp.config import Config
from webapp.embedded import Store
from webapp.factories import find_database_url

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
Run: TypeAlias = Callable[[argparse.Namespace, Config], int]


def add_command(
    commands: Commands, name: str, run: Run, *, help: str, description: str, example: str
) -> argparse.ArgumentParser:
    """The parser of one command, which `run` carries out and gives the exit status of."""
    parser = commands.add_parser(
        name, help=help, description=description, epilog=f"example: {example}"
    )
    parser.set_defaults(run=run)
    return parser


def add_filters(parser: argparse.ArgumentParser) -> None:
    """`--model` and `--metadata`, as the list of completions has them."""
    parser.add_argument("--model", metavar="MODEL", help="only completions of this model")
    parser.add_argument(
        "--metadata",
        action="append",
        default=[],
        type=_pair,
        metavar="KEY=VALUE",
        help="only completions with this metadata; may be given several times",
    )


def has_filters(options: argparse.Namespace) -> bool:
    return options.model is not None or bool(options.metadata)


@contextmanager
def open_store(config: Config) -> Iterator[Store]:
    """The embedded server's store, whatever server the viewer reads from."""
    store = Store(find_database_url(config))
    try:
        yield store
    finally:
        store.close()


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not KEY=VALUE")
    return key, value
