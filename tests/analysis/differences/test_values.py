"""Differences of exact JSON: against a JSON Patch, and against themselves when applied."""

from __future__ import annotations

import json
import sys
from typing import Any

import jsonpatch
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.any_json import Json, checked, json_texts, values_over
from webapp.analysis.differences import Budget, Change, Step, align, compare_values, write_path
from webapp.exact_json import Array, Object, Value, compact, parse

_few_names = values_over(st.sampled_from("abc"))


def test_more_items_than_there_are_characters_are_one_span() -> None:
    found = align(range(2), range(9, sys.maxunicode + 10))
    assert [span.is_equal for span in found] == [False]


def as_tree(value: Value) -> Any:
    """Members and items as lists of a name and a tree, everything else as its source."""
    if isinstance(value, Object):
        return [[member.name.text, as_tree(member.value)] for member in value.members]
    if isinstance(value, Array):
        return [["", as_tree(item)] for item in value.items]
    return value.source


def apply(changes: list[Change], a: Value) -> Any:
    """Return the tree of `a` after `changes`: first replaced, then taken out, then put in."""
    root = [["", as_tree(a)]]

    def find(path: list[int]) -> Any:
        tree: Any = root[0][1]
        for index in path[:-1]:
            tree = tree[index][1]
        return tree

    put: list[tuple[list[int], Any]] = []
    for one in changes:
        if one.kind in ("changed", "respelled") and not one.is_name:
            path = indexes(one.a_path)
            held = find(path)[path[-1]] if path else root[0]
            held[1] = as_tree(present(one.after))
        elif one.kind == "added":
            name = one.b_path[-1].name or ""
            put.append((indexes(one.b_path), [name, as_tree(present(one.after))]))
    out = [one for one in changes if one.kind in ("removed", "moved")]
    for one in sorted(out, key=lambda one: indexes(one.a_path), reverse=True):
        path = indexes(one.a_path)
        taken = find(path).pop(path[-1])
        if one.kind == "moved":
            put.append((indexes(one.b_path), taken))
    for path, new in sorted(put, key=lambda one: one[0]):
        find(path).insert(path[-1], new)
    return root[0][1]


def indexes(path: tuple[Step, ...]) -> list[int]:
    return [step.index for step in path]


def present(value: Value | None) -> Value:
    assert value is not None
    return value


def list_changes(a: str, b: str) -> list[str]:
    """The differences of two documents, one line each."""
    lines = []
    for one in compare_values(parse(a), parse(b)):
        path = write_path(one.a_path if one.kind == "removed" else one.b_path)
        values = (value.source for value in (one.before, one.after) if value is not None)
        lines.append(f"{one.kind} {path}: {' -> '.join(values)}")
    return lines


@given(a=json_texts, b=json_texts, steps=st.integers(0, 20))
@checked
def test_the_changes_turn_one_document_into_the_other(a: str, b: str, steps: int) -> None:
    before, after = parse(a), parse(b)
    changes = list(compare_values(before, after, Budget(steps)))

    assert apply(changes, before) == as_tree(after)
    assert bool(changes) == (compact(before) != compact(after))


@given(a=_few_names, b=_few_names)
@checked
def test_ordinary_values_differ_as_a_json_patch_says(a: Json, b: Json) -> None:
    changes = list(compare_values(parse(json.dumps(a)), parse(json.dumps(b))))
    differs = [one for one in changes if one.kind not in ("moved", "respelled")]
    patch = jsonpatch.make_patch(a, b)

    assert bool(differs) == bool(patch.patch)
    # Where no array shifts its items, both name the same places.
    if not any(step.name is None for one in changes for step in (*one.a_path, *one.b_path)):
        ours = {written(one) for one in differs}
        assert ours == {(one["op"], one["path"]) for one in in_single_steps(patch.patch)}


def written(one: Change) -> tuple[str, str]:
    kinds = {"added": "add", "removed": "remove", "changed": "replace"}
    path = one.a_path if one.kind == "removed" else one.b_path
    return kinds[one.kind], "".join(f"/{step.name}" for step in path)


def in_single_steps(patch: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The operations of a patch, a move as its two halves."""
    return [
        step
        for one in patch
        for step in (
            ({"op": "remove", "path": one["from"]}, {"op": "add", "path": one["path"]})
            if one["op"] == "move"
            else (one,)
        )
    ]


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (
            "4944116822809979520",
            "4944116822809979521",
            ["changed : 4944116822809979520 -> 4944116822809979521"],
        ),
        (
            '{"a": [1, 0]}',
            '{"a":[true,false]}',
            ["changed a[0]: 1 -> true", "changed a[1]: 0 -> false"],
        ),
        ('{"t": 1}', '{"t": 1.0}', ["respelled t: 1 -> 1.0"]),
        ('["\\u00e9"]', '["é"]', ['respelled [0]: "\\u00e9" -> "é"']),
        ('{"\\u0061": 1}', '{"a": 1}', ['respelled a: "\\u0061" -> "a"']),
        ('{"a":1,"b":2,"c":3}', '{"c":3,"a":1,"b":2}', ["moved c: 3 -> 3"]),
        ('{"a":1,"a":2}', '{"a":1}', ["removed a#2: 2"]),
        ("[1,2,3]", "[0,1,3]", ["added [0]: 0", "removed [1]: 2"]),
        ('{"x y": {"b-c": null}}', '{"x y": {"b-c": 1}}', ['changed "x y".b-c: null -> 1']),
        (
            '[{"name":"a","parameters":1},{"name":"b","parameters":1}]',
            '[{"name":"b","parameters":2},{"name":"c","parameters":1}]',
            [
                'removed [0]: {"name":"a","parameters":1}',
                'moved [0]: {"name":"b","parameters":1} -> {"name":"b","parameters":2}',
                "changed [0].parameters: 1 -> 2",
                'added [1]: {"name":"c","parameters":1}',
            ],
        ),
        (
            '[{"function":{"name":"a","arguments":"1"}}]',
            '[{"function":{"name":"b","arguments":"1"}}]',
            ['changed [0].function.name: "a" -> "b"'],
        ),
        ("[ 1 , [ ] ]", "[1,[]]", []),
        ("NaN", "null", ["changed : NaN -> null"]),
    ],
)
def test_each_kind_of_change(a: str, b: str, expected: list[str]) -> None:
    assert list_changes(a, b) == expected


def test_deep_nesting_is_compared_as_a_whole() -> None:
    a, b = "[" * 5_000 + "1" + "]" * 5_000, "[" * 5_000 + " 1 " + "]" * 5_000

    assert list_changes(a, b) == []
    assert len(list_changes(a, b.replace("1", "2"))) == 1
