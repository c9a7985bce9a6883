"""Small texts that other viewers show wrongly: each case beside the project, and its neighbours."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from flask.testing import FlaskClient
from selectolax.lexbor import LexborHTMLParser

from tests.support.pages import SOURCE, Bubble, Page, readable
from tools.paths import SHARED

CASES: Final = SHARED / "cases" / "2"
PNG: Final = (
    "iVBORw0KGgoAAAANSUhEUgAAACgAAAAeCAIAAADRv8uKAAAAK0lEQVR4nO3NMQ0AAAgDsCmZfynIQgYcTfo3056I"
    "WCwWi8VisVgsFov/xgvk2cL9h1Oh3gAAAABJRU5ErkJggg=="
)

Load = Callable[[Path], None]


def text_of(name: str, completion_id: str) -> str:
    """Return the answer of a case; skip the test if the case is absent."""
    answer = read_case(name, completion_id)["choices"][0]["message"]["content"]
    assert isinstance(answer, str)
    return answer


def read_case(name: str, completion_id: str) -> dict[str, Any]:
    path = CASES / f"{name}.jsonl"
    if not path.exists():
        pytest.skip(f"{path.name} is not in the shared folder beside the project")
    rows = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return next(row for row in rows if row["id"] == completion_id)


@pytest.fixture
def show(client: FlaskClient, load: Load, tmp_path: Path) -> Callable[..., Page]:
    """Return a function that shows a completion of these messages and answers."""

    def show_completion(messages: list[Any], *answers: Any, **members: Any) -> Page:
        choices = [{"index": at, "message": answer} for at, answer in enumerate(answers)]
        path = tmp_path / "one.jsonl"
        completion = {"id": "c1", "messages": messages, "choices": choices}
        path.write_text(json.dumps(completion | members))
        load(path)
        return Page.of(client.get("/completions/c1"))

    return show_completion


def rendered(page: Page) -> list[str]:
    """Return the HTML of each answer, without line breaks."""
    return [(node.html or "").replace("\n", "") for node in page.all(".output .parts > .rendered")]


def assert_rendered(show: Callable[..., Page], pairs: dict[str, str]) -> None:
    """Show every text as an answer, and find the HTML beside it in that answer."""
    page = show([], *({"role": "assistant", "content": text} for text in pairs))
    for html, (text, expected) in zip(rendered(page), pairs.items(), strict=True):
        assert expected in html, text


@pytest.mark.parametrize(
    "answer",
    [
        {"role": "assistant", "content": "<think>Hm.</think>\n\nIt is 4."},
        {"role": "assistant", "content": "Hm.\n</think>\n\nIt is 4."},
        {"role": "assistant", "content": "[THINK]Hm.[/THINK]It is 4."},
        # Some servers stream answers without a role.
        {"content": "<think>Hm.</think>\n\nIt is 4."},
    ],
)
def test_reasoning_between_tags_is_no_answer_in_lists_and_is_folded_in_files(
    client: FlaskClient, show: Callable[..., Page], answer: dict[str, str]
) -> None:
    page = show([{"role": "user", "content": "q"}], answer)

    assert len(page.all("details.reasoning")) == 1
    [row] = Page.of(client.get("/completions")).rows
    assert row.answer == "It is 4."
    file = LexborHTMLParser(client.get("/completions/c1/export.html").text)
    fold = file.css_first("details.reasoning")
    assert fold is not None
    assert readable(fold).endswith("Hm.")


def test_emphasis_ends_beside_punctuation_of_chinese_japanese_and_korean(
    show: Callable[..., Page],
) -> None:
    name = "02_cjk_emphasis"
    assert_rendered(
        show,
        {
            text_of(name, "f02-0"): "<strong>注意：</strong>正文",
            text_of(name, "f02-2"): "<strong>粗体（说明）</strong>后文",
            text_of(name, "f02-4"): "한국어<strong>[강조]</strong>한국어",
            "~~删除。~~后文": "<s>删除。</s>后文",
            "这是*「斜体」*的。": "这是<em>「斜体」</em>的。",
            "日本語**(強調)**日本語": "日本語<strong>(強調)</strong>日本語",
            "**`code`、**次": "<strong><code>code</code>、</strong>次",
            "2 ** 3 ** 4": "2 ** 3 ** 4",
        },
    )


def test_backslashes_that_escape_nothing_are_kept(show: Callable[..., Page]) -> None:
    name = "06_backslashes"
    assert_rendered(
        show,
        {
            text_of(name, "f06-0"): r"Open C:\Users\me\.ssh\_old\*.txt",
            text_of(name, "f06-2"): r"regex \d+\.\d+ and ¯\_(ツ)_/¯",
            r"\\server\share\_x": r"\\server\share\_x",
            r"^\[a-z\]+\.js$": r"^\[a-z\]+\.js$",
            r"D:\-drafts\#1": r"D:\-drafts\#1",
            r"\*not bold\*": "*not bold*",
        },
    )


def test_nested_lists_nest(show: Callable[..., Page]) -> None:
    ten = '<li>Ten<ul dir="auto"><li>child of ten</li></ul></li>'
    assert_rendered(
        show,
        {
            text_of("25_nested_lists", "f25-10"): ten,
            "10. Ten\n  - child of ten\n11. Eleven": ten,
            "1. Ten\n  - child of ten\n2. Two": ten,
            "99. Ten\n    * child of ten\n100. More": ten,
        },
    )


def test_a_fence_of_markdown_holds_its_fences(show: Callable[..., Page]) -> None:
    after = '</pre></div><p dir="auto">That is all.</p>'
    inner = "```md\n# A\n```sh\nls\n```\nB\n```\n\nThat is all."
    assert_rendered(
        show,
        {
            text_of("26_nested_fence", "f26"): after,
            inner: after,
            inner.replace("```sh", "```python"): after,
            "````md\n```sh\nls\n```\n````\n\nThat is all.": after,
            "~~~md\n```sh\nls\n```\n~~~\n\nThat is all.": after,
        },
    )


def test_prices_are_no_formulas(show: Callable[..., Page]) -> None:
    plain = [
        *text_of("29_postfix_dollars", "f29").split("\n\n"),
        "5$, 6$ and 7$",
        "US$5 or 4$ off",
        "from $1,000 to 2$",
    ]
    assert_rendered(show, {text: f' data-same="" hx-ignore="">{text}</p>' for text in plain})


def reasonings(bubble: Bubble) -> list[tuple[str, str]]:
    """Return the summary and the visible text of each fold of reasoning."""
    found = []
    for fold in bubble.node.css("details.reasoning"):
        summary = fold.css_first("summary")
        assert summary is not None
        said = readable(summary)
        found.append((said, readable(fold).removeprefix(said).strip()))
    return found


@pytest.mark.parametrize(
    ("tag", "text"),
    [
        ("</think>", None),
        ("<think>", "<think>First I add.\nThen I check."),
        ("[THINK]", "[THINK]First I add.\nThen I check.[/THINK]\n\nThe answer is 4."),
        ("</thinking>", "First I add.\nThen I check.\n</thinking>\nThe answer is 4."),
    ],
)
def test_half_a_tag_of_reasoning_folds_what_it_is_about(
    show: Callable[..., Page], tag: str, text: str | None
) -> None:
    text = text or text_of("07_think_half_tags", "f07-close")

    [answer] = show([], {"role": "assistant", "content": text}).bubbles

    [(summary, folded)] = reasonings(answer)
    assert tag in summary
    assert folded == "First I add. Then I check."
    assert answer.sources == [text]
    assert ("cut off" in summary) is ("4" not in text)


def test_an_answer_after_reasoning_keeps_the_places_of_its_sources(
    show: Callable[..., Page],
) -> None:
    text = "<think>\nLook it up[1].\n</think>\n\nIt is open[1], not closed[2]."
    at = text.index("open")
    cited = {"type": "url_citation", "url": "https://c.example/", "title": "C"}
    flat = {"annotations": [cited | {"start_index": at, "end_index": at + 4}]}
    answer = {"role": "assistant", "content": text}

    page = show([], answer | flat)

    [bubble] = page.bubbles
    assert len(reasonings(bubble)) == len(bubble.node.css(".citation-number")) == 1
    assert "c.example" in bubble.text


def test_sources_of_a_completion_are_marked_in_an_answer_after_reasoning(
    show: Callable[..., Page],
) -> None:
    text = "<think>\nLook it up[1].\n</think>\n\nIt is open[1], not closed[2]."
    urls = ["https://a.example/1", "https://b.example/2"]

    page = show([], {"role": "assistant", "content": text}, citations=urls)

    [bubble] = page.bubbles
    assert len(reasonings(bubble)) == 1
    assert [one.text() for one in bubble.node.css(".citation-marker")] == ["[1]", "[2]"]


def test_reasoning_in_every_field_is_shown_once(show: Callable[..., Page]) -> None:
    details, twice = (
        read_case("21_reasoning_forms", one)["choices"][0]["message"]
        for one in ("f21-details", "f21-twice")
    )
    said = {"role": "assistant", "content": "A"}
    thinking = {"type": "thinking", "thinking": "blocks", "signature": "s"}
    page = show(
        [],
        details,
        twice,
        said | {"thinking_blocks": [thinking]},
        said | {"reasoning_content": "plain"},
        said | {"content": [thinking, {"type": "text", "text": "A"}]},
    )

    folds = [reasonings(bubble) for bubble in page.bubbles]
    assert [one[0][1].partition(" same")[0].split()[0] for one in folds] == [
        "long",
        "same",
        "blocks",
        "plain",
        "blocks",
    ]
    assert "reasoning_details" in folds[0][0][0] and "gAAA" in page.bubbles[0].text
    assert "reasoning reasoning_content" in folds[1][0][0] and len(folds[1]) == 1
    assert all("A" in bubble.sources for bubble in page.bubbles)


@pytest.mark.parametrize(
    ("content", "tag"),
    [
        ("<think>\nsame  thought\n</think>\n\nA", "<think>"),
        ([{"type": "text", "text": "<thinking>same thought</thinking>A"}], "<thinking>"),
        ("same thought\n</think>\n\nA", "</think>"),
    ],
)
@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_reasoning_in_a_field_and_between_tags_is_shown_once(
    show: Callable[..., Page], content: object, tag: str, field: str
) -> None:
    said = {"role": "assistant", "content": content}
    page = show([], said | {field: "same thought"}, said | {field: "another thought"})

    once, twice = page.bubbles
    assert len(reasonings(once)) == 1 and len(reasonings(twice)) == 2
    assert [one.text() for one in once.node.css("summary .fold-name")] == [field, tag]
    text = content if isinstance(content, str) else content[0]["text"]  # type: ignore[index]
    assert text in once.sources
    assert readable(once.node.css(".rendered")[-1]) == "A"


@pytest.mark.parametrize("content", ["<think>same", "<think>same</think>\n"])
def test_reasoning_between_tags_without_an_answer_stays_in_its_text(
    show: Callable[..., Page], content: str
) -> None:
    page = show([], {"role": "assistant", "content": content, "reasoning": "same"})

    assert len(reasonings(page.bubbles[0])) == 2


def test_escapes_are_readable_in_every_structure_and_exact_in_the_source(
    show: Callable[..., Page],
) -> None:
    case = read_case("05_unicode_escapes", "f05")
    texts = ['["\\u00e9","\\u4e2d"]', '{"\\u30ad":{"a":"\\ud83d\\ude00"}}', '{"a":"\\ud83d"}']
    answers = [{"role": "assistant", "content": text} for text in texts]
    page = show(case["messages"], case["choices"][0]["message"], *answers)

    [call] = page.bubbles[1].calls
    shown = {readable(one) for one in call.css(".arguments.readable > div")}
    assert shown == {'q "中文"', 'city "café"', 'キ "😀"'}
    [exact] = call.css("pre.arguments.exact")
    assert exact.text().strip() == case["messages"][1]["tool_calls"][0]["function"]["arguments"]
    trees = [readable(one) for one in page.all(".structure")]
    assert trees[:2] == ['result "中文"', 'answer "中文"']
    assert '"é"' in trees[2] and '"中"' in trees[2]
    assert "キ" in trees[3] and '"😀"' in trees[3]
    assert r"\ud83d" in trees[4]
    for text, bubble in zip(texts, page.bubbles[-3:], strict=True):
        assert bubble.sources == [text]


@pytest.mark.parametrize(
    "text", [r'"\u4e2d\u6587"', r' "{\"q\": \"\\u4e2d\\u6587\"}"', r'["\u4e2d\u6587"]']
)
def test_a_string_as_arguments_result_or_answer_is_readable_and_exact(
    show: Callable[..., Page], text: str
) -> None:
    function = {"name": "f", "arguments": text}
    calls = [{"id": "c", "type": "function", "function": function}]
    page = show(
        [
            {"role": "assistant", "content": None, "tool_calls": calls},
            {"role": "tool", "tool_call_id": "c", "content": text},
        ],
        {"role": "assistant", "content": text},
    )

    [call] = page.bubbles[0].calls
    shown = [*call.css(".arguments.readable"), *page.all(".structure")]
    assert len(shown) == 3
    assert all("中文" in readable(one) and "u4e2d" not in readable(one) for one in shown)
    exact = [*call.css(".arguments.exact"), *page.all(SOURCE)]
    assert [one.text().strip() for one in exact] == [text.strip()] * 3


@pytest.mark.parametrize("text", ['"a \\u4e2d" and "b"', '"[a]","b"\n"1","2"', '"{name}"'])
def test_an_answer_that_only_begins_with_a_quote_is_no_string_of_json(
    show: Callable[..., Page], text: str
) -> None:
    page = show([], {"role": "assistant", "content": text})
    assert not page.all(".tree-string, .tree-text")


def test_json_that_is_not_understood_is_readable_and_exact_in_the_source(
    client: FlaskClient, show: Callable[..., Page]
) -> None:
    odd = {"type": "odd", "words": "中文"}
    message = {
        "role": "assistant",
        "content": [odd],
        "annotations": [odd],
        "more": {"a": odd, "b": odd},
    }
    tools = [{"type": "function", "function": {"name": "f", "description": "中文"}}]
    form = {"type": "json_schema", "json_schema": {"name": "中文", "schema": {"title": "中文"}}}
    page = show([], message, tools=tools, response_format=form)

    shown = [readable(one) for one in page.all("pre.json:not(.exact)")]
    assert len(shown) == 5
    assert all("中文" in one and r"\u" not in one for one in shown)
    assert r"\u4e2d\u6587" in client.get("/completions/c1/json").text


def test_calls_and_results_of_another_api_are_paired(show: Callable[..., Page]) -> None:
    case = read_case("18_anthropic_blocks", "f18")
    page = show(case["messages"], case["choices"][0]["message"])

    [call] = page.bubbles[1].calls
    assert "get_weather" in readable(call) and "sunny" in readable(call)
    assert [node.attributes["data-media"] for node in call.css("figure.media")] == ["image"]
    result = page.bubbles[2]
    assert (result.role, result.message_id) == ("user", "c1-2")


@pytest.mark.parametrize(
    "content",
    ["rain", [{"type": "text", "text": "rain"}], [{"type": "tool_reference", "x": "rain"}]],
)
def test_results_of_any_content_are_shown_with_their_call(
    show: Callable[..., Page], content: object
) -> None:
    used = {"type": "tool_use", "id": "t1", "name": "get_weather", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "t1", "content": content, "is_error": True}
    page = show(
        [{"role": "assistant", "content": [used]}, {"role": "user", "content": [result]}],
        {"role": "assistant", "content": "ok"},
    )

    [call] = page.bubbles[0].calls
    assert "rain" in readable(call)
    assert page.bubbles[1].role == "user"


def test_results_of_tools_that_the_server_ran_belong_to_the_calls_beside_them(
    show: Callable[..., Page],
) -> None:
    def ran(kind: str, at: int, content: object) -> list[Any]:
        call = {"type": kind, "id": f"s{at}", "name": f"tool_{at}", "input": {}}
        result_kind = f"{kind.partition('_')[0]}_tool_result"
        return [call, {"type": result_kind, "tool_use_id": f"s{at}", "content": content}]

    hits = [{"type": "web_search_result", "url": "https://a.example/", "title": "Berths"}]
    output = {"type": "code_execution_result", "stdout": "fair wind", "return_code": 0}
    answer = [
        *ran("server_tool_use", 1, hits),
        *ran("mcp_tool_use", 2, [{"type": "text", "text": "rain"}]),
        *ran("server_tool_use", 3, output),
    ]
    asked = [
        {"type": "tool_use", "id": "t1", "name": "stop", "input": {}},
        {"type": "tool_use", "id": "t2", "name": "go", "input": {}},
    ]
    empty = [
        {"type": "tool_result", "tool_use_id": "t1"},
        {"type": "tool_result", "tool_use_id": "t2", "content": None},
    ]
    page = show(
        [
            {"role": "assistant", "content": answer},
            {"role": "assistant", "content": asked},
            {"role": "user", "content": empty},
        ],
        {"role": "assistant", "content": "ok"},
    )

    calls = [readable(call) for call in page.bubbles[0].calls]
    assert ["Berths" in calls[0], "rain" in calls[1], "fair wind" in calls[2]] == [True] * 3
    assert "No message has the result" not in page.text
    assert all("Empty text." in readable(call) for call in page.all(".call")[-2:])
    assert "content part tool_result" not in page.text


def test_sound_images_and_videos_of_other_apis_are_shown(show: Callable[..., Page]) -> None:
    case = read_case("19_media_parts", "f19")
    further = [
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG.rstrip('=')}"}},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
        {"type": "image_url", "image_url": f"data:image/png;base64,{PNG}"},
        {"type": "image_url", "image_url": {"url": "https://pictures.example/a.png"}},
        {"type": "image", "image": PNG},
        {"type": "image", "data": PNG, "mimeType": "image/png"},
        {"type": "image_url", "image_url": {"url": PNG}},
        {"type": "audio", "data": "UklGRiQAAABXQVZF", "mimeType": "audio/wav"},
        {"type": "input_video", "input_video": {"data": "AAAAIGZ0eXBpc29tAAACAGlzb21pc28y"}},
        {"type": "video_url", "video_url": {"url": "data:video/webm;base64,GkXfo59ChoE"}},
        {"type": "input_file", "filename": "a.pdf", "file_data": "data:;base64,JVBERi0xLjQK"},
    ]
    page = show([*case["messages"], {"role": "user", "content": further}], {"content": "ok"})

    kinds = [
        [node.attributes["data-media"] for node in bubble.node.css("figure.media")]
        for bubble in page.bubbles
    ]
    assert kinds[0] == ["audio", "image", "file"]
    assert kinds[1][:3] == ["image"] * 3
    assert kinds[1][4:] == ["image"] * 3 + ["audio", "file", "file", "file"]
    assert "MPEG-4, 24 bytes" in page.bubbles[1].text
    assert "Matroska or WebM, 8 bytes" in page.bubbles[1].text
    assert "Declared as" not in page.bubbles[1].text and "declared as" not in page.bubbles[1].text
    assert "https://v.example/a.mp4" in page.bubbles[0].text
    assert "pictures.example" in page.bubbles[1].text


def test_the_elements_that_github_shows_are_shown(show: Callable[..., Page]) -> None:
    html = text_of("27_html_inline", "f27")
    page = show(
        [], {"role": "assistant", "content": html + "\n\n<script>x</script> <blink>y</blink>"}
    )
    [shown] = rendered(page)
    for element in (
        "<br",
        "<sub>2</sub>",
        "<sup>2</sup>",
        "<kbd>Ctrl</kbd>",
        "More</summary>",
    ):
        assert element in shown
    # Any other tag stays visible text.
    assert "&lt;script&gt;x" in shown and "&lt;blink&gt;y" in shown


def test_footnotes_and_alerts_are_shown_as_such(show: Callable[..., Page]) -> None:
    page = show([], {"role": "assistant", "content": text_of("28_footnotes_alerts", "f28")})
    [answer] = page.all(".output .parts > .rendered")
    text = " ".join(answer.text(separator=" ").split())
    assert "[^1]" not in text and "[!WARNING]" not in text
    assert "The note." in text and "Warning" in text and "Mind this." in text


def test_every_formula_of_the_case_is_set(client: FlaskClient, load: Load) -> None:
    path = CASES / "24_formulas.jsonl"
    if not path.exists():
        pytest.skip(f"{path.name} is not in the shared folder beside the project")
    load(path)
    ids = [json.loads(line)["id"] for line in path.read_text(encoding="utf-8").splitlines()]
    for completion_id in ids:
        page = Page.of(client.get(f"/completions/{completion_id}"))
        assert page.all(".output math"), completion_id
        assert not page.all(".output .formula-source"), completion_id


def test_sources_of_every_form_are_listed_and_lead_to_their_place(
    show: Callable[..., Page], client: FlaskClient, load: Load, tmp_path: Path
) -> None:
    path = tmp_path / "sources.jsonl"
    rows = [read_case("23_citations", name) for name in ("f23-perplexity", "f23-flat")]
    bare: dict[str, Any] = {"id": "bare", "messages": [], "citations": ["https://c.example/"]}
    azure = {"citations": [{"title": "D", "url": "https://d.example/", "content": "x"}]}
    no_address = {"url": None, "filepath": None, "chunk_id": "0"}
    titled = no_address | {"title": "Berths", "content": "Berth 7\nis <b>free</b>."}
    untitled = no_address | {"title": None, "content": "Berth 8 is taken."}
    nested = {"type": "url_citation", "url_citation": {"url": "https://e.example/", "title": "E"}}
    own = bare | {"id": "own", "citations": None}
    own["choices"] = [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": "Yes[1].",
                "citations": ["https://f.example/"],
            },
        }
    ]
    rows += [
        own,
        bare | {"choices": [{"index": 0, "message": {"content": "Yes[1]."}}]},
        {
            "id": "azure",
            "messages": [],
            "choices": [{"index": 0, "message": {"content": "Yes [doc1].", "context": azure}}],
        },
        {
            "id": "without-address",
            "messages": [],
            "choices": [
                {
                    "index": 0,
                    "message": {
                        "content": "Yes [doc1], no [doc2].",
                        "context": {"citations": [titled, untitled]},
                    },
                }
            ],
        },
        {
            "id": "nested",
            "messages": [],
            "choices": [{"index": 0, "message": {"content": "Yes.", "annotations": [nested]}}],
        },
    ]
    path.write_text("\n".join(map(json.dumps, rows)))
    load(path)
    hosts = {
        row["id"]: [
            node.text()
            for node in Page.of(client.get(f"/completions/{row['id']}")).all(".source-host")
        ]
        for row in rows
    }
    assert hosts == {
        "f23-perplexity": ["a.example", "b.example"],
        "f23-flat": ["a.example"],
        "own": ["f.example"],
        "bare": ["c.example"],
        "azure": ["d.example"],
        "without-address": [],
        "nested": ["e.example"],
    }
    page = Page.of(client.get("/completions/without-address"))
    assert [one.text() for one in page.all(".sources .source-title")] == ["Berths", "untitled"]
    assert not page.all(".sources .source-title[href]") and not page.all(".source-address")
    listed = page.one(".sources").text()
    assert "is <b>free</b>." in listed and "Berth 8 is taken." in listed
    assert len(page.all(".sources a.place")) == 2
    assert not page.all(".exact-json")
    for form in ("md", "html"):
        shown = client.get(f"/completions/without-address/export.{form}").text
        assert "Berths" in shown and "Berth 8 is taken" in shown
    links = Page.of(client.get("/completions/f23-perplexity")).all(".citation-marker")
    assert [link.text() for link in links] == ["[1]", "[2]"]
