"""Bubbles: what a reader sees of each kind of content, call, result, and of what nobody knows."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from flask.testing import FlaskClient
from selectolax.lexbor import LexborNode

from tests.fake_upstream import FakeUpstream, Json, Reply, Stored, stored
from tests.pages import Bubble, Page, readable
from webapp.embedded.sample_set import SAMPLES

ID = "chatcmpl-1"
HERE = f"/completions/{ID}"
MESSAGES = f"/chat/completions/{ID}/messages"
MEDIA = SAMPLES / "media"

Show: TypeAlias = Callable[..., list[Bubble]]


@pytest.fixture
def show(fake: FakeUpstream, fake_client: FlaskClient) -> Show:
    """The bubbles of these messages; ids and the answer are added."""

    def shown(*messages: Json, order: str = "asc") -> list[Bubble]:
        numbered = [{"id": f"{ID}-{at}"} | one for at, one in enumerate(messages)]
        fake.completions[ID] = Stored(stored(ID, choices=[]).completion, numbered)
        return Page.of(fake_client.get(HERE, query_string={"order": order})).bubbles

    return shown


@pytest.fixture
def answered(fake: FakeUpstream, fake_client: FlaskClient) -> Callable[..., Bubble]:
    """The bubble of an answer with these fields."""

    def shown(choice: Json | None = None, **fields: Any) -> Bubble:
        answer = {"index": 0, "message": {"role": "assistant"} | fields} | (choice or {})
        fake.completions[ID] = stored(ID, choices=[answer])
        return Page.of(fake_client.get(HERE)).bubbles[-1]

    return shown


def pairs(node: LexborNode, selector: str) -> dict[str, str]:
    """A list of names and values below `node`."""
    found = node.css_first(selector)
    assert found is not None
    names = [readable(name) for name in found.css("dt")]
    return dict(zip(names, (readable(value) for value in found.css("dd")), strict=True))


def part(**fields: Any) -> Json:
    return {"role": "user", "content": [fields]}


# Text


def test_text_is_read_as_markdown_and_kept_as_it_was_written(show: Show) -> None:
    text = (
        "# Title\n\n*Some* **words**, `code` and a [link](https://a.example/x).\n\n- one\n- two\n"
    )
    (bubble,) = show({"role": "user", "content": text})
    assert bubble.sources == [text]
    rendered = bubble.parts.css_first(".rendered")
    assert rendered is not None
    assert [node.text() for node in rendered.css("h4, em, strong, code, li")] == [
        *("Title", "Some", "words", "code", "one", "two")
    ]
    (link,) = rendered.css("a")
    assert link.attributes["href"] == "https://a.example/x"


@pytest.mark.parametrize(
    "text",
    [
        "\n\nfirst lines are empty\n",
        "  indented\n\ttabbed  ",
        "a\r\nb\rc",
        "<b>&amp;</b> &lt;",
        "\x01\x1b[31m\x7f\u0085\u2028",
        "日本語 العربية 😀 e\u0301",
        "x" * 300_000,
        "[" * 5_000,
    ],
    ids=["lines", "space", "returns", "markup", "controls", "scripts", "long", "brackets"],
)
def test_the_source_of_a_text_is_exact(show: Show, text: str) -> None:
    (bubble,) = show({"role": "user", "content": text})
    assert bubble.sources == [text]


def test_a_text_beyond_the_budget_says_that_it_is_shown_plainly(show: Show) -> None:
    (bubble,) = show({"role": "user", "content": "*" * 5_000})
    assert "Shown as plain text" in bubble.text


@pytest.mark.parametrize("role", ["system", "developer", "user", "assistant", "tool", "function"])
def test_a_role_is_told_by_its_word(show: Show, role: str) -> None:
    (bubble,) = show({"role": role, "content": "x"})
    assert bubble.role == role
    assert readable(bubble.node.css_first(".role") or bubble.node) == role


@pytest.mark.parametrize(
    ("role", "shown"), [("critic", "critic"), (None, "no role"), (7, "no role")]
)
def test_an_unknown_role_is_shown_as_it_is(show: Show, role: Any, shown: str) -> None:
    (bubble,) = show({"role": role, "content": "x"})
    assert readable(bubble.node.css_first(".role") or bubble.node) == shown
    if role == 7:
        assert pairs(bubble.parts, ".also-sent") == {"role": "7"}


def test_a_name_stands_beside_the_role(show: Show) -> None:
    (bubble,) = show({"role": "user", "name": "Alice", "content": "x"})
    assert bubble.text.startswith("1 user Alice")


def test_parts_stand_in_their_order(show: Show) -> None:
    (bubble,) = show(
        {
            "role": "user",
            "content": "first  last",
            "content_parts": [
                {"type": "text", "text": "first", "image_url": None},
                {"type": "file", "file": {"file_id": "file-1"}},
                {"type": "text", "text": "last", "cache": {"ttl": 1.0}},
            ],
        }
    )
    assert bubble.sources == ["first", "last"]
    text = bubble.text
    assert text.index("first") < text.index("file-1") < text.index("last") < text.index("cache")
    assert '{"ttl":1.0}' in text


def test_content_that_says_more_than_its_parts_is_not_lost(show: Show) -> None:
    parts = [{"type": "text", "text": "a part"}]
    (bubble,) = show({"role": "user", "content": "another text", "content_parts": parts})
    assert bubble.sources == ["a part", "another text"]


def test_texts_among_parts_may_be_bare(show: Show) -> None:
    (bubble,) = show({"role": "user", "content": ["bare", {"type": "text", "text": "in a part"}]})
    assert bubble.sources == ["bare", "in a part"]


# Refusals, reasoning


def test_a_refusal_says_that_the_model_declined(answered: Callable[..., Bubble]) -> None:
    bubble = answered(content=None, refusal="I cannot help with that.")
    assert "The model declined" in bubble.text
    assert bubble.sources == ["I cannot help with that."]


def test_a_refusal_among_parts_is_one_too(show: Show) -> None:
    (bubble,) = show(part(type="refusal", refusal="No."))
    assert "The model declined" in bubble.text


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content"])
def test_reasoning_is_folded_in_front_of_the_answer(
    answered: Callable[..., Bubble], field: str
) -> None:
    bubble = answered(content="So it is 7.", **{field: "Let me **count**."})
    folded = bubble.parts.css_first("details.reasoning")
    assert folded is not None
    assert "open" not in folded.attributes
    assert "17 characters" in readable(folded.css_first("summary") or folded)
    assert bubble.sources == ["Let me **count**.", "So it is 7."]


def test_reasoning_among_parts_is_folded_too(show: Show) -> None:
    (bubble,) = show(part(type="thinking", thinking="Hm.", signature="s1"))
    assert bubble.sources == ["Hm."]
    assert pairs(bubble.parts, ".also-sent") == {"signature": "s1"}


# Calls and results


def call(number: int, name: str = "f", arguments: str = "{}", **fields: Any) -> Json:
    function = {"name": name, "arguments": arguments}
    return {"id": f"call_{number}", "type": "function", "function": function} | fields


def calling(*calls: Json, content: str | None = None) -> Json:
    return {"role": "assistant", "content": content, "tool_calls": list(calls)}


def result(number: int | None, content: str, **fields: Any) -> Json:
    named = {} if number is None else {"tool_call_id": f"call_{number}"}
    return {"role": "tool", "content": content} | named | fields


def test_results_stand_below_their_calls(show: Show) -> None:
    outer, first, second, last = show(
        calling(call(1, "look"), call(2, "touch"), content="I will see."),
        result(1, "seen"),
        result(2, "felt"),
        {"role": "user", "content": "Well?"},
    )
    assert outer.sources == ["I will see."]
    look, touch = outer.calls
    assert [one.css_first(".call-name").text() for one in (look, touch)] == ["look", "touch"]  # type: ignore[union-attr]
    assert "1.1 look call_1" in readable(look)
    assert [bubble.anchor for bubble in bubbles_in(look)] == ["m-2"]
    assert [bubble.anchor for bubble in bubbles_in(touch)] == ["m-3"]
    assert (first.sources, second.sources, last.sources) == (["seen"], ["felt"], ["Well?"])
    assert "inferred" not in outer.text


def bubbles_in(node: LexborNode) -> list[Bubble]:
    return [Bubble(found) for found in node.css("article.bubble")]


def test_a_result_further_on_and_its_call_name_each_other(show: Show) -> None:
    outer, _, late = show(
        calling(call(1, "look")), {"role": "user", "content": "Wait."}, result(1, "seen")
    )
    assert outer.link("message 3") == "#m-3"
    assert late.link("call 1.1 look") == "#m-1-call-1"
    assert bubbles_in(outer.calls[0]) == []


def test_results_without_a_call_id_are_paired_by_order_and_say_so(show: Show) -> None:
    outer, *_ = show(
        calling(call(1, "look"), call(2, "touch")), result(None, "seen"), result(None, "felt")
    )
    assert [bubble.sources for one in outer.calls for bubble in bubbles_in(one)] == [
        ["seen"],
        ["felt"],
    ]
    assert outer.text.count("inferred from the order") == 2


def test_backwards_calls_and_results_name_each_other(show: Show) -> None:
    late, outer = show(calling(call(1, "look")), result(1, "seen"), order="desc")
    assert late.link("call 1.1 look") == "#m-1-call-1"
    assert outer.link("message 2") == "#m-2"


def test_a_call_without_a_result_says_so(show: Show) -> None:
    outer, _ = show(calling(call(1)), {"role": "user", "content": "x"})
    assert "No message gives a result for this call." in outer.text


def test_a_call_at_the_end_of_a_page_may_still_get_its_result(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    messages = [{"id": f"{ID}-0"} | calling(call(1)), {"id": f"{ID}-1"} | result(1, "seen")]
    fake.completions[ID] = Stored(stored(ID).completion, messages)
    page = Page.of(fake_client.get(f"{HERE}?limit=1"))
    assert "No result on this page; it may follow." in page.bubbles[0].text


def test_a_call_in_the_answer_ends_the_completion(answered: Callable[..., Bubble]) -> None:
    bubble = answered({"finish_reason": "tool_calls"}, content=None, tool_calls=[call(1)])
    assert "The completion ends with this call" in bubble.text


def test_a_result_of_a_call_nobody_made_says_so(show: Show) -> None:
    with_id, without = show(result(7, "seen"), result(None, "felt"))
    assert "result of call call_7 , which no message on this page makes" in with_id.text
    assert "the server does not say of which call" in without.text


def test_calls_with_the_same_id_get_a_result_each(show: Show) -> None:
    outer, *_ = show(calling(call(1, "a"), call(1, "b")), result(1, "one"), result(1, "two"))
    assert [bubble.sources for one in outer.calls for bubble in bubbles_in(one)] == [
        ["one"],
        ["two"],
    ]


def test_a_custom_call_shows_its_input_as_it_is(show: Show) -> None:
    custom = {"id": "c", "type": "custom", "custom": {"name": "sql", "input": "SELECT *\n  1;"}}
    (outer,) = show(calling(custom))
    (one,) = outer.calls
    assert one.css_first("pre.arguments").text() == "SELECT *\n  1;"  # type: ignore[union-attr]
    assert "custom" in readable(one)
    assert "not JSON" not in readable(one)


def test_a_function_call_of_old_is_a_call(show: Show) -> None:
    outer, given = show(
        {"role": "assistant", "function_call": {"name": "look", "arguments": '{"at":"1.0"}'}},
        {"role": "function", "name": "look", "content": "seen"},
    )
    (one,) = outer.calls
    assert "1.1 look function_call" in readable(one)
    assert pairs(one, ".arguments") == {"at": '"1.0"'}
    assert [bubble.anchor for bubble in bubbles_in(one)] == [given.anchor]


def test_small_arguments_are_a_table_with_values_as_written(show: Show) -> None:
    arguments = '{"n":1.0,"big":-8132613597486110237,"s":"é\\u00e9","n":1e5,"none":null}'
    (outer,) = show(calling(call(1, arguments=arguments)))
    found = outer.calls[0].css_first(".arguments")
    assert found is not None
    assert [readable(node) for node in found.css("dt")] == ["n", "big", "s", "n", "none"]
    assert [readable(node) for node in found.css("dd")] == [
        *("1.0", "-8132613597486110237", '"é\\u00e9"', "1e5", "null")
    ]


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        ('{"a":{"b":[1.0,2]}}', '{\n  "a": {\n    "b": [\n      1.0,\n      2\n    ]\n  }\n}'),
        ("[]", "[]"),
        ("{}", "{}"),
        ('"text"', '"text"'),
        ("1.0", "1.0"),
    ],
)
def test_other_arguments_are_indented_and_nothing_else(
    show: Show, arguments: str, shown: str
) -> None:
    (outer,) = show(calling(call(1, arguments=arguments)))
    pre = outer.calls[0].css_first("pre.arguments")
    assert pre is not None
    assert pre.text() == shown
    assert "not JSON" not in outer.text


@pytest.mark.parametrize("arguments", ['{"city": "Par', "get it", "{'a': 1}", "\n{]", "{} x", " "])
def test_arguments_that_are_not_json_are_verbatim_and_flagged(show: Show, arguments: str) -> None:
    (outer,) = show(calling(call(1, arguments=arguments)))
    pre = outer.calls[0].css_first("pre.arguments")
    assert pre is not None
    assert pre.text() == arguments
    assert "These arguments are not JSON" in outer.text


@pytest.mark.parametrize(
    ("function", "words"),
    [
        ({"name": "f"}, "No arguments."),
        ({"name": "f", "arguments": ""}, "The arguments are an empty text."),
        ({"name": None, "arguments": "{}"}, "no name"),
        ({"name": "f", "arguments": {"a": 1.0}}, "a 1.0"),
    ],
)
def test_a_call_that_lacks_something_says_so(show: Show, function: Json, words: str) -> None:
    (outer,) = show(calling(call(1, function=function)))
    assert words in readable(outer.calls[0])


def test_what_else_a_call_carries_is_shown(show: Show) -> None:
    (outer,) = show(calling(call(1, index=3, extra={"a": 1.0})))
    assert pairs(outer.calls[0], ".also-sent") == {"index": "3", "extra": '{"a":1.0}'}


@pytest.mark.parametrize("calls", [[{"type": "mcp", "mcp": {"x": 1.0}}], ["odd"], "odd", {"a": 1}])
def test_calls_of_unknown_form_are_shown_as_json(show: Show, calls: Any) -> None:
    (outer,) = show({"role": "assistant", "tool_calls": calls})
    expected = json.dumps(calls[0] if isinstance(calls, list) else calls)
    assert expected.replace(" ", "") in "".join(readable(outer.parts).split())


def test_a_result_in_json_is_indented_and_kept(show: Show) -> None:
    written = '{"temp":21.0,"unit":"c"}'
    _, given = show(calling(call(1)), result(1, written))
    assert given.sources == [written]
    rendered = given.parts.css_first("pre.rendered")
    assert rendered is not None
    assert rendered.text() == '{\n  "temp": 21.0,\n  "unit": "c"\n}'


def test_a_result_is_no_markdown(show: Show) -> None:
    (given,) = show(result(1, "# not a *title*"))
    assert given.sources == ["# not a *title*"]
    assert given.parts.css("h4, em") == []


# Nothing to show


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ({"role": "assistant", "content": None}, "tool calls of earlier turns"),
        ({"role": "user", "content": ""}, "the message is empty"),
        ({"role": "user", "content": []}, "the message is empty"),
        ({"role": "user"}, "the message is empty"),
        ({"role": "tool", "content": "", "tool_call_id": "c"}, "gave back an empty text"),
        ({}, "the message is empty"),
    ],
)
def test_an_empty_message_says_something(show: Show, message: Json, words: str) -> None:
    (bubble,) = show(message)
    assert words in readable(bubble.parts)


@pytest.mark.parametrize("choice", [{"message": None}, {}, {"delta": {"content": "x"}}])
def test_a_choice_without_a_message_is_shown_with_what_it_has(
    fake: FakeUpstream, fake_client: FlaskClient, choice: Json
) -> None:
    fake.completions[ID] = stored(ID, choices=[{"index": 0, "finish_reason": "x-end"} | choice])
    bubble = Page.of(fake_client.get(HERE)).bubbles[-1]
    assert "x-end" in bubble.text
    assert readable(bubble.parts)


# What nobody knows


@pytest.mark.parametrize(
    "unknown",
    [
        {"type": "video_url", "video_url": {"url": "https://a.example/v.mp4"}},
        {"type": "text", "text": {"value": 1.0}},
        {"type": "image_url", "image_url": 7},
        {"type": "input_audio"},
        {"type": "file", "file": "id"},
        {"no": "type"},
        7,
        None,
        ["list"],
    ],
)
def test_an_unknown_part_is_shown_as_json(show: Show, unknown: Any) -> None:
    (bubble,) = show({"role": "user", "content": [{"type": "text", "text": "seen"}, unknown]})
    assert bubble.sources == ["seen"]
    shown = bubble.parts.css_first(".unknown pre")
    assert shown is not None
    assert "".join(shown.text().split()) == json.dumps(unknown, separators=(",", ":"))


def test_unknown_fields_are_listed_but_not_those_that_are_null(show: Show) -> None:
    (bubble,) = show(
        {"role": "user", "content": "x", "weight": 1.0, "padding": "aB", "gone": None}
        | {"nested": {"a": [True, {"long": "x" * 100}]}, "name": ["not", "text"]}
    )
    assert pairs(bubble.parts, ".also-sent").keys() == {"weight", "padding", "nested", "name"}
    assert "x" * 100 in bubble.text
    assert '["not","text"]' in bubble.text


@pytest.mark.parametrize("message", [7, "text", None, [1.0], True])
def test_a_message_that_is_no_object_is_still_shown(
    fake: FakeUpstream, fake_client: FlaskClient, message: Any
) -> None:
    fake.completions[ID] = stored(ID)
    fake.page = lambda page: page | {"data": [message], "has_more": False}
    bubble = Page.of(fake_client.get(HERE)).bubbles[0]
    assert "no role" in bubble.text
    shown = bubble.parts.css_first(".unknown pre")
    assert shown is not None
    assert "".join(shown.text().split()) == json.dumps(message)


def test_fields_of_a_choice_are_shown_beside_its_message(answered: Callable[..., Bubble]) -> None:
    bubble = answered({"logprobs": {"content": []}, "score": 0.50}, content="x")
    assert pairs(bubble.parts, ".also-sent") == {"logprobs": '{"content":[]}', "score": "0.5"}


def test_members_that_stand_twice_are_both_shown(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fake.completions[ID] = stored(ID)
    message = f'{{"id":"{ID}-0","role":"user","content":"first","content":"last","x":1,"x":2.0}}'
    fake.script(MESSAGES, Reply(200, f'{{"data":[{message}],"has_more":false}}'))
    bubble = Page.of(fake_client.get(HERE)).bubbles[0]
    assert bubble.sources == ["last"]
    found = bubble.parts.css_first(".also-sent")
    assert found is not None
    assert [readable(node) for node in found.css("dt")] == ["content", "x", "x"]
    assert [readable(node) for node in found.css("dd")] == ["first", "1", "2.0"]


def test_the_raw_json_keeps_every_lexeme_order_and_duplicate(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    lines = [
        f'"id": "{ID}-0"',
        '"z": 1.0',
        '"content": "\\u00e9\\/\\ud83d\\ude00"',
        '"seed": -8132613597486110237',
        '"z": 1E+2',
        '"a": NaN',
        '"e": []',
    ]
    page = Reply(200, f'{{"data":[{{{",".join(lines)}}}],"has_more":false}}')
    fake.completions[ID] = stored(ID)
    fake.script(MESSAGES, Reply(200, {"data": []}), page)
    text = Page.of(fake_client.get(f"{HERE}/messages/{ID}-0/raw")).one("pre.json").text()
    assert text.split("\n") == ["{", *(f"  {line}," for line in lines[:-1]), f"  {lines[-1]}", "}"]


# Citations


def cited(url: str, title: str | None, start: int, end: int) -> Json:
    place = {"start_index": start, "end_index": end}
    return {"type": "url_citation", "url_citation": {"url": url, "title": title} | place}


def test_citations_are_marked_in_the_text_and_listed(answered: Callable[..., Bubble]) -> None:
    bubble = answered(
        content="It is 21 °C in Paris.",
        annotations=[
            cited("https://weather.example/paris", "Weather in Paris", 6, 11),
            cited("https://b.example/", None, 0, 0),
        ],
    )
    marks = bubble.parts.css("sup.citation a")
    assert [mark.text() for mark in marks] == ["1"]
    first, second = bubble.parts.css(".sources li")
    assert marks[0].attributes["href"] == f"#{first.attributes['id']}"
    links = [node.css_first("a") for node in (first, second)]
    assert [link.attributes["href"] for link in links if link] == [
        "https://weather.example/paris",
        "https://b.example/",
    ]
    assert readable(first) == "Weather in Paris weather.example"
    assert "https://b.example/" in readable(second)
    assert bubble.sources == ["It is 21 °C in Paris."]


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "/logout", "//x", "https://localhost/x", ""]
)
def test_a_source_that_must_not_be_linked_is_named(
    answered: Callable[..., Bubble], url: str
) -> None:
    bubble = answered(content="x", annotations=[cited(url, "Title", 0, 1)])
    (source,) = bubble.parts.css(".sources li")
    assert source.css("a") == []
    assert readable(source) == f"Title {url}".strip()


@pytest.mark.parametrize(
    "annotation",
    [{"type": "file_citation", "file_citation": {"file_id": "f"}}, {"type": "file"}, "odd", 7],
)
def test_an_unknown_annotation_is_listed_as_json(
    answered: Callable[..., Bubble], annotation: Any
) -> None:
    bubble = answered(content="x", annotations=[annotation])
    (source,) = bubble.parts.css(".sources li pre")
    assert "".join(source.text().split()) == json.dumps(annotation, separators=(",", ":"))


# Media


def encoded(name: str) -> str:
    return base64.b64encode((MEDIA / name).read_bytes()).decode()


def image_part(url: str, **fields: Any) -> Json:
    return part(type="image_url", image_url={"url": url} | fields)


def media_files(*suffixes: str) -> list[Path]:
    return [file for file in sorted(MEDIA.iterdir()) if file.suffix in suffixes]


@pytest.mark.parametrize(
    "file", media_files(".png", ".gif", ".jpg", ".webp"), ids=lambda file: file.name
)
def test_an_inline_image_is_shown_from_an_address_of_ours(show: Show, file: Path) -> None:
    (bubble,) = show(image_part(f"data:image/png;base64,{encoded(file.name)}", detail="low"))
    (image,) = bubble.parts.css("img")
    source = image.attributes["src"] or ""
    assert source.startswith(f"{HERE}/media/")
    assert int(image.attributes["width"] or 0) > 0
    assert image.attributes["alt"]
    assert "detail low" in bubble.text


def test_a_remote_image_is_named_and_not_loaded(show: Show) -> None:
    url = "https://images.example/a.png?x=1"
    (bubble,) = show(image_part(url))
    assert bubble.parts.css("img") == []
    assert "not loaded" in bubble.text
    assert url in bubble.text
    assert bubble.link("images.example") == url


def test_a_bare_address_of_an_image_is_one_too(show: Show) -> None:
    (bubble,) = show(part(type="image_url", image_url="https://images.example/a.png"))
    assert bubble.link("images.example") == "https://images.example/a.png"


@pytest.mark.parametrize("url", ["ftp://a.example/x", "/etc/passwd", "file:///x", "javascript:x"])
def test_an_image_at_an_odd_address_is_not_linked(show: Show, url: str) -> None:
    (bubble,) = show(image_part(url))
    assert bubble.parts.css("img, a") == []
    assert url in bubble.text


@pytest.mark.parametrize("url", ["data:image/png;base64,!!!", "data:image/png;base64,iVBORw0KGgo"])
def test_an_image_that_does_not_decode_says_so(show: Show, url: str) -> None:
    (bubble,) = show(image_part(url))
    assert bubble.parts.css("img") == []
    assert "This image cannot be shown." in bubble.text


def test_an_image_that_is_a_document_is_a_download(show: Show) -> None:
    (bubble,) = show(image_part("data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg'/>"))
    assert bubble.parts.css("img") == []
    assert bubble.link("Download").startswith(f"{HERE}/media/")


def test_spoken_input_can_be_played(show: Show) -> None:
    name = media_files(".wav")[0].name
    audio = {"data": encoded(name), "format": "wav"}
    (bubble,) = show(part(type="input_audio", input_audio=audio))
    (player,) = bubble.parts.css("audio")
    assert (player.attributes["src"] or "").startswith(f"{HERE}/media/")
    assert "autoplay" not in player.attributes
    assert "sent as wav" in bubble.text


def test_sound_that_does_not_decode_says_so(show: Show) -> None:
    (bubble,) = show(part(type="input_audio", input_audio={"data": "%%%", "format": "mp3"}))
    assert bubble.parts.css("audio") == []
    assert "cannot be played" in bubble.text


def test_sound_without_data_says_so(show: Show) -> None:
    (bubble,) = show(part(type="input_audio", input_audio={"format": "mp3"}))
    assert "Sound without data (mp3)." in bubble.text


@pytest.mark.parametrize(
    ("expires_at", "words"), [(1_700_000_000, "expired"), (4_100_000_000, "expires")]
)
def test_a_spoken_answer_has_its_words_and_says_when_it_expires(
    answered: Callable[..., Bubble], expires_at: int, words: str
) -> None:
    name = media_files(".wav")[0].name
    audio = {"id": "audio_1", "data": encoded(name), "transcript": "Good *morning*."}
    bubble = answered(content=None, audio=audio | {"expires_at": expires_at})
    assert len(bubble.parts.css("audio")) == 1
    assert "Good *morning*." in bubble.text
    assert "audio_1" in bubble.text
    caption = readable(bubble.parts.css_first("figcaption") or bubble.node)
    assert words in caption.replace(",", "").split()


def test_a_spoken_answer_whose_sound_was_not_sent_keeps_its_words(
    answered: Callable[..., Bubble],
) -> None:
    bubble = answered(content=None, audio={"id": "audio_1", "transcript": "Good morning."})
    assert bubble.parts.css("audio") == []
    assert "sent no sound" in bubble.text
    assert "Good morning." in bubble.text


@pytest.mark.parametrize("expires_at", [10**400, -(10**400), 0, 253402300800])
def test_an_expiry_that_is_no_time_breaks_nothing(
    answered: Callable[..., Bubble], expires_at: int
) -> None:
    assert "Spoken answer" in answered(audio={"id": "a", "expires_at": expires_at}).text


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ({"file_id": "file-1"}, "File file-1"),
        ({"filename": "a <b>.pdf", "file_id": "file-1"}, "File a <b>.pdf file-1"),
        ({"filename": "a.pdf"}, "File a.pdf without contents"),
        ({"filename": "a.pdf", "file_data": "%%%"}, "not base64"),
    ],
)
def test_a_file_tells_its_name_and_what_is_missing(show: Show, file: Json, words: str) -> None:
    (bubble,) = show(part(type="file", file=file))
    assert words in bubble.text


def test_a_file_with_contents_is_a_download(show: Show) -> None:
    name = media_files(".pdf")[0].name
    data = f"data:application/pdf;base64,{encoded(name)}"
    (bubble,) = show(part(type="file", file={"filename": "a.pdf", "file_data": data}))
    assert "PDF," in bubble.text
    assert bubble.link("Download").startswith(f"{HERE}/media/")


# Its frame


def test_a_message_has_one_heading_and_its_tools(show: Show) -> None:
    (bubble,) = show({"role": "user", "content": "# Mine"})
    (heading,) = bubble.node.css("h1, h2, h3")
    assert heading.attributes["id"] == bubble.node.attributes["aria-labelledby"]
    assert bubble.link("link") == f"{HERE}/messages/{ID}-0"
    assert bubble.link("raw") == f"{HERE}/messages/{ID}-0/raw"
    assert [button.text() for button in bubble.node.css("button")] == ["copy"]
