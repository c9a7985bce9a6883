"""Render text as Markdown: one function, within budgets, sanitized twice.

A text beyond a budget is shown as plain text with a note: the parser's time grows faster than
the length of some inputs.

A text is parsed with the marks of its citations, unless they change anything around them, as a
mark inside `[x]` of a task would. The first try has all marks, the second only those at the end
of words; if both change the text, the sources are listed below it and none is marked.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import unescape
from typing import Final, NamedTuple

from markupsafe import Markup

from webapp.formatting import LONE_SURROGATES
from webapp.messages import Annotation
from webapp.rendering.citations.markers import link_marks, place_marks, remove_marks, settle_marks
from webapp.rendering.citations.sources import Source, list_unmarked
from webapp.rendering.markdown.context import (
    LINE_STEPS,
    MarkdownBudget,
    Scope,
    ShowImage,
    TooCostly,
)
from webapp.rendering.markdown.parser import render
from webapp.rendering.markdown.plugins.blocks.footnotes import link_notes
from webapp.rendering.markdown.sanitize import sanitize
from webapp.rendering.markdown.usual_blocks import render_usual_blocks
from webapp.rendering.text.direction import find_direction
from webapp.rendering.text.invisible import (
    describe_blank,
    is_exact,
    is_unseen,
    render_exact,
    reveal_in_html,
)

__all__ = ["MarkdownBudget", "Paragraph", "ShowImage", "TextView", "render_markdown"]

_LINE: Final = re.compile(r"\r\n?|\n")
_SEEN: Final = re.compile(
    '<(?:hr|img|math|iframe|audio)|class="(?:task|control)|data-mark=|<p dir="auto">[A-Za-z0-9]'
)
_UNSEEN: Final = re.compile("<button.*?</button>|<bdi.*?</bdi>|<[^>]*>", re.DOTALL)
_MAX_EMPTY: Final = 20_000
_PARAGRAPH: Final = re.compile(r'<p dir="(\w+)">([^<]*(?:<br>\n[^<]*)*)</p>\n')
_COSTLY: Final = re.compile(r"[\[\]*_~`]")


class Paragraph(NamedTuple):
    """The inside of a paragraph, and the value of `dir` for it."""

    direction: str
    html: Markup


@dataclass(frozen=True, slots=True)
class TextView:
    """A rendered text: its HTML, a note if a budget limited it, and its sources.

    `is_plain` is true if the text was not parsed as Markdown at all; `direction` is the value of
    `dir` for it as a whole.
    """

    html: Markup
    note: str | None = None
    sources: tuple[Source, ...] = ()
    is_plain: bool = False
    direction: str = "auto"

    def find_paragraph(self, text: str) -> Paragraph | None:
        """Return the paragraph if there is nothing else, and it is `text` as it is written."""
        found = _PARAGRAPH.fullmatch(self.html)
        if self.note or found is None or not is_exact(found[2], text):
            return None
        return Paragraph(found[1], Markup(found[2]))


def render_markdown(
    text: str,
    *,
    annotations: Sequence[Annotation] = (),
    anchor: str = "",
    own_host: str = "",
    budget: MarkdownBudget | None = None,
    image: ShowImage | None = None,
) -> TextView:
    """Render `text` as Markdown; citations link to `#{anchor}-source-N`.

    `own_host` is the Host of the request, to which no link of a transcript may lead. The texts
    of a page share `budget`. `image` renders an image from its URL and description; without it,
    images are links.
    """
    # Nothing of them is to be sanitized, and no budget is needed for them.
    if not annotations and (blocks := render_usual_blocks(text)):
        return TextView(Markup(blocks))
    text = LONE_SURROGATES.sub("\ufffd", text)
    page = budget or MarkdownBudget()
    try:
        with page.meter() as meter:
            _take_brackets(text, page)
            meter.step(LINE_STEPS * len(_LINE.findall(text)))
            scope = Scope(page, meter, image)
            html, sources, scope = render_with_citations(
                text, annotations, scope, own_host=own_host
            )
            linked = link_marks(sanitize(html), sources, anchor=anchor)
            linked = link_notes(linked, anchor=anchor, numbers=page.noted_texts)
            shown = reveal_in_html(scope.fill(linked))
    except TooCostly as reason:
        plain = Markup('<pre tabindex="0">{}</pre>').format(render_exact(text))
        return TextView(
            plain,
            f"Shown as plain text: {reason}.",
            list_unmarked(annotations),
            True,
            find_direction(text),
        )
    if _shows_nothing(shown):
        shown = _render_blank(text)
    return TextView(shown, " ".join(scope.notes) or None, sources, direction=scope.direction)


def _take_brackets(text: str, page: MarkdownBudget) -> None:
    """Count the brackets of `text` for its page. Raise `TooCostly` if either has too many."""
    brackets = len(_COSTLY.findall(text))
    most = page.budgets.brackets
    if brackets > most:
        raise TooCostly(f"it has more than {most:,} brackets, stars and the like")
    if not page.takes(brackets):
        raise TooCostly("the page has as much Markdown as one page may hold")


def _shows_nothing(html: str) -> bool:
    """Return whether there is nothing to see: an empty heading, item, quote or fence."""
    may_be_empty = len(html) <= _MAX_EMPTY and not _SEEN.search(html)
    return may_be_empty and is_unseen(unescape(_UNSEEN.sub("", html)))


def _render_blank(text: str) -> Markup:
    """Render a text without anything to see as a sentence, or as written if it has marks."""
    if not text:
        return Markup("")
    if sentence := describe_blank(text):
        return Markup('<p class="quiet-note">{}</p>').format(sentence)
    return Markup('<pre tabindex="0">{}</pre>').format(render_exact(text))


class Rendered(NamedTuple):
    """The HTML of a text before it is sanitized, with its sources and its scope."""

    html: str
    sources: tuple[Source, ...]
    scope: Scope


def render_with_citations(
    text: str, annotations: Sequence[Annotation], scope: Scope, *, own_host: str
) -> Rendered:
    """Render `text` with its marks, or without if they change it. Raise `TooCostly`."""
    text = text.replace("\0", "\u2400")
    # Byte order marks would hide the first block from the parser. They count in the ranges of
    # citations, so they are removed after the marks are placed.
    steps_before = scope.meter.steps
    plain = render(text.lstrip("\ufeff"), scope, own_host=own_host)
    cost = scope.meter.steps - steps_before
    sources: tuple[Source, ...] = ()
    for cautious in (False, True):
        # The first try is part of the cost of a text; the second one is made if there is room.
        if cautious and not scope.meter.has_room(cost):
            break
        marked, sources = place_marks(text, annotations, cautious=cautious)
        if marked == text:
            break
        retry = scope.restart()
        html = render(marked.lstrip("\ufeff"), retry, own_host=own_host)
        if remove_marks(html) == plain:
            return Rendered(settle_marks(html), sources, retry)
    return Rendered(plain, tuple(source.unmark() for source in sources), scope)
