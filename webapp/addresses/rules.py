"""The rules by which addresses are built, compiled once for all applications of the process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from werkzeug.routing import Rule

_Builder = Callable[..., tuple[str, str]]
_KEPT: Final[dict[tuple[object, ...], _Builder]] = {}


class SharedRule(Rule):
    """A rule whose two builders are those of every rule that is written like it.

    Compiling them is most of the cost of creating an application, and the pages of shares and of
    kept copies are applications of their own. A builder gets the rule and its converters as it
    is called. If Werkzeug stops calling this method, each rule has its own again.
    """

    def _compile_builder(self, append_unknown: bool = True) -> _Builder:
        compile_own = super()._compile_builder
        if self.defaults:
            return compile_own(append_unknown)
        key = (self.rule, *self._trace, append_unknown)
        if key not in _KEPT:
            _KEPT[key] = compile_own(append_unknown)
        return _KEPT[key]
