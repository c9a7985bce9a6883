"""Check that the documents name what exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Final

import pytest

import webapp
from tools.paths import ROOT

DOCUMENTS: Final = (
    "docs/architecture.md",
    "docs/operating.md",
    "docs/security.md",
    "CONTRIBUTING.md",
)
FOLDERS: Final = "bench|docs|requirements|static|templates|tests|tools|webapp"
_PATH: Final = re.compile(rf"(?<![\w/.])(?:{FOLDERS})/[\w./-]*\w")


def find_paths(document: str) -> set[str]:
    return set(_PATH.findall((ROOT / document).read_text(encoding="utf-8")))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_path_it_names_exists(document: str) -> None:
    paths = find_paths(document)

    assert paths
    assert sorted(path for path in paths if not (ROOT / path).exists()) == []


def test_the_package_lists_each_of_its_areas_once() -> None:
    package = ROOT / "webapp"
    areas = [path.stem for path in package.iterdir() if not path.name.startswith("__")]
    listed = re.findall(r"^ {4}([a-z_]+(?:, [a-z_]+)*)(?= {2}|$)", webapp.__doc__ or "", re.M)

    assert sorted(", ".join(listed).split(", ")) == sorted(areas)


PACKAGES = [init.parent for init in (ROOT / "webapp").rglob("*/__init__.py")]


@pytest.mark.parametrize("package", PACKAGES, ids=lambda one: str(one.relative_to(ROOT)))
def test_a_package_that_lists_its_modules_lists_all(package: Path) -> None:
    docstring = ast.get_docstring(ast.parse((package / "__init__.py").read_text("utf-8"))) or ""
    listed = re.findall(r"^ *([a-z_0-9]+)/?  +\S", docstring, re.M)
    modules = {path.stem for path in package.glob("*.py") if not path.stem.startswith("__")}
    folders = {path.parent.name for path in package.glob("*/__init__.py")}

    assert not listed or sorted(listed) == sorted(modules | folders)
