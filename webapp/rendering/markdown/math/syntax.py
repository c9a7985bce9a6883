r"""Parse formulas: `$…$`, `$$…$$`, `\(…\)`, `\[…\]`, `\begin{align}…\end{align}` and `math` code.

GitHub also has a dollar outside of the backticks of code. A dollar opens a formula only before a
character other than white space and not after a word of a script that has spaces, and
the next dollar must close it. The text between the delimiters must look like a formula. Each
opening delimiter is looked up once, within a bounded distance.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from markupsafe import Markup

from webapp.rendering.citations.markers import split_marks
from webapp.rendering.markdown.context import Scope
from webapp.rendering.markdown.math.heuristics import is_dollar_formula, is_formula
from webapp.rendering.markdown.math.mathml import MAX_LENGTH, render_formula, render_source
from webapp.rendering.markdown.plugins.inline.cjk_emphasis import is_cjk

_ENVIRONMENT: Final = re.compile(
    r"\\begin\{((?:align|alignat|eqnarray|equation|gather|multline)\*?|aligned|alignedat|gathered"
    r"|split|cases|(?:small|[pbBvV])?matrix|array)\}"
)
_MAX_DOLLARS: Final = 8
"""Dollars inside the texts of one formula."""

_MAX_BEFORE: Final = 200
"""Characters of the line before a dollar that may be about money."""

_AFTER_GROUP: Final = re.compile(r"\\[+?{|1-9]")
_EXTENSION: Final = re.compile(r"\.(?:[a-z]|[A-Z]{2})")
"""The beginning of `.txt` or `.TXT`; a sentence after a full stop begins otherwise."""

_CLOSERS: Final = {"$$": "$$", "$`": "`$", r"\[": r"\]", r"\(": r"\)"}


def install(parser: MarkdownIt) -> None:
    """Add formulas to `parser`."""
    interrupted = ["paragraph", "reference", "blockquote", "list"]
    parser.block.ruler.before("fence", "formula_block", parse_block, {"alt": interrupted})
    parser.inline.ruler.before("escape", "formula", parse_inline)
    parser.add_render_rule("formula", render_inline)
    parser.add_render_rule("formula_block", render_block)


def render_placeholder(latex: str, source: str, scope: Scope, *, display: bool) -> str:
    """Render the placeholder of a formula, followed by its citation marks."""
    plain, marks = split_marks(latex)
    plain_source, _ = split_marks(source)

    def make() -> Markup:
        if not scope.page.takes_formula(len(plain)):
            scope.note("Some formulas stand as written: the page has set as many as one page may.")
            return render_source(plain_source)
        return render_formula(plain.strip(), display=display) or render_source(plain_source)

    return scope.placeholder(make) + marks


def parse_inline(state: StateInline, silent: bool) -> bool:
    if state.linkLevel or state.src[state.pos] not in "$\\":
        return False
    opening = state.src[state.pos : state.pos + 2]
    width = 2 if opening in _CLOSERS else 1
    end = _find_closer(state, opening) if width == 2 else _find_dollar(state)
    if end < 0:
        return False
    if not silent:
        token = state.push("formula", "math", 0)
        token.content = state.src[state.pos + width : end]
        token.markup = state.src[state.pos : end + width]
        token.meta = {"display": opening in ("$$", r"\[")}
    state.pos = end + width
    return True


def _find_closer(state: StateInline, opening: str) -> int:
    """Find the end of the formula that begins here with two characters, or -1."""
    src, begin = state.src, state.pos + 2
    end = src.find(_CLOSERS[opening], begin, min(state.posMax, begin + MAX_LENGTH))
    before = src[state.pos - 1 : state.pos] if opening != "$$" else ""
    if opening == "$`" and (_is_word(before) or before == "$"):
        return -1
    if opening == r"\(" and end >= 0 and _is_escaped(src, state.pos, end):
        return -1
    return end if end >= 0 and is_formula(opening, src[begin:end], src[end + 2 : end + 3]) else -1


def _is_escaped(src: str, pos: int, end: int) -> bool:
    r"""Return whether `\(` at `pos` and `\)` at `end` are not for a formula, or not for one alone.

    They may be in an expression, as in `^\(x\)$`, `s/\(a\)/\1/`, `'\(abc\)'` and `\(ab\)\+`, in the
    name of a file, as in `My\ File\ \(1\).txt`, or only be named: `"\(" and "\)"`.
    """
    before, after, latex = src[pos - 1 : pos], src[end + 2 : end + 5], src[pos + 2 : end]
    if before == "^" or (before == after[:1] == "/") or _AFTER_GROUP.match(after):
        return True
    if before in ("'", '"') and (latex[:1] == before or (before == after[:1] and len(latex) > 1)):
        return latex[:1] == before or latex.isalnum()
    if latex.isalnum() and before.isascii() and before.isalnum() and _EXTENSION.match(after):
        return True
    return before == " " and src[pos - 2 : pos - 1] == "\\" and src[pos - 3 : pos - 2].isalnum()


def _is_word(character: str) -> bool:
    """Return whether a word ends with `character` and goes on before a dollar."""
    return character.isalnum() and not is_cjk(character)


def _is_in_text(latex: str) -> bool:
    r"""Return whether `latex` ends inside the braces of a `\text{…}`, where dollars are text."""
    at = max(latex.rfind(command) for command in (r"\text", r"\mbox", r"\hbox"))
    return at >= 0 and latex.count("{", at) > latex.count("}", at)


def _find_dollar(state: StateInline) -> int:
    """Find the end of the formula that begins here with one dollar, or -1."""
    src, begin = state.src, state.pos + 1
    before = src[state.pos - 1] if state.pos else " "
    if (
        src[state.pos] != "$"
        or begin >= state.posMax
        or src[begin].isspace()
        or _is_word(before)
        or before in "$_"
    ):
        return -1
    limit = min(state.posMax, begin + MAX_LENGTH)
    end = src.find("$", begin, limit)
    inside = 0
    while end > 0 and (src[end - 1] == "\\" or _is_in_text(src[begin:end])):
        inside += src[end - 1] != "\\"
        if inside > _MAX_DOLLARS:
            return -1
        end = src.find("$", end + 1, limit)
    if end <= begin or src[end - 1].isspace():
        return -1
    line = src[max(src.rfind("\n", 0, state.pos) + 1, state.pos - _MAX_BEFORE) : state.pos]
    return end if is_dollar_formula(line, src[begin:end], src[end + 1 : end + 4]) else -1


def parse_block(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    src, begin = state.src, state.bMarks[start_line] + state.tShift[start_line]
    opening = src[begin : begin + 2]
    if opening == r"\b":
        return _parse_environment(state, start_line, end_line, silent)
    if opening not in ("$$", r"\[") or state.is_code_block(start_line):
        return False
    end = src.find(_CLOSERS[opening], begin + 2, begin + 2 + MAX_LENGTH)
    if end < 0 or not is_formula(opening, src[begin + 2 : end], src[end + 2 : end + 3]):
        return False
    last = _find_line(state, end, start_line, end_line)
    if last is None or split_marks(src[end + 2 : state.eMarks[last]])[0].strip():
        return False
    if silent:
        return True
    lines = state.getLines(start_line, last + 1, state.blkIndent, False).strip()
    closer = lines.rindex(_CLOSERS[opening])
    token = state.push("formula_block", "math", 0)
    token.content, token.markup = lines[2:closer], lines
    token.info = split_marks(lines[closer:])[1]
    token.map = [start_line, last + 1]
    state.line = last + 1
    return True


def _parse_environment(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    r"""Parse a formula without delimiters, from `\begin{align}` to the end of that line."""
    src, begin = state.src, state.bMarks[start_line] + state.tShift[start_line]
    opening = _ENVIRONMENT.match(src, begin, begin + MAX_LENGTH)
    if opening is None or state.is_code_block(start_line):
        return False
    closing = rf"\end{{{opening[1]}}}"
    end = src.find(closing, opening.end(), begin + MAX_LENGTH)
    last = _find_line(state, end + len(closing), start_line, end_line) if end >= 0 else None
    if last is None or split_marks(src[end + len(closing) : state.eMarks[last]])[0].strip(" \t.,"):
        return False
    if silent:
        return True
    lines = state.getLines(start_line, last + 1, state.blkIndent, False).strip()
    token = state.push("formula_block", "math", 0)
    token.content = lines[: lines.rindex(closing) + len(closing)]
    token.markup = lines
    token.info = split_marks(lines[len(token.content) :])[1]
    token.map = [start_line, last + 1]
    state.line = last + 1
    return True


def _find_line(state: StateBlock, offset: int, first: int, end_line: int) -> int | None:
    """Find the line of `offset`, or None unless the same block contains it and `first`."""
    for line in range(first, end_line):
        if line > first and state.sCount[line] < state.blkIndent and not state.isEmpty(line):
            return None
        if offset <= state.eMarks[line]:
            return line
    return None


def render_inline(
    _renderer: RendererHTML, tokens: Sequence[Token], index: int, _o: OptionsDict, env: EnvType
) -> str:
    token = tokens[index]
    display = bool(token.meta["display"])
    return render_placeholder(token.content, token.markup, Scope.get(env), display=display)


def render_block(
    _renderer: RendererHTML, tokens: Sequence[Token], index: int, _o: OptionsDict, env: EnvType
) -> str:
    token = tokens[index]
    formula = render_placeholder(token.content, token.markup, Scope.get(env), display=True)
    return f'<div class="formula">{formula}{token.info}</div>\n'
