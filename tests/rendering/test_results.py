"""Results by their calls: files in their colours, hits as a list, everything else as it was."""

from __future__ import annotations

import json

import pytest

from tests.support.html import parsed
from webapp.exact_json import parse
from webapp.messages import Message, ToolCall
from webapp.rendering import Structure, StructureBudget, detect_structure, shape_result

CODE = 'def f():\n    """Say\n    <b>so</b>."""\n    return 1\n'
NUMBERED = "".join(f"{at:>4}  {line}\n" for at, line in enumerate(CODE.split("\n"), start=9))
GREPPED = "src/a.py:7:from x import y\nsrc/a.py:12:    y = '<b>'\nb.c:3:int y;\n"
MATCHES = {
    "matches": [
        {"file": "a.py", "line": 7, "text": "<i>y</i>"},
        {"file": "a.py", "line": 9, "text": "y", "score": 1.0},
        {"file": "b.py", "line": 1, "text": "y = 2"},
    ],
    "cut": False,
}
PAGES = [{"title": "A page", "url": "https://x.example/a", "content": "Words\nof it", "rank": 1}]


def shape(tool: str, arguments: object, result: object) -> Structure:
    text = result if isinstance(result, str) else json.dumps(result)
    function = {"name": tool, "arguments": json.dumps(arguments)}
    caller = {"role": "assistant", "tool_calls": [{"id": "c", "function": function}]}
    (call,) = Message.from_json(parse(json.dumps(caller))).calls
    assert isinstance(call, ToolCall)
    message = Message.from_json(parse(json.dumps({"role": "tool", "content": text})))
    budget = StructureBudget()
    structure = detect_structure(text, message=message, budget=budget)
    return shape_result(text, structure, call, budget=budget)


@pytest.mark.parametrize(
    ("tool", "arguments", "text"),
    [
        ("read_file", {"path": "src/a.py"}, CODE),
        ("read_file", {"path": "src/a.py", "start": 9}, NUMBERED),
        ("openFile", {"file": "a.py"}, f"[File: a.py (5 lines)]\n{NUMBERED}(end)"),
        ("str_replace_editor", {"command": "view", "path": "a.py"}, NUMBERED),
        ("view", {"file_path": "a.py"}, "".join(f"{at}\tx = 1\n" for at in range(1, 9))),
        ("cat", {"path": "/a/b.rs"}, "fn main() {}"),
        ("get_file", {"filename": "x.yml"}, "a: 1\nb: 2"),
    ],
)
def test_a_file_that_was_read_has_the_colours_of_its_language(
    tool: str, arguments: object, text: str
) -> None:
    found = shape(tool, arguments, text)
    view = parsed(str(found.view))
    assert found.kind == "code"
    assert view.css("pre")[0].text().strip("\n") == text.strip("\n")
    assert view.css("span[class^=code-]")
    assert not view.css("b, i")


def test_a_docstring_over_lines_is_coloured_on_each_of_them() -> None:
    view = parsed(str(shape("read_file", {"path": "a.py"}, NUMBERED).view))
    assert [one.text() for one in view.css(".line-label")][:3] == ["   9  ", "  10  ", "  11  "]
    comments = [one.text().strip() for one in view.css(".code-comment")]
    assert [one for one in comments if one] == ['"""Say', '<b>so</b>."""']


@pytest.mark.parametrize(
    ("tool", "arguments", "text"),
    [
        ("read_file", {"path": "notes.txt"}, CODE),
        ("read_file", {"path": "a.py"}, "x\u202ey"),
        ("read_file", {"path": "a.py"}, '{"ok": true}'),
        ("read_file", {"path": "a.py"}, "   "),
        ("read_file", {"path": "a.py"}, "x = 1\n" * 4_000),
        ("write_file", {"path": "a.py", "content": CODE}, "5 lines written"),
        ("delete", {"path": "a.py"}, "gone"),
        ("read_sensor", {"sensor": "slipway.py"}, "3"),
        ("read_file", "a.py", CODE),
        ("search", {"pattern": "y"}, "src/a.py:7:y\nand 12 more"),
        ("search", {"pattern": "y"}, "12:30:45 started"),
        ("list_dir", {"path": "."}, GREPPED),
        ("search", {"q": "y"}, []),
        ("search", {"q": "y"}, {"hits": [{"file": "a.py"}]}),
        ("search", {"q": "y"}, {"hits": [{"file": "a.py", "text": {"a": 1}}]}),
        ("search", {"q": "y"}, {"hits": [{"file": "a", "text": "b"}], "more": [{"file": "c"}]}),
        ("search", {"q": "y"}, [{"file": "a", "text": "b"}, "c"]),
        ("search", {"q": "y"}, '[{"file": "a", "text": "b", "text": "c"}]'),
    ],
)
def test_what_is_no_file_and_no_list_of_hits_stays_as_it_is(
    tool: str, arguments: object, text: object
) -> None:
    assert shape(tool, arguments, text).kind not in ("code", "hits")


@pytest.mark.parametrize(
    ("tool", "arguments", "result", "paths", "hits"),
    [
        ("grep", {"pattern": "y"}, GREPPED, ["src/a.py", "b.c"], [
            "7 from x import y", "12     y = '<b>'", "3 int y;"]),
        ("shell", {"command": "grep -rn y ."}, GREPPED, ["src/a.py", "b.c"], None),
        ("bash", {"cmd": "rg -n y"}, GREPPED, ["src/a.py", "b.c"], None),
        ("search", {"pattern": "y"}, MATCHES, ["a.py", "b.py"], [
            "7 <i>y</i>", "9 y score 1.0", "1 y = 2"]),
        ("web_search", {"query": "a"}, PAGES, ["https://x.example/a"], [
            "A page Words\nof it rank 1"]),
        ("tavily_search_results_json", {"query": "a"}, PAGES * 2, ["https://x.example/a"], None),
    ],
)  # fmt: skip
def test_the_hits_of_a_search_are_a_list_under_their_places(
    tool: str, arguments: object, result: object, paths: list[str], hits: list[str] | None
) -> None:
    found = shape(tool, arguments, result)
    view = parsed(str(found.view))
    assert found.kind == "hits"
    assert [one.text() for one in view.css(".shape-path")] == paths
    assert hits is None or [one.text() for one in view.css(".found-hit")] == hits
    assert not view.css("a, i")


def test_members_beside_the_hits_are_shown_and_long_lists_are_cut() -> None:
    found = shape("search", {"pattern": "y"}, MATCHES)
    assert parsed(str(found.view)).css(".found-rest")[0].text() == "cut false"
    many = shape("search", {"pattern": "y"}, "\n".join(f"a.py:{at}:y" for at in range(2_000)))
    shown = len(parsed(str(many.view)).css(".found-hit"))
    assert many.note == f"{2_000 - shown:,} more hits in the source."
