"""Find the secrets of a text, in whatever way they are written there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from webapp.redaction.masking import find
from webapp.redaction.patterns import is_value
from webapp.redaction.views import iter_views

_SECRET_NAME: Final = re.compile(
    r"(?:^|[_.-])(?:password|passwd|passphrase|pwd|(?:api|access|secret|private)[_-]?key"
    r"|(?:client[_-]?|)secret|(?:access|refresh|auth|id)[_-]?token)$",
    re.IGNORECASE,
)
_MAX_NAMED: Final = 4096


@dataclass(frozen=True, slots=True)
class Detected:
    """A secret at a place of a text; `text` is itself without the escapes that are in there.

    One that `spreads` is unmistakable, and so is masked wherever else it occurs.
    """

    kind: str
    start: int
    end: int
    text: str
    spreads: bool


def detect(text: str, name: str) -> Iterator[Detected]:
    """Yield the secrets in a text that stands under `name`; one may be found several times."""
    if 4 <= len(text) <= _MAX_NAMED and _SECRET_NAME.search(name) and is_value(text):
        yield Detected("password", 0, len(text), text, True)
    for view in iter_views(text):
        for found in find(view.text):
            start, end = view.locate(found.start, found.end)
            secret = view.text[found.start : found.end]
            yield Detected(found.name, start, end, secret, len(secret) >= 6)
