"""Write the table of settings into a README, between its marks: `settings_table.py README.md`."""

from __future__ import annotations

import sys
from pathlib import Path

from webapp.config import SETTINGS, Setting

START, END = "<!-- settings -->\n", "<!-- /settings -->"


def format_row(setting: Setting) -> str:
    """Return a row in Markdown; a default in several words is a description, not code."""
    default = setting.default_text
    if default and " " not in default:
        default = f"`{default}`"
    return f"| `{setting.name}` | {default} | {setting.help} |\n"


def main(readme: Path) -> None:
    before, start, rest = readme.read_text(encoding="utf-8").partition(START)
    _, end, after = rest.partition(END)
    assert start and end, f"{readme} has no marks for the table"
    head = "| Setting | Default | What it does |\n| --- | --- | --- |\n"
    table = head + "".join(map(format_row, SETTINGS))
    readme.write_text(before + start + table + end + after, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
