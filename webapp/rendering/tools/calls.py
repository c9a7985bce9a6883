"""Render a tool call: its name, its arguments in their form, and the definition of its tool.

Arguments are a table, a tree or text, with any problem in them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from markupsafe import Markup

from webapp.completions import Completion
from webapp.config import Budgets
from webapp.exact_json import Array, Member, NotJson, Object, String, Value
from webapp.messages import Message, Text, ToolCall
from webapp.rendering.structured.budget import StructureBudget, TooLong
from webapp.rendering.structured.json_tree import is_readable_in_line, render_json_tree
from webapp.rendering.structured.lexemes import write_readable
from webapp.rendering.text.invisible import reveal_invisible
from webapp.rendering.tools.shapes import find_shape, render_input

MAX_FLAT: Final = 400
"""Characters of arguments that are shown as a table of names and values."""

_TOO_LONG: Final = "Shown as they are: they are too long to be laid out here."
_MAX_SHORT: Final = 160
_MAX_SHORT_RESULT: Final = 240
_BEFORE: Final = 60
_AFTER: Final = 40
_MAX_LINE: Final = 160
_MAX_LOOKED_AT: Final = 50
_MAX_READ: Final = 10 * _MAX_LINE
"""Characters of arguments that are read for a line; an escape has six or twelve."""
_TELLING: Final = (
    *("command", "cmd", "script", "sql", "query", "search_query", "search_term", "pattern"),
    *("path", "file_path", "filepath", "file", "filename", "url", "code", "patch", "thought"),
)
"""The arguments that alone describe a call, the most telling first."""
_CUT: Final = Markup('<span class="cut">… line cut …</span>')


_MAX_NAME: Final = 200
_LONG_NAME: Final = 30
_BREAK: Final = re.compile(r"(?<=[_./:-])(?=[^_./:-])|(?<=[a-z0-9])(?=[A-Z])")
"""Where the words of a name meet."""
# `mcp__server__tool`, then `server__tool`, then `server.tool` and `server/tool`.
_NAME_FORMS: Final = (
    re.compile(r"(mcp__[\w-]+?__)(\w[\w.-]*)"),
    re.compile(r"([A-Za-z][\w-]*?__)([A-Za-z][\w.-]*)"),
    re.compile(r"([A-Za-z][\w./-]*[./])([A-Za-z_][\w-]*)"),
)

PAGE_SIZE: Final = 400_000
"""Characters of definitions that one page shows beside calls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why arguments are not JSON: in words, and with the offending character marked."""

    words: str
    place: Markup
    is_cut_off: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """The arguments of a call, ready to be shown.

    `members` are those of an object, which is shown flat if it is small; `view` is the tree of a
    larger value. `shape` shows some in their own form, with the `rest` flat or as the `view`;
    otherwise the page shows the text, with the `problem` if it should have been JSON.
    """

    kind: Literal["none", "empty", "flat", "tree", "shape", "text", "broken"]
    members: tuple[Member, ...] = ()
    view: Markup = Markup("")
    shape: Markup = Markup("")
    rest: tuple[Member, ...] = ()
    problem: Problem | None = None
    note: str | None = None


def render_tool_name(name: str) -> Markup:
    """Render `name`, all its characters visible, with its server and its tool set apart.

    A long name may be broken between its words.
    """
    if len(name) > _MAX_NAME:
        return reveal_invisible(name)
    can_break = len(name) > _LONG_NAME and name.isascii()

    def render(part: str) -> Markup:
        words = _BREAK.split(part) if can_break else [part]
        return Markup("<wbr>").join(map(reveal_invisible, words))

    for form in _NAME_FORMS:
        match = form.fullmatch(name)
        if match is not None:
            return Markup(
                '<span class="call-server">{}</span><wbr><span class="call-tool">{}</span>'
            ).format(*map(render, match.groups()))
    return render(name)


def parse_arguments(call: ToolCall, *, budget: StructureBudget) -> Arguments:
    """Parse the arguments of `call`; the input of a custom tool need not be JSON."""
    text = call.arguments
    if text is None:
        return Arguments(kind="none")
    if not text:
        return Arguments(kind="empty")
    is_custom = call.type == "custom"
    if is_custom and text.lstrip()[:1] not in ("{", "["):
        tool = call.name or ""
        shown = render_input(text, tool=tool, budget=budget) if budget.allows(text) else None
        return Arguments(kind="shape", shape=shown) if shown else Arguments(kind="text")
    if not budget.allows(text):
        return Arguments(kind="text", note=_TOO_LONG)
    try:
        value = budget.parse(text)
    except TooLong:
        return Arguments(kind="text", note=_TOO_LONG)
    except NotJson as error:
        if is_custom:
            return Arguments(kind="text")
        return Arguments(kind="broken", problem=describe_problem(error, text))
    if isinstance(value, Object):
        shape = find_shape(value.members, tool=call.name or "", budget=budget)
        if shape is not None:
            rest = tuple(one for one in value.members if one.name.text not in shape.names)
            laid_out = _lay_out(replace(value, members=rest), "", budget.budgets) if rest else None
            return Arguments(
                kind="shape",
                members=value.members,
                view=laid_out.view if laid_out else Markup(""),
                shape=shape.view,
                rest=rest,
            )
    return _lay_out(value, text, budget.budgets)


def describe_problem(error: NotJson, text: str) -> Problem:
    """Describe `error` in words, with the part of `text` around it."""
    at = error.position
    start = text.rfind("\n", 0, at) + 1
    end = text.find("\n", at)
    end = len(text) if end < 0 else end
    rest = text[min(end, at + 1) : end]
    # Of a text that is cut off, the place of the cut is shown too.
    ending = rest[_AFTER:][-_AFTER:] if error.at_end else ""
    place = Markup("{}{}<mark>{}</mark>{}{}{}").format(
        _CUT if at - start > _BEFORE else "",
        reveal_invisible(text[max(start, at - _BEFORE) : at]),
        reveal_invisible(text[at:end][:1]),
        reveal_invisible(rest[:_AFTER]),
        _CUT if len(rest) > _AFTER + len(ending) else "",
        reveal_invisible(ending),
    )
    words = f"{error.describe('The arguments')}."
    return Problem(words=words, place=place, is_cut_off=error.at_end and bool(text.strip()))


def is_short(call: ToolCall, arguments: Arguments, results: Sequence[Message]) -> bool:
    """Return whether a call with its results fits beside another, in half a column."""
    if arguments.kind in ("tree", "shape", "broken") or len(call.arguments or "") > _MAX_SHORT:
        return False
    if len(call.name or "") > 40 or call.extras or len(results) > 1:
        return False
    for message in results:
        texts = [
            part.text
            for part in message.parts
            if isinstance(part, Text) and not (part.extras or part.quotations)
        ]
        if len(texts) < len(message.parts):
            return False
        if message.calls or message.annotations or message.also_sent:
            return False
        if sum(map(len, texts)) > _MAX_SHORT_RESULT or "".join(texts).count("\n") >= 12:
            return False
    return True


def _lay_out(value: Value, text: str, budgets: Budgets) -> Arguments:
    if isinstance(value, Object) and value.members:
        flat = all(is_readable_in_line(member.value) for member in value.members)
        if flat and len(text) <= MAX_FLAT:
            return Arguments(kind="flat", members=value.members)
    elif write_readable(text) == text and (
        is_readable_in_line(value) or (isinstance(value, Array | Object) and len(text) < 20)
    ):
        return Arguments(kind="text")
    members = value.members if isinstance(value, Object) else ()
    return Arguments(kind="tree", members=members, view=render_json_tree(value, budgets=budgets))


def summarize_arguments(text: str, arguments: Arguments) -> str:
    """Summarize the arguments in a line: the value that says most, or all names and values."""
    strings = {
        member.name.text: member.value.text
        for member in arguments.members[:_MAX_LOOKED_AT]
        if isinstance(member.value, String)
    }
    telling = next((strings[name] for name in _TELLING if strings.get(name, "").strip()), None)
    if telling is None and len(arguments.members) == 1:
        telling = next(iter(strings.values()), None)
    if telling is not None:
        return _cut_line(telling)
    if arguments.kind == "flat":
        pairs = (
            f"{member.name.text}: {write_readable(member.value.source)}"
            for member in arguments.members
        )
        return _cut_line(", ".join(pairs))
    if text in ("{}", "null"):
        return ""
    return _cut_line(text if arguments.kind == "broken" else write_readable(text[:_MAX_READ]))


def _cut_line(text: str) -> str:
    """Cut `text` to its beginning in one line, with a sign if it goes on."""
    line = " ".join(text[: _MAX_LINE * 2].split())
    return (
        line if len(line) <= _MAX_LINE and len(text) <= _MAX_LINE * 2 else f"{line[:_MAX_LINE]} …"
    )


@dataclass(frozen=True, slots=True)
class Definition:
    """A tool: its description as text, all other members as a tree.

    `view` is empty if there are no other members, or no room left on the page.
    """

    description: str | None
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
        return cls(description, view)


class Definitions:
    """The tools of one completion; each is rendered once, when it is first called."""

    def __init__(self, completion: Completion | None, *, budgets: Budgets | None = None) -> None:
        tools = completion.tools if completion is not None else ()
        # Of several with one name, the first counts.
        self._tools = {tool.name: tool.definition for tool in reversed(tools)}
        self._rendered: dict[str, Definition] = {}
        self._budgets = budgets or Budgets()
        self._left = PAGE_SIZE

    def find_format(self, call: ToolCall) -> str | None:
        """Describe the input of a custom tool, like `text`, or `grammar, lark`."""
        tool = self._tools.get(call.name or "")
        taken = tool.get("format") if tool is not None else None
        if not isinstance(taken, Object):
            return None
        words = (taken.text("type"), (taken.object("grammar") or taken).text("syntax"))
        return ", ".join(filter(None, words)) or None

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
            return replace(definition, description=None, view=Markup(""), has_room=False)
        self._left -= size
        return definition
