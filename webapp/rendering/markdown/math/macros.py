r"""Expand commands that a formula defines itself, and those of physics and siunitx.

`\newcommand`, `\def` and `\DeclareMathOperator` are expanded in their simple forms, derivatives and
quantities are written out. Anything in another form stays, and so the formula stays as source.
"""

from __future__ import annotations

import re
from functools import partial
from typing import Final

GROUP: Final = r"\{((?:[^{}\\]|\\.|\{(?:[^{}\\]|\\.|\{[^{}]*\})*\}|(?!))*+)\}"
"""An argument with up to two more levels of braces inside."""

_ARGUMENT: Final = rf"\s*(?:{GROUP}|(\\[A-Za-z]+|[^\s\\{{}}]))"
_DEFINITION: Final = re.compile(
    r"(?<!\\)\\(?:let\s*\\(?P<let>[A-Za-z]+)\s*=?\s*(?P<target>\\[A-Za-z]+)"
    r"|(?:(?:re|provide)?(?:new)?command\*?\s*\{?\s*\\(?P<new>[A-Za-z]+)\s*\}?\s*"
    r"(?:\[(?P<count>[1-9])\]\s*(?:\[(?P<default>[^\[\]{}]*)\])?)?"
    r"|[gex]?def\s*\\(?P<def>[A-Za-z]+)(?P<parameters>(?:#[1-9])*)"
    r"|DeclareMathOperator(?P<star>\*?)\s*\{?\s*\\(?P<operator>[A-Za-z]+)\s*\}?)\s*" + GROUP + ")"
)
_OPTIONAL: Final = r"(?:\s*\[([^\[\]{}]*)\])?()"
"""An argument in brackets, with a second group as in `_ARGUMENT`."""
_MAX_DEFINITIONS: Final = 20
_MAX_PASSES: Final = 3
"""Definitions may use each other."""

_MAX_EXPANDED: Final = 4_000

_DERIVATIVE: Final = re.compile(
    r"\\(dv|odv|derivative|pdv|partialderivative)\*?(?:\s*\[([^\[\]{}]*)\])?"
    rf"\s*{GROUP}(?:\s*{GROUP})?(?:\s*{GROUP})?"
)
_QUANTITY: Final = re.compile(rf"\\(?:SI|qty)\s*(?:\[[^\[\]]*\])?\s*{GROUP}\s*{GROUP}")
_UNIT: Final = re.compile(rf"\\(?:si|unit)\s*(?:\[[^\[\]]*\])?\s*{GROUP}")
_NUMBER: Final = re.compile(rf"\\(num|ang)\s*(?:\[[^\[\]]*\])?\s*{GROUP}")
_RANGE: Final = re.compile(
    rf"\\(?:(SIrange|qtyrange)|numrange)\s*(?:\[[^\[\]]*\])?\s*{GROUP}\s*{GROUP}(?(1)\s*{GROUP})"
)
_NUMBERS: Final = re.compile(rf"\\numlist\s*(?:\[[^\[\]]*\])?\s*{GROUP}")
_BRACED: Final = re.compile(rf"\\qty\s*{GROUP}")
_BRACKETS: Final = re.compile(r"\\qty\s*(?:\(([^()]*)\)|\[([^\[\]]*)\]|\|([^|]*)\|)")
_FRACTION: Final = re.compile(rf"\\(?:nicefrac|sfrac|flatfrac){_ARGUMENT}{_ARGUMENT}")
_ORDER: Final = re.compile(rf"\\order\s*{GROUP}")
_VERB: Final = re.compile(r"\\verb\*?([^\sA-Za-z*])(.*?)\1")
_LINK: Final = re.compile(rf"\\href\s*{GROUP}\s*{GROUP}")
_ADDRESS: Final = re.compile(rf"\\url\s*{GROUP}")
_SPECIAL: Final = re.compile(r"[\\{}#$%&_^~]")
_EXPONENT: Final = re.compile(r"([-+0-9.,]*)[eEdD]([-+]?[0-9]+)")
_TOKEN: Final = re.compile(r"\\([A-Za-z]+)\s*(?:\{([^{}]*)\})?|([^\\]+)")
_PREFIXES: Final = {
    **{"quetta": "Q", "ronna": "R", "yotta": "Y", "zetta": "Z", "exa": "E", "peta": "P"},
    **{"tera": "T", "giga": "G", "mega": "M", "kilo": "k", "hecto": "h", "deca": "da"},
    **{"deka": "da", "deci": "d", "centi": "c", "milli": "m", "micro": "\u00b5", "nano": "n"},
    **{"pico": "p", "femto": "f", "atto": "a", "zepto": "z", "yocto": "y"},
}
_UNITS: Final = {
    **{"meter": "m", "metre": "m", "gram": "g", "second": "s", "ampere": "A", "kelvin": "K"},
    **{"mole": "mol", "candela": "cd", "hertz": "Hz", "newton": "N", "pascal": "Pa", "joule": "J"},
    **{"watt": "W", "coulomb": "C", "volt": "V", "farad": "F", "ohm": "\u03a9", "siemens": "S"},
    **{"weber": "Wb", "tesla": "T", "henry": "H", "lumen": "lm", "lux": "lx", "becquerel": "Bq"},
    **{"gray": "Gy", "sievert": "Sv", "katal": "kat", "radian": "rad", "steradian": "sr"},
    **{"minute": "min", "hour": "h", "day": "d", "liter": "L", "litre": "L", "tonne": "t"},
    **{"electronvolt": "eV", "bar": "bar", "bit": "bit", "byte": "B", "percent": r"\%"},
    **{"degree": "\u00b0", "degreeCelsius": "\u00b0C", "celsius": "\u00b0C", "decibel": "dB"},
    **{"hectare": "ha", "dalton": "Da", "angstrom": "\u00c5", "astronomicalunit": "au"},
    **{"kg": "kg", "km": "km", "cm": "cm", "mm": "mm", "nm": "nm", "um": "\u00b5m", "m": "m"},
    **{"s": "s", "ms": "ms", "g": "g", "mol": "mol", "kJ": "kJ", "eV": "eV", "MeV": "MeV"},
}
_POWERS: Final = {"squared": "2", "cubed": "3"}
_POWERS_BEFORE: Final = {"square": "2", "cubic": "3"}

_BRACKETED: Final = re.compile(
    rf"\\(expval|expectationvalue|ev|ip|innerproduct|mel|matrixel|matrixelement|ketbra|dyad"
    rf"|outerproduct|comm|commutator|anticomm|acomm|anticommutator|pb|poissonbracket|va|vu)\*?"
    rf"\s*{GROUP}(?:\s*{GROUP})?(?:\s*{GROUP})?"
)
_PHYSICS: Final[dict[str, tuple[int, str]]] = {
    **dict.fromkeys(("expval", "expectationvalue", "ev"), (1, r"\left\langle {0} \right\rangle ")),
    **dict.fromkeys(("ip", "innerproduct"), (2, r"\left\langle {0} \middle| {1} \right\rangle ")),
    **dict.fromkeys(
        ("mel", "matrixel", "matrixelement"),
        (3, r"\left\langle {0} \middle| {1} \middle| {2} \right\rangle "),
    ),
    **dict.fromkeys(
        ("ketbra", "dyad", "outerproduct"),
        (2, r"\left| {0} \right\rangle \left\langle {1} \right|"),
    ),
    **dict.fromkeys(("comm", "commutator"), (2, r"\left[ {0}, {1} \right]")),
    **dict.fromkeys(
        ("anticomm", "acomm", "anticommutator", "pb", "poissonbracket"),
        (2, r"\left\lbrace {0}, {1} \right\rbrace "),
    ),
    "va": (1, r"\vec{{\mathbf{{{0}}}}}"),
    "vu": (1, r"\hat{{\mathbf{{{0}}}}}"),
}
"""Commands of physics: how many arguments they need, and their LaTeX."""


def expand_definitions(latex: str) -> str:
    """Expand the macros that the formula defines, if it shows all of them by using them.

    Return `latex` unchanged if it does not, or if that would make it too long.
    """
    found = list(_DEFINITION.finditer(latex))
    if not found or len(found) > _MAX_DEFINITIONS:
        return latex
    expanded = _DEFINITION.sub("", latex)
    used: set[str] = set()
    for _ in range(_MAX_PASSES):
        for one in found:
            name = one["new"] or one["def"] or one["operator"] or one["let"]
            body = one["target"] or one[one.re.groups]
            if one["operator"]:
                body = rf"\operatorname{one['star']}{{{body}}}"
            count = int(one["count"] or len(one["parameters"] or "") // 2)
            arguments = _ARGUMENT * count
            if one["default"] is not None:
                arguments = _OPTIONAL + _ARGUMENT * (count - 1)
            call = re.compile(rf"\\{name}(?![A-Za-z]){arguments}")
            expanded, uses = call.subn(partial(_fill, body, one["default"] or ""), expanded)
            if uses:
                used.add(name)
            if len(expanded) > _MAX_EXPANDED:
                return latex
    return expanded.strip() if len(used) == len(found) else latex


def expand_commands(latex: str) -> str:
    """Expand derivatives, quantities, fractions in a line, addresses and verbatim texts."""
    latex = _VERB.sub(lambda found: rf"\texttt{{{_escape(found[2])}}}", latex)
    latex = _LINK.sub(lambda found: rf"{{{found[2]}}}\text{{ ({_escape(found[1])})}}", latex)
    latex = _ADDRESS.sub(lambda found: rf"\text{{{_escape(found[1])}}}", latex)
    latex = _DERIVATIVE.sub(_write_derivative, latex)
    latex = _QUANTITY.sub(_write_quantity, latex)
    latex = _RANGE.sub(_write_range, latex)
    latex = _NUMBERS.sub(_write_numbers, latex)
    latex = _UNIT.sub(lambda found: _write_unit(found[1]) or found[0], latex)
    latex = _NUMBER.sub(_write_number, latex)
    latex = _BRACED.sub(r"\\left\\{\1\\right\\}", latex)
    latex = _BRACKETS.sub(_write_brackets, latex)
    latex = _ORDER.sub(r"\\mathcal{O}\\left(\1\\right)", latex)
    return _FRACTION.sub(
        lambda found: f"{{}}^{{{found[1] or found[2]}}}/_{{{found[3] or found[4]}}}", latex
    )


def _fill(body: str, default: str, use: re.Match[str]) -> str:
    """Fill the arguments of a use into the body of its definition, `default` if there is none."""
    groups = use.groups()
    given = [groups[at] or groups[at + 1] or default for at in range(0, len(groups), 2)]

    def find(found: re.Match[str]) -> str:
        at = int(found[1]) - 1
        return f"{{{given[at]}}}" if at < len(given) else found[0]

    return f"{{{re.sub('#([1-9])', find, body)}}}"


def _write_derivative(found: re.Match[str]) -> str:
    name, order, first, second, third = found.groups()
    sign = r"\partial " if name.startswith("p") else r"\mathrm{d}"
    of, by = (first, second) if second is not None else ("", first)
    if third is not None and name.startswith("p"):
        return rf"\frac{{{sign}^{{2}}{of}}}{{{sign}{by}\,{sign}{third}}}"
    power = f"^{{{order}}}" if order else ""
    following = "" if third is None else f"{{{third}}}"
    return rf"\frac{{{sign}{power}{of}}}{{{sign}{by}{power}}}{following}"


def _write_quantity(found: re.Match[str]) -> str:
    unit = _write_unit(found[2])
    return found[0] if unit is None else rf"{_write_digits(found[1])}\,{unit}"


def _write_range(found: re.Match[str]) -> str:
    unit = _write_unit(found[4]) if found[1] else ""
    if unit is None:
        return found[0]
    suffix = rf"\,{unit}" if unit else ""
    return r"\text{ to }".join(f"{_write_digits(end)}{suffix}" for end in (found[2], found[3]))


def _write_numbers(found: re.Match[str]) -> str:
    *numbers, last = map(_write_digits, found[1].split(";"))
    return r",\ ".join(numbers) + rf"\text{{ and }}{last}" if numbers else last


def _write_number(found: re.Match[str]) -> str:
    if found[1] == "num":
        return _write_digits(found[2])
    # Degrees, minutes and seconds of an arc; each may be left out.
    numbers, signs = found[2].split(";"), (r"^{\circ}", "'", "''")
    if len(numbers) > len(signs):
        return found[0]
    pairs = zip(numbers, signs, strict=False)
    return "".join(f"{_write_digits(number)}{sign}" for number, sign in pairs if number.strip())


def _write_digits(number: str) -> str:
    exponent = _EXPONENT.fullmatch(number.strip())
    if exponent is None:
        return number.replace("+-", r"\pm ")
    times = rf"{exponent[1]}\times " if exponent[1] else ""
    return rf"{times}10^{{{exponent[2].removeprefix('+')}}}"


def _write_unit(text: str) -> str | None:
    r"""Write a unit, such as `\meter\per\second` or `m/s`; None if a command is unknown."""
    if "\\" not in text:
        plain = text.replace("~", r"\,").replace(".", r"\,")
        return rf"\mathrm{{{plain}}}"
    written: list[str] = []
    prefix, sign, power = "", "", ""
    for command, argument, plain in (found.groups() for found in _TOKEN.finditer(text)):
        if plain is not None:
            if plain.strip(" ~."):
                return None
        elif command in _PREFIXES:
            prefix = _PREFIXES[command]
        elif command == "per":
            sign = "-"
        elif command in _POWERS_BEFORE:
            power = _POWERS_BEFORE[command]
        elif command in _UNITS:
            exponent = sign + (power or "1" if sign else power)
            base = rf"\mathrm{{{prefix}{_UNITS[command]}}}"
            written.append(base + (f"^{{{exponent}}}" if exponent else ""))
            prefix, sign, power = "", "", ""
        elif written and (command in _POWERS or (command == "tothe" and argument)):
            base, _, exponent = written[-1].partition("^")
            minus = "-" if exponent.startswith("{-") else ""
            written[-1] = f"{base}^{{{minus}{_POWERS.get(command) or argument}}}"
        else:
            return None
    return r"\,".join(written) if written and not prefix else None


def _write_brackets(found: re.Match[str]) -> str:
    for inside, opens, closes in zip(found.groups(), "([|", ")]|", strict=True):
        if inside is not None:
            return rf"\left{opens} {inside} \right{closes}"
    return found[0]


def _escape(text: str) -> str:
    names = {"\\": r"\textbackslash ", "~": r"\textasciitilde ", "^": r"\textasciicircum "}
    return _SPECIAL.sub(lambda found: names.get(found[0], f"\\{found[0]}"), text)


def rewrite_physics(latex: str) -> str:
    """Rewrite the commands of physics in `latex` that have their arguments."""
    for _ in range(2):  # One may hold another.
        latex = _BRACKETED.sub(_replace_bracketed, latex)
    return latex


def _replace_bracketed(found: re.Match[str]) -> str:
    name, *given = found.groups()
    count, written = _PHYSICS[name]
    arguments = [one for one in given if one is not None]
    if len(arguments) < count and name in ("dyad", "ip", "ketbra", "outerproduct", "innerproduct"):
        arguments *= 2  # The first one counts for both.
    if len(arguments) < count:
        return found[0]
    following = "".join(f"{{{one}}}" for one in arguments[count:])
    return written.format(*arguments) + following
