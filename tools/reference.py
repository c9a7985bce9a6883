"""Write the reference of settings and commands from the code: `reference.py docs/reference.md`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from webapp.cli import build_parser
from webapp.config import SETTINGS, Setting

_HEAD = """# Reference

`make docs` writes this page from the code.

## Settings

All come from the environment. For every setting `X`, `X_FILE` may name a file that holds it. A
malformed value stops the start with one line that names the variable.

| Setting | Default | What it does |
| --- | --- | --- |
"""
_COMMANDS = """
## Commands

Commands work on the store of Readback's own server, whatever server the pages read from. Their
status is 0 if all was done, 1 if a part failed, and 2 if they could not begin.
"""


def format_setting(setting: Setting) -> str:
    """Return a row in Markdown; a default in several words is a description, not code."""
    default = setting.default_text
    if default and " " not in default:
        default = f"`{default}`"
    return f"| `{setting.name}` | {default} | {setting.help} |\n"


def format_command(name: str, parser: argparse.ArgumentParser) -> Iterator[str]:
    yield f"\n### readback {name}\n\n{parser.description}\n"
    actions = [one for one in parser._actions if not isinstance(one, argparse._HelpAction)]
    if actions:
        yield "\n| Argument | Meaning |\n| --- | --- |\n"
    for action in actions:
        yield f"| `{_name_argument(action)}` | {action.help or ''} |\n"
    example = (parser.epilog or "").removeprefix("example: ")
    yield f"\n```sh\n{example}\n```\n"


def _name_argument(action: argparse.Action) -> str:
    takes_value = action.nargs != 0
    value = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
    if action.choices is not None:
        value = " or ".join(map(str, action.choices))
    if not action.option_strings:
        return f"{value}…" if action.nargs in ("+", "*") else value
    names = ", ".join(action.option_strings)
    return f"{names} {value}" if takes_value else names


def find_commands() -> dict[str, argparse.ArgumentParser]:
    [commands] = [
        action
        for action in build_parser()._actions
        if isinstance(action, argparse._SubParsersAction)
    ]
    return dict(commands.choices)


def main(page: Path) -> None:
    settings = "".join(map(format_setting, SETTINGS))
    commands = "".join(
        line for name, parser in find_commands().items() for line in format_command(name, parser)
    )
    page.write_text(_HEAD + settings + _COMMANDS + commands, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
