"""Count the uses of each tool of a run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from webapp.completions import Completion
from webapp.exact_json import Array, Object

if TYPE_CHECKING:
    from webapp.analysis.runs import RunCall


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolUse:
    """A tool of the run: its calls, the first of them, and those that failed.

    `returned` counts the bytes of its results. `is_defined` is None if the completion lists no
    tools. A defined tool may have no calls.
    """

    name: str
    calls: int
    failures: int
    returned: int
    first: RunCall | None
    is_defined: bool | None


def list_tools(calls: Iterable[RunCall], completion: Completion | None) -> tuple[ToolUse, ...]:
    """Return the tools called, the most called first, and then those only defined."""
    used: dict[str, list[RunCall]] = {}
    for call in calls:
        used.setdefault(call.tool, []).append(call)
    defined = tuple(dict.fromkeys(_iter_defined(completion))) if completion else ()
    tools = [
        ToolUse(
            name=name,
            calls=len(its),
            failures=sum(call.failure is not None for call in its),
            returned=sum(call.returned for call in its),
            first=its[0],
            is_defined=name in defined if defined else None,
        )
        for name, its in used.items()
    ]
    tools.sort(key=lambda tool: -tool.calls)
    unused = (
        ToolUse(name=name, calls=0, failures=0, returned=0, first=None, is_defined=True)
        for name in defined
        if name not in used
    )
    return (*tools, *unused)


def _iter_defined(completion: Completion) -> Iterator[str]:
    """Yield the names of the tools and functions among the settings of the request."""
    for member in completion.settings:
        if member.name.text not in ("tools", "functions") or not isinstance(member.value, Array):
            continue
        for tool in member.value.items:
            if not isinstance(tool, Object):
                continue
            holder = tool.object(tool.text("type") or "function") or tool
            if name := holder.text("name"):
                yield name
