"""Compare what two completions have besides their messages: settings, tools, metadata, usage."""

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
from webapp.completions import IDENTITY_FIELDS, Choice, Completion
from webapp.exact_json import Object, Value, compact, parse, write_object

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
