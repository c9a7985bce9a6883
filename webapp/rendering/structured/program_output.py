"""Recognize what a program printed, such as a test run or a traceback, without a fence.

As Markdown, its rulers would be headings, and the columns and line breaks would be lost.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import Final

_MOST_READ: Final = 20_000
"""Characters."""
_LEAST_SIGNS: Final = 2
_SIGN: Final = re.compile(
    r"^(?:={5,} .{1,200} ={5,}|_{5,} .{1,200} _{5,}|(?:_ ){10,}_?|-{5,} .{1,200} -{5,}"
    r"|E {3,11}\S.*|platform \w{1,20} -- Python .*|Traceback \(most recent call last\):"
    r"|(?:FAILED|ERROR|PASSED) \S+::\S.*|\S{1,300}\.py:\d{1,7}: \w{0,80}"
    r"|\S{1,300}\.\w{1,5}:\d{1,7}:(?:\d{1,7}:)? .*|  File \".{1,300}\", line \d{1,7}.*"
    r"|    at \S.{0,300}:\d{1,7}(?::\d{1,7})?\)?|npm (?:ERR!|error) .*)\r?$",
    re.MULTILINE,
)
_MARKDOWN: Final = re.compile(
    r"^ {0,3}(?:#{1,6} \S|```|~~~|[*+-] {1,3}\S.*\n {0,3}[*+-] {1,3}\S"
    r"|\d{1,3}\. {1,3}\S.*\n {0,3}\d{1,3}\. )|\*\*\S.{0,200}?\*\*|\]\(https?:",
    re.MULTILINE,
)


def is_program_output(text: str) -> bool:
    """Return whether `text` has lines that programs print, and nothing that Markdown would set."""
    read = text[:_MOST_READ]
    if "\n" not in read or _MARKDOWN.search(read):
        return False
    signs = islice(_SIGN.finditer(read), _LEAST_SIGNS)
    return len(list(signs)) == _LEAST_SIGNS
