"""Tool calls with their arguments, and results beside them, by id or inferred."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from selectolax.lexbor import LexborNode

from tests.support.bubbles import HERE, ID, ShowAnswer, ShowMessages, pairs
from tests.support.fake_upstream import FakeUpstream, Json, Stored, stored
from tests.support.pages import Bubble, Page, open_menu, readable


def call(number: int, name: str = "f", arguments: str = "{}", **fields: Any) -> Json:
    function = {"name": name, "arguments": arguments}
    return {"id": f"call_{number}", "type": "function", "function": function} | fields


def calling(*calls: Json, content: str | None = None) -> Json:
    return {"role": "assistant", "content": content, "tool_calls": list(calls)}


def result(number: int | None, content: str, **fields: Any) -> Json:
    named = {} if number is None else {"tool_call_id": f"call_{number}"}
    return {"role": "tool", "content": content} | named | fields


def test_results_stand_below_their_calls(show: ShowMessages) -> None:
    outer, first, second, last = show(
        calling(call(1, "look"), call(2, "touch"), content="I will see."),
        result(1, "seen"),
        result(2, "felt"),
        {"role": "user", "content": "Well?"},
    )
    assert outer.sources == ["I will see."]
    look, touch = outer.calls
    assert [one.css_first(".call-name").text() for one in (look, touch)] == ["look", "touch"]  # type: ignore[union-attr]
    assert "look call 1 of 2" in readable(look)
    assert look.css_first(".call-head .call-id").text() == "call_1"  # type: ignore[union-attr]
    assert [bubble.anchor for bubble in bubbles_in(look)] == ["m-2"]
    assert [bubble.anchor for bubble in bubbles_in(touch)] == ["m-3"]
    assert (first.sources, second.sources, last.sources) == (["seen"], ["felt"], ["Well?"])
    assert "inferred" not in outer.text


def bubbles_in(node: LexborNode) -> list[Bubble]:
    return [Bubble(found) for found in node.css("article.bubble")]


def test_a_result_further_on_is_under_its_call_and_says_when_it_arrived(
    show: ShowMessages,
) -> None:
    outer, *_ = show(
        calling(call(1, "look")), {"role": "user", "content": "Wait."}, result(1, "seen")
    )
    assert [bubble.sources for bubble in bubbles_in(outer.calls[0])] == [["seen"]]
    assert "arrived as message 3" in outer.text


def test_results_without_a_call_id_are_paired_by_order_and_say_so(show: ShowMessages) -> None:
    outer, *_ = show(
        calling(call(1, "look"), call(2, "touch")), result(None, "seen"), result(None, "felt")
    )
    assert [bubble.sources for one in outer.calls for bubble in bubbles_in(one)] == [
        ["seen"],
        ["felt"],
    ]
    assert outer.text.count("inferred from the order") == 2


def test_newest_first_a_result_is_under_its_call(show: ShowMessages) -> None:
    outer, _ = show(calling(call(1, "look")), result(1, "seen"), order="desc")
    assert [bubble.sources for bubble in bubbles_in(outer.calls[0])] == [["seen"]]
    assert "arrived as" not in outer.text


def test_a_call_without_a_result_says_so(show: ShowMessages) -> None:
    outer, _ = show(calling(call(1)), {"role": "user", "content": "x"})
    assert "No message has the result of this call." in outer.text


@pytest.mark.parametrize("arguments", ["{}", '{"cut off": '])
def test_a_call_at_the_end_of_a_page_may_still_get_its_result(
    fake: FakeUpstream, fake_client: FlaskClient, arguments: str
) -> None:
    caller = {"id": f"{ID}-0"} | calling(call(1, arguments=arguments))
    messages = [caller, {"id": f"{ID}-1"} | result(1, "seen")]
    messages.append({"id": f"{ID}-2", "role": "user", "content": "And now?"})
    fake.completions[ID] = Stored(stored(ID).completion, messages)
    page = Page.of(fake_client.get(f"{HERE}?limit=1"))
    assert "No result yet; it may be on a later page." in page.bubbles[0].text


def test_a_call_in_the_answer_ends_the_completion(answered: ShowAnswer) -> None:
    bubble = answered({"finish_reason": "tool_calls"}, content=None, tool_calls=[call(1)])
    assert "The answer ends with this call" in bubble.text


def test_a_tool_that_the_server_ran_has_its_result_in_the_answer(answered: ShowAnswer) -> None:
    used = {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "x"}}
    page = {"type": "web_search_result", "url": "https://a.example/", "title": "T", "page_age": "1"}
    found = {"type": "web_search_tool_result", "tool_use_id": "s1", "content": [page]}
    nested = answered(content=[used, found, {"type": "text", "text": "done"}])

    assert nested.anchor == "choice-0-result-1" and "arrived" not in nested.text
    assert nested.link("a.example") == "https://a.example/"
    assert "File T" in nested.text and "content part" not in nested.text
    outer = Bubble(nested.node.parent.parent.parent.parent)  # type: ignore[union-attr,arg-type]
    assert outer.anchor == "choice-0" and "belongs to the next one" not in outer.text


def test_a_result_of_a_call_nobody_made_says_so(show: ShowMessages) -> None:
    with_id, without = show(result(7, "seen"), result(None, "felt"))
    assert "result of call call_7 , which is not on this page" in with_id.text
    assert "the server does not say of which call" in without.text


def test_calls_with_the_same_id_get_a_result_each(show: ShowMessages) -> None:
    outer, *_ = show(calling(call(1, "a"), call(1, "b")), result(1, "one"), result(1, "two"))
    assert [bubble.sources for one in outer.calls for bubble in bubbles_in(one)] == [
        ["one"],
        ["two"],
    ]


def test_a_custom_call_shows_its_input_as_it_is(show: ShowMessages) -> None:
    custom = {"id": "c", "type": "custom", "custom": {"name": "sql", "input": "SELECT *\n  1;"}}
    (outer,) = show(calling(custom))
    (one,) = outer.calls
    assert one.css_first("pre.arguments").text() == "SELECT *\n  1;"  # type: ignore[union-attr]
    assert "custom" in readable(one)
    assert "not JSON" not in readable(one)


def test_a_function_call_of_old_is_a_call(show: ShowMessages) -> None:
    outer, given = show(
        {"role": "assistant", "function_call": {"name": "look", "arguments": '{"at":"1.0"}'}},
        {"role": "function", "name": "look", "content": "seen"},
    )
    (one,) = outer.calls
    assert "look function_call call 1 of 1" in readable(one)
    assert pairs(one, ".arguments") == {"at": '"1.0"'}
    assert [bubble.anchor for bubble in bubbles_in(one)] == [given.anchor]


def test_small_arguments_are_a_table_with_numbers_as_written(show: ShowMessages) -> None:
    arguments = '{"n":1.0,"big":-8132613597486110237,"s":"é\\u00e9","n":1e5,"none":null}'
    (outer,) = show(calling(call(1, arguments=arguments)))
    found = outer.calls[0].css_first(".arguments")
    assert found is not None
    assert [readable(node) for node in found.css("dt")] == ["n", "big", "s", "n", "none"]
    assert [readable(node) for node in found.css("dd")] == [
        "1.0",
        "-8132613597486110237",
        '"éé"',
        "1e5",
        "null",
    ]
    assert text_in(outer.calls[0], "pre.exact") == arguments


def test_larger_arguments_are_a_tree_beside_the_exact_text(show: ShowMessages) -> None:
    arguments = '{"a":{"b":[1.0,2]},"code":"x = 1\\ny = 2",  "n":1E2}'
    (outer,) = show(calling(call(1, arguments=arguments)))
    (one,) = outer.calls
    readable_view, exact = one.css(".arguments")
    assert readable(readable_view) == "a 1 member b [1.0, 2] code x = 1 y = 2 n 1E2"
    assert text_in(readable_view, "pre") == "x = 1\ny = 2"
    assert exact.text() == arguments
    assert outer.text.count("⋯") == 2
    assert "not JSON" not in outer.text


@pytest.mark.parametrize("arguments", ["[]", "{}", '"text"', "1.0", " { }"])
def test_arguments_without_members_are_as_they_are(show: ShowMessages, arguments: str) -> None:
    (outer,) = show(calling(call(1, arguments=arguments)))
    assert text_in(outer.calls[0], "pre.arguments") == arguments
    assert outer.calls[0].css(".exact") == []
    assert "not JSON" not in outer.text


def text_in(node: LexborNode, selector: str) -> str:
    found = node.css_first(selector)
    assert found is not None
    return found.text()


@pytest.mark.parametrize("arguments", ['{"city": "Par', "get it", "{'a': 1}", "\n{]", "{} x", " "])
def test_arguments_that_are_not_json_are_verbatim_and_flagged(
    show: ShowMessages, arguments: str
) -> None:
    (outer,) = show(calling(call(1, arguments=arguments)))
    pre = outer.calls[0].css_first("pre.arguments")
    assert pre is not None
    assert pre.text() == arguments
    assert "They are shown exactly as stored." in outer.text


@pytest.mark.parametrize(
    ("arguments", "words", "before", "marked"),
    [
        ('{"city": "Par', "cut off: a string without end@1:10", '{"city": ', '"'),
        ('{"a": [1,\n\t"日本" 2]}', "not JSON: expected ',' or ']'@2:7", '\t"日本" ', "2"),
        ("{'a': 1}", "not JSON: expected a name in double quotes@1:2", "{", "'"),
        ('{"a": 1', "cut off: expected ',' or '}'@1:8", '{"a": 1', ""),
        ('{"a": "b\\x"}', "not JSON: an unknown escape in a string@1:9", '{"a": "b', "\\"),
    ],
)
def test_the_place_where_arguments_stop_being_json_is_marked(
    show: ShowMessages, arguments: str, words: str, before: str, marked: str
) -> None:
    (outer,) = show(calling(call(1, arguments=arguments)))
    words, _, at = words.partition("@")
    line, _, column = at.partition(":")
    assert f"The arguments are {words} at line {line}, column {column}." in outer.text
    place = outer.calls[0].css_first(".wrong-place")
    assert place is not None
    assert place.text().split("\n")[0].startswith(before + marked)
    assert text_in(place, "mark") == marked
    assert ("was never complete" in outer.text) == ("cut off" in words)


def test_a_long_line_is_cut_around_the_wrong_place_and_says_so(show: ShowMessages) -> None:
    (outer,) = show(calling(call(1, arguments='{"a": "' + "x" * 500 + '" y' + "z" * 500)))
    shown = text_in(outer.calls[0], ".wrong-place")
    assert len(shown) < 200
    assert shown.count("… line cut …") == 2
    assert "x" * 500 in outer.text


@pytest.mark.parametrize(("length", "cuts"), [(60, 0), (500, 1)])
def test_a_long_line_that_is_cut_off_is_shown_to_its_end(
    show: ShowMessages, length: int, cuts: int
) -> None:
    (outer,) = show(calling(call(1, arguments='{"a": "' + "x" * length + " the end")))
    shown = text_in(outer.calls[0], ".wrong-place")
    assert shown.split("\n")[0].endswith(" the end")
    assert (len(shown) < 200, shown.count("… line cut …")) == (True, cuts)


@pytest.mark.parametrize(
    ("name", "server", "tool"),
    [
        ("mcp__github__create_issue", "mcp__github__", "create_issue"),
        ("github__create", "github__", "create"),
        ("files.read", "files.", "read"),
        ("a/b/read-file", "a/b/", "read-file"),
    ],
)
def test_a_name_is_split_for_reading_and_stays_whole(
    show: ShowMessages, name: str, server: str, tool: str
) -> None:
    (outer,) = show(calling(call(1, name)))
    (one,) = outer.calls
    assert text_in(one, ".call-name") == name
    assert text_in(one, ".call-server") == server
    assert text_in(one, ".call-tool") == tool


@pytest.mark.parametrize("name", ["plain_name", "__init__", "v1.0", "a b.c", "<b>.x", "x" * 300])
def test_other_names_are_not_split(show: ShowMessages, name: str) -> None:
    (outer,) = show(calling(call(1, name)))
    assert text_in(outer.calls[0], ".call-name") == name
    assert outer.calls[0].css(".call-server") == []


TOOLS = [
    {"type": "function", "function": {"name": "look", "description": "Looks.\nTwice."}},
    {
        "type": "function",
        "function": {
            "name": "touch",
            "parameters": {"type": "object", "properties": {"at": {"type": "number"}}},
        },
    },
    {
        "type": "custom",
        "custom": {
            "name": "sql",
            "format": {"type": "grammar", "grammar": {"syntax": "lark", "definition": "a: b\nc"}},
        },
    },
]


def test_the_definition_of_a_tool_stands_at_its_call(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    custom = {"id": "c", "type": "custom", "custom": {"name": "sql", "input": "SELECT 1"}}
    message = {"id": f"{ID}-0"} | calling(call(1, "look"), call(2, "touch"), custom, call(3))
    fake.completions[ID] = Stored(stored(ID).completion | {"tools": TOOLS}, [message])
    bubble = Page.of(fake_client.get(HERE)).bubbles[0]
    look, touch, sql, unknown = (open_menu(fake_client, one) for one in bubble.calls)
    assert text_of_definition(look) == "definition Looks. Twice."
    assert "properties 1 member at 1 member type" in text_of_definition(touch)
    assert "a: b c" in text_of_definition(sql)
    assert "custom (grammar, lark)" in readable(bubble.calls[2])
    assert unknown.all("details.definition") == []
    alone = Page.of(fake_client.get(bubble.node.css(".menu-link")[0].attributes["href"] or ""))
    assert [readable(one) for one in alone.all("details.definition")] == [
        text_of_definition(menu) for menu in (look, touch, sql)
    ]


def text_of_definition(menu: Page) -> str:
    return readable(menu.one("details.definition"))


def test_the_definitions_of_old_functions_are_known_too(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    functions = [{"name": "look", "description": "Looks."}, 7, {"name": 8}]
    message = {"id": f"{ID}-0", "role": "assistant", "function_call": {"name": "look"}}
    fake.completions[ID] = Stored(stored(ID).completion | {"functions": functions}, [message])
    (one,) = Page.of(fake_client.get(HERE)).bubbles[0].calls
    assert text_of_definition(open_menu(fake_client, one)) == "definition Looks."


def test_definitions_too_long_to_repeat_are_named(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    tool = {"type": "function", "function": {"name": "look", "description": "x" * 150_000}}
    message = {"id": f"{ID}-0"} | calling(*(call(number, "look") for number in range(4)))
    fake.completions[ID] = Stored(stored(ID).completion | {"tools": [tool]}, [message])
    bubble = Page.of(fake_client.get(HERE)).bubbles[0]
    menus = [open_menu(fake_client, one) for one in bubble.calls]
    assert all(len(text_of_definition(menu)) > 150_000 for menu in menus)
    alone = Page.of(fake_client.get(bubble.node.css(".menu-link")[0].attributes["href"] or ""))
    said = [readable(one) for one in alone.all("details.definition")]
    assert [len(one) > 150_000 for one in said] == [True, True, False, False]
    assert "they are under “All settings” of the completion" in said[3]


def test_short_calls_may_stand_side_by_side_and_long_ones_not(show: ShowMessages) -> None:
    outer, *_ = show(
        calling(call(1, arguments='{"a":1}'), call(2, arguments='{"a":{"b":1}}'), call(3), call(4)),
        result(1, "short"),
        result(3, "long " * 100),
        result(4, '{"temp": 21.0}'),
    )
    assert ["data-short" in one.attributes for one in outer.calls] == [True, False, False, True]


@pytest.mark.parametrize(
    ("function", "words"),
    [
        ({"name": "f"}, "No arguments."),
        ({"name": "f", "arguments": ""}, "The arguments are an empty text."),
        ({"name": None, "arguments": "{}"}, "no name"),
        ({"name": "f", "arguments": {"a": 1.0}}, "a 1.0"),
    ],
)
def test_a_call_that_lacks_something_says_so(
    show: ShowMessages, function: Json, words: str
) -> None:
    (outer,) = show(calling(call(1, function=function)))
    assert words in readable(outer.calls[0])


def test_what_else_a_call_carries_is_shown(show: ShowMessages) -> None:
    (outer,) = show(calling(call(1, index=3, extra={"a": 1.0})))
    assert pairs(outer.calls[0], ".also-sent") == {"index": "3", "extra": '{"a":1.0}'}


@pytest.mark.parametrize("calls", [[{"type": "mcp", "mcp": {"x": 1.0}}], ["odd"], "odd", {"a": 1}])
def test_calls_of_unknown_form_are_shown_as_json(show: ShowMessages, calls: Any) -> None:
    (outer,) = show({"role": "assistant", "tool_calls": calls})
    expected = json.dumps(calls[0] if isinstance(calls, list) else calls)
    assert expected.replace(" ", "") in "".join(readable(outer.parts).split())


def test_a_result_in_json_is_indented_and_kept(show: ShowMessages) -> None:
    written = '{"temp":21.0,"unit":"c"}'
    _, given = show(calling(call(1)), result(1, written))
    assert given.sources == [written]
    rendered = given.parts.css_first(".rendered")
    assert rendered is not None
    assert readable(rendered) == 'temp 21.0 unit "c"'


@pytest.mark.parametrize("content", ['{"error": "no quota"}', "Traceback (most recent call last):"])
def test_a_result_that_reports_an_error_says_so(show: ShowMessages, content: str) -> None:
    _, given = show(calling(call(1)), result(1, content))
    found = given.parts.css_first(".exact-text[data-error]")
    assert found is not None
    assert readable(found).startswith("error ")
    assert given.sources == [content]


def test_a_result_that_speaks_of_errors_is_none(show: ShowMessages) -> None:
    _, given = show(calling(call(1)), result(1, "No error was found."))
    assert given.parts.css("[data-error]") == []


def test_the_parts_of_a_result_are_each_what_they_are(show: ShowMessages) -> None:
    parts = [{"type": "text", "text": text} for text in ('{"a": 1}', "# text", "a,b\n1,2\n3,4\n")]
    _, given = show(calling(call(1)), result(1, "") | {"content": parts})
    kinds = [node.attributes["data-kind"] for node in given.parts.css(".exact-text")]
    assert kinds == ["json", "plain", "csv"]
    assert given.sources == [part["text"] for part in parts]


def test_a_result_of_a_terminal_has_its_colours_and_its_source(show: ShowMessages) -> None:
    _, given = show(calling(call(1)), result(1, "\x1b[31mred\x1b[0m plain"))
    assert text_in(given.parts, ".rendered .ansi-red") == "red"
    assert text_in(given.parts, ".rendered pre") == "red plain"
    assert given.sources == ["\x1b[31mred\x1b[0m plain"]


def test_a_result_is_no_markdown(show: ShowMessages) -> None:
    (given,) = show(result(1, "# not a *title*"))
    assert given.sources == ["# not a *title*"]
    assert given.parts.css("h4, em") == []


@pytest.mark.parametrize("name", ["is_error", "isError"])
@pytest.mark.parametrize("others", [[], [{"type": "text", "text": "Go on."}]])
def test_a_result_that_is_marked_as_an_error_says_so(
    show: ShowMessages, name: str, others: list[Json]
) -> None:
    use = {"type": "tool_use", "id": "c", "name": "f", "input": {}}
    block = {"type": "tool_result", "tool_use_id": "c", "content": "no such city", name: True}
    bubbles = show(
        {"role": "assistant", "content": [use]}, {"role": "user", "content": [block, *others]}
    )
    errors = {node.mem_id for bubble in bubbles for node in bubble.node.css("[data-error]")}
    assert len(errors) == 1
