"""Configure markdown-it, and render its blocks as HTML.

The `js-default` preset turns raw HTML into text, and links must pass our allow-list. Each step
of the parser is counted; it stops if a text has used its share.
"""

from __future__ import annotations

import re
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

from webapp.rendering.markdown.code import get_first_word, render_code
from webapp.rendering.markdown.context import Scope, TooCostly
from webapp.rendering.markdown.math import syntax
from webapp.rendering.markdown.plugins.blocks import (
    block_attributes,
    details,
    footnotes,
    link_definitions,
    loose_blocks,
    tables,
)
from webapp.rendering.markdown.plugins.inline import (
    autolinks,
    backslashes,
    cjk_emphasis,
    images,
    inline_tags,
    link_labels,
    plain_marks,
    private_markers,
)
from webapp.rendering.markdown.usual_blocks import render_usual_blocks
from webapp.rendering.urls import get_host, is_allowed_link, is_misleading

_PLUGINS: Final = (
    link_labels,
    images,
    backslashes,
    private_markers,
    syntax,
    autolinks,
    cjk_emphasis,
    plain_marks,
    inline_tags,
    loose_blocks,
    details,
    link_definitions,
    footnotes,
    tables,
    block_attributes,
)
_SYNTAX: Final = r"[\n$&*<\[\\\]_`~]|!(?=\[)|:(?=//)"
"""Where text ends because syntax may begin. markdown-it also stops at signs that no rule of ours
takes, and tries all of them there."""

_BLOCK_WEIGHT: Final = 5
_INTERRUPTED: Final = ("paragraph", "reference", "blockquote", "list")
"""Blocks that test every line for their end, in one step of the parser."""


def render(text: str, scope: Scope, *, own_host: str) -> str:
    """Render `text` as HTML, not yet sanitized. Raise `TooCostly` if it is nested too deeply."""
    if blocks := render_usual_blocks(text):
        return blocks
    levels = scope.page.budgets.levels
    parser = _build_parser(own_host, levels)
    env = scope.env
    tokens = parser.parse(text, env)
    if any(token.level >= levels - 1 for token in tokens):
        raise TooCostly("it is nested too deeply")
    rendered: str = parser.renderer.render(tokens, parser.options, env)
    return rendered


@lru_cache(maxsize=8)
def _build_parser(own_host: str, levels: int) -> MarkdownIt:
    options = {"breaks": True, "linkify": False, "html": False, "maxNesting": levels}
    parser = MarkdownIt("js-default", options)
    parser.validateLink = lambda url: is_allowed_link(url, own_host=own_host)  # type: ignore[method-assign]
    # If decoded, the text of `<https://a.example/a%0Ab>` would contain a line break.
    parser.normalizeLinkText = lambda link: link  # type: ignore[method-assign]
    parser.inline.terminator_re = re.compile(_SYNTAX)
    for plugin in _PLUGINS:
        plugin.install(parser)
    parser.inline.ruler.before("text", "meter", count_inline_step)
    parser.block.ruler.before("table", "meter", count_block_step, {"alt": list(_INTERRUPTED)})
    parser.core.ruler.before("inline", "meter", count_blocks)
    for name in ("th_open", "td_open"):
        parser.add_render_rule(name, render_cell)
    for name in ("table_open", "table_close"):
        parser.add_render_rule(name, render_table)
    for name in ("fence", "code_block"):
        parser.add_render_rule(name, render_code_block)
    parser.add_render_rule("link_open", render_link_start)
    parser.add_render_rule("link_close", render_link_end)
    return parser


# Rules that only count. markdown-it passes their arguments by position.


def count_inline_step(state: StateInline, _silent: bool) -> bool:
    Scope.get(state.env).meter.step()
    return False


def count_block_step(state: StateBlock, start: int, _end: int, silent: bool) -> bool:
    # Any line may be the head of a table, whose columns are all made in one step.
    columns = 0 if silent else state.src.count("|", state.bMarks[start], state.eMarks[start])
    Scope.get(state.env).meter.step(1 if silent else _BLOCK_WEIGHT * (1 + columns))
    return False


def count_blocks(state: StateCore) -> None:
    """Count the blocks once more: tables make far more blocks than they take steps."""
    Scope.get(state.env).meter.step(len(state.tokens))


# Render rules. markdown-it passes the renderer as their first argument.


def render_cell(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    """Render the alignment as a class: the page's policy forbids style attributes."""
    token = tokens[index]
    style = str(token.attrs.pop("style", ""))
    side = style.removeprefix("text-align:")
    if side in ("center", "right"):
        token.attrs["class"] = f"align-{side}"
    return self.renderToken(tokens, index, options, env)


def render_table(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    """Wrap a table in a box that scrolls, also by keyboard."""
    direction = tokens[index].attrs.pop("dir", "auto")
    table = self.renderToken(tokens, index, options, env)
    if tokens[index].nesting > 0:
        return f'<div class="wide" tabindex="0" dir="{direction}">{table}'
    return f"{table}</div>"


def render_code_block(
    _renderer: RendererHTML, tokens: Sequence[Token], index: int, _o: OptionsDict, env: EnvType
) -> str:
    """Highlight a code block, or render it as a formula if its language is `math`."""
    token, scope = tokens[index], Scope.get(env)
    if token.type == "fence" and get_first_word(token.info).lower() == "math":
        source = token.content.strip()
        formula = syntax.render_placeholder(token.content, source, scope, display=True)
        return f'<div class="formula">{formula}</div>\n'
    return render_code(token.content, token.info, scope)


def render_link_start(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    """Omit an empty `href`: it would lead to the page itself."""
    token = tokens[index]
    if not token.attrs.get("href"):
        token.attrs.pop("href", None)
    return self.renderToken(tokens, index, options, env)


def render_link_end(
    _renderer: RendererHTML, tokens: Sequence[Token], index: int, _o: OptionsDict, env: EnvType
) -> str:
    """Add the host if the text of the link looks like another, then the images it contained.

    A link without a text shows its address.
    """
    opened = next(at for at in range(index, -1, -1) if tokens[at].type == "link_open")
    url = str(tokens[opened].attrs.get("href", ""))
    text = "".join(token.content for token in tokens[opened:index])
    host = f' <span class="link-host">({escape(get_host(url) or "")})</span>'
    scope = Scope.get(env)
    images_inside = "".join(f" {image}" for image in scope.waiting)
    scope.waiting.clear()
    if opened == index - 1:
        # Without a text, nothing would be seen of it.
        return f"{escape(url or '[]()')}</a>{images_inside}"
    return f"</a>{host if is_misleading(text, url) else ''}{images_inside}"
