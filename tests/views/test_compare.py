"""The comparison of two completions: what differs first, where, and how much is the same."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient

from tests.analysis.checks.cases import ask, call, complete, result
from tests.support.fake_upstream import FakeUpstream, stored
from tests.support.media_bytes import WAVE, png
from tests.support.pages import Page, readable
from webapp import create_app
from webapp.config import Config

A, B = "chatcmpl-a", "chatcmpl-b"
QUESTIONS: list[dict[str, Any]] = [
    {"role": "user" if number % 2 == 0 else "assistant", "content": f"Line {number}, as it was."}
    for number in range(120)
]


def two(**changes: Any) -> list[dict[str, Any]]:
    """Two completions of one long input; `changes` are members of the second."""
    first = complete(QUESTIONS, answer={"content": "The ferry leaves at nine from pier two."})
    return [first | {"id": A, "created": 1}, first | {"id": B, "created": 2} | changes]


@pytest.fixture
def put(
    client: FlaskClient, load: Callable[[Path], None], tmp_path: Path
) -> Callable[[list[dict[str, Any]]], FlaskClient]:
    def load_documents(documents: list[dict[str, Any]]) -> FlaskClient:
        path = tmp_path / "pair.jsonl"
        path.write_text("".join(f"{json.dumps(one)}\n" for one in documents), encoding="utf-8")
        load(path)
        return client

    return load_documents


Put = Callable[[list[dict[str, Any]]], FlaskClient]


def compare(client: FlaskClient, status: int = 200, **query: Any) -> Page:
    asked = {"a": A, "b": B} | query
    return Page.of(client.get(f"/compare?{urlencode(asked, doseq=True)}"), status)


def sections(page: Page) -> list[str]:
    """The folds, and the places of the differences with their states."""
    lines = []
    for node in page.one(".compared").iter():
        head = node.css_first("h2")
        lines.append(readable(node if head is None else head))
    return lines


def edits(page: Page, selector: str) -> list[tuple[str, str]]:
    return [(node.tag or "", node.text()) for node in page.all(f"{selector} del, {selector} ins")]


def test_the_first_difference_is_said_first_and_the_rest_is_folded(put: Put) -> None:
    changed = [*QUESTIONS]
    changed[99] = changed[99] | {"content": "Line 99, as it is."}
    del changed[110]
    answer = {"content": "The ferry leaves at ten from pier two."}
    page = compare(put([*two()[:1], complete(changed, answer=answer) | {"id": B}]))

    assert readable(page.one(".headline")).startswith(
        "99 messages unchanged, then: message 100 differs."
    )
    assert readable(page.one(".totals")) == "118 messages unchanged · 2 changed · 1 only in A"
    assert sections(page) == [
        "99 messages unchanged",
        "A: message 100 B: message 100 assistant changed",
        "10 messages unchanged",
        "A: message 111 user only in A",
        "9 messages unchanged",
        "A: the answer B: the answer assistant changed",
    ]
    assert edits(page, "#d-1") == [("del", "was"), ("ins", "is")]
    assert edits(page, "#d-2") == [("del", "Line 110, as it was.")]
    assert edits(page, "#d-3") == [("del", "nine"), ("ins", "ten")]
    for link in page.all(".compared h2 a"):
        address, _, anchor = (link.attributes["href"] or "").partition("#")
        target = Page.of(put([]).get(address))
        assert target.tree.css_first(f"#{anchor}") is not None


def test_swapping_turns_additions_into_removals(put: Put) -> None:
    client = put(two(choices=[]))
    page = compare(client)
    swapped = Page.of(client.get(page.link("Swap") or ""))

    assert sections(page)[-1].startswith("A: the answer")
    assert sections(page)[-1].endswith("only in A")
    assert sections(swapped)[-1].endswith("only in B")
    assert [edits(one, "#d-1")[0][0] for one in (page, swapped)] == ["del", "ins"]


def test_settings_come_before_messages_in_the_order_in_which_they_explain(put: Put) -> None:
    tool = {"type": "function", "function": {"name": "find", "parameters": {"type": "object"}}}
    page = compare(
        put(two(tools=[tool], temperature=0.2, metadata={"run": "2"}, usage={"total_tokens": 3}))
    )
    groups = [readable(node) for node in page.all(".settings-differ h2")]

    assert groups == ["Settings", "Tools", "Metadata", "Usage"]
    assert page.html.index("settings-differ") < page.html.index('class="compared"')
    assert readable(page.one(".headline")) == (
        "121 messages unchanged; what differs: settings, tools, metadata, usage."
    )
    assert ("ins", "0.2") in edits(page, ".settings-differ")


def data_uri(data: bytes, declared: str = "image/png") -> str:
    return f"data:{declared};base64,{base64.b64encode(data).decode()}"


def test_each_text_is_read_in_the_direction_of_its_letters(put: Put) -> None:
    """A browser goes by the first letter: one of an Arabic text turned the English one around."""
    texts = ("GitHub: اشرح لي ما هو هذا الموقع", "Explain GitHub, please.", "اشرح لي ما هو GitHub")
    ids = (A, B, "chatcmpl-c")
    client = put(
        [
            complete([{"role": "user", "content": text}]) | {"id": one}
            for one, text in zip(ids, texts, strict=True)
        ]
    )
    blocks = compare(client).all("#d-1 .changed-text")
    alike = compare(client, b="chatcmpl-c").all("#d-1 .changed-text")
    english = compare(client, a=B, b=B, b_choice=0)

    assert [block.attributes["dir"] for block in blocks] == ["rtl", "auto"]
    assert [block.text() for block in blocks] == [*texts[:2]]
    assert [block.attributes["dir"] for block in alike] == ["rtl"]
    assert not english.all(".changed-text")


def test_media_are_shown_or_described_and_not_written_out(put: Put) -> None:
    """Pictures are thumbnails, all media have their format, size and digest."""
    red, blue = (png(40, 30) + bytes([shade]) * 3000 for shade in (1, 2))
    sounds = [base64.b64encode(WAVE + bytes(size)).decode() for size in (400, 4000)]
    documents = []
    for one, picture, sound in ((A, red, sounds[0]), (B, blue, sounds[1])):
        parts = [
            {"type": "text", "text": f"Seen: ![it]({data_uri(picture)}) by {one}"},
            {"type": "image_url", "image_url": {"url": data_uri(picture)}},
            {"type": "input_audio", "input_audio": {"data": sound, "format": "wav"}},
            {"type": "file", "file": {"file_data": data_uri(picture, "application/x-own")}},
        ]
        asked = ask(call(json.dumps({"image": data_uri(picture), "n": 1})))
        documents.append(complete([{"role": "user", "content": parts}, asked, result()]))
        documents[-1]["id"] = one
    documents[1]["messages"].append(
        {"role": "user", "content": documents[0]["messages"][0]["content"]}
    )
    client = put(documents)
    page = compare(client)
    said = [readable(node) for node in page.all("#d-1 .compared-media")]
    pictures = [node.attributes["src"] or "" for node in page.all("#d-1 img")]

    assert "base64" not in page.text.replace("base64-", "")
    digests = [hashlib.sha256(one).hexdigest()[:12] for one in (red, blue)]
    assert said[:2] == [f"PNG, 40 × 30 pixels, 3 kB, SHA-256 {one}…" for one in digests]
    assert [one.split(",")[0] for one in said] == ["PNG"] * 4 + ["WAV"] * 2 + ["PNG"] * 2
    assert edits(page, "#d-1")[2:4] == [("del", "a"), ("ins", "b")]
    assert [client.get(one).data for one in pictures[:2]] == [red, blue]
    assert len(page.all("#d-2 img")) == 2
    assert len(page.all("#d-3 img")) == 3


def test_long_groups_of_settings_are_a_line_each(put: Put) -> None:
    """The first message that differs is on the first screen, however many tools differ."""

    def tool(name: str, *members: str) -> dict[str, Any]:
        properties = {one: {"type": "string", "description": f"The {one}."} for one in members}
        shape = {"type": "object", "properties": properties}
        return {"type": "function", "function": {"name": name, "parameters": shape}}

    documents = two(tools=[tool("find", "x", "y"), tool("keep"), tool("book", "seat")], seed=7)
    documents[0]["tools"] = [tool("gone"), tool("find", "x", "z"), tool("keep")]
    page = compare(put(documents))
    groups = page.all(".settings-group")

    assert [group.tag for group in groups] == ["div", "details"]
    assert readable(groups[0]) == "Settings seed only in B 7"
    assert readable(groups[1].css("summary")[0]) == (
        "Tools 1 only in A: gone · 1 only in B: book · 1 changed: find"
    )
    assert [readable(node) for node in groups[1].css(".change-place")] == [
        "tools[0] only in A",
        "tools[1].function.parameters.properties.z only in A",
        "tools[0].function.parameters.properties.y only in B",
        "tools[2] only in B",
    ]
    assert "open" not in groups[1].attributes


def test_arguments_differ_by_their_keys(put: Put) -> None:
    inputs = [QUESTIONS[0]]
    documents = [
        complete([*inputs, ask(call(json.dumps(arguments))), result("ok")]) | {"id": one}
        for one, arguments in ((A, {"place": "Bergen", "seats": 2}), (B, {"place": "Oslo"}))
    ]
    page = compare(put(documents))

    assert [readable(node) for node in page.all("#d-1 .change-place")] == [
        "tool_calls[0].function.arguments › seats only in A",
        "tool_calls[0].function.arguments › place changed",
    ]
    assert edits(page, "#d-1") == [("del", "2"), ("del", "Bergen"), ("ins", "Oslo")]


def test_ids_of_calls_and_form_count_only_if_wanted(put: Put) -> None:
    documents = []
    for one in (A, B):
        asked = ask(call("{}", id=f"call_{one}"))
        documents.append(
            complete([QUESTIONS[0], asked, result("ok", id=f"call_{one}")]) | {"id": one}
        )
    client = put(documents)
    page, exact = compare(client), compare(client, exact=1)

    assert "4 messages unchanged (2 apart from ids" in readable(page.one(".totals"))
    assert page.link("Compare ids and JSON formatting too") == f"/compare?a={A}&b={B}&exact=1"
    assert readable(exact.one(".totals")) == "2 messages unchanged · 2 changed"
    assert edits(exact, "#d-1") == [("del", "a"), ("ins", "b")]


def test_two_choices_of_one_completion(put: Put) -> None:
    choices = [
        {"index": at, "message": {"role": "assistant", "content": text}, "finish_reason": reason}
        for at, (text, reason) in enumerate((("Bergen it is.", "stop"), ("Bergen it", "length")))
    ]
    client = put([two(choices=choices)[1]])
    page = compare(client, a=B, b_choice=1)

    assert sections(page)[0] == "120 messages unchanged"
    assert len(page.all(".compared-row")) == 1
    assert [readable(node) for node in page.all(".settings-differ h2")] == ["Answer"]
    assert [readable(node) for node in page.all("[aria-current]")] == ["choice 1", "choice 2"]
    assert "no choice 3" in compare(client, 404, b_choice=2, a=B).text


def test_many_differences_come_in_pages(put: Put) -> None:
    others = [one | {"content": f"{one['content']} Or not."} for one in QUESTIONS]
    client = put([two()[0], complete(others, answer=two()[0]["choices"][0]["message"]) | {"id": B}])
    page = compare(client)
    last = Page.of(client.get(page.one("#d-20 .row-links a:last-child").attributes["href"] or ""))

    assert len(page.all(".compared-row")) == 20
    assert page.one("[rel=next]").attributes["href"] == f"/compare?a={A}&b={B}&start=20#d-21"
    assert last.all(".compared-row")[0].attributes["id"] == "d-21"
    assert not compare(client, start=100).all("[rel=next]")


def test_completions_are_chosen_in_the_list_by_pasting_or_as_neighbors(put: Put) -> None:
    client = put(two())
    page = Page.of(client.get("/completions"))
    boxes = page.all("input[name=pick]")
    form = page.one(f"form#{boxes[0].attributes['form']}")

    assert [box.attributes["value"] for box in boxes] == [B, A]
    assert form.css("button")[0].attributes["formaction"] == "/compare"
    picked = client.get(f"/compare?pick={B}&pick={A}")
    assert (picked.status_code, picked.location) == (303, f"/compare?a={A}&b={B}")
    assert client.get(f"/compare?pick={B}").location == f"/compare?a={B}"
    assert client.get(f"/compare?pick={A}&pick={B}&pick=c").status_code == 400
    transcript = Page.of(client.get(f"/completions/{B}"))
    chosen = Page.of(client.get(transcript.link("Compare with …") or ""))
    assert client.get(chosen.link("older") or "").location == f"/compare?a={A}&b={B}"
    assert client.get(chosen.link("newer") or "").status_code == 404
    pasted = {"a": B, "b": f"curl https://api.test/v1/chat/completions/{A} -H 'x: y'"}
    assert client.post("/compare", data=pasted).location == f"/compare?a={B}&b={A}"
    assert client.post("/compare", data={"a": B, "b": "?"}).status_code == 400


@pytest.mark.parametrize(
    "query", ["a=%20&b=x", f"a={A}&b={A}&a_choice=x", f"a={A}&b={A}&start=-1", f"a={A}&with=up"]
)
def test_what_cannot_be_compared_is_a_clear_error(put: Put, query: str) -> None:
    assert put(two()).get(f"/compare?{query}").status_code in (400, 404)


def test_a_preference_pair_has_the_input_and_both_answers(put: Put) -> None:
    tool = {"type": "function", "function": {"name": "find"}}
    documents = two(choices=[{"index": 0, "message": {"role": "assistant", "content": "At 1e2."}}])
    for one in documents:
        one["tools"] = [tool]
    client = put(documents)
    page = compare(client)
    answer = client.get(page.link("B is preferred") or "")
    line = json.loads(answer.text)

    assert answer.text.count("\n") == 1
    assert line["input"]["tools"] == [tool]
    assert line["input"]["messages"] == QUESTIONS
    assert line["preferred_output"] == [{"role": "assistant", "content": "At 1e2."}]
    assert line["non_preferred_output"][0]["content"].startswith("The ferry leaves")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    other = complete(QUESTIONS[:3], answer={"content": "x"}) | {"id": "chatcmpl-c"}
    apart = compare(put([other]), b="chatcmpl-c")
    assert apart.link("A is preferred") is None
    assert (
        client.get(f"/compare/preference.jsonl?a={A}&b=chatcmpl-c&preferred=a").status_code == 409
    )
    assert client.get(f"/compare/preference.jsonl?a={A}&b={B}").status_code == 400


@pytest.mark.parametrize(
    ("question", "answer", "reason"),
    [
        ({"role": "user", "content": "Q"}, {"refusal": "No.", "content": None}, "neither text"),
        ({"role": "user", "content": "Q"}, {"content": "", "refusal": "No."}, "neither text"),
        ({"role": "user", "content": "Q"}, {"content": None, "tool_calls": []}, "neither text"),
        ({"role": "assistant", "content": None}, {"content": "x"}, "Message 1 has neither text"),
        ({"role": "robot", "content": "Q"}, {"content": "x"}, "no role"),
        ({"content": "Q"}, {"content": "x"}, "no role"),
        ("Q", {"content": "x"}, "no role"),
        ({"role": "user", "content": "Q"}, {"content": "y"}, "the same"),
    ],
)
def test_no_line_is_written_that_a_trainer_refuses(
    put: Put, question: Any, answer: Any, reason: str
) -> None:
    client = put(
        [
            complete([question], answer=one) | {"id": id}
            for id, one in ((A, answer), (B, {"content": "y"}))
        ]
    )
    for preferred in ("a", "b"):
        refused = client.get(f"/compare/preference.jsonl?a={A}&b={B}&preferred={preferred}")
        assert (refused.status_code, reason in refused.text) == (409, True)


def test_many_media_and_long_names_are_left_out(put: Put) -> None:
    pictures = " ".join(data_uri(png(40, 30) + bytes([shade]) * 400) for shade in range(150))
    messages = [*QUESTIONS, {"role": "user", "content": pictures}]
    tools = [{"type": "function", "function": {"name": "n" * 5_000, "parameters": {}}}] * 9
    page = compare(put(two(messages=messages, tools=tools)))

    assert len(page.all("#d-1 .compared-media")) == 100
    assert "more characters" in readable(page.one("#d-1 .left-out"))
    assert len(readable(page.one(".settings-group > summary"))) < 300


def test_markup_and_invisible_characters_are_text(put: Put) -> None:
    message = {"role": "assistant", "content": "<script>alert(1)</script>\u202e\ud800 \n"}
    page = compare(put(two(choices=[{"index": 0, "message": message}])))

    assert not page.all("#d-1 script")
    assert "<script>alert(1)</script>" in page.one("#d-1").text()


def test_only_what_was_read_is_compared(put: Put, config: Config) -> None:
    put(two(choices=[]))
    page = compare(create_app(replace(config, whole_requests=1)).test_client())

    assert page.text.count("Only the first 100 messages were read") == 2
    assert "only a part is compared" in readable(page.one("[role=status].notice"))
    assert readable(page.one(".headline")) == "All that was compared is the same: 100 messages."
    assert page.link("A is preferred") is None
    assert page.link("Read further") is None


def test_reading_goes_on_where_messages_are_kept(fake: FakeUpstream) -> None:
    for one in (A, B):
        fake.completions[one] = stored(one, *map(str, range(150)))
    with fake.serve() as base_url:
        settings = Config(openai_base_url=base_url, openai_api_key="sk-t", whole_requests=1)
        client = create_app(settings).test_client()
        page = compare(client)
        further = Page.of(client.get(page.link("Read further") or ""))
        checked = Page.of(client.get(further.link("Read further") or ""))

    assert sections(page) == ["100 messages unchanged"]
    assert sections(further) == ["150 messages unchanged"]
    # A server may claim an end that is none, so it is asked once more.
    assert sections(checked) == ["151 messages unchanged"]
    assert checked.link("Read further") is None


def test_answers_that_the_server_lists_among_the_messages_are_answers(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    """Some servers repeat the answers after the input."""
    for one, text in ((A, "At nine."), (B, "At ten.")):
        document = stored(one, "When does it leave?")
        answer = document.completion["choices"][0]["message"] | {"content": text}
        document.completion["choices"][0]["message"] = answer
        document.messages.append(answer | {"id": f"{one}-1", "refusal": None})
        fake.completions[one] = document
    page = compare(fake_client)

    assert sections(page)[0] == "1 message unchanged"
    assert sections(page)[1:] == ["A: the answer B: the answer assistant changed"]


@pytest.mark.parametrize("is_exact", ["", "1"])
def test_an_id_that_is_no_string_is_no_difference(
    fake: FakeUpstream, fake_client: FlaskClient, is_exact: str
) -> None:
    for one, message_id in ((A, f"{A}-0"), (B, [None])):
        document = stored(one, "When does it leave?")
        document.messages[0]["id"] = message_id
        fake.completions[one] = document

    assert sections(compare(fake_client, exact=is_exact)) == ["2 messages unchanged"]
