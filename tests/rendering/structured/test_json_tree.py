"""JSON as a tree: every name and value of any document in order, at a bounded cost."""

from __future__ import annotations

import json

import pytest
from hypothesis import given

from tests.support.any_json import Json, checked, json_texts, values
from tests.support.html import parsed
from webapp.exact_json import Array, Object, Rope, String, Value, decode_json, parse
from webapp.rendering import Budgets, render_json_tree
from webapp.rendering.structured.json_tree import count_cells, is_readable_in_line
from webapp.rendering.structured.lexemes import write_readable

ALLOWED = {
    *("table", "thead", "tbody", "tr", "th", "td"),
    *("dl", "div", "dt", "dd", "ol", "li", "code", "pre", "p", "span", "details", "summary"),
}


def shown(text: str, *, budgets: Budgets | None = None) -> str:
    """Return all readable text in the tree of `text`."""
    return parsed(str(render_json_tree(parse(text), budgets=budgets))).text()


def words(value: Value) -> list[str]:
    """Return the expected texts of `value`, in order: names, scalars, decoded long strings."""
    if isinstance(value, Array) and count_cells(value):
        rows = [item.members for item in value.items if isinstance(item, Object)]
        names = [write_readable(member.name.source)[1:-1] for member in rows[0]]
        return names + [word for row in rows for cell in row for word in words(cell.value)]
    if isinstance(value, Array):
        return [word for item in value.items for word in words(item)]
    if isinstance(value, Object):
        return [
            word
            for member in value.members
            for word in (write_readable(member.name.source)[1:-1], *words(member.value))
        ]
    if isinstance(value, String) and not is_readable_in_line(value):
        return [value.text]
    return [write_readable(value.source)]


def normal(text: str) -> str:
    """Replace the characters that HTML cannot contain, as a browser does."""
    text = text.replace("\r\n", "\n").replace("\0", "\u2400")
    return "".join("\ufffd" if "\ud800" <= one <= "\udfff" else one for one in text)


def assert_in_order(found: str, expected: list[str]) -> None:
    at = 0
    for word in expected:
        place = found.find(normal(word), at)
        assert place >= 0, (word, found[at : at + 200])
        at = place + len(normal(word))


@given(json_texts)
@checked
def test_the_tree_contains_every_name_and_value_in_order(text: str) -> None:
    assert_in_order(shown(text).replace("\r\n", "\n"), words(parse(text)))


@given(json_texts)
@checked
def test_members_without_room_are_shown_as_text(text: str) -> None:
    value = parse(text)
    inner = value.source[1:-1].strip(" \t\n\r")
    if isinstance(value, Object) and inner:
        assert normal(inner) in shown(text, budgets=Budgets(values=0)).replace("\r\n", "\n")


@given(values)
@checked
def test_a_tree_holds_no_element_of_its_content(value: Json) -> None:
    nodes = parsed(
        str(render_json_tree(parse(json.dumps({"<img src=x>": value, "b": "</pre><b>"}))))
    )
    assert {node.tag for node in nodes.css("main *")} <= ALLOWED


def test_numbers_and_repeated_names_are_as_written() -> None:
    text = '{"n":1.0,"n":-8132613597486110237,"e":1E+2,"s":"\\u00e9\\/"}'
    node = parsed(str(render_json_tree(parse(text))))
    assert [one.text() for one in node.css("dt")] == ["n", "n", "e", "s"]
    assert [one.text() for one in node.css("dd")] == [
        *("1.0", "-8132613597486110237", "1E+2", '"é/"')
    ]


def test_arrays_of_like_objects_are_tables_of_exact_values() -> None:
    rows = '[{"a":1.0,"b":"\\u00e9"},{"a":1E2,"b":[]},{"a":null,"b":true}]'
    node = parsed(str(render_json_tree(parse(f'{{"rows":{rows}}}'))))
    assert [one.text() for one in node.css("th")] == ["a", "b"]
    assert [one.text() for one in node.css("td")] == ["1.0", '"é"', "1E2", "[]", "null", "true"]
    classes = [one.attributes.get("class") for one in node.css("td > code")]
    assert classes == ["tree-number", "tree-string", "tree-number", None] + ["tree-constant"] * 2


@pytest.mark.parametrize(
    "text",
    [
        '[{"a":1,"b":2},{"b":2,"a":1}]',
        '[{"a":1,"b":2},{"a":1}]',
        '[{"a":1,"b":2},{"a":1,"b":{"c":[{}]}}]',
        '[{"a":1,"b":2}]',
        '[{"a":1,"b":2},3]',
    ],
)
def test_other_arrays_keep_every_name(text: str) -> None:
    node = parsed(str(render_json_tree(parse(text))))
    assert not node.css("table") and node.css("dt")


def test_long_strings_and_those_of_several_lines_are_unfolded() -> None:
    text = json.dumps({"code": "def f():\n\treturn 1\n", "long": "word " * 20, "short": "a\tb"})
    node = parsed(str(render_json_tree(parse(text))))
    assert [one.text() for one in node.css("pre.tree-text")] == [
        "def f():\n\treturn 1\n",
        "word " * 20,
    ]
    assert '"a\\tb"' in node.text()


def test_json_in_a_string_is_unfolded_and_says_so() -> None:
    inner = json.dumps({"a": [{"b": 1.5}]})
    node = parsed(str(render_json_tree(parse(json.dumps({"payload": inner, "pattern": "[1]"})))))
    assert [one.text() for one in node.css("summary")][0] == "JSON in a string, 1 member"
    assert "1.5" in node.text()
    assert '"[1]"' in node.text()


def test_too_deep_nesting_is_shown_as_text() -> None:
    levels = Budgets().tree_levels
    deep = '{"a":' * 60 + '"end"' + "}" * 60
    node = parsed(str(render_json_tree(parse(deep))))
    assert len(node.css("details")) < levels
    (rest,) = node.css("pre.json")
    assert rest.text() == '{"a":' * (60 - levels) + '"end"' + "}" * (60 - levels)
    assert "nested deeper than 20 levels" in node.text()
    fewer = parsed(str(render_json_tree(parse(deep), budgets=Budgets(tree_levels=3))))
    assert "nested deeper than 3 levels" in fewer.text() and '"end"' in fewer.text()


def test_too_many_values_are_shown_as_text() -> None:
    text = json.dumps([{"n": number} for number in range(3_000)])
    node = parsed(str(render_json_tree(parse(text))))
    (rest,) = [one for one in node.css("pre.json")]
    assert rest.text().endswith('{"n": 2999}')
    assert "more, as text" in node.text()
    listed = [json.loads(f'{{"n":{one.text()}}}') for one in node.css("dd")]
    assert listed + json.loads(f"[{rest.text()}]") == json.loads(text)


def test_control_characters_and_lone_surrogates_are_marked() -> None:
    node = parsed(str(render_json_tree(parse('["line\\nbreak \\u0000 \\ud800 \\u202e"]'))))
    marks = [one.attributes["data-mark"] for one in node.css(".control")]
    assert marks == ["NUL", "U+D800", "U+202E RLO"]


@pytest.mark.parametrize(
    "text",
    [
        "[" * 37_500 + "]" * 37_500,
        '{"a":' * 37_500 + "1" + "}" * 37_500,
        "[" + "1," * 100_000 + "1]",
        json.dumps("x\n" * 75_000),
        json.dumps(["[" + "{}," * 300 + "1]"] * 900),
        json.dumps(["\u202e" * 300] * 900, ensure_ascii=False),
    ],
    ids=["arrays", "objects", "numbers", "lines", "JSON in strings", "marks"],
)
def test_nasty_documents_do_not_grow_beyond_measure(text: str) -> None:
    assert len(text) // 2 < len(render_json_tree(parse(text))) < 40 * len(text)


def test_long_strings_that_are_held_apart_are_shown_as_all_others() -> None:
    short, long = "A" * 5_000, "A" * 1_100_000
    text = json.dumps({"a": [short], "b": {"c": long}, "d": ["\U0001f600", short]})
    document = decode_json(text.encode())
    budgets = Budgets(values=4)

    assert isinstance(document, Rope)
    for bounds in (None, budgets):
        expected = render_json_tree(parse(text), budgets=bounds)
        assert render_json_tree(parse(document), budgets=bounds) == expected


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ('{"id": "R-61"}', ['"R-61"']),
        ('{"ids": ["R-61", "a long-ish text", 7]}', ['"R-61"']),
        ('[{"id": "order-2026-10-25-0017"}, {"id": "R-1"}]', ['"R-1"']),
        (
            '[{"id": "order-2026-10-25-0017", "n": -1}, {"id": "R-1", "n": 2}]',
            ['"order-2026-10-25-0017"', '"R-1"'],
        ),
        ('{"id": "R61", "text": "well-known words", "long": "a-very-long-word-with-hyphens"}', []),
    ],
)
def test_identifiers_that_fit_in_a_line_do_not_break_at_their_hyphens(
    text: str, whole: list[str]
) -> None:
    tree = parsed(str(render_json_tree(parse(text))))
    assert [node.text() for node in tree.css(".whole")] == whole
