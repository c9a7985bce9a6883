"""Render text as Markdown: one function, within budgets, sanitized twice.

A text beyond a budget is shown as plain text with a note: the parser's time grows faster than
the length of some inputs.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import unescape
from typing import Final

from markupsafe import Markup

from webapp.formatting import LONE_SURROGATES
from webapp.messages import Annotation
from webapp.rendering.citations.markers import link_marks
from webapp.rendering.citations.sources import Source, list_unmarked
from webapp.rendering.markdown.context import Scope, ShowImage
from webapp.rendering.markdown.metering import LINE_STEPS, MarkdownBudget, TooCostly
from webapp.rendering.markdown.sanitize import sanitize
from webapp.rendering.markdown.with_citations import render_with_citations
from webapp.rendering.text.blanks import describe_blank, is_unseen
from webapp.rendering.text.invisible import render_exact, reveal_in_html

__all__ = ["MarkdownBudget", "ShowImage", "TextView", "render_markdown"]

_LINE: Final = re.compile(r"\r\n?|\n")
_SEEN: Final = re.compile('<(?:hr|img|math|iframe|audio)|class="(?:task|control)|data-mark=')
_UNSEEN: Final = re.compile("<button.*?</button>|<bdi.*?</bdi>|<[^>]*>", re.DOTALL)
_MAX_EMPTY: Final = 20_000
_COSTLY: Final = re.compile(r"[\[\]*_~`]")


@dataclass(frozen=True, slots=True)
class TextView:
    """A rendered text: its HTML, a note if a budget limited it, and its sources.

    `is_plain` is true if the text was not parsed as Markdown at all.
    """

    html: Markup
    note: str | None = None
    sources: tuple[Source, ...] = ()
    is_plain: bool = False


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
    text = LONE_SURROGATES.sub("\ufffd", text)
    page = budget or MarkdownBudget()
    try:
        with page.meter() as meter:
            brackets = len(_COSTLY.findall(text))
            most = page.budgets.brackets
            if brackets > most:
                raise TooCostly(f"it has more than {most:,} brackets, stars and the like")
            if not page.takes(brackets):
                raise TooCostly("the page has as much Markdown as one page may hold")
            meter.step(LINE_STEPS * len(_LINE.findall(text)))
            scope = Scope(page, meter, image)
            html, sources, scope = render_with_citations(
                text, annotations, scope, own_host=own_host
            )
            linked = link_marks(sanitize(html), sources, anchor=anchor)
            shown = reveal_in_html(scope.fill(linked))
    except TooCostly as reason:
        plain = Markup('<pre tabindex="0">{}</pre>').format(render_exact(text))
        return TextView(plain, f"Shown as plain text: {reason}.", list_unmarked(annotations), True)
    if _shows_nothing(shown):
        shown = _render_blank(text)
    return TextView(shown, " ".join(scope.notes) or None, sources)


def _render_blank(text: str) -> Markup:
    """Render a text without anything to see as a sentence, or as written if it has marks."""
    if not text:
        return Markup("")
    if sentence := describe_blank(text):
        return Markup('<p class="quiet-note">{}</p>').format(sentence)
    return Markup('<pre tabindex="0">{}</pre>').format(render_exact(text))


def _shows_nothing(html: str) -> bool:
    """Return whether a text left nothing to see: an empty heading, item, quote or fence."""
    if len(html) > _MAX_EMPTY:
        return False
    return not _SEEN.search(html) and is_unseen(unescape(_UNSEEN.sub("", html)))
