"""Text as Markdown: one function, in budgets, cleaned twice.

    parser          markdown-it as we set it up, and how blocks become HTML
    autolinks       addresses that stand in a text as they are
    definitions     what links refer to, kept where it stands
    tasks           task lists
    tables          cells that no column is left for, and their lines
    directions      which way each block is written
    outline         levels of headings, heads of tables
    images          images, as what the caller makes of their addresses
    mathematics     where formulas stand
    likeness        what looks like a formula and is none
    formulas        LaTeX to MathML
    code            blocks of code in their colours
    marks           citation marks inside formulas and code
    scope           what the rules of one text share
    reading         a text with marks of its citations
    cleaning        the second fence
    budget          what it may cost

Text beyond a budget is shown as it is, with a note: some inputs cost the parser time that grows
faster than their length.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from webapp.messages import Annotation
from webapp.rendering.citations.markers import cite
from webapp.rendering.citations.sources import Source, listed
from webapp.rendering.markdown.context import Scope, ShowImage
from webapp.rendering.markdown.metering import LINE_STEPS, PageBudget, TooCostly
from webapp.rendering.markdown.sanitize import clean
from webapp.rendering.markdown.with_citations import read
from webapp.rendering.text.exact import render_exact
from webapp.rendering.text.invisible import reveal_in_html

__all__ = ["PageBudget", "ShowImage", "TextView", "render_markdown"]

_LONE_SURROGATES: Final = re.compile("[\ud800-\udfff]")
_LINE: Final = re.compile(r"\r\n?|\n")
_COSTLY: Final = re.compile(r"[\[\]*_~`]")


@dataclass(frozen=True, slots=True)
class TextView:
    """A text for the page: its HTML, a note when a budget was in the way, its sources.

    `is_plain` tells that the text was not read as Markdown at all.
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
    budget: PageBudget | None = None,
    image: ShowImage | None = None,
) -> TextView:
    """`text` as Markdown; citations link to `#{anchor}-source-N`.

    `own_host` is the Host of the request, to which no link of a transcript may lead. `budget`
    is shared by the texts of a page. `image` makes what an image is shown as, from its address
    and description; without it, it is a link.
    """
    text = _LONE_SURROGATES.sub("\ufffd", text)
    page = budget or PageBudget()
    try:
        with page.meter() as meter:
            _check(text, page)
            meter.step(LINE_STEPS * len(_LINE.findall(text)))
            scope = Scope(page, meter, image)
            html, sources, scope = read(text, annotations, scope, own_host=own_host)
            shown = reveal_in_html(scope.fill(cite(clean(html), sources, anchor=anchor)))
    except TooCostly as reason:
        plain = Markup('<pre tabindex="0">{}</pre>').format(render_exact(text))
        return TextView(plain, f"Shown as plain text: {reason}.", listed(annotations), True)
    return TextView(shown, " ".join(scope.notes) or None, sources)


def _check(text: str, page: PageBudget) -> None:
    """Takes the brackets of `text` off the page's budget. Raises `TooCostly`."""
    brackets = len(_COSTLY.findall(text))
    most = page.budgets.brackets
    if brackets > most:
        raise TooCostly(f"it has more than {most:,} brackets, stars and the like")
    if not page.takes(brackets):
        raise TooCostly("the page has as much Markdown as one page may hold")
