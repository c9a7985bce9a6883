"""What the rules of one text share: its budgets, and what is put in behind the cleaning.

Formulas, coloured code and images are made by us and not by the text. The cleaning would have
to let through far more for them than a text may bring, so they are held back meanwhile: in
their place stands a mark with a key that no text can know.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, MutableMapping
from typing import TypeAlias, cast

from markupsafe import Markup

from webapp.rendering.markdown.metering import Meter, PageBudget

ShowImage: TypeAlias = Callable[[str, str], Markup]
"""What an image is shown as, from its address and its description: phrases, no blocks."""

_NAME = "scope"


class Scope:
    """One rendering of one text."""

    def __init__(
        self, page: PageBudget, meter: Meter, image: ShowImage | None, key: str = ""
    ) -> None:
        self.page = page
        self.meter = meter
        self.image = image
        self.notes: list[str] = []
        self.waiting: list[str] = []
        self._key = key or secrets.token_hex(12)
        self._held: list[Callable[[], Markup]] = []

    @classmethod
    def of(cls, env: object) -> Scope:
        """The scope that a rule finds in the environment of its parser."""
        return cast("Scope", cast("MutableMapping[str, object]", env)[_NAME])

    @property
    def env(self) -> dict[str, object]:
        """A new environment for the parser."""
        return {_NAME: self}

    def again(self) -> Scope:
        """For the same text once more: what is held back stands at the same places."""
        return Scope(self.page, self.meter, self.image, self._key)

    def hold(self, make: Callable[[], Markup]) -> str:
        """What stands for the result of `make` until the HTML around it is clean."""
        self._held.append(make)
        return f"{self._key}n{len(self._held) - 1}n"

    def note(self, sentence: str) -> None:
        """Tells the reader once what was shown more simply."""
        if sentence not in self.notes:
            self.notes.append(sentence)

    def fill(self, html: str) -> Markup:
        """`html`, which is clean, with what was held back at its place."""
        # Split, since a pattern made for each text would drive all others out of their cache.
        first, *rest = str(html).split(f"{self._key}n")
        pieces = (piece.partition("n") for piece in rest)
        return Markup(
            first + "".join(str(self._held[int(number)]()) + after for number, _, after in pieces)
        )
