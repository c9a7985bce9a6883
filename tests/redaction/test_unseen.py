"""Secrets in contexts that were written down before the rules for them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final

from webapp.exact_json import parse
from webapp.redaction import Redactor

UNSEEN: Final = Path(__file__).with_name("unseen.txt")
"""Made-up secrets, each between `«` and `»`; `\\n`, `\\t` and `\\\\` are escapes, and a new message
begins after ` ¦ `."""

_ESCAPE: Final = re.compile(r"\\([nt\\])")
_MARKED: Final = re.compile("«([^»]+)»")
_PIECE: Final = 6


def find_missed(file: Path) -> list[str]:
    """Return the lines of a file of which a piece of a secret is left."""
    return [line for line in file.read_text("utf-8").splitlines() if _is_left(line)]


def _is_left(line: str) -> bool:
    written = _ESCAPE.sub(lambda match: {"n": "\n", "t": "\t"}.get(match[1], match[1]), line)
    messages = [
        {"role": "user", "content": _MARKED.sub(r"\1", one)} for one in written.split(" ¦ ")
    ]
    shown = json.loads(Redactor().redact(parse(json.dumps({"messages": messages}))).source)
    left = "\f".join(one["content"] for one in shown["messages"])
    for secret in _MARKED.findall(written):
        pieces = (secret[at : at + _PIECE] for at in range(max(len(secret) - _PIECE + 1, 1)))
        if any(piece in left for piece in pieces):
            return True
    return False


def test_contexts_of_many_kinds_are_known() -> None:
    assert len(find_missed(UNSEEN)) <= 31
