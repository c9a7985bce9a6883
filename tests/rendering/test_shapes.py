"""Arguments of calls shown by their kind, such as a command, beside all other arguments."""

from __future__ import annotations

import json

import pytest

from tests.support.html import parsed
from webapp.exact_json import parse
from webapp.messages import Message, ToolCall
from webapp.rendering import Arguments, StructureBudget, parse_arguments


def read(arguments: object, tool: str = "f", **more: object) -> Arguments:
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    sent = {"function": {"name": tool, "arguments": text}, **more}
    if more:
        sent = {"type": "custom", "custom": {"name": tool, "input": text}}
    message = Message.from_json(parse(json.dumps({"role": "assistant", "tool_calls": [sent]})))
    (call,) = message.calls
    assert isinstance(call, ToolCall)
    return parse_arguments(call, budget=StructureBudget())


PATCH = "*** Begin Patch\n*** Update File: a.py\n@@\n-old\n+new\n same\n*** End Patch"


@pytest.mark.parametrize(
    ("arguments", "kind", "shown", "rest"),
    [
        ({"command": "ls -l | wc", "timeout": 5}, "terminal", ["ls -l | wc"], ["timeout"]),
        ({"command": ["bash", "-lc", "ls"]}, "terminal", ["ls"], []),
        ({"path": "a.py", "content": "def f(): pass"}, "file", ["a.py", "def f(): pass"], []),
        ({"command": "str_replace", "path": "a", "old_str": "x", "new_str": "y"}, "diff",
         ["a", "x", "y"], ["command"]),
        ({"search": "x\ny", "replace": ""}, "diff", ["x", "y"], []),
        ({"path": "a.py", "old": "x", "new": "y"}, "diff", ["a.py", "x", "y"], []),
        ({"filePath": "a.py", "oldString": "x", "newString": "y"}, "diff", ["a.py", "x", "y"], []),
        ({"patch": PATCH}, "diff", ["-old", "+new", " same"], []),
        ({"query": "select 1 from t", "n": {"a": [{}]}}, "sql", ["select 1 from t"], ["n"]),
        ({"code": "import os", "language": "python"}, "code", ["import os"], ["language"]),
    ],
)  # fmt: skip
def test_arguments_are_shown_as_what_they_are(
    arguments: dict[str, object], kind: str, shown: list[str], rest: list[str]
) -> None:
    found = read(arguments)
    node = parsed(str(found.shape))
    assert found.kind == "shape"
    assert [one.attributes["data-shape"] for one in node.css("pre")] == [kind]
    assert all(text in node.text() for text in shown)
    assert [member.name.text for member in found.rest] == rest
    assert [member.name.text for member in found.members] == list(arguments)


@pytest.mark.parametrize(
    ("old", "new", "lines"),
    [
        ("a\nb\n", "c\n", ["-a", "-b", "+c"]),
        ("a\n", "a", ["-a", "-", "+a"]),
        ("\n", "a\n", ["-", "-", "+a", "+"]),
        ("", "a\n", ["+a", "+"]),
    ],
)
def test_a_replacement_has_a_line_for_each_line(old: str, new: str, lines: list[str]) -> None:
    node = parsed(str(read({"path": "a.py", "old": old, "new": new}).shape))
    found = [f"{one.attributes['data-sign']}{one.text()}" for one in node.css(".diff-line")]
    assert found == lines


@pytest.mark.parametrize(
    ("text", "tool", "kind"),
    [
        (PATCH, "f", "diff"),
        ("SELECT 1\n  FROM t", "run_sql", "sql"),
        ("import os", "python", "code"),
        ("Select one of these.", "choose", None),
        ("import os", "f", None),
    ],
)
def test_a_patch_or_code_may_be_the_whole_input(text: str, tool: str, kind: str | None) -> None:
    found = read(text, tool, custom=True)
    assert found.kind == ("shape" if kind else "text")
    node = parsed(str(found.shape))
    assert [one.attributes["data-shape"] for one in node.css("pre")] == ([kind] if kind else [])
    assert node.text().strip("\n") == (text if kind else "")


@pytest.mark.parametrize(
    "arguments",
    [
        {"query": "weather in Oslo"},
        {"query": "Select a restaurant"[7:]},
        {"command": ""},
        {"path": "a.py"},
        {"text": "words"},
        {"old": "5", "new": "6"},
        {"input": "--- a dash"},
        '{"command": "ls", "command": "rm"}',
    ],
)
def test_other_arguments_stay_as_they_were(arguments: object) -> None:
    assert read(arguments).kind == "flat"


@pytest.mark.parametrize(
    "text",
    ["</pre><script>", "\u202eevil", "\ud800", "a\0b", "<b>&amp;\r\n", "\u200b" * 9],
)
@pytest.mark.parametrize("name", ["command", "patch", "content", "new_str", "sql", "path"])
def test_hostile_texts_stay_texts_with_marks(text: str, name: str) -> None:
    beside = {"content": {"path": "a.sh"}, "path": {"content": "x"}, "new_str": {"old_str": "x"}}
    arguments = beside.get(name, {})
    begin = {"sql": "select ", "patch": "diff --git "}.get(name, "")
    node = parsed(str(read({**arguments, name: begin + text}).shape))
    assert {one.tag for one in node.css("main *")} <= {"pre", "p", "span"}
    if not text.startswith("<"):
        assert node.css(".control")


def test_large_texts_are_bounded() -> None:
    for arguments in ({"command": "((" * 60_000}, {"patch": "diff --git \n" + "+\n-\n" * 20_000}):
        found = read(arguments)
        assert len(found.shape) < 60 * 120_000
