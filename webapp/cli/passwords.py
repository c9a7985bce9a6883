"""`readback password`: make the hash of the team's password."""

from __future__ import annotations

import argparse
import getpass
import sys

from webapp.access.passwords import hash_password
from webapp.cli.commands import Commands, add_command
from webapp.config import Config


def add_parser(commands: Commands) -> None:
    parser = add_command(
        commands,
        "password",
        run_password,
        description="Asks for the team's password twice, or reads it from two lines of standard "
        "input, and prints a value for READBACK_PASSWORD_HASH. Nothing is stored.",
        example="readback password > password-hash",
    )
    # It makes a setting, so it must work while that one is missing.
    parser.set_defaults(needs_settings=False)


def run_password(_options: argparse.Namespace, _config: Config) -> int:
    if sys.stdin.isatty():
        first = getpass.getpass("Team password: ")
        second = getpass.getpass("The same again: ")
    else:
        first, second = (sys.stdin.readline().rstrip("\r\n") for _ in range(2))
    if first != second:
        raise ValueError("The two passwords differ.")
    # Not `print_line`, which would mask it.
    print(hash_password(first))
    return 0
