"""Check that the documents for developers name files that exist."""

from __future__ import annotations

import re
from typing import Final

import pytest

from tools.paths import ROOT

DOCUMENTS: Final = ("docs/architecture.md", "CONTRIBUTING.md")
FOLDERS: Final = "bench|docs|requirements|static|templates|tests|tools|webapp"
_PATH: Final = re.compile(rf"(?<![\w/.])(?:{FOLDERS})/[\w./-]*\w")


def find_paths(document: str) -> set[str]:
    return set(_PATH.findall((ROOT / document).read_text(encoding="utf-8")))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_path_it_names_exists(document: str) -> None:
    paths = find_paths(document)

    assert paths
    assert sorted(path for path in paths if not (ROOT / path).exists()) == []
