"""The tools a completion was made with, by name, ready to stand beside their calls."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from markupsafe import Markup

from webapp.completions import Completion
from webapp.config import Budgets
from webapp.exact_json import Array, Object, Value
from webapp.messages import ToolCall
from webapp.rendering.structured.json_tree import render_json_tree

PAGE_SIZE: Final = 400_000
"""Characters of definitions that stand on one page beside their calls."""


@dataclass(frozen=True, slots=True)
class Definition:
    """What a tool is: its description as text, everything else as a tree.

    `format` is what a custom tool takes, in words; `view` is empty where there is nothing more
    or no room left on the page.
    """

    description: str | None
    format: str | None
    view: Markup
    has_room: bool = True


class Definitions:
    """The tools of one completion; each is made into a view once, when it is first called."""

    def __init__(self, completion: Completion | None, *, budgets: Budgets | None = None) -> None:
        tools: dict[str, Object] = {}
        for tool in _tools_of(completion) if completion is not None else ():
            name = tool.text("name")
            if name is not None:
                tools.setdefault(name, tool)
        self._tools = tools
        self._made: dict[str, Definition] = {}
        self._budgets = budgets or Budgets()
        self._left = PAGE_SIZE

    def of(self, call: ToolCall) -> Definition | None:
        """The definition of the tool that `call` names, None when it is not known."""
        tool = self._tools.get(call.name or "")
        if tool is None or call.name is None:
            return None
        if call.name not in self._made:
            self._made[call.name] = _definition(tool, self._budgets)
        made = self._made[call.name]
        size = len(made.view) + len(made.description or "")
        if size > self._left:
            return replace(made, description=None, view=Markup(""), has_room=False)
        self._left -= size
        return made


def _tools_of(completion: Completion) -> Iterator[Object]:
    """What names and describes each tool, in any of the forms that servers keep."""
    for member in completion.settings:
        name = member.name.text
        if name in ("tools", "functions") and isinstance(member.value, Array):
            yield from (_named(item) for item in member.value.items if isinstance(item, Object))


def _named(tool: Object) -> Object:
    """The object with the name: the tool's own member of its type, or the tool itself."""
    return tool.object(tool.text("type") or "function") or tool


def _definition(tool: Object, budgets: Budgets) -> Definition:
    description = tool.text("description")
    shown = {"name"} if description is None else {"name", "description"}
    rest = tuple(member for member in tool.members if member.name.text not in shown)
    view = render_json_tree(replace(tool, members=rest), budgets=budgets) if rest else Markup("")
    return Definition(description, _format_words(tool.get("format")), view)


def _format_words(value: Value | None) -> str | None:
    """`text`, or `grammar, lark`: what a custom tool takes."""
    if not isinstance(value, Object):
        return None
    grammar = value.object("grammar")
    syntax = (grammar or value).text("syntax")
    words = (value.text("type"), syntax)
    return ", ".join(word for word in words if word) or None
