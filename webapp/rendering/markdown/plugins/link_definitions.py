"""Link reference definitions, which Markdown takes out of the text: `[1]: https://a.example`.

The links that refer to them work, and each also stays at its place as it was written: a list of
sources is often nothing but definitions, and no words may hide in the title of one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock, reference
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from webapp.rendering.markdown.context import Scope
from webapp.rendering.markdown.plugins import autolinks

_CLASS: Final = "link-definition"


def install(parser: MarkdownIt) -> None:
    """Teaches `parser` to keep definitions. Its `validateLink` has to be in place."""
    literal = _literal(parser)

    def shown(
        self: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: EnvType
    ) -> str:
        token = tokens[at]
        (line,) = literal.parseInline(token.content, env)
        text = self.renderInline(line.children or [], options, env)
        return f"<p{self.renderAttrs(token)}>{text}</p>\n"

    parser.block.ruler.at("reference", _kept)
    parser.add_render_rule("definition", shown)


def _literal(parser: MarkdownIt) -> MarkdownIt:
    """A parser that knows addresses and ends of lines alone: read as Markdown, a definition
    would be a link to itself."""
    literal = MarkdownIt("zero", {"linkify": False, "html": False})
    literal.enable("newline")
    literal.validateLink = parser.validateLink  # type: ignore[method-assign]
    autolinks.install(literal)
    literal.inline.ruler.before("text", "meter", _step)
    return literal


def _step(state: StateInline, _silent: bool) -> bool:
    Scope.of(state.env).meter.step()
    return False


def _kept(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    if not reference(state, start, end, silent):
        return False
    if not silent:
        token = state.push("definition", "p", 0)
        token.content = state.getLines(start, state.line, state.blkIndent, False).strip()
        token.attrs["class"] = _CLASS
        token.map = [start, state.line]
    return True
