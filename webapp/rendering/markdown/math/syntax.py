r"""Where formulas stand in a text: `$…$`, `$$…$$`, `\(…\)`, `\[…\]` and blocks of code in `math`.

A dollar opens one only in front of something and behind no word, and the next dollar has to end
it. What is between the signs has to look like a formula. Each opening looks ahead once and not
far.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from markupsafe import Markup

from webapp.rendering.markdown.context import Scope
from webapp.rendering.markdown.marks import split_marks
from webapp.rendering.markdown.math.heuristics import is_formula, is_prose, may_stand_in_front_of
from webapp.rendering.markdown.math.mathml import MAX_LENGTH, as_written, formula

_CLOSERS: Final = {"$$": "$$", r"\[": r"\]", r"\(": r"\)"}


def install(parser: MarkdownIt) -> None:
    """Teaches `parser` formulas."""
    interrupted = ["paragraph", "reference", "blockquote", "list"]
    parser.block.ruler.before("fence", "formula_block", _block, {"alt": interrupted})
    parser.inline.ruler.before("escape", "formula", _inline)
    parser.add_render_rule("formula", _shown)
    parser.add_render_rule("formula_block", _shown_block)


def held(latex: str, source: str, scope: Scope, *, display: bool) -> str:
    """What stands for a formula meanwhile; its marks follow it."""
    plain, marks = split_marks(latex)
    written, _ = split_marks(source)

    def make() -> Markup:
        if not scope.page.takes_formula(len(plain)):
            scope.note("Some formulas stand as written: the page has set as many as one page may.")
            return as_written(written)
        return formula(plain.strip(), display=display) or as_written(written)

    return scope.hold(make) + marks


def _inline(state: StateInline, silent: bool) -> bool:
    if state.linkLevel or state.src[state.pos] not in "$\\":
        return False
    opening = state.src[state.pos : state.pos + 2]
    if opening in _CLOSERS:
        end = _end_of_pair(state, opening)
        width = 2
    else:
        end = _end_of_dollar(state) if opening[0] == "$" else -1
        width = 1
    if end < 0:
        return False
    if not silent:
        token = state.push("formula", "math", 0)
        token.content = state.src[state.pos + width : end]
        token.markup = state.src[state.pos : end + width]
        token.meta = {"display": width == 2 and opening != r"\("}
    state.pos = end + width
    return True


def _end_of_pair(state: StateInline, opening: str) -> int:
    """Where the formula ends that begins here with two signs, or -1."""
    src, begin = state.src, state.pos + 2
    end = src.find(_CLOSERS[opening], begin, min(state.posMax, begin + MAX_LENGTH))
    return end if end >= 0 and is_formula(opening, src[begin:end], src[end + 2 : end + 3]) else -1


def _end_of_dollar(state: StateInline) -> int:
    """Where the formula ends that begins with one dollar here, or -1."""
    src, begin = state.src, state.pos + 1
    before = src[state.pos - 1] if state.pos else " "
    if begin >= state.posMax or src[begin].isspace() or before.isalnum() or before in "$_":
        return -1
    limit = min(state.posMax, begin + MAX_LENGTH)
    end = src.find("$", begin, limit)
    while end > 0 and src[end - 1] == "\\":
        end = src.find("$", end + 1, limit)
    if end <= begin or src[end - 1].isspace():
        return -1
    latex, behind = src[begin:end], src[end + 1 : end + 4]
    return end if may_stand_in_front_of(latex, behind) and not is_prose(latex) else -1


def _block(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    src, begin = state.src, state.bMarks[start_line] + state.tShift[start_line]
    opening = src[begin : begin + 2]
    if opening not in ("$$", r"\[") or state.is_code_block(start_line):
        return False
    end = src.find(_CLOSERS[opening], begin + 2, begin + 2 + MAX_LENGTH)
    if end < 0 or not is_formula(opening, src[begin + 2 : end], src[end + 2 : end + 3]):
        return False
    last = _line_of(state, end, start_line, end_line)
    if last is None or split_marks(src[end + 2 : state.eMarks[last]])[0].strip():
        return False
    if silent:
        return True
    lines = state.getLines(start_line, last + 1, state.blkIndent, False).strip()
    token = state.push("formula_block", "math", 0)
    token.content, token.markup = lines[2 : lines.rindex(_CLOSERS[opening])], lines
    token.info = split_marks(lines[lines.rindex(_CLOSERS[opening]) :])[1]
    token.map = [start_line, last + 1]
    state.line = last + 1
    return True


def _line_of(state: StateBlock, place: int, first: int, end_line: int) -> int | None:
    """The line of `place`, when all lines until there belong to the same block as `first`."""
    for line in range(first, end_line):
        if line > first and state.sCount[line] < state.blkIndent and not state.isEmpty(line):
            return None
        if place <= state.eMarks[line]:
            return line
    return None


def _shown(
    _renderer: RendererHTML, tokens: Sequence[Token], index: int, _o: OptionsDict, env: EnvType
) -> str:
    token = tokens[index]
    display = bool(token.meta["display"])
    return held(token.content, token.markup, Scope.of(env), display=display)


def _shown_block(
    _renderer: RendererHTML, tokens: Sequence[Token], index: int, _o: OptionsDict, env: EnvType
) -> str:
    token = tokens[index]
    shown = held(token.content, token.markup, Scope.of(env), display=True)
    return f'<div class="formula">{shown}{token.info}</div>\n'
