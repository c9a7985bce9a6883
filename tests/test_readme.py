"""The README's settings are those that the program reads, in the words it has for them."""

from __future__ import annotations

from tests.support.paths import ROOT
from webapp.config import SETTINGS
from webapp.config.table import Setting

README = ROOT / "README.md"


def row(setting: Setting) -> str:
    """A row of the table; a default that is a sentence stands there as it is."""
    is_literal = setting.default and " " not in setting.default
    default = f"`{setting.default}`" if is_literal else setting.default
    return f"| `{setting.name}` | {default} | {setting.help} |"


def table() -> str:
    """The settings as Markdown."""
    head = ["| Setting | Default | What it does |", "| --- | --- | --- |"]
    return "\n".join([*head, *map(row, SETTINGS)])


def test_the_readme_has_every_setting_with_its_default_and_what_it_does() -> None:
    text = README.read_text(encoding="utf-8")
    _, _, rest = text.partition("<!-- settings -->\n")
    written, _, _ = rest.partition("\n<!-- /settings -->")

    assert written == table()
