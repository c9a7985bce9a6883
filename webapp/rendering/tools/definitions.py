"""Render the tools that a completion was made with, to be shown beside their calls."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from markupsafe import Markup

from webapp.completions import Completion
from webapp.config import Budgets
from webapp.exact_json import Object
from webapp.messages import ToolCall
from webapp.rendering.structured.json_tree import render_json_tree

PAGE_SIZE: Final = 400_000
"""Characters of definitions that one page shows beside calls."""


@dataclass(frozen=True, slots=True)
class Definition:
    """A tool: its description as text, all other members as a tree.

    `format` describes the input of a custom tool. `view` is empty if there are no other members,
    or no room left on the page.
    """

    description: str | None
    format: str | None
    view: Markup
    has_room: bool = True

    @classmethod
    def from_json(cls, tool: Object, *, budgets: Budgets) -> Definition:
        description = tool.text("description")
        shown = {"name"} if description is None else {"name", "description"}
        rest = tuple(member for member in tool.members if member.name.text not in shown)
        view = Markup("")
        if rest:
            view = render_json_tree(replace(tool, members=rest), budgets=budgets)
        words: list[str | None] = []
        if isinstance(taken := tool.get("format"), Object):
            # Like `text`, or `grammar, lark`.
            words = [taken.text("type"), (taken.object("grammar") or taken).text("syntax")]
        return cls(description, ", ".join(filter(None, words)) or None, view)


class Definitions:
    """The tools of one completion; each is rendered once, when it is first called."""

    def __init__(self, completion: Completion | None, *, budgets: Budgets | None = None) -> None:
        tools = completion.tools if completion is not None else ()
        # Of several with one name, the first counts.
        self._tools = {tool.name: tool.definition for tool in reversed(tools)}
        self._rendered: dict[str, Definition] = {}
        self._budgets = budgets or Budgets()
        self._left = PAGE_SIZE
        self._has_refused = False

    @property
    def spent(self) -> int:
        """The characters of definitions shown so far."""
        return PAGE_SIZE - self._left

    def can_spend(self, size: int) -> bool:
        """Return whether nothing was refused, and half of all would be left with `size` more."""
        return 2 * (self._left - size) >= PAGE_SIZE and not self._has_refused

    def spend(self, size: int) -> None:
        self._left -= size

    def of(self, call: ToolCall) -> Definition | None:
        """Render the definition of the tool that `call` names; None if it is unknown."""
        tool = self._tools.get(call.name or "")
        if tool is None or call.name is None:
            return None
        if call.name not in self._rendered:
            self._rendered[call.name] = Definition.from_json(tool, budgets=self._budgets)
        definition = self._rendered[call.name]
        size = len(definition.view) + len(definition.description or "")
        if size > self._left:
            self._has_refused = True
            return replace(definition, description=None, view=Markup(""), has_room=False)
        self._left -= size
        return definition
