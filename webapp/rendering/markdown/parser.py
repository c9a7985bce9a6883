"""The parser of Markdown and how its blocks are written as HTML.

markdown-it's `js-default` preset turns raw HTML into text; links pass our allow-list. Each step
of the parser is counted, and beyond a text's share it stops.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from markupsafe import escape

from webapp.rendering.markdown import code
from webapp.rendering.markdown.context import Scope
from webapp.rendering.markdown.math import syntax as mathematics
from webapp.rendering.markdown.metering import TooCostly
from webapp.rendering.markdown.plugins import autolinks, directions, images, lists, tables, tasks
from webapp.rendering.markdown.plugins import block_attributes as outline
from webapp.rendering.markdown.plugins import link_definitions as definitions
from webapp.rendering.urls import foreign_host, is_allowed_link, misleads

_PARTS: Final = (
    *(images, mathematics, autolinks, definitions, tables, tasks, lists, directions, outline),
)
_BLOCK_WEIGHT: Final = 5
_INTERRUPTED: Final = ("paragraph", "reference", "blockquote", "list")
"""Blocks that look at every line for what ends them, in one step of the parser."""


def rendered(text: str, scope: Scope, *, own_host: str) -> str:
    """The HTML of `text`, not yet clean. Raises `TooCostly` when it is nested too deeply."""
    levels = scope.page.budgets.levels
    parser = _parser(own_host, levels)
    env = scope.env
    tokens = parser.parse(text, env)
    if any(token.level >= levels - 1 for token in tokens):
        raise TooCostly("it is nested too deeply")
    html: str = parser.renderer.render(tokens, parser.options, env)
    return html


@lru_cache(maxsize=8)
def _parser(own_host: str, levels: int) -> MarkdownIt:
    options = {"breaks": True, "linkify": False, "html": False, "maxNesting": levels}
    parser = MarkdownIt("js-default", options)
    parser.validateLink = lambda url: is_allowed_link(url, own_host=own_host)  # type: ignore[method-assign]
    # Decoded, the text of `<https://a.example/a%0Ab>` would have a line break.
    parser.normalizeLinkText = lambda link: link  # type: ignore[method-assign]
    for part in _PARTS:
        part.install(parser)
    parser.inline.ruler.before("text", "meter", _inline_step)
    parser.block.ruler.before("table", "meter", _block_step, {"alt": list(_INTERRUPTED)})
    parser.core.ruler.before("inline", "meter", _all_blocks)
    for name in ("th_open", "td_open"):
        parser.add_render_rule(name, _aligned_cell)
    for name in ("table_open", "table_close"):
        parser.add_render_rule(name, _scrolling_table)
    for name in ("fence", "code_block"):
        parser.add_render_rule(name, _code)
    parser.add_render_rule("link_open", _start_of_link)
    parser.add_render_rule("link_close", _end_of_link)
    return parser


# Rules that only count. Named by markdown-it's order of arguments.


def _inline_step(state: StateInline, _silent: bool) -> bool:
    Scope.of(state.env).meter.step()
    return False


def _block_step(state: StateBlock, start: int, _end: int, silent: bool) -> bool:
    # A line may be the head of a table, all of whose columns are made in one step.
    columns = 0 if silent else state.src.count("|", state.bMarks[start], state.eMarks[start])
    Scope.of(state.env).meter.step(1 if silent else _BLOCK_WEIGHT * (1 + columns))
    return False


def _all_blocks(state: StateCore) -> None:
    """Tables make far more blocks than they take steps."""
    Scope.of(state.env).meter.step(len(state.tokens))


# Render rules, called by markdown-it with the renderer as their first argument.


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
    if tokens[index].nesting > 0:
        return f'<div class="wide" tabindex="0" dir="auto">{table}'
    return f"{table}</div>"


def _code(
    _renderer: RendererHTML, tokens: Sequence[Token], index: int, _o: OptionsDict, env: EnvType
) -> str:
    """Code in its colours; what is called `math` as a formula."""
    token, scope = tokens[index], Scope.of(env)
    if token.type == "fence" and code.first_word(token.info).lower() == "math":
        shown = mathematics.held(token.content, token.content.strip(), scope, display=True)
        return f'<div class="formula">{shown}</div>\n'
    return code.block(token.content, token.info, scope)


def _start_of_link(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    """A link without an address leads nowhere; an empty one would lead to the page itself."""
    token = tokens[index]
    if not token.attrs.get("href"):
        token.attrs.pop("href", None)
    return self.renderToken(tokens, index, options, env)


def _end_of_link(
    _renderer: RendererHTML, tokens: Sequence[Token], index: int, _o: OptionsDict, env: EnvType
) -> str:
    """Names the host of a link whose text looks like another; then come the images it held."""
    opened = next(at for at in range(index, -1, -1) if tokens[at].type == "link_open")
    url = str(tokens[opened].attrs.get("href", ""))
    text = "".join(token.content for token in tokens[opened:index])
    host = f' <span class="link-host">({escape(foreign_host(url) or "")})</span>'
    scope = Scope.of(env)
    images_inside = "".join(f" {image}" for image in scope.waiting)
    scope.waiting.clear()
    return f"</a>{host if misleads(text, url) else ''}{images_inside}"
