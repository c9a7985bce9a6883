"""Run the commands of a document: a small shell whose programs are ours, and bounded."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

_BLOCK: Final = re.compile(r"^( *)```(\w+)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_ASSIGNMENT: Final = re.compile(r"([A-Z_][A-Z0-9_]*)=(.*)", re.DOTALL)


@dataclass(frozen=True)
class Call:
    """One command: its words, the variables before it, and the file that its output goes to."""

    words: tuple[str, ...]
    variables: Mapping[str, str] = field(default_factory=dict)
    output: str | None = None

    @property
    def program(self) -> str:
        return Path(self.words[0]).name

    def __str__(self) -> str:
        return shlex.join(self.words)


Program: TypeAlias = Callable[[Call], str]
"""Runs a call, or checks it, and returns its output. Raises `AssertionError` if it fails."""


def find_blocks(document: Path, language: str) -> Iterator[str]:
    """Yield the code in `language`, without the indentation that it has in lists."""
    for indent, found, code in _BLOCK.findall(document.read_text(encoding="utf-8")):
        if found == language:
            yield re.sub(rf"^{indent}", "", code, flags=re.MULTILINE)


def parse_calls(code: str) -> Iterator[Call]:
    """Yield the commands of a block. An ellipsis is a placeholder for a value of the reader."""
    lines = code.replace("\\\n", " ").replace("…", "0123456789abcdef").splitlines()
    for line in lines:
        words = shlex.split(line, comments=True)
        if not words:
            continue
        variables = {}
        while match := _ASSIGNMENT.fullmatch(words[0]):
            variables[match[1]] = match[2]
            words = words[1:]
        output = None
        if len(words) > 2 and words[-2] == ">":
            output = words[-1]
            words = words[:-2]
        assert not {"|", "<", ">", "&&", ";"} & set(words), f"too much for this shell: {line}"
        yield Call(tuple(words), variables, output)
