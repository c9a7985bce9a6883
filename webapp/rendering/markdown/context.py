"""Share budgets, notes and placeholders among the rules that render one text.

Formulas, highlighted code and images are our own HTML. If the sanitizer let their elements
through, a text could use them too. So placeholders replace them until the text is sanitized; a
placeholder contains a random key, which no text can contain.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, MutableMapping
from typing import TypeAlias, cast

from markupsafe import Markup

from webapp.rendering.markdown.metering import MarkdownBudget, Meter

ShowImage: TypeAlias = Callable[[str, str], Markup]
"""Render an image from its URL and its description as phrasing content, without blocks."""

_NAME = "scope"


class Scope:
    """One rendering of one text."""

    def __init__(
        self, page: MarkdownBudget, meter: Meter, image: ShowImage | None, key: str = ""
    ) -> None:
        self.page = page
        self.meter = meter
        self.image = image
        self.notes: list[str] = []
        self.waiting: list[str] = []
        self._key = key or secrets.token_hex(12)
        self._makers: list[Callable[[], Markup]] = []

    @classmethod
    def get(cls, env: object) -> Scope:
        """Return the scope from the environment that the parser hands to its rules."""
        return cast("Scope", cast("MutableMapping[str, object]", env)[_NAME])

    @property
    def env(self) -> dict[str, object]:
        """A new environment for the parser."""
        return {_NAME: self}

    def restart(self) -> Scope:
        """Return an empty scope for the same text, whose placeholders compare equal to ours."""
        return Scope(self.page, self.meter, self.image, self._key)

    def placeholder(self, make: Callable[[], Markup]) -> str:
        """Return a placeholder that `fill` replaces by the result of `make`."""
        self._makers.append(make)
        return f"{self._key}n{len(self._makers) - 1}n"

    def note(self, sentence: str) -> None:
        """Add a note to the reader, once, about content shown in a simpler form."""
        if sentence not in self.notes:
            self.notes.append(sentence)

    def fill(self, html: str) -> Markup:
        """Replace the placeholders of sanitized `html`."""
        # A pattern compiled for each text would evict all others from the cache of `re`.
        first, *rest = str(html).split(f"{self._key}n")
        pieces = (piece.partition("n") for piece in rest)
        return Markup(
            first + "".join(str(self._makers[int(number)]()) + after for number, _, after in pieces)
        )
