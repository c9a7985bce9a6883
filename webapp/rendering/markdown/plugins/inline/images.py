"""Render images without loading them: as a link, or whatever the caller makes of their URL."""

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

from webapp.rendering.citations.markers import split_marks
from webapp.rendering.markdown.context import Scope
from webapp.rendering.markdown.plugins.inline import link_labels
from webapp.rendering.urls import get_host

_DATA: Final = re.compile(r"data:image/[a-z0-9.+-]{1,40}[;,]", re.IGNORECASE)


def install(parser: MarkdownIt) -> None:
    """Add images to `parser`, also those with data URLs."""
    allows_link = parser.validateLink
    permissive = copy.copy(parser)
    permissive.validateLink = lambda url: _DATA.match(url) is not None or allows_link(url)  # type: ignore[method-assign]

    def parse_image(state: StateInline, silent: bool) -> bool:
        if not state.src.startswith("![", state.pos, state.posMax):
            return False
        md, start = state.md, state.pos + 1
        state.md = permissive
        try:
            found = link_labels.may_be_label(state, start, links=True) and image(state, silent)
        finally:
            state.md = md
        if found and not silent:
            state.tokens[-1].meta = {"in_link": state.linkLevel > 0}
        return found

    parser.inline.ruler.at("image", parse_image)
    parser.add_render_rule("image", render_image)


def render_image(
    _renderer: RendererHTML, tokens: Sequence[Token], index: int, _o: OptionsDict, env: EnvType
) -> str:
    token, scope = tokens[index], Scope.get(env)
    url = str(token.attrs.get("src", ""))
    alt, marks = split_marks(_join_words(token.children or []))
    placeholder = scope.placeholder(lambda: (scope.image or render_image_link)(url, alt))
    if token.meta.get("in_link"):
        # HTML forbids a link inside a link: the words stay in it, the image follows it.
        scope.waiting.append(placeholder)
        return str(Markup("image: {}").format(alt or "without description")) + marks
    return placeholder + marks


def render_image_link(url: str, alt: str) -> Markup:
    """Render an image as a link that names its host, or in words if it is a data URL."""
    words = alt.strip() or "without description"
    host = get_host(url)
    if host is None:
        kind = url[5:].partition(";")[0].partition(",")[0]
        return Markup('<span class="image-link">image: {} ({})</span>').format(words, kind)
    return Markup(
        '<span class="image-link">image: <a href="{}" rel="noopener noreferrer nofollow">{}</a>'
        " ({})</span>"
    ).format(url, words, host)


def _join_words(tokens: Sequence[Token]) -> str:
    """Join the words of a description, without its emphasis."""
    pieces = []
    for token in tokens:
        if token.type in ("softbreak", "hardbreak"):
            pieces.append(" ")
        elif token.type == "image":
            pieces.append(_join_words(token.children or []))
        else:
            pieces.append(token.markup if token.type == "formula" else token.content)
    return "".join(pieces)
