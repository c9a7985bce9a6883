"""Check that the documents name what exists."""

from __future__ import annotations

import re
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
