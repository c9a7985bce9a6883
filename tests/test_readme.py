"""The README's table of settings is the one that `make docs` writes."""

from __future__ import annotations

import runpy
from pathlib import Path

from tools.paths import ROOT
from webapp.config import SETTINGS


def test_the_readme_has_every_setting_with_its_default_and_its_help(tmp_path: Path) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    copy = tmp_path / "README.md"
    copy.write_text(text, encoding="utf-8")

    runpy.run_path(str(ROOT / "tools" / "settings_table.py"))["main"](copy)

    assert copy.read_text(encoding="utf-8") == text
    assert all(f"| `{setting.name}` |" in text for setting in SETTINGS)
    assert all(f"| {setting.help} |" in text for setting in SETTINGS)
