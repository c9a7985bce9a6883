"""Find the secrets of a text, also if they are escaped there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from webapp.redaction.rules.context import Place, find_named
from webapp.redaction.rules.forms import FORMS
from webapp.redaction.rules.kinds import Tokens, is_mixed
from webapp.redaction.rules.names import classify, has_shape
from webapp.redaction.rules.people import find_people
from webapp.redaction.rules.vendors import PARTS, PREFIXED
from webapp.redaction.views import iter_views

KINDS: Final = (*PARTS, *FORMS)
_TOKENS: Final = Tokens(PREFIXED)

_MAX_NAMED: Final = 4096
_SHORTEST: Final = 6


@dataclass(frozen=True, slots=True)
class Detected:
    """A secret at a place of a text; `text` is the secret without the escapes in it.

    One that `spreads` is unmistakable, and so is masked wherever else it occurs.
    """

    kind: str
    start: int
    end: int
    text: str
    spreads: bool


def detect(text: str, name: str = "", *, with_people: bool = True) -> Iterator[Detected]:
    """Yield the secrets in the text of the member `name`; one may be found several times."""
    known = classify(name)
    if known is not None and len(text) <= _MAX_NAMED:
        kind, shape = known
        if has_shape(text, shape, is_quoted=True):
            start = text.find(" ") + 1 if kind == "authorization" else 0
            yield Detected(kind, start, len(text), text[start:], _spreads(kind, text[start:]))
    if len(text) < _SHORTEST:
        return
    for view in iter_views(text):
        for found in _find(view.text, name, with_people):
            start, end = view.locate(found.start, found.end)
            secret = view.text[found.start : found.end]
            yield Detected(found.kind, start, end, secret, _spreads(found.kind, secret))


def _find(text: str, name: str, with_people: bool) -> Iterator[Place]:
    lowered = text.lower()
    if len(lowered) != len(text):
        # Only one letter has a longer lower case; every character keeps its place.
        lowered = text.replace("İ", "i").lower()
    for kind, start, end in _TOKENS.search(text):
        yield Place(kind.name, start, end)
    for kind in KINDS:
        for start, end in kind.search(text, lowered):
            yield Place(kind.name, start, end)
    yield from find_named(text, lowered)
    if with_people:
        yield from find_people(text, lowered, name)


def _spreads(kind: str, secret: str) -> bool:
    """Return whether a secret is not a word that texts have for other reasons."""
    if kind == "pin" or len(secret) < 6:
        return False
    return len(secret) >= 12 or is_mixed(secret) or not secret.isalnum()
