r"""Rewrite brackets and vectors of the package `physics`, such as `\comm{A}{B}` and `\vu{x}`."""

from __future__ import annotations

import re
from typing import Final

from webapp.rendering.markdown.math.macros import GROUP

_BRACKETED: Final = re.compile(
    rf"\\(expval|expectationvalue|ev|ip|innerproduct|mel|matrixel|matrixelement|ketbra|dyad"
    rf"|outerproduct|comm|commutator|anticomm|acomm|anticommutator|pb|poissonbracket|va|vu)\*?"
    rf"\s*{GROUP}(?:\s*{GROUP})?(?:\s*{GROUP})?"
)
_BRACKETS: Final[dict[str, tuple[int, str]]] = {
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


def rewrite_physics(latex: str) -> str:
    """Rewrite the commands of physics in `latex` that have their arguments."""
    for _ in range(2):  # One may hold another.
        latex = _BRACKETED.sub(_replace_bracketed, latex)
    return latex


def _replace_bracketed(found: re.Match[str]) -> str:
    name, *given = found.groups()
    count, written = _BRACKETS[name]
    arguments = [one for one in given if one is not None]
    if len(arguments) < count and name in ("dyad", "ip", "ketbra", "outerproduct", "innerproduct"):
        arguments *= 2  # The first one counts for both.
    if len(arguments) < count:
        return found[0]
    following = "".join(f"{{{one}}}" for one in arguments[count:])
    return written.format(*arguments) + following
