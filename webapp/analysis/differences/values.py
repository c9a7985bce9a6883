"""Compare exact JSON values: keys and their order, items, and the spelling of lexemes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final, Literal, NamedTuple, TypeAlias

from webapp.analysis.differences.aligning import Budget, align
from webapp.exact_json import Array, Number, Object, String, Value, compact, parse

_IN_DEFINITIONS: Final = ("parameters", "description", "input_schema", "strict")
"""Members by which the definition of a tool is told from other objects that have a name."""

MAX_LEVELS: Final = 100
"""Deeper values are compared as wholes."""

Kind: TypeAlias = Literal["added", "removed", "changed", "respelled", "moved"]


@dataclass(frozen=True, slots=True)
class Step:
    """One step into a value: the member or item at `index`, from 0.

    A member has a `name`, of which it is the `nth`, from 1: names can repeat.
    """

    index: int
    name: str | None = None
    nth: int = 1


Path: TypeAlias = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: the value at `a_path` of the first document is at `b_path` of the second.

    `before` is None if a value was added, `after` if it was removed. The value was `respelled` if
    only its lexeme is another: `1.0` for `1`, an escape for a letter. A member that `moved` has
    another place among those that both objects have; if its value changed as well, there are
    further changes inside it. `is_name` means that the name of the member was respelled.
    """

    kind: Kind
    a_path: Path
    b_path: Path
    before: Value | None
    after: Value | None
    is_name: bool = False


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two values that have yet to be compared."""

    a: Value
    b: Value
    a_path: Path
    b_path: Path


class _Child(NamedTuple):
    """A member, or an item that has a name."""

    step: Step
    name: String
    value: Value


_Children: TypeAlias = dict[tuple[str, int], _Child]


def compare_values(a: Value, b: Value, budget: Budget | None = None) -> Iterator[Change]:
    """Yield the changes that turn `a` into `b`, in the order of `b`; white space does not count.

    Arrays are aligned by their items; objects, and arrays of tools, by names. The values in the
    changes have no white space between their lexemes.
    """
    budget = budget or Budget()
    waiting: list[_Pair | Change] = [_Pair(_strip_spaces(a), _strip_spaces(b), (), ())]
    while waiting:
        found = waiting.pop()
        if isinstance(found, Change):
            yield found
        elif found.a.source != found.b.source:
            waiting += reversed(_compare_pair(found, budget))


def _strip_spaces(value: Value) -> Value:
    """Strip the white space between lexemes, so that equal values have equal sources."""
    written = compact(value)
    return value if written == value.source else parse(written)


def _compare_pair(pair: _Pair, budget: Budget) -> list[_Pair | Change]:
    """List the changes of one level and the pairs of the next, for two unequal sources."""
    a, b = pair.a, pair.b
    is_shallow = len(pair.b_path) < MAX_LEVELS
    if is_shallow and isinstance(a, Object) and isinstance(b, Object):
        return list(_compare_children(_list_members(a), _list_members(b), pair, budget))
    if is_shallow and isinstance(a, Array) and isinstance(b, Array):
        a_tools, b_tools = _list_tools(a), _list_tools(b)
        if a_tools and b_tools:
            return list(_compare_children(a_tools, b_tools, pair, budget))
        return list(_compare_arrays(a, b, pair, budget))
    kind: Kind = "respelled" if _are_same(a, b) else "changed"
    return [Change(kind, pair.a_path, pair.b_path, a, b)]


def _are_same(a: Value, b: Value) -> bool:
    """Return whether two values of different source are the same number or text."""
    if isinstance(a, String) and isinstance(b, String):
        return a.text == b.text
    if isinstance(a, Number) and isinstance(b, Number):
        try:
            return Decimal(a.source) == Decimal(b.source)
        except InvalidOperation:
            return False
    return False


def _compare_children(
    a: _Children, b: _Children, pair: _Pair, budget: Budget
) -> Iterator[_Pair | Change]:
    """Yield the changes of members, or of items that have names, and the pairs to compare."""
    keys = list(a)
    in_place = {
        key
        for span in align(keys, list(b), budget)
        if span.is_equal
        for key in keys[span.a_start : span.a_end]
    }
    for key, gone in a.items():
        if key not in b:
            yield Change("removed", (*pair.a_path, gone.step), pair.b_path, gone.value, None)
    for key, after in b.items():
        b_path = (*pair.b_path, after.step)
        if key not in a:
            yield Change("added", pair.a_path, b_path, None, after.value)
            continue
        before = a[key]
        a_path = (*pair.a_path, before.step)
        if key not in in_place:
            yield Change("moved", a_path, b_path, before.value, after.value)
        if after.step.name is not None and before.name.source != after.name.source:
            yield Change("respelled", a_path, b_path, before.name, after.name, is_name=True)
        yield _Pair(before.value, after.value, a_path, b_path)


def _list_members(value: Object) -> _Children:
    """List the members by name and the number of the name, in order."""
    counts: Counter[str] = Counter()
    listed: _Children = {}
    for index, member in enumerate(value.members):
        name = member.name.text
        counts[name] += 1
        step = Step(index, name, counts[name])
        listed[name, counts[name]] = _Child(step, member.name, member.value)
    return listed


def _list_tools(value: Array) -> _Children | None:
    """List the tools by name and the number of the name; None unless all items define one."""
    counts: Counter[str] = Counter()
    listed: _Children = {}
    for index, item in enumerate(value.items):
        name = _find_tool_name(item)
        if name is None:
            return None
        counts[name.text] += 1
        listed[name.text, counts[name.text]] = _Child(Step(index), name, item)
    return listed


def _find_tool_name(item: Value) -> String | None:
    if not isinstance(item, Object):
        return None
    definition = item.object("function") or item
    name = definition.get("name")
    is_definition = any(one in definition.names() for one in _IN_DEFINITIONS)
    return name if is_definition and isinstance(name, String) else None


def _compare_arrays(a: Array, b: Array, pair: _Pair, budget: Budget) -> Iterator[_Pair | Change]:
    spans = align([item.source for item in a.items], [item.source for item in b.items], budget)
    for span in spans:
        if span.is_equal:
            continue
        paired = min(span.a_end - span.a_start, span.b_end - span.b_start)
        for offset in range(paired):
            at, to = span.a_start + offset, span.b_start + offset
            yield _Pair(
                a.items[at], b.items[to], (*pair.a_path, Step(at)), (*pair.b_path, Step(to))
            )
        for at in range(span.a_start + paired, span.a_end):
            yield Change("removed", (*pair.a_path, Step(at)), pair.b_path, a.items[at], None)
        for to in range(span.b_start + paired, span.b_end):
            yield Change("added", pair.a_path, (*pair.b_path, Step(to)), None, b.items[to])


def write_path(path: Path) -> str:
    """Write a path as `tools[2].function.name`, items counted from 0, as in JSON Pointer.

    Names that are not identifiers are in quotation marks; `name#2` is the second of its name.
    """
    written = ""
    for step in path:
        if step.name is None:
            written += f"[{step.index}]"
            continue
        is_plain = step.name.isidentifier() or step.name.replace("-", "_").isidentifier()
        name = step.name if is_plain else f'"{step.name}"'
        written += f".{name}" if written else name
        written += f"#{step.nth}" if step.nth > 1 else ""
    return written
