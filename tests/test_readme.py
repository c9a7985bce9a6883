"""The pages that `make docs` writes are those of the code, and links lead somewhere."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

from tools.paths import ROOT
from webapp.analysis.checks import RULES
from webapp.config import SETTINGS


def test_the_reference_has_every_setting_and_every_command(tmp_path: Path) -> None:
    page = tmp_path / "reference.md"

    runpy.run_path(str(ROOT / "tools" / "reference.py"))["main"](page)

    written = page.read_text(encoding="utf-8")
    assert written == (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    assert all(f"| `{setting.name}` |" in written for setting in SETTINGS)
    assert all(f"| {setting.help} |" in written for setting in SETTINGS)
    assert "### readback serve\n" in written


def test_every_link_of_the_documents_leads_to_a_file() -> None:
    for document in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")):
        text = document.read_text(encoding="utf-8")
        links = re.findall(r"\]\(([^)#\s]+)|(?:src|srcset)=\"([^\"]+)\"", text)
        paths = [one or other for one, other in links if "://" not in one + other]
        assert [path for path in paths if not (document.parent / path).exists()] == [], document


def test_documents_name_settings_and_metrics_that_exist() -> None:
    settings = {setting.name for setting in SETTINGS}
    settings |= {f"{name}_FILE" for name in settings}
    operating = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "webapp").rglob("*.py"))
    metrics = set(
        re.findall(r'"(readback_(?:\w+_seconds|requests|upstream_\w+|\w+_errors))"', code)
    )

    assert len(metrics) > 5
    assert [name for name in sorted(metrics) if f"`{name}" not in operating] == []
    for document in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")):
        named = re.findall(r"\bREADBACK_[A-Z_]+\b", document.read_text(encoding="utf-8"))
        assert set(named) - settings - {"READBACK_HOST"} == set(), document


def test_the_readme_stays_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 80


def test_the_page_of_the_checks_has_every_rule(tmp_path: Path) -> None:
    page = tmp_path / "checks.md"

    runpy.run_path(str(ROOT / "tools" / "checks_table.py"))["main"](page)

    written = page.read_text(encoding="utf-8")
    assert written == (ROOT / "docs" / "checks.md").read_text(encoding="utf-8")
    assert all(f"| `{code}` |" in written for code in RULES)
