"""The arguments of a tool call, read once: a table, a tree, text, or what is wrong with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from markupsafe import Markup

from webapp.config import Budgets
from webapp.exact_json import Array, Member, NotJson, Object, Value
from webapp.messages import Message, Text, ToolCall
from webapp.rendering.structured.detect import StructureBudget, TooLong
from webapp.rendering.structured.json_tree import is_readable_in_line, render_json_tree
from webapp.rendering.text.invisible import reveal_invisible

MAX_FLAT: Final = 400
"""Characters of arguments that still read well as a table of names and values."""

_NOT_LAID_OUT: Final = "Shown as they are: they are too long to be laid out here."
_MAX_SHORT: Final = 160
_MAX_SHORT_RESULT: Final = 240
_BEFORE: Final = 60
_AFTER: Final = 40
_CUT: Final = Markup('<span class="cut">… line cut …</span>')


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why arguments are not JSON: in words, with the place in its line marked."""

    words: str
    place: Markup
    is_cut_off: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """The arguments of a call, ready to be shown.

    `members` are those of a small flat object, `view` is the tree of anything larger; without
    either the text stands for itself, and `problem` says why where it should have been JSON.
    """

    kind: Literal["none", "empty", "flat", "tree", "text", "broken"]
    members: tuple[Member, ...] = ()
    view: Markup = Markup("")
    problem: Problem | None = None
    note: str | None = None


def parse_arguments(call: ToolCall, *, budget: StructureBudget) -> Arguments:
    """The arguments of `call`; the input of a custom tool is text and need not be JSON."""
    text = call.arguments
    if text is None:
        return Arguments(kind="none")
    if not text:
        return Arguments(kind="empty")
    is_free = call.type == "custom"
    if is_free and text.lstrip()[:1] not in ("{", "["):
        return Arguments(kind="text")
    if not budget.allows(text):
        return Arguments(kind="text", note=_NOT_LAID_OUT)
    try:
        value = budget.read(text)
    except TooLong:
        return Arguments(kind="text", note=_NOT_LAID_OUT)
    except NotJson as error:
        if is_free:
            return Arguments(kind="text")
        return Arguments(kind="broken", problem=describe_problem(error, text))
    return _shown(value, text, budget.budgets)


def _shown(value: Value, text: str, budgets: Budgets) -> Arguments:
    if isinstance(value, Object) and value.members:
        flat = all(is_readable_in_line(member.value) for member in value.members)
        if flat and len(text) <= MAX_FLAT:
            return Arguments(kind="flat", members=value.members)
        return Arguments(kind="tree", view=render_json_tree(value, budgets=budgets))
    if is_readable_in_line(value) or (isinstance(value, Array | Object) and len(text) < 20):
        return Arguments(kind="text")
    return Arguments(kind="tree", view=render_json_tree(value, budgets=budgets))


def describe_problem(error: NotJson, text: str) -> Problem:
    """What `error` says about `text`."""
    words = f"line {error.line:,}, column {error.column:,}: {error.problem}"
    is_cut_off = error.at_end and bool(text.strip())
    return Problem(words=words, place=_place(text, error.position), is_cut_off=is_cut_off)


def _place(text: str, at: int) -> Markup:
    """The line around `at`, that character marked; long lines without their far ends."""
    start = text.rfind("\n", 0, at) + 1
    end = text.find("\n", at)
    end = len(text) if end < 0 else end
    before = text[max(start, at - _BEFORE) : at]
    after = text[at + 1 : min(end, at + 1 + _AFTER)]
    return Markup("{}{}<mark>{}</mark>{}{}").format(
        _CUT if at - start > _BEFORE else "",
        reveal_invisible(before),
        reveal_invisible(text[at:end][:1]),
        reveal_invisible(after),
        _CUT if end - at - 1 > _AFTER else "",
    )


def is_short(call: ToolCall, arguments: Arguments, results: Sequence[Message]) -> bool:
    """Whether a call and what it gave fit beside another in half a column."""
    if arguments.kind in ("tree", "broken") or len(call.arguments or "") > _MAX_SHORT:
        return False
    if len(call.name or "") > 40 or call.extras or len(results) > 1:
        return False
    return all(_is_short_result(message) for message in results)


def _is_short_result(message: Message) -> bool:
    texts = [part.text for part in message.parts if isinstance(part, Text) and not part.extras]
    return (
        len(texts) == len(message.parts)
        and not (message.calls or message.annotations or message.also_sent)
        and sum(map(len, texts)) <= _MAX_SHORT_RESULT
        and sum(text.count("\n") for text in texts) < 12
    )
