"""Regular expressions that mean the same in every Python that Readback supports."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tools.paths import ROOT

FILES: Final = sorted([*(ROOT / "webapp").rglob("*.py"), *(ROOT / "tools").rglob("*.py")])
POSSESSIVE: Final = re.compile(r"(?P<ending>\|\s*\(\?!\)\s*)?\)(?:[*+?]|\{[0-9,]+\})\+")


def iter_patterns(file: Path) -> Iterator[str]:
    source = file.read_bytes()
    # Parsing is the cost of this test, and most files have no pattern.
    if b"(?" not in source:
        return
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
            text = node.value if isinstance(node.value, str) else node.value.decode("latin-1")
            if "(?" in text:
                yield text


def test_a_possessive_group_ends_with_an_alternative_that_fails() -> None:
    """Before Python 3.11.5 matching continues where the last attempt of the group failed."""
    assert [
        (str(file.relative_to(ROOT)), pattern)
        for file in FILES
        for pattern in iter_patterns(file)
        if not all(found["ending"] for found in POSSESSIVE.finditer(pattern))
    ] == []


def test_groups_are_found_in_patterns_of_every_kind() -> None:
    found = POSSESSIVE.finditer(r"(?:a|(?!))*+(b)?+(c){2}+ (?: d | (?!) )++")
    assert [bool(one["ending"]) for one in found] == [True, False, False, True]
