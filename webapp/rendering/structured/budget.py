"""Limit the cost of parsing and colouring structures on a page."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Final

from markupsafe import Markup

from webapp.config import Budgets
from webapp.exact_json import Value, parse
from webapp.rendering.markdown.code import LANGUAGES, highlight
from webapp.rendering.markdown.context import CODE_SECONDS, note_limited_time
from webapp.rendering.text.invisible import find_invisible, reveal_invisible
from webapp.rendering.text.slices import count_bytes

PAGE_SHARE: Final = 10
"""Texts of the largest size that are parsed for one page."""

_TIME_SHARE: Final = 0.4
"""The share of a page's time for rendering texts that may go into parsing JSON."""


class TooLong(Exception):
    """The page has no time left to parse a text."""


@dataclass(slots=True)
class StructureBudget:
    """Limit the parsing of structures on `pages` pages: bytes of a text, bytes and time of all."""

    budgets: Budgets = field(default_factory=Budgets)
    pages: int = 1
    _taken: int = 0
    _seconds: float = 0.0

    @property
    def spent(self) -> int:
        """The bytes taken so far."""
        return self._taken

    def can_spend(self, size: int) -> bool:
        """Return whether half of the bytes and of the time would be left with `size` more."""
        most = self.budgets.text_bytes * PAGE_SHARE * self.pages
        seconds = self.budgets.seconds * self.pages * _TIME_SHARE
        return 2 * (self._taken + size) <= most and 2 * self._seconds <= seconds

    def spend(self, size: int) -> None:
        self._taken += size

    def allows(self, text: str) -> bool:
        """Take room for `text`, and return whether there was enough."""
        most = self.budgets.text_bytes
        size = count_bytes(text)
        if size > min(most, most * PAGE_SHARE * self.pages - self._taken):
            return False
        self._taken += size
        return True

    def parse(self, text: str) -> Value:
        """Parse the JSON value of `text`.

        Raise `NotJson` if it is not JSON, and `TooLong` if the time is up: brackets take long.
        """
        begin = time.thread_time()
        until = begin - self._seconds + self.budgets.seconds * self.pages * _TIME_SHARE

        def check() -> None:
            if time.thread_time() > until:
                raise TooLong

        try:
            with note_limited_time():
                return parse(text, check=check)
        finally:
            self._seconds += time.thread_time() - begin

    def colour(self, code: str, language: str | None) -> Markup:
        """Colour `code` as `language`, or leave it as it is if the colours cost too much.

        Invisible characters are marked, and then nothing is coloured.
        """
        most = 0 if language is None else LANGUAGES[language].max_length
        if language and len(code) <= most and count_bytes(code) <= self.budgets.code_bytes:
            begin = time.thread_time()
            left = self.budgets.seconds * self.pages * _TIME_SHARE - self._seconds
            if not find_invisible(code):
                coloured = highlight(code, language, until=begin + min(left, CODE_SECONDS))
                self._seconds += time.thread_time() - begin
                if coloured is not None:
                    return coloured
        return reveal_invisible(code)
