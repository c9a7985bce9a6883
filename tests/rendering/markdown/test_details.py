"""`<details>` as models write it, and the few inline tags; all other HTML stays visible text."""

from __future__ import annotations

import pytest
from selectolax.lexbor import LexborNode

from tests.support.html import all_text, assert_harmless, elements, parsed
from webapp.rendering import render_markdown


def shown(text: str) -> LexborNode:
    found = str(render_markdown(text).html)
    assert_harmless(found)
    return parsed(found)


@pytest.mark.parametrize(
    ("text", "summary", "inside"),
    [
        ("<details><summary>More</summary>\n\ntext\n\n</details>", "More", ["p"]),
        ("<details>\n<summary>More</summary>\ntext\n</details>", "More", ["p"]),
        ("<details>\n<summary>\nMore\n</summary>\n\n- a\n- b\n\n</details>", "More", ["ul"]),
        ("<details><summary>A `b`</summary>one **line**</details>", "A b", ["p"]),
        ("<DETAILS >\n<SUMMARY>S</SUMMARY>\n# Title\ntext</DETAILS>", "S", ["h3", "p"]),
        (
            "before\n<details>\n\n<summary>S</summary>\n\n|a|\n|-|\n\n</details>\nafter",
            "S",
            ["div"],
        ),
        ("<details><summary>S</summary>\n\n```\n</details>\n```\n\n</details>", "S", ["div"]),
        ("<details><summary>S</summary>\n\n```\nx\n``` \t\n</details>", "S", ["div"]),
        ("> <details>\n> <summary>\n> S</summary>\n>\n> q\n> </details>\n\nend", "S", ["p"]),
        ("- a\n  <details><summary>S</summary>\n\n  b\n  </details>\n- c", "S", ["p"]),
    ],
)
def test_details_hold_markdown_below_their_summary(
    text: str, summary: str, inside: list[str]
) -> None:
    root = shown(text)
    (details,) = root.css("details")
    first, *body = details.iter()

    assert (first.tag, first.text()) == ("summary", summary)
    assert [node.tag for node in body] == inside
    assert "open" not in details.attributes
    assert "summary>" not in root.text().lower()


def test_text_around_details_stays_outside() -> None:
    root = shown("before\n<details>\ninside\n</details>\nafter")

    assert [node.tag for node in root.iter()] == ["p", "details", "p"]
    assert root.css("details")[0].text().strip() == "inside"


@pytest.mark.parametrize("opening", ["<details open>", '<details open="">', "<DETAILS OPEN>"])
def test_details_may_be_open(opening: str) -> None:
    (details,) = shown(f"{opening}<summary>S</summary>\ntext\n</details>").css("details")

    assert "open" in details.attributes


def test_reasoning_of_open_webui_is_folded() -> None:
    opening = '<details type="reasoning" done="true" duration="3">'
    root = shown(f"{opening}\n<summary>Thought for 3 seconds</summary>\n> why\n</details>\nSo.")

    assert [node.text() for node in root.css("details > summary")] == ["Thought for 3 seconds"]
    (details,) = root.css("details")
    assert details.attributes == {} and details.css("blockquote")[0].text().strip() == "why"


@pytest.mark.parametrize("end", ["\n</details>\n</details>", "</details></details>"])
def test_details_nest(end: str) -> None:
    text = f"<details><summary>A</summary>\n<details><summary>B</summary>\nx{end}\n\nend"
    root = shown(text)

    assert [node.text() for node in root.css("details > details > summary")] == ["B"]
    assert all_text(str(render_markdown(text).html)).split() == ["A", "B", "x", "end"]


@pytest.mark.parametrize(
    "text",
    [
        "<details><summary>More</summary>\n\ntext",
        "<details>\n\n<details>\n\nx",
        "text\n\n</details>",
        "<details class=x>\nx\n</details>",
        '<details type="tool_calls" arguments="{}">\nx\n</details>',
        '<details type="a b">\nx\n</details>',
        "<details onclick=x open>\nx\n</details>",
        "<details/>\nx",
        "<details>\n```\n</details>",
        "> <details>\n> x\n\n</details>",
        "A `<details>` and </details> in a line",
        "<details></details>",
        "<summary>More</summary>",
        "<detailsx>\nx\n</detailsx>",
    ],
)
def test_details_that_are_not_whole_or_not_bare_stay_text(text: str) -> None:
    root = shown(text)

    assert not root.css("details") and not root.css("summary")
    assert "details" in root.text() or "summary" in root.text()


def test_only_the_unclosed_one_stays_text() -> None:
    root = shown("<details>\n\nbroken\n\n- <details>\n  whole\n  </details>\n\nend")

    assert [node.text().strip() for node in root.css("details")] == ["whole"]
    assert "<details>" in root.text()


def test_a_summary_elsewhere_and_tags_inside_stay_text() -> None:
    root = shown("<details>\ntext <summary>late</summary>\n<b>x</b> <script>y</script>\n</details>")

    assert not root.css("summary") and not root.css("b") and not root.css("script")
    assert "<summary>late</summary>" in root.text() and "<b>x</b>" in root.text()


def test_code_keeps_the_tags_of_details() -> None:
    text = "```html\n<details><summary>S</summary>\nx\n</details>\n```"
    assert not shown(text).css("details") and "<summary>S</summary>" in shown(text).text()


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("- a\n<details>\nx\n</details>", ["ul", "details"]),
        ("1. a\n\n<details>\nx\n</details>\n\n2. b", ["ol", "details", "ol"]),
        ("> a\n<details>\nx\n</details>", ["blockquote", "details"]),
        ("| a |\n|-|\n<details>\nx\n</details>", ["div", "details"]),
        ("- a\n<details>\nx", ["ul"]),
    ],
)
def test_details_end_what_is_before_them(text: str, tags: list[str]) -> None:
    assert [node.tag for node in shown(text).iter()] == tags


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a<br>b<BR/>c<br  />d", ["p", "br", "br", "br"]),
        ("# H<sub>2</sub>O", ["h3", "sub"]),
        (
            "| <kbd>Ctrl</kbd> x<sup>2</sup><br >y |\n|-|",
            ["div", "table", "thead", "tr", "th", "kbd", "sup", "br"],
        ),
        ("<sub>a<sub>b</sub></sub>", ["p", "sub", "sub"]),
        ("<sup>**b** `c`</sup>", ["p", "sup", "strong", "code"]),
        ("<kbd><kbd>Ctrl</kbd>+<kbd>\\</kbd></kbd>", ["p", "kbd", "kbd", "kbd"]),
        ("- <KBD>F1</Kbd>", ["ul", "li", "kbd"]),
        ("**x<sub>*i*</sub>**", ["p", "strong", "sub", "em"]),
    ],
)
def test_inline_tags_hold_markdown_too(text: str, found: list[str]) -> None:
    html = str(render_markdown(text).html)
    assert_harmless(html)
    assert [node.tag for node in elements(html)] == found


@pytest.mark.parametrize(
    "text",
    [
        '<br clear="all">',
        "<sub/>",
        "<kbd>x</sub>",
        "<\u017fub>x</sub>",
        "<sub>x</\u017fub>",
        "<detail\u017f>\n<summary>S</summary>\n</details>",
        "<sup>a<sup>b</sup>",
        "<sub></sub>",
        "</kbd>x",
        '<kbd class="x">y</kbd>',
        "<u>x</u> <mark>y</mark>",
        "<sub>" + "x" * 1_001 + "</sub>",
    ],
)
def test_inline_tags_with_more_than_their_name_stay_text(text: str) -> None:
    visible = all_text(str(render_markdown(text).html))
    assert visible.count("<") - visible.count("<sup>b") >= 1
