"""Give tests the real transcripts that have every structure between them, or all of them.

With EVERY_TRANSCRIPT=1 in the environment, tests look at all: 526, of which 93 are enough.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Final

from tests.support.structures import choose_covering
from tools.paths import REAL_DATA

FILES: Final = sorted((REAL_DATA / "transcripts").glob("*.jsonl"))
"""The files of the collection, none if it is absent."""


@cache
def lines_to_look_at() -> dict[Path, list[str]]:
    """Return the lines to look at of each file that has any, in the order of the file."""
    lines = {file: _read_lines(file) for file in FILES}
    if os.environ.get("EVERY_TRANSCRIPT") == "1":
        return lines
    chosen = set(choose_covering(line for of_file in lines.values() for line in of_file))
    kept = {file: [line for line in lines[file] if line in chosen] for file in FILES}
    return {file: of_file for file, of_file in kept.items() if of_file}


def write_lines_to_look_at(folder: Path) -> list[Path]:
    """Write the lines to look at to files of the same names in `folder`; return their paths."""
    paths = []
    for file, lines in lines_to_look_at().items():
        path = folder / file.name
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        paths.append(path)
    return paths


def _read_lines(file: Path) -> list[str]:
    # Not `splitlines`, which takes U+2028 inside a text for the end of a line.
    return file.read_text(encoding="utf-8").rstrip("\n").split("\n")
