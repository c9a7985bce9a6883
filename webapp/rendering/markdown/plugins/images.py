"""Images in a text: never loaded from here, shown as what the caller makes of their address."""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.image import image
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from markupsafe import Markup

from webapp.rendering.markdown.context import Scope
from webapp.rendering.markdown.marks import split_marks
from webapp.rendering.urls import foreign_host

_DATA: Final = re.compile(r"data:image/[a-z0-9.+-]{1,40}[;,]", re.IGNORECASE)


def install(parser: MarkdownIt) -> None:
    """Teaches `parser` images, whose addresses may also be data."""
    allows_link = parser.validateLink
    permissive = copy.copy(parser)
    permissive.validateLink = lambda url: _DATA.match(url) is not None or allows_link(url)  # type: ignore[method-assign]

    def with_data(state: StateInline, silent: bool) -> bool:
        md = state.md
        state.md = permissive
        try:
            found = image(state, silent)
        finally:
            state.md = md
        if found and not silent:
            state.tokens[-1].meta = {"in_link": state.linkLevel > 0}
        return found

    parser.inline.ruler.at("image", with_data)
    parser.add_render_rule("image", _shown)


def link_or_words(url: str, alt: str) -> Markup:
    """An image as a link that names its host; data without an address in words."""
    words = alt.strip() or "without description"
    host = foreign_host(url)
    if host is None:
        kind = url[5:].partition(";")[0].partition(",")[0]
        return Markup('<span class="image-link">image: {} ({})</span>').format(words, kind)
    return Markup(
        '<span class="image-link">image: <a href="{}" rel="noopener noreferrer nofollow">{}</a>'
        " ({})</span>"
    ).format(url, words, host)


def _shown(
    _renderer: RendererHTML, tokens: Sequence[Token], index: int, _o: OptionsDict, env: EnvType
) -> str:
    token, scope = tokens[index], Scope.of(env)
    url = str(token.attrs.get("src", ""))
    alt, marks = split_marks(_words(token.children or []))
    held = scope.hold(lambda: (scope.image or link_or_words)(url, alt))
    if token.meta.get("in_link"):
        # A link in a link is none: the words stand in it, the image behind it.
        scope.waiting.append(held)
        return str(Markup("image: {}").format(alt or "without description")) + marks
    return held + marks


def _words(tokens: Sequence[Token]) -> str:
    """The text of a description, without its emphasis."""
    pieces = []
    for token in tokens:
        if token.type in ("softbreak", "hardbreak"):
            pieces.append(" ")
        elif token.type == "image":
            pieces.append(_words(token.children or []))
        else:
            pieces.append(token.markup if token.type == "formula" else token.content)
    return "".join(pieces)
