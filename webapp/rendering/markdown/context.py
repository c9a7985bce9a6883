"""Share budgets, notes and placeholders among the rules that render the texts of a page.

Formulas, highlighted code and images are our own HTML. If the sanitizer let their elements
through, a text could use them too. So placeholders replace them until the text is sanitized; a
placeholder contains a random key, which no text can contain.

Budgets limit the brackets, formulas and time of a page, and the steps of one text. Time is that
of the thread's own work, so that a busy machine shows the same page as an idle one.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from itertools import count
from typing import Final, TypeAlias, cast
from weakref import WeakKeyDictionary

from markdown_it.rules_inline import StateInline
from markupsafe import Markup

from webapp.config import Budgets

ShowImage: TypeAlias = Callable[[str, str], Markup]
"""Render an image from its URL and its description as phrasing content, without blocks."""

LabelEnds: TypeAlias = WeakKeyDictionary[StateInline, dict[tuple[int, int, bool], int]]
"""For each piece of text, the ends of labels by their start, the end of the text, and whether they
are of images; negative if they have none."""

_NAME = "scope"

MAX_STEPS: Final = 100_000
"""Steps that a parser may take for one text; prose of 200 kB takes a tenth of them."""

LINE_STEPS: Final = 2
"""Steps that each line counts before it is parsed: every rule for blocks looks at it."""

_TEXT_SHARE: Final = 0.5
"""Share of a page's time for one text. A garbage collection can fall into any, and takes 0.1."""

CODE_SECONDS: Final = 0.1
"""The time for the colours of one block of code."""

_LONG_FORMULA: Final = 300
"""Characters. Hardly any formula written by a person has more."""

_STEPS_PER_LOOK: Final = 256


class _LimitedTime(threading.local):
    seconds = 0.0


_limited_time: Final = _LimitedTime()


@contextmanager
def note_limited_time() -> Iterator[None]:
    """Note the time of the block as that of work which a limit of time may end.

    Blocks within it, such as code in a text, are not counted again.
    """
    before, begin = _limited_time.seconds, time.thread_time()
    try:
        yield
    finally:
        _limited_time.seconds = before + time.thread_time() - begin


def read_limited_time() -> float:
    """Return the seconds of such work that this thread has done so far."""
    return _limited_time.seconds


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
        self.direction = "auto"
        self.label_ends: LabelEnds = WeakKeyDictionary()
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
        """Create an empty scope for the same text, whose placeholders compare equal to ours."""
        return Scope(self.page, self.meter, self.image, self._key)

    def placeholder(self, make: Callable[[], Markup]) -> str:
        """Create a placeholder that `fill` replaces by the result of `make`."""
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
        filled = [first]
        for piece in rest:
            number, _, after = piece.partition("n")
            filled += (str(self._makers[int(number)]()), after)
        return Markup("".join(filled))


class TooCostly(Exception):
    """A text is shown as plain text; the message says why."""


class MarkdownBudget:
    """The remaining budget for the Markdown of a page, which may replace `pages` usual ones.

    A server that ignores cursors sends everything as one page, which then gets the budget of the
    pages that it replaces. The bounds of a single text stay the same.
    """

    def __init__(self, budgets: Budgets | None = None, *, pages: int = 1) -> None:
        self.budgets = budgets or Budgets()
        self._brackets = self.budgets.page_brackets * pages
        self._formulas = self.budgets.formulas * pages
        self._seconds = self.budgets.seconds * pages
        self.noted_texts = count(1)
        """Numbers for the texts with footnotes, of which a message may have several."""
        self._all = (self._brackets, self._formulas, self._seconds)
        self._has_refused = False

    @property
    def spent(self) -> tuple[int, int]:
        """The brackets and formulas taken so far."""
        return self._all[0] - self._brackets, self._all[1] - self._formulas

    def can_spend(self, brackets: int, formulas: int) -> bool:
        """Return whether nothing was refused, and half of all would be left with these."""
        all_brackets, all_formulas, all_seconds = self._all
        return (
            2 * (self._brackets - brackets) >= all_brackets
            and 2 * (self._formulas - formulas) >= all_formulas
            and 2 * self._seconds >= all_seconds
            and not self._has_refused
        )

    def spend(self, brackets: int, formulas: int) -> None:
        self._brackets -= brackets
        self._formulas -= formulas

    def takes(self, brackets: int) -> bool:
        """Take room for `brackets` more, and return whether there was enough."""
        if brackets > self._brackets:
            self._has_refused = True
            return False
        self._brackets -= brackets
        return True

    def takes_formula(self, length: int) -> bool:
        """Take room for a formula, and return whether there was; a long one counts as several."""
        self._formulas -= 1 + length // _LONG_FORMULA
        return self._formulas >= 0

    @contextmanager
    def meter(self) -> Iterator[Meter]:
        """Measure one text, and take its time off the budget.

        Raise `TooCostly` if no time is left.
        """
        if self._seconds <= 0:
            raise TooCostly("this page spent its time for rendering")
        begin = time.thread_time()
        try:
            with note_limited_time():
                yield Meter(begin + min(self._seconds, self.budgets.seconds * _TEXT_SHARE))
        finally:
            self._seconds -= time.thread_time() - begin


class Meter:
    """The cost of one text so far."""

    def __init__(self, until: float) -> None:
        self._until = until
        self._next_look = _STEPS_PER_LOOK
        self.steps = 0

    def step(self, weight: int = 1) -> None:
        """Count a step of the parser. Raise `TooCostly` if the text has used up its share."""
        self.steps += weight
        if self.steps < self._next_look:
            return
        self._next_look = self.steps + _STEPS_PER_LOOK
        if self.steps > MAX_STEPS or time.thread_time() > self._until:
            raise TooCostly("it would take too long to render")

    def has_room(self, steps: int) -> bool:
        """Return whether `steps` more, for an extra, leave the text most of its own."""
        return self.steps + steps <= MAX_STEPS // 4

    def code_deadline(self) -> float:
        """Compute until when, by `time.thread_time`, one more block of code may be coloured."""
        return min(self._until, time.thread_time() + CODE_SECONDS)
