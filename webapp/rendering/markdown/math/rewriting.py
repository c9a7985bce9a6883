r"""Rewrite LaTeX that the library does not know into LaTeX that it does.

It lacks some commands of KaTeX, MathJax and amsmath, `\tag` outside of numbered environments, and
formulas inside `\text{…}`. Rewriting keeps the meaning; sizes, colours and overlaps are dropped.
Every pass takes time linear in the formula.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from webapp.rendering.markdown.math.chemistry import rewrite_chemistry
from webapp.rendering.markdown.math.grids import rewrite_grids
from webapp.rendering.markdown.math.macros import GROUP, expand_commands, rewrite_physics

_Replacement: TypeAlias = tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]

_SAME: Final = {
    "AA": "Å",
    "AE": "Æ",
    "Bar": r"\bar",
    "C": r"\mathbb{C}",
    "Cdot": r"\cdot",
    "Dot": r"\dot",
    "Hat": r"\hat",
    "KaTeX": r"\text{KaTeX}",
    "LaTeX": r"\text{LaTeX}",
    "Perp": "\u2aeb",
    "Q": r"\mathbb{Q}",
    "OE": "Œ",
    "TeX": r"\text{TeX}",
    "Tilde": r"\tilde",
    "Vec": r"\vec",
    "aa": "å",
    "adots": r"\iddots",
    "ae": "æ",
    "blackstar": "★",
    "centerdot": r"\cdot",
    "centering": "",
    "curl": r"\nabla\times",
    "dd": r"\mathrm{d}",
    "divergence": r"\nabla\cdot",
    "dotsb": r"\cdots",
    "dotsc": r"\ldots",
    "dotsi": r"\cdots",
    "dotsm": r"\cdots",
    "dotso": r"\ldots",
    "grad": r"\nabla",
    "hdots": r"\ldots",
    "hfill": r"\quad",
    "ensuremath": "",
    "enskip": r"\enspace",
    "euro": "€",
    "framebox": r"\fbox",
    "gradient": r"\nabla",
    "intop": r"\int",
    "laplacian": r"\nabla^{2}",
    "longrightleftharpoons": r"\rightleftharpoons",
    "mathbbm": r"\mathbb",
    "mathds": r"\mathbb",
    "mathbfit": r"\boldsymbol",
    "mathellipsis": r"\ldots",
    "mathsfit": r"\mathsf",
    "nobreak": "",
    "nshortmid": r"\nmid",
    "nshortparallel": r"\nparallel",
    "overarc": r"\overparen",
    "overlinesegment": r"\overline",
    "phase": r"\angle\underline",
    "pmb": r"\boldsymbol",
    "qed": r"\square",
    "qedhere": r"\square",
    "sdot": r"\cdot",
    "shortmid": r"\mid",
    "shortparallel": r"\parallel",
    "smallfrown": r"\frown",
    "smallint": r"\int",
    "smallsetminus": r"\setminus",
    "smallsmile": r"\smile",
    "strut": "",
    "textbar": "|",
    "textdegree": "°",
    "textdollar": r"\$",
    "textellipsis": "…",
    "textemdash": "—",
    "textendash": "–",
    "textgreater": ">",
    "textless": "<",
    "textnormal": r"\text",
    "textregistered": "®",
    "textsl": r"\textit",
    "thickapprox": r"\approx",
    "thicksim": r"\sim",
    "uline": r"\underline",
    "textunderscore": r"\_",
    "underarc": r"\underparen",
    "underbar": r"\underline",
    "underlinesegment": r"\underline",
    "undertilde": r"\utilde",
    "varinjlim": r"\underrightarrow{\lim}",
    "varliminf": r"\underline{\lim}",
    "varlimsup": r"\overline{\lim}",
    "varprojlim": r"\underleftarrow{\lim}",
    "varoint": r"\oint",
    "varpropto": r"\propto",
    "vb": r"\mathbf",
    "vv": r"\overrightarrow",
    "uwave": r"\underline",
    "widebar": r"\overline",
    "wideparen": r"\overparen",
    "xlongleftarrow": r"\xleftarrow",
    "xlongrightarrow": r"\xrightarrow",
    **{
        name: rf"\operatorname{{{name}}}"
        for name in (
            *("Cov", "Res", "Tr", "Var", "diag", "erf", "lcm", "rank", "sgn", "sign", "tr"),
            *("arccot", "arccsc", "arcosh", "arcoth", "arccosh", "arcsec", "arcsinh", "arctanh"),
            *("arsinh", "artanh", "csch", "sech"),
        )
    },
    **dict.fromkeys(("mbox", "hbox", "textmd", "textsc", "textup"), r"\text"),
    **dict.fromkeys(
        ("mathllap", "mathrlap", "mathclap", "llap", "rlap", "clap", "smash", "vcenter")
        + ("mathnormal", "tiny", "scriptsize", "footnotesize", "small", "normalsize", "large")
        + ("boldmath", "linebreak", "mit", "null", "par", "protect")
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
    "multlined": "gathered",
    "flalign": "align",
    "flalign*": "align*",
    **{f"{kind}matrix*": f"{kind}matrix" for kind in ("", "p", "b", "B", "v", "V")},
}
_NUMBERED: Final = re.compile(r"\\begin\{(?:align|equation|gather|multline|alignat|flalign)\*?\}")
_ROW_END: Final = "\0"
"""Replaces the ends of rows while commands are looked for; Markdown lets no such character in."""

_ROW_ENDS: Final = re.compile(
    r"\\(?:\\|cr(?![A-Za-z]))(?:\*?\s{0,9}\[\s{0,9}[-+]?(?:\d{1,9}\.?\d{0,9}|\.\d{1,9})\s{0,9}"
    r"(?:bp|cc|cm|dd|em|ex|in|mm|mu|pc|pt|sp)\s{0,9}\])?|\\.",
    re.DOTALL,
)
_BEGIN: Final = re.compile(r"\\(begin|end)\{([A-Za-z]+\*?)\}(?:\{[0-9]+\}|\[[lcrtb]\])?")
_REPEATED_COLUMNS: Final = re.compile(r"\*\s*\{([1-9]|1[0-9])\}\s*\{([lcr|:]{1,9})\}")
_WIDE_COLUMN: Final = re.compile(r"[pmb]\s*\{[^{}]*\}")
_BETWEEN_COLUMNS: Final = re.compile(r"[@!<>]\s*\{[^{}]*\}")
_PLAIN_MATRIX: Final = re.compile(rf"\\(p?matrix|cases|displaylines|eqalign)\s*(?=\{{){GROUP}")
_OF_PLAIN: Final = {"displaylines": "gathered", "eqalign": "aligned"}
_MANY_COLUMNS: Final = re.compile(rf"\\multicolumn\s*\{{([1-9])\}}\s*\{{[lcr|]*\}}\s*{GROUP}")
_RULE: Final = re.compile(r"\\rule\s*(?:\[[-0-9. a-z]*\])?\s*\{([0-9. a-z]*)\}\s*\{[0-9. a-z]*\}")
_REFERENCE: Final = re.compile(r"\\(eq)?ref\s*\{([^{}]*)\}")
_DEFINED_COLOUR: Final = re.compile(
    r"\\definecolor\s*\{[A-Za-z0-9]*\}\s*\{[A-Za-z]*\}\s*\{[#A-Za-z0-9,. ]*\}"
)
_ROOT_SIGN: Final = re.compile(
    rf"\\(?:text[a-z]*|[mh]box)\s*{GROUP}"
    r"|(?P<sign>[√∛∜])\s*(?P<under>[0-9]+(?:\.[0-9]+)?|[A-Za-z](?![A-Za-z])|(?=\{))?"
)
_DEGREES: Final = {"√": "", "∛": "[3]", "∜": "[4]"}
_BUILT: Final = re.compile(
    r"\\buildrel\s*+(?:\\rm\s*+)?((?:[^\\{}]|\\(?!over\b)[A-Za-z]+|(?!))*+)\\over\s*"
)
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
_DELIMITED: Final = re.compile(rf"\\(abs|norm|ceil|floor)\*?\s*{GROUP}")
_DELIMITERS: Final = {
    "abs": ("|", "|"),
    "norm": (r"\|", r"\|"),
    "ceil": (r"\lceil", r"\rceil "),
    "floor": (r"\lfloor", r"\rfloor "),
}
_ATTRIBUTE: Final = re.compile(
    r"\\(?:html(?:Class|Data|Id|Style)|class|cssId|style)\s*\{[^{}]*\}(?=\s*\{)"
)
_DINGBAT: Final = re.compile(r"\\ding\s*\{(3[3-9]|[4-9][0-9]|1[01][0-9]|12[0-6])\}")
_CHARACTER: Final = re.compile(
    r"""\\(?:char\s*"([0-9A-Fa-f]{2,5})|unicode\{x([0-9A-Fa-f]{2,5})\})"""
)


def rewrite(latex: str) -> str:
    """Rewrite `latex` in commands that the library knows, as far as it can be written in them."""
    latex = _ROOT_SIGN.sub(_replace_root_sign, latex)
    if "\\" not in latex or _ROW_END in latex:
        return latex
    # The space below a row is dropped, which the library shows as letters.
    latex = _ROW_ENDS.sub(
        lambda found: _ROW_END if found[0].startswith((r"\\", r"\cr")) else found[0],
        rewrite_chemistry(latex),
    )
    latex = _replace_all(_ARRAYS, rewrite_grids(expand_commands(latex), _ROW_END))
    latex = _replace_all(_COMMANDS, rewrite_physics(latex))
    is_numbered = _NUMBERED.search(latex) is not None
    latex = _BEGIN.sub(_replace_environment, latex)
    latex = latex if is_numbered else _replace_all(_TAGS, latex)
    return _replace_all(_TEXTS, latex).replace(_ROW_END, r"\\")


def _replace_all(replacements: Sequence[_Replacement], latex: str) -> str:
    for pattern, replacement in replacements:
        latex = pattern.sub(replacement, latex)
    return latex


def _replace_environment(found: re.Match[str]) -> str:
    name = _ENVIRONMENTS.get(found[2])
    return rf"\{found[1]}{{{name}}}" if name else found[0]


def _replace_plain_matrix(found: re.Match[str]) -> str:
    name = _OF_PLAIN.get(found[1], found[1])
    return rf"\begin{{{name}}}{found[2]}\end{{{name}}}"


def _replace_columns(found: re.Match[str]) -> str:
    columns = _REPEATED_COLUMNS.sub(lambda one: int(one[1]) * one[2], found[1])
    columns = _BETWEEN_COLUMNS.sub("", _WIDE_COLUMN.sub("l", columns))
    return rf"\begin{{array}}{{{columns}}}"


def _replace_command(found: re.Match[str]) -> str:
    if found[1] == "hspace":
        return r"\hspace"
    written = _SAME.get(found[1])
    if written is None:
        return found[0]
    # A letter that follows would otherwise become part of the command.
    return f"{written} " if written[-1:].isalpha() else written


def _replace_delimited(found: re.Match[str]) -> str:
    opens, closes = _DELIMITERS[found[1]]
    return rf"\left{opens} {found[2]} \right{closes}"


def _replace_box(found: re.Match[str]) -> str:
    inside = found[2].removeprefix("$").removesuffix("$") if found[2][:1] == "$" else None
    text = rf"\text{{{found[2]}}}" if inside is None else f"{{{inside}}}"
    return rf"\boxed{{{text}}}" if found[1] else text


def _replace_root_sign(found: re.Match[str]) -> str:
    """Set the root of a number, of a letter or of a group in braces; else the sign alone."""
    sign, under = found["sign"], found["under"]
    if sign is None:
        # In text, it is a character as any other.
        return found[0]
    if under is None:
        return r"\surd " if sign == "√" else f"{{}}^{{{_DEGREES[sign][1]}}}\\surd "
    root = rf"\sqrt{_DEGREES[sign]}"
    return f"{root}{{{under}}}" if under else root


def _circle(found: re.Match[str]) -> str:
    """Write a number up to 20 or a letter in a circle."""
    sign = found[1]
    if sign.isdigit():
        first, offset = 0x2460, int(sign) - 1
    elif sign.isupper():
        first, offset = 0x24B6, ord(sign) - ord("A")
    else:
        first, offset = 0x24D0, ord(sign) - ord("a")
    return rf"\text{{{chr(first + offset)}}}"


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


_ARRAYS: Final[tuple[_Replacement, ...]] = (
    (re.compile(r"(\\begin\{(?:array|aligned|alignedat|gathered)\})\s*\[[tcb]\]"), r"\1"),
    (re.compile(r"\\c(?:mid)?(?:line|rule)(?:\([lr]+\))?\s*\{[-0-9 ]*\}"), r"\\hline "),
    (re.compile(rf"\\begin\{{array\}}\s*{GROUP}"), _replace_columns),
    (_MANY_COLUMNS, lambda found: f"{{{found[2]}}}{(int(found[1]) - 1) * '&'}"),
    (_PLAIN_MATRIX, _replace_plain_matrix),
)
"""The columns of arrays become letters and lines alone; matrices are also those of plain TeX."""

_COMMANDS: Final[tuple[_Replacement, ...]] = (
    (_ATTRIBUTE, ""),
    (re.compile(r"\\(?:left|up)root\s*(?:\{-?[0-9]*\}|-?[0-9])"), ""),
    (re.compile(r"\\/|\\(?:begin|end)\{(?:display)?math\}"), ""),
    (re.compile(rf"\\(?:longdiv|enclose\s*\{{longdiv\}})\s*{GROUP}"), r"{)\\overline{\\,\1}}"),
    (re.compile(rf"\\stackon\s*{GROUP}\s*{GROUP}"), r"\\overset{\2}{\1}"),
    (re.compile(rf"\\stackunder\s*{GROUP}\s*{GROUP}"), r"\\underset{\2}{\1}"),
    (re.compile(rf"\\eval\s*{GROUP}"), r"\\left.\1\\right|"),
    (_DINGBAT, lambda found: rf"\text{{{chr(0x26E0 + int(found[1]))}}}"),
    (_BUILT, r"\\overset{\1}"),
    (re.compile(rf"\\root\s*([0-9a-z]|{GROUP})\s*\\of"), r"\\sqrt[\1]"),
    (re.compile(r"\\above\s*(?:\{[-0-9. a-z]*\}|[0-9.]+\s*[a-z]{2})"), r"\\over "),
    (re.compile(r"\\cfrac\s*\[[lcr]\]"), r"\\cfrac"),
    (re.compile(rf"\\cancelto\s*{GROUP}\s*{GROUP}"), r"{\\cancel{\2}}^{\1}"),
    (re.compile(rf"\\overunderset\s*{GROUP}\s*{GROUP}"), r"\\overset{\1}\\underset{\2}"),
    (re.compile(r"\\(?:raise|lower)\s*(?:\{[-0-9. a-z]*\}|-?[0-9.]+\s*[a-z]{2})"), ""),
    (_RULE, r"\\underline{\\hspace{\1}}"),
    (re.compile(rf"\\intertext\s*{GROUP}"), rf"\\text{{\1}}{_ROW_END}"),
    (re.compile(r"\\([A-Za-z]+)(?:(?<=\\smash)\[[a-z]*\]|(?<=\\hspace)\*)?"), _replace_command),
    (re.compile(r"\\(left|middle|right)\s*<"), r"\\\1\\langle "),
    (re.compile(r"\\(left|middle|right)\s*>"), r"\\\1\\rangle "),
    (re.compile(r"\\require\s*\{[A-Za-z]*\}"), ""),
    # Twice, since a norm may hold an absolute value.
    (_DELIMITED, _replace_delimited),
    (_DELIMITED, _replace_delimited),
    (re.compile(rf"\\substack\s*{GROUP}"), r"\\begin{subarray}{c}\1\\end{subarray}"),
    (re.compile(r"\\begin\{eqnarray\*?\}"), r"\\begin{array}{rcl}"),
    (re.compile(r"\\end\{eqnarray\*?\}"), r"\\end{array}"),
)
_TAGS: Final[tuple[_Replacement, ...]] = (
    (re.compile(rf"\\tag\s*{GROUP}"), r"\\qquad\\text{(\1)}"),
    (re.compile(rf"\\tag\*\s*{GROUP}"), r"\\qquad\\text{\1}"),
    (re.compile(r"\\label\s*\{[^{}]*\}"), ""),
)
"""The numbers of formulas outside of environments that have them."""

_TEXTS: Final[tuple[_Replacement, ...]] = (
    (_REFERENCE, lambda found: rf"\text{{{_escape(f'({found[2]})' if found[1] else found[2])}}}"),
    (_COLOUR_BOX, _replace_box),
    (_DEFINED_COLOUR, ""),
    (re.compile(r"\\(?:text|math)?color\s*(?:\[[A-Za-z]+\])?\s*\{[#A-Za-z0-9,.() ]*\}"), ""),
    (re.compile(r"\\vspace\*?\s*\{[-0-9. a-z]*\}"), ""),
    (re.compile(r"\\bbox\s*(?:\[[A-Za-z0-9#, ]*\])?"), ""),
    (re.compile(rf"\\textsuperscript\s*{GROUP}"), r"{}^{\\text{\1}}"),
    (re.compile(rf"\\textsubscript\s*{GROUP}"), r"{}_{\\text{\1}}"),
    (re.compile(r"\\(?:textcircled|circled)\s*\{\s*([1-9]|1[0-9]|20|[A-Za-z])\s*\}"), _circle),
    (_OPERATOR, r"\\operatorname{\1}"),
    (re.compile(rf"\\raisebox\s*\{{[-0-9.a-z ]*\}}\s*{GROUP}"), r"\\text{\1}"),
    (re.compile(rf"\\sout\s*{GROUP}"), r"\\text{\\sout{\1}}"),
    (_CHARACTER, _replace_character),
    (_TEXT, _split_text),
)
