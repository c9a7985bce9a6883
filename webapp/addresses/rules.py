"""The rules of addresses, compiled once for all applications of the process."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from types import MethodType
from typing import Final

from werkzeug.routing import Rule

_KEPT: Final[dict[tuple[object, ...], SharedRule]] = {}


class SharedRule(Rule):
    """A rule that is compiled once for all maps in which one is written like it.

    Compiling is most of the cost of creating an application, and the pages of shares and of kept
    copies are separate applications. The compiled rule does not change, and its builders get
    the rule and its converters when they are called.
    """

    def compile(self) -> None:
        assert self.map is not None
        place = (self.subdomain, self.host, self.map.host_matching, self.merge_slashes)
        converters = frozenset(self.map.converters.items())
        key = (self.rule, repr(self.defaults), *place, converters)
        kept = _KEPT.get(key)
        if kept is None:
            super().compile()
            _KEPT[key] = self
            return
        self._parts = kept._parts
        self._trace = kept._trace
        self.arguments |= kept.arguments
        self._converters = {name: copy(one) for name, one in kept._converters.items()}
        for converter in self._converters.values():
            converter.map = self.map
        self._build = _rebind(kept._build, self)
        self._build_unknown = _rebind(kept._build_unknown, self)


def _rebind(method: Callable[..., tuple[str, str]], rule: Rule) -> MethodType:
    assert isinstance(method, MethodType)
    return MethodType(method.__func__, rule)
