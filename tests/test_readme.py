"""The tables of the settings and of the checks are those that `make docs` writes."""

from __future__ import annotations

import runpy
from pathlib import Path

from tools.paths import ROOT
from webapp.analysis.checks import RULES
from webapp.config import SETTINGS


def test_the_readme_has_every_setting_with_its_default_and_its_help(tmp_path: Path) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    copy = tmp_path / "README.md"
    copy.write_text(text, encoding="utf-8")

    runpy.run_path(str(ROOT / "tools" / "settings_table.py"))["main"](copy)

    assert copy.read_text(encoding="utf-8") == text
    assert all(f"| `{setting.name}` |" in text for setting in SETTINGS)
    assert all(f"| {setting.help} |" in text for setting in SETTINGS)


def test_the_page_of_the_checks_has_every_rule(tmp_path: Path) -> None:
    page = tmp_path / "checks.md"

    runpy.run_path(str(ROOT / "tools" / "checks_table.py"))["main"](page)

    written = page.read_text(encoding="utf-8")
    assert written == (ROOT / "docs" / "checks.md").read_text(encoding="utf-8")
    assert all(f"| `{code}` |" in written for code in RULES)
