"""Compare two completions besides their messages: settings, tools, metadata, usage."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Final

from webapp.analysis.differences.aligning import Budget
from webapp.analysis.differences.messages import (
    MAX_DIFFERENCES,
    Difference,
    compare_json,
    is_in_content,
)
from webapp.completions import IDENTITY_FIELDS, Completion
from webapp.exact_json import Object, Value, compact, parse, write_object
from webapp.messages.choices import Choice

GROUPS: Final = ("Settings", "Tools", "Metadata", "Usage", "Timing", "Identity")
"""In the order in which they explain why two answers differ."""

_GROUP_OF: Final = {
    **dict.fromkeys(("tools", "functions", "tool_choice", "function_call"), "Tools"),
    "parallel_tool_calls": "Tools",
    "metadata": "Metadata",
    "usage": "Usage",
    "readback_timing": "Timing",
    **dict.fromkeys(IDENTITY_FIELDS, "Identity"),
}
_COMPARED_APART: Final = frozenset({"id", "created", "choices", "input_messages"})
_MAX_NAMES: Final = 3
_MESSAGES: Final = frozenset({"index", "message", "delta", "logprobs"})


def compare_settings(
    a: Completion, b: Completion, budget: Budget | None = None, *, is_exact: bool = False
) -> dict[str, tuple[Difference, ...]]:
    """Compare the settings by group, in the order of `GROUPS`; equal groups are left out.

    Ids and times always differ, and messages and choices are compared apart. Differences in form
    are left out unless it `is_exact`.
    """
    budget = budget or Budget()
    found = {}
    for group in GROUPS:

        def is_in_group(name: str, group: str = group) -> bool:
            return name not in _COMPARED_APART and _GROUP_OF.get(name, "Settings") == group

        if differences := _compare_members(a.json, b.json, is_in_group, budget, is_exact):
            found[group] = differences
    return found


def summarize_tools(a: Completion, b: Completion) -> list[str]:
    """Say by name which tools only one completion offers, and which differ."""
    a_tools, b_tools = ({one.name: compact(one.json) for one in side.tools} for side in (a, b))
    gone = [name for name in a_tools if name not in b_tools]
    come = [name for name in b_tools if name not in a_tools]
    both = [name for name in a_tools if name in b_tools]
    changed = [name for name in both if a_tools[name] != b_tools[name]]
    is_moved = both != [name for name in b_tools if name in a_tools]
    found = (("only in A", gone), ("only in B", come), ("changed", changed))
    said = [f"{len(names):,} {state}: {_list_names(names)}" for state, names in found if names]
    return [*said, "another order"] if is_moved else said


def _list_names(names: list[str]) -> str:
    listed = ", ".join(names[:_MAX_NAMES])
    return f"{listed}, …" if len(names) > _MAX_NAMES else listed


def compare_choices(
    a: Choice, b: Choice, budget: Budget | None = None, *, is_exact: bool = False
) -> tuple[Difference, ...]:
    """Compare two choices, except for their messages and log-probabilities."""
    return _compare_members(
        a.json, b.json, lambda name: name not in _MESSAGES, budget or Budget(), is_exact
    )


def _compare_members(
    a: Value, b: Value, selects: Callable[[str], bool], budget: Budget, is_exact: bool
) -> tuple[Difference, ...]:
    found = compare_json(_select(a, selects), _select(b, selects), budget)
    kept = (one for one in found if is_exact or is_in_content(one))
    return tuple(islice(kept, MAX_DIFFERENCES))


def _select(value: Value, selects: Callable[[str], bool]) -> Value:
    """Select members of an object; return a value that is not an object unchanged."""
    if not isinstance(value, Object):
        return value
    members = (
        f"{member.name.source}:{compact(member.value)}"
        for member in value.members
        if selects(member.name.text)
    )
    return parse(write_object(members))
