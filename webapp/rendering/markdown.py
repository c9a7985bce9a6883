"""Text as Markdown: one function, in budgets, cleaned twice.

markdown-it's `js-default` preset turns raw HTML into text; images and guessed links are off,
links pass our allow-list, and `nh3` cleans the result once more. Text beyond a budget is shown
as it is, with a note: some inputs cost the parser time that grows faster than their length.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from markupsafe import Markup, escape

from webapp.messages import Annotation
from webapp.rendering.citations import Source, link_marks, place_marks, without_marks
from webapp.rendering.exact import exact_text
from webapp.rendering.links import foreign_host, is_allowed_link, misleads

MAX_CHARACTERS: Final = 200_000
MAX_BRACKETS: Final = 4_000
"""Brackets, stars and underscores: each may open something that the parser looks for an end of."""

MAX_LEVELS: Final = 100
"""Blocks inside blocks; a list is two. What is deeper, the parser would leave out."""

_LONE_SURROGATES: Final = re.compile("[\ud800-\udfff]")
_COSTLY = re.compile(r"[\[\]*_~`]")
_TAGS: Final = frozenset(
    {"a", "blockquote", "br", "code", "del", "em", "h4", "h5", "h6", "hr", "li", "ol", "p"}
    | {"pre", "s", "span", "strong", "sup", "table", "tbody", "td", "th", "thead", "tr", "ul"}
    | {"div"}
)
_ATTRIBUTES: Final = {"a": {"href"}, "ol": {"start"}, "div": {"tabindex"}}
_CLASSES: Final = {
    "td": {"align-center", "align-right"},
    "th": {"align-center", "align-right"},
    "sup": {"citation"},
    "span": {"link-host"},
    "div": {"wide"},
}
_REL: Final = "noopener noreferrer nofollow"


class PageBudget:
    """What the Markdown of one page may cost in all, in brackets, stars and the like."""

    def __init__(self, left: int = 40_000) -> None:
        self._left = left

    def allows(self, cost: int) -> bool:
        """Whether there is room for `cost` more; takes it if so."""
        if cost > self._left:
            return False
        self._left -= cost
        return True


@dataclass(frozen=True, slots=True)
class TextView:
    """A text for the page: its HTML, a note when a budget was in the way, its sources."""

    html: Markup
    note: str | None = None
    sources: tuple[Source, ...] = ()


def markdown(
    text: str,
    *,
    annotations: Sequence[Annotation] = (),
    anchor: str = "",
    own_host: str = "",
    budget: PageBudget | None = None,
) -> TextView:
    """`text` as Markdown; citations link to `#{anchor}-source-N`.

    `own_host` is the Host of the request, to which no link of a transcript may lead. `budget`
    is shared by the texts of a page.
    """
    text = _LONE_SURROGATES.sub("\ufffd", text)
    parser = _parser(own_host)
    note = _over_budget(text, budget or PageBudget())
    html = None if note else _rendered(parser, text)
    if html is None:
        return _plain(text, note or "Shown as plain text: it is nested too deeply.", annotations)
    marked, sources = place_marks(text, annotations)
    marked_html = html if marked == text else _rendered(parser, marked)
    if marked_html is None or without_marks(marked_html) != html:
        return TextView(Markup(_clean(html)), None, _only_listed(annotations))
    html = link_marks(marked_html, lambda number: _citation(number, anchor))
    return TextView(Markup(_clean(html)), None, sources)


def _plain(text: str, note: str, annotations: Sequence[Annotation]) -> TextView:
    html = Markup("<pre>{}</pre>").format(exact_text(text))
    return TextView(html, note, _only_listed(annotations))


def _only_listed(annotations: Sequence[Annotation]) -> tuple[Source, ...]:
    return place_marks("", annotations)[1]


def _rendered(parser: MarkdownIt, text: str) -> str | None:
    """The HTML of `text`; None when it is nested so deeply that some of it would be missing."""
    env: dict[str, object] = {}
    tokens = parser.parse(text, env)
    if any(token.level >= MAX_LEVELS - 1 for token in tokens):
        return None
    html: str = parser.renderer.render(tokens, parser.options, env)
    return html


def _over_budget(text: str, budget: PageBudget) -> str | None:
    if len(text) > MAX_CHARACTERS:
        return f"Shown as plain text: it has more than {MAX_CHARACTERS:,} characters."
    cost = len(_COSTLY.findall(text))
    if cost > MAX_BRACKETS:
        return (
            f"Shown as plain text: it has more than {MAX_BRACKETS:,} brackets, stars and the like."
        )
    if not budget.allows(cost):
        return "Shown as plain text: the page has as much Markdown as one page may hold."
    return None


def _citation(number: int, anchor: str) -> str:
    return f'<sup class="citation"><a href="#{escape(anchor)}-source-{number}">{number}</a></sup>'


def _clean(html: str) -> str:
    return nh3.clean(
        html,
        tags=set(_TAGS),
        attributes={tag: set(names) for tag, names in _ATTRIBUTES.items()},
        allowed_classes={tag: set(names) for tag, names in _CLASSES.items()},
        url_schemes={"http", "https", "mailto"},
        link_rel=_REL,
    )


@lru_cache(maxsize=8)
def _parser(own_host: str) -> MarkdownIt:
    options = {"breaks": True, "linkify": False, "html": False, "maxNesting": MAX_LEVELS}
    parser = MarkdownIt("js-default", options)
    parser.disable("image")
    parser.validateLink = lambda url: is_allowed_link(url, own_host=own_host)  # type: ignore[method-assign]
    parser.add_render_rule("heading_open", _shifted_heading)
    parser.add_render_rule("heading_close", _shifted_heading)
    parser.add_render_rule("th_open", _aligned_cell)
    parser.add_render_rule("td_open", _aligned_cell)
    parser.add_render_rule("table_open", _scrolling_table)
    parser.add_render_rule("table_close", _scrolling_table)
    parser.add_render_rule("link_close", _named_host)
    return parser


# Render rules, called by markdown-it with the renderer as their first argument.


def _shifted_heading(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    """Headings stand below that of their message, which is an h2, and its calls, which are h3."""
    token = tokens[index]
    token.tag = f"h{min(int(token.tag[1]) + 3, 6)}"
    return self.renderToken(tokens, index, options, env)


def _aligned_cell(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    """The alignment as a class: the page's policy allows no style attribute."""
    token = tokens[index]
    style = str(token.attrs.pop("style", ""))
    side = style.removeprefix("text-align:")
    if side in ("center", "right"):
        token.attrs["class"] = f"align-{side}"
    return self.renderToken(tokens, index, options, env)


def _scrolling_table(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    """A wide table scrolls in a box of its own, which the keyboard can reach."""
    table = self.renderToken(tokens, index, options, env)
    return (
        f'<div class="wide" tabindex="0">{table}' if tokens[index].nesting > 0 else f"{table}</div>"
    )


def _named_host(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    """Names the host of a link whose text looks like another address."""
    opened = next(at for at in range(index, -1, -1) if tokens[at].type == "link_open")
    url = str(tokens[opened].attrs.get("href", ""))
    text = "".join(token.content for token in tokens[opened:index])
    if not misleads(text, url):
        return "</a>"
    return f'</a> <span class="link-host">({escape(foreign_host(url) or "")})</span>'
