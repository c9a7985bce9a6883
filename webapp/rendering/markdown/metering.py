"""What Markdown may cost: brackets, formulas and time of a page, and the steps of one text.

Time is that of the thread's own work, so that a busy machine shows the same page as an idle one.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from webapp.config import Budgets

MAX_STEPS: Final = 100_000
"""What a parser may do for one text: prose of 200 kB takes a tenth of it."""

LINE_STEPS: Final = 2
"""What each line counts before anything is read: every rule for blocks looks at it."""

_TEXT_SHARE: Final = 0.5
"""Of a page's time for one text. A look for garbage may fall into any, and takes a tenth."""
_CODE_SECONDS: Final = 0.1
_LONG_FORMULA: Final = 300
"""Characters; hardly any formula that somebody wrote has more."""

_STEPS_PER_LOOK: Final = 256


class TooCostly(Exception):
    """A text is shown as plain text; the message tells the reader why."""


class MarkdownBudget:
    """What the Markdown of one page may still cost."""

    def __init__(self, budgets: Budgets | None = None) -> None:
        self.budgets = budgets or Budgets()
        self._brackets = self.budgets.page_brackets
        self._formulas = self.budgets.formulas
        self._seconds = self.budgets.seconds

    def takes(self, brackets: int) -> bool:
        """Whether there is room for `brackets` more; takes it if so."""
        if brackets > self._brackets:
            return False
        self._brackets -= brackets
        return True

    def takes_formula(self, length: int) -> bool:
        """Whether one more formula may be set; a very long one counts as several."""
        self._formulas -= 1 + length // _LONG_FORMULA
        return self._formulas >= 0

    @contextmanager
    def meter(self) -> Iterator[Meter]:
        """Measures one text, whose time is taken off that of the page. Raises `TooCostly`."""
        if self._seconds <= 0:
            raise TooCostly("this page spent its time for rendering")
        begin = time.thread_time()
        try:
            yield Meter(begin + min(self._seconds, self.budgets.seconds * _TEXT_SHARE))
        finally:
            self._seconds -= time.thread_time() - begin


class Meter:
    """What one text has cost so far."""

    def __init__(self, until: float) -> None:
        self._until = until
        self._next_look = _STEPS_PER_LOOK
        self.steps = 0

    def step(self, weight: int = 1) -> None:
        """Counts what the parser does; raises `TooCostly` when it is more than a text may cost."""
        self.steps += weight
        if self.steps < self._next_look:
            return
        self._next_look = self.steps + _STEPS_PER_LOOK
        if self.steps > MAX_STEPS or time.thread_time() > self._until:
            raise TooCostly("it would take too long to render")

    def has_room(self, steps: int) -> bool:
        """Whether so many more steps for what a text could do without leave it most of its own."""
        return self.steps + steps <= MAX_STEPS // 4

    def code_deadline(self) -> float:
        """Until when, by `time.thread_time`, one more block of code may be coloured."""
        return min(self._until, time.thread_time() + _CODE_SECONDS)
