"""Show link reference definitions, which Markdown removes from the text: `[1]: https://a.example`.

Links that refer to them work, and each definition also stays in its place as written: a list of
sources often consists of definitions only, and no words may hide in the title of one.
"""

from __future__ import annotations

from collections.abc import Sequence

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock, reference
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from webapp.rendering.markdown.context import Scope
from webapp.rendering.markdown.plugins.inline import autolinks


def install(parser: MarkdownIt) -> None:
    """Add visible definitions to `parser`, whose `validateLink` must be set already."""
    # Parsed as Markdown, a definition would be a link to itself: only URLs and line breaks are.
    literal = MarkdownIt("zero", {"linkify": False, "html": False})
    literal.enable("newline")
    literal.validateLink = parser.validateLink  # type: ignore[method-assign]
    autolinks.install(literal)
    literal.inline.ruler.before("text", "meter", count_step)

    def render_definition(
        self: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: EnvType
    ) -> str:
        token = tokens[at]
        (line,) = literal.parseInline(token.content, env)
        text = self.renderInline(line.children or [], options, env)
        return f"<p{self.renderAttrs(token)}>{text}</p>\n"

    parser.block.ruler.at("reference", parse_definition)
    parser.add_render_rule("definition", render_definition)


def count_step(state: StateInline, _silent: bool) -> bool:
    Scope.get(state.env).meter.step()
    return False


def parse_definition(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    if not reference(state, start, end, silent):
        return False
    if not silent:
        token = state.push("definition", "p", 0)
        token.content = state.getLines(start, state.line, state.blkIndent, False).strip()
        token.attrs["class"] = "link-definition"
        token.map = [start, state.line]
    return True
