"""Regular expressions that mean the same in every Python that Readback supports."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tools.paths import ROOT

FILES: Final = sorted([*(ROOT / "webapp").rglob("*.py"), *(ROOT / "tools").rglob("*.py")])
POSSESSIVE: Final = re.compile(r"(?P<ending>\|\s*\(\?!\)\s*)?\)(?:[*+?]|\{[0-9,]+\})\+")


def iter_patterns(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
            text = node.value if isinstance(node.value, str) else node.value.decode("latin-1")
            if "(?" in text:
                yield text


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_possessive_group_ends_with_an_alternative_that_fails(file: Path) -> None:
    """Before Python 3.11.5 matching goes on from where the last attempt of the group failed."""
    for pattern in iter_patterns(file):
        assert all(found["ending"] for found in POSSESSIVE.finditer(pattern)), pattern


def test_groups_are_found_in_patterns_of_every_kind() -> None:
    found = POSSESSIVE.finditer(r"(?:a|(?!))*+(b)?+(c){2}+ (?: d | (?!) )++")
    assert [bool(one["ending"]) for one in found] == [True, False, False, True]
