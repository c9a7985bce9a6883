"""Shared by the tests of bubbles: the completion that they show, and reading lists of names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from selectolax.lexbor import LexborNode

from tests.support.fake_upstream import Json
from tests.support.pages import Bubble, readable

ID = "chatcmpl-1"
HERE = f"/completions/{ID}"

ShowMessages: TypeAlias = Callable[..., list[Bubble]]
ShowAnswer: TypeAlias = Callable[..., Bubble]


def part(**fields: Any) -> Json:
    """A message of one content part."""
    return {"role": "user", "content": [fields]}


def pairs(node: LexborNode, selector: str) -> dict[str, str]:
    """A list of names and values below `node`."""
    found = node.css_first(selector)
    assert found is not None
    names = [readable(name) for name in found.css("dt")]
    return dict(zip(names, (readable(value) for value in found.css("dd")), strict=True))
