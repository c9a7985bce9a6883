r"""Rewrite LaTeX that the library does not know into LaTeX that it does.

It lacks some commands of KaTeX, MathJax and amsmath, `\tag` outside of numbered environments, and
formulas inside `\text{…}`. Rewriting keeps the meaning; sizes, colours and overlaps are dropped.
Every pass takes time linear in the formula.
"""

from __future__ import annotations

import re
from typing import Final

from webapp.rendering.markdown.math.chemistry import rewrite_chemistry
from webapp.rendering.markdown.math.macros import GROUP, expand_commands

_SAME: Final = {
    "C": r"\mathbb{C}",
    "Cdot": r"\cdot",
    "KaTeX": r"\text{KaTeX}",
    "LaTeX": r"\text{LaTeX}",
    "Perp": "\u2aeb",
    "TeX": r"\text{TeX}",
    "above": r"\over",
    "centerdot": r"\cdot",
    "centering": "",
    "curl": r"\nabla\times",
    "dd": r"\mathrm{d}",
    "dotsb": r"\cdots",
    "dotsc": r"\ldots",
    "dotsi": r"\cdots",
    "dotsm": r"\cdots",
    "dotso": r"\ldots",
    "grad": r"\nabla",
    "hfill": r"\quad",
    "euro": "€",
    "intop": r"\int",
    "mathds": r"\mathbb",
    "mathbfit": r"\boldsymbol",
    "mathellipsis": r"\ldots",
    "mathsfit": r"\mathsf",
    "nobreak": "",
    "nshortmid": r"\nmid",
    "nshortparallel": r"\nparallel",
    "overlinesegment": r"\overline",
    "phase": r"\angle\underline",
    "pmb": r"\boldsymbol",
    "sdot": r"\cdot",
    "shortmid": r"\mid",
    "shortparallel": r"\parallel",
    "smallfrown": r"\frown",
    "smallint": r"\int",
    "smallsetminus": r"\setminus",
    "smallsmile": r"\smile",
    "strut": "",
    "textdegree": "°",
    "textnormal": r"\text",
    "textregistered": "®",
    "textsl": r"\textit",
    "thickapprox": r"\approx",
    "thicksim": r"\sim",
    "underbar": r"\underline",
    "underlinesegment": r"\underline",
    "varinjlim": r"\underrightarrow{\lim}",
    "varliminf": r"\underline{\lim}",
    "varlimsup": r"\overline{\lim}",
    "varprojlim": r"\underleftarrow{\lim}",
    "varpropto": r"\propto",
    "vb": r"\mathbf",
    "widebar": r"\overline",
    **dict.fromkeys(("mbox", "hbox", "textmd", "textsc", "textup"), r"\text"),
    **dict.fromkeys(
        ("mathllap", "mathrlap", "mathclap", "llap", "rlap", "clap", "smash", "vcenter")
        + ("mathnormal", "tiny", "scriptsize", "footnotesize", "small", "normalsize", "large")
        + ("Large", "LARGE", "huge", "Huge", "blue", "green", "orange", "pink", "purple", "red"),
        "",
    ),
}
"""Commands, and their replacements, which take the same arguments."""

_ENVIRONMENTS: Final = {
    "split": "aligned",
    "smallmatrix": "matrix",
    "alignedat": "aligned",
    "alignat": "align",
    "alignat*": "align*",
    **{f"{kind}matrix*": f"{kind}matrix" for kind in ("", "p", "b", "B", "v", "V")},
}
_NUMBERED: Final = re.compile(r"\\begin\{(?:align|equation|gather|multline|alignat)\*?\}")
_ROW_END: Final = "\0"
"""Replaces the ends of rows while commands are looked for; Markdown lets no such character in."""

_ROW_ENDS: Final = re.compile(
    r"\\(?:\\|cr(?![A-Za-z]))(?:\*?\s{0,9}\[\s{0,9}[-+]?(?:\d{1,9}\.?\d{0,9}|\.\d{1,9})\s{0,9}"
    r"(?:bp|cc|cm|dd|em|ex|in|mm|mu|pc|pt|sp)\s{0,9}\])?|\\.",
    re.DOTALL,
)
_COMMAND: Final = re.compile(r"\\([A-Za-z]+)(?:(?<=\\smash)\[[a-z]*\]|(?<=\\hspace)\*)?")
_BEGIN: Final = re.compile(r"\\(begin|end)\{([A-Za-z]+\*?)\}(?:\{[0-9]+\}|\[[lcr]\])?")
_BEGIN_EQNARRAY: Final = re.compile(r"\\begin\{eqnarray\*?\}")
_END_EQNARRAY: Final = re.compile(r"\\end\{eqnarray\*?\}")
_SUBSTACK: Final = re.compile(rf"\\substack\s*{GROUP}")
_TAG: Final = re.compile(rf"\\tag\s*{GROUP}")
_BARE_TAG: Final = re.compile(rf"\\tag\*\s*{GROUP}")
_LABEL: Final = re.compile(r"\\label\s*\{[^{}]*\}")
_REFERENCE: Final = re.compile(r"\\(eq)?ref\s*\{([^{}]*)\}")
_COLOUR: Final = re.compile(r"\\(?:text)?color\s*\{[#A-Za-z0-9]*\}")
_COLOUR_BOX: Final = re.compile(
    rf"\\(?:f(color)box\s*\{{[#\w]*\}}|colorbox)\s*\{{[#\w]*\}}\s*{GROUP}"
)
_TEXT: Final = re.compile(rf"\\(text|textrm|textbf|textit|textsf|texttt|textup|textmd)\s*{GROUP}")
_FORMULA: Final = re.compile(
    r"(?<!\\)\$((?:[^$\\]|\\.|(?!))*+)\$|\\\(((?:[^\\]|\\[^()]|(?!))*+)\\\)"
)
_BARE: Final = re.compile(r"(?<!\\)[_^]")
_OPERATOR: Final = re.compile(
    r"\\mathop\s*\{\s*(?:\\rm\s+|\\(?:mathrm|text|textrm)\s*)?\{?([A-Za-z ]+)\}?\s*\}"
)
_RAISED: Final = re.compile(rf"\\raisebox\s*\{{[-0-9.a-z ]*\}}\s*{GROUP}")
_STRUCK: Final = re.compile(rf"\\sout\s*{GROUP}")
_ABSOLUTE: Final = re.compile(rf"\\(abs|norm)\s*{GROUP}")
_ANGLE: Final = re.compile(r"\\(left|middle|right)\s*([<>])")
_REQUIRED: Final = re.compile(r"\\require\s*\{[A-Za-z]*\}")
_CHARACTER: Final = re.compile(
    r"""\\(?:char\s*"([0-9A-Fa-f]{2,5})|unicode\{x([0-9A-Fa-f]{2,5})\})"""
)


def rewrite(latex: str) -> str:
    """Rewrite `latex` in commands that the library knows, as far as it can be written in them."""
    if "\\" not in latex or _ROW_END in latex:
        return latex
    latex = rewrite_chemistry(latex)
    # The space below a row is dropped, because the library shows it as letters.
    latex = _ROW_ENDS.sub(
        lambda found: _ROW_END if found[0].startswith((r"\\", r"\cr")) else found[0], latex
    )
    latex = expand_commands(latex)
    latex = _COMMAND.sub(_replace_command, latex)
    latex = _REQUIRED.sub("", _ANGLE.sub(_replace_angle, latex))
    for _ in range(2):  # A norm may hold an absolute value.
        latex = _ABSOLUTE.sub(_replace_absolute, latex)
    latex = _SUBSTACK.sub(r"\\begin{subarray}{c}\1\\end{subarray}", latex)
    latex = _BEGIN_EQNARRAY.sub(r"\\begin{array}{rcl}", latex)
    latex = _END_EQNARRAY.sub(r"\\end{array}", latex)
    is_numbered = _NUMBERED.search(latex) is not None
    latex = _BEGIN.sub(_replace_environment, latex)
    if not is_numbered:
        latex = _TAG.sub(r"\\qquad\\text{(\1)}", latex)
        latex = _LABEL.sub("", _BARE_TAG.sub(r"\\qquad\\text{\1}", latex))
    latex = _REFERENCE.sub(_replace_reference, latex)
    latex = _COLOUR_BOX.sub(_replace_box, latex)
    latex = _COLOUR.sub("", latex)
    latex = _OPERATOR.sub(r"\\operatorname{\1}", latex)
    latex = _RAISED.sub(r"\\text{\1}", latex)
    latex = _STRUCK.sub(r"\\text{\\sout{\1}}", latex)
    latex = _CHARACTER.sub(_replace_character, latex)
    return _TEXT.sub(_split_text, latex).replace(_ROW_END, r"\\")


def _replace_command(found: re.Match[str]) -> str:
    if found[1] == "hspace":
        return r"\hspace"
    written = _SAME.get(found[1])
    if written is None:
        return found[0]
    # A letter that follows would otherwise become part of the command.
    return f"{written} " if written[-1:].isalpha() else written


def _replace_angle(found: re.Match[str]) -> str:
    side = "l" if found[2] == "<" else "r"
    return rf"\{found[1]}\{side}angle "


def _replace_absolute(found: re.Match[str]) -> str:
    sign = "|" if found[1] == "abs" else r"\|"
    return rf"\left{sign} {found[2]} \right{sign}"


def _replace_environment(found: re.Match[str]) -> str:
    name = _ENVIRONMENTS.get(found[2])
    return rf"\{found[1]}{{{name}}}" if name else found[0]


def _replace_reference(found: re.Match[str]) -> str:
    label = _escape(found[2])
    return rf"\text{{({label})}}" if found[1] else rf"\text{{{label}}}"


def _replace_box(found: re.Match[str]) -> str:
    inside = found[2].removeprefix("$").removesuffix("$") if found[2][:1] == "$" else None
    text = rf"\text{{{found[2]}}}" if inside is None else f"{{{inside}}}"
    return rf"\boxed{{{text}}}" if found[1] else text


def _replace_character(found: re.Match[str]) -> str:
    code = int(found[1] or found[2], 16)
    character = chr(code) if code < 0x110000 else ""
    return character if character.isprintable() and not character.isascii() else found[0]


def _split_text(found: re.Match[str]) -> str:
    """Split text into several texts around the formulas inside it."""
    pieces: list[str] = []
    end = 0
    for formula in _FORMULA.finditer(found[2]):
        pieces += [_write_text(found[1], found[2][end : formula.start()])]
        pieces += [f"{{{formula[1] if formula[1] is not None else formula[2]}}}"]
        end = formula.end()
    pieces.append(_write_text(found[1], found[2][end:]))
    whole = "".join(pieces)
    return f"{{{whole}}}" if end else whole


def _write_text(command: str, text: str) -> str:
    return rf"\{command}{{{_escape(text)}}}" if text else ""


def _escape(text: str) -> str:
    return _BARE.sub(lambda at: r"\_" if at[0] == "_" else r"\textasciicircum ", text)
