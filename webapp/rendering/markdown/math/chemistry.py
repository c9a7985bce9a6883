r"""Rewrite the chemistry of mhchem, `\ce{…}` and `\pu{…}`, into plain LaTeX.

This covers the forms that people write in running text: formulas with amounts, charges, isotopes,
states and additions, bonds, and reactions with arrows that bear conditions. Anything else keeps its
source.
https://mhchem.github.io/MathJax-mhchem/ describes the notation.
"""

from __future__ import annotations

import re
from typing import Final

_ARROWS: Final = {
    "<=>": "rightleftharpoons",
    "<=>>": "rightleftharpoons",
    "<<=>": "rightleftharpoons",
    "<-->": "leftrightarrow",
    "<->": "leftrightarrow",
    "->": "rightarrow",
    "<-": "leftarrow",
}
_BONDS: Final = {"-": r"{-}", "=": "{=}", "#": r"{\equiv}"}
_NAMED_BONDS: Final = {
    **{"-": r"{-}", "1": r"{-}", "=": "{=}", "2": "{=}", "#": r"{\equiv}", "3": r"{\equiv}"},
    **{"...": r"{\cdots}", "....": r"{\cdots}", "->": r"{\rightarrow}", "<-": r"{\leftarrow}"},
    **dict.fromkeys(("~", "~-", "~=", "~--", "-~-"), r"{\sim}"),
}
_GROUP: Final = r"\{(?:[^{}]|\{[^{}]*\}|(?!))*+\}"
_SCRIPT: Final = re.compile(rf"([_^])({_GROUP}|[0-9]*[+-]|[0-9]+|[A-Za-z]|\\[A-Za-z]+)")
_TOKEN: Final = re.compile(
    rf"""
    (?P<arrow><=>>|<<=>|<=>|<-->|<->|->|<-)\s*(?:\[(?P<above>[^\]]*)\])?\s*(?:\[(?P<below>[^\]]*)\])?
    | (?P<vapour>(?<=\s)\^(?=\s|$)|\(\^\))
    | (?P<solid>(?<=\s)v(?=\s|$)|\(v\))
    | (?P<state>\((?:aq|s|l|g)\))
    | (?P<scripts>(?:[_^](?:{_GROUP}|[0-9]*[+-]|[0-9]+|[A-Za-z]|\\[A-Za-z]+))+)
    | (?P<charge>(?<=[A-Za-z0-9)\]}}])[+-](?=[\s)\]]|$))
    | (?P<plus>\+)
    | (?P<number>(?<![A-Za-z)\]])[0-9]+(?:[./][0-9]+)?|[0-9]+)
    | (?P<letters>[A-Za-z]+)
    | (?P<addition>\s*(?:\*|(?<=[A-Za-z0-9)])\.(?=[0-9A-Z]))\s*)
    | (?P<bond>[-=\#])
    | \\bond\s*\{{(?P<named>[-=\#~.<>123]{{1,4}})\}}
    | (?P<bracket>[()\[\]])
    | (?P<command>\\[A-Za-z]+|\\[,;:!\ ]|\$[^$]*\$|{_GROUP})
    | (?P<space>[\s,;]+)
    """,
    re.VERBOSE,
)
_CHEMISTRY: Final = re.compile(
    r"\\(ce|pu)\s*\{((?:[^{}]|\{(?:[^{}]|\{[^{}]*\}|(?!))*+\}|(?!))*+)\}"
)
_UNIT: Final = re.compile(r"([-+]?[0-9.,]+(?:\s?[eE]\s?[-+]?[0-9]+)?)?\s*([A-Za-z%°µ^/0-9. \-]*)")
_TIMES: Final = re.compile(r"(?<=[0-9])\s*[x*]\s*10\^\{?(-?[0-9]{1,9})\}?")
_POWER: Final = re.compile(r"\^?(-?[0-9]+)")


def rewrite_chemistry(latex: str) -> str:
    r"""Rewrite each `\ce{…}` and `\pu{…}` in `latex` that is understood in plain commands."""
    return _CHEMISTRY.sub(_replace, latex) if r"\ce" in latex or r"\pu" in latex else latex


def _replace(found: re.Match[str]) -> str:
    written = _write_reaction(found[2]) if found[1] == "ce" else _write_quantity(found[2])
    return found[0] if written is None else f"{{{written}}}"


def _write_reaction(source: str) -> str | None:
    """Write a formula or reaction, or None if there is a character with an unknown meaning."""
    pieces: list[str] = []
    place = 0
    while place < len(source):
        found = _TOKEN.match(source, place)
        if found is None:
            return None
        pieces.append(_write_token(found))
        place = found.end()
    return "".join(pieces)


def _write_token(found: re.Match[str]) -> str:
    kind, text = found.lastgroup, found[0]
    if kind == "named":
        return _NAMED_BONDS.get(found["named"], r"{-}")
    before = found.string[: found.start()][-1:]
    if found["arrow"]:
        arrow = _ARROWS[found["arrow"]]
        above, below = (_write_condition(found[name] or "") for name in ("above", "below"))
        if not (above or below):
            return rf"\;\{arrow}\;"
        return rf"\;\x{arrow}" + (f"[{below}]" if below else "") + rf"{{{above}}}\;"
    if kind == "number":
        if before.isalpha() or before in tuple(")]}"):
            return f"_{{{text}}}"
        top, _, bottom = text.partition("/")
        return rf"\tfrac{{{top}}}{{{bottom}}}\," if bottom else rf"{text}\,"
    if kind == "scripts":
        # Those of an isotope precede its element.
        base = "" if before.isalnum() or before in tuple(")]}") else "{}"
        if before.isdigit() and text.startswith("_"):
            base = "{}"
        return base + _SCRIPT.sub(lambda one: f"{one[1]}{{{_strip_braces(one[2])}}}", text)
    if kind == "command":
        return text[1:-1] if text.startswith("$") else f"{text} "
    written = {
        "vapour": r"\uparrow ",
        "solid": r"\downarrow ",
        "state": rf"\mathrm{{{text}}}",
        "charge": f"^{{{text}}}",
        "plus": r"\;+\;",
        "letters": rf"\mathrm{{{text}}}",
        "addition": r"\cdot ",
        "bond": _BONDS.get(text, ""),
        "space": ", " if "," in text else "",
    }
    return written.get(kind or "", text)


def _strip_braces(text: str) -> str:
    return text.removeprefix("{").removesuffix("}")


def _write_condition(source: str) -> str:
    """Write the text above or below an arrow: a formula, or words, which are in braces."""
    formula = None if source.startswith("{") else _write_reaction(source)
    return rf"\text{{{_strip_braces(source)}}}" if formula is None else formula


def _write_quantity(source: str) -> str | None:
    """Write a number with its unit, such as `123 kJ/mol` or `1.2e3 m s^-1`."""
    found = _UNIT.fullmatch(_TIMES.sub(r"e\1", source.replace("//", "/")).strip())
    if found is None:
        return None
    number, exponent = found[1] or "", ""
    if "e" in number.lower():
        number, _, exponent = number.lower().partition("e")
        exponent = rf"\cdot 10^{{{exponent.strip()}}}"
    unit = _POWER.sub(r"}^{\1}\\mathrm{", found[2].strip()).replace(" ", r"}\,\mathrm{")
    return rf"{number.strip()}{exponent}\,\mathrm{{{unit}}}".replace(r"\mathrm{}", "")
