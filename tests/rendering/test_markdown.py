"""Text as Markdown: what readers see, what no text can do, and where it stays plain."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.any_json import TRANSCRIPTS, checked, texts
from tests.rendering.reading_html import all_text, assert_harmless, elements, links, parsed
from webapp.exact_json import Object, parse
from webapp.messages import Message, Text
from webapp.rendering import markdown
from webapp.rendering.markdown import MAX_BRACKETS, MAX_CHARACTERS, MAX_LEVELS


def html(text: str) -> str:
    view = markdown(text, own_host="readback.example")
    assert view.note is None
    return str(view.html)


def tags(text: str) -> list[str]:
    return [node.tag or "" for node in elements(html(text))]


def plain(text: str) -> str:
    """What stands in the one `<pre>` of a text that is shown as it is."""
    view = markdown(text)
    (node,) = elements(str(view.html))
    assert node.tag == "pre"
    assert view.note is not None and view.note.startswith("Shown as plain text: ")
    return node.text()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("words", ["p"]),
        ("*a* **b** ~~c~~ `d`", ["p", "em", "strong", "s", "code"]),
        ("one\ntwo", ["p", "br"]),
        ("- a\n- b", ["ul", "li", "li"]),
        ("> a", ["blockquote", "p"]),
        ("---", ["hr"]),
        ("    code", ["pre", "code"]),
        ("```python\ncode\n```", ["pre", "code"]),
        ("", []),
    ],
)
def test_markdown_is_rendered(text: str, found: list[str]) -> None:
    assert tags(text) == found
    assert_harmless(html(text))


@pytest.mark.parametrize(
    ("level", "tag"), [(1, "h4"), (2, "h5"), (3, "h6"), (4, "h6"), (5, "h6"), (6, "h6")]
)
def test_headings_stand_below_those_of_the_page(level: int, tag: str) -> None:
    assert tags("#" * level + " Title") == [tag]
    assert all_text(html("#" * level + " Title")).strip() == "Title"


def test_a_numbered_list_begins_where_it_says() -> None:
    (numbered, *_) = elements(html("3. a\n4. b"))

    assert (numbered.tag, numbered.attributes["start"]) == ("ol", "3")


def test_a_table_aligns_by_class_and_scrolls_in_a_box_for_the_keyboard() -> None:
    found = html("|a|b|c|\n|:-|:-:|-:|\n|1|2|3|")
    (box, *_) = elements(found)
    cells = [node for node in elements(found) if node.tag in ("td", "th")]

    assert (box.tag, box.attributes["class"], box.attributes["tabindex"]) == ("div", "wide", "0")
    assert [node.attributes.get("class") for node in cells[1:3]] == ["align-center", "align-right"]
    assert [node.text() for node in cells] == ["a", "b", "c", "1", "2", "3"]
    assert "style" not in found
    assert_harmless(found)


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        '<img src=x onerror="alert(1)">',
        "<div hx-get=/x id=app name=y style=position:fixed>",
        "</div></main><form action=/delete>",
        "<!-- comment -->",
        "<!doctype html><base href=//evil.example>",
        "a <b>b</b> <i\nx=1>",
        "<svg/onload=alert(1)>",
        "<![CDATA[x]]>",
        "&lt;script&gt;",
    ],
)
def test_html_is_text(text: str) -> None:
    found = html(text)

    assert set(tags(text)) <= {"p", "br"}
    if "&" not in text:
        assert all_text(found).split() == text.split()
    assert_harmless(found)


@pytest.mark.parametrize(
    "text",
    [
        "![alt](https://i.example/a.png)",
        "![alt](data:image/png;base64,iVBO)",
        '![alt](https://i.example/a.png "title")',
        "![alt][ref]\n\n[ref]: https://i.example/a.png",
        "[![alt](https://i.example/a.png)](https://a.example)",
        "<img src=https://i.example/a.png>",
    ],
)
def test_an_image_is_never_loaded(text: str) -> None:
    assert {"img", "picture", "svg", "iframe", "object"}.isdisjoint(tags(text))
    assert "alt" in all_text(html(text)) or text.startswith("<")


@pytest.mark.parametrize(
    "text", ["[a](https://a.example)", "<https://a.example>", "[a]\n\n[a]: https://a.example"]
)
def test_links_keep_nothing_of_where_they_were_followed_from(text: str) -> None:
    (link,) = parsed(html(text)).css("a")

    assert link.attributes["href"] == "https://a.example"
    assert link.attributes["rel"] == "noopener noreferrer nofollow"
    assert "target" not in link.attributes


@pytest.mark.parametrize(
    "text",
    [
        "[a](javascript:alert(1))",
        "[a](JAVASCRIPT&colon;alert(1))",
        "[a](java&#10;script:alert(1))",
        "[a](data:text/html,x)",
        "[a](//evil.example)",
        "[a](/logout)",
        "[a](#m-1)",
        "[a](https://user@a.example)",
        "[a](https://readback.example/logout)",
        "[a](https://READBACK.example:443/logout)",
        "[a](<https://a.example/\u202etxt.exe>)",
        "[a](https://a.example/%E2%80%AE)",
        "<javascript:alert(1)>",
        "[a]: javascript:alert(1)\n\n[a]",
        "https://a.example is only text",
    ],
)
def test_addresses_that_are_not_allowed_stay_text(text: str) -> None:
    assert links(html(text)) == []
    assert "a" in all_text(html(text))


def test_our_own_host_is_that_of_the_request() -> None:
    text = "[a](https://readback.example/x)"

    assert links(str(markdown(text, own_host="other.example").html)) != []
    assert links(str(markdown(text, own_host="readback.example").html)) == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("[bank.example](https://evil.example/x)", "bank.example (evil.example)"),
        ("[https://`bank.example`/](https://evil.example)", None),
        ("[**bank.example**](https://evil.example)", "bank.example (evil.example)"),
        ("[bank.example]\n\n[bank.example]: https://evil.example", None),
        ("[bank.example](https://bank.example/x)", "bank.example"),
        ("[the bank](https://evil.example)", "the bank"),
    ],
)
def test_a_link_that_reads_like_another_address_names_its_host(
    text: str, shown: str | None
) -> None:
    found = html(text)
    hosts = [node.text() for node in parsed(found).css("span.link-host")]

    assert hosts == ([] if shown and "evil" not in shown else ["(evil.example)"])
    if shown:
        assert all_text(found).strip() == shown


def test_code_shows_its_text_exactly_and_takes_no_class_from_it() -> None:
    code = "  <b>&amp;</b>\n\tif x < 1:\n"
    found = html(f'```" onclick="x\n{code}```')
    (node,) = parsed(found).css("pre code")

    assert node.text() == code
    assert_harmless(found)


@pytest.mark.parametrize(
    "text",
    [
        "x" * (MAX_CHARACTERS + 1),
        "[" * (MAX_BRACKETS + 1),
        "*a" * (MAX_BRACKETS + 1),
        "> " * MAX_LEVELS + "deep",
        "- " * MAX_LEVELS + "deep",
        "> - " * MAX_LEVELS + "<b>deep",
        "x" * MAX_CHARACTERS + "<script>",
        "\n\n  two line breaks in front\r\n" + "[" * (MAX_BRACKETS + 1),
    ],
)
def test_text_beyond_a_budget_is_shown_as_it_is_with_a_note(text: str) -> None:
    shown = plain(text)

    assert shown.replace("\r\n", "\n") == text.replace("\r\n", "\n")


@pytest.mark.parametrize(
    "text",
    [
        "x" * MAX_CHARACTERS,
        "(" * (MAX_BRACKETS + 1),
        "_" * MAX_BRACKETS,
        "> " * 40 + "deep",
        "- " * 40 + "deep",
    ],
)
def test_text_within_the_budgets_is_rendered(text: str) -> None:
    assert_harmless(html(text))


@given(st.integers(1, 130), st.sampled_from(["> ", "- ", "1. ", "> - "]))
@checked
@example(MAX_LEVELS - 1, "> ")
@example(MAX_LEVELS - 2, "> ")
@example(MAX_LEVELS // 2, "- ")
def test_nothing_is_lost_however_deep_it_stands(depth: int, mark: str) -> None:
    assert "deep words" in all_text(str(markdown(mark * depth + "deep words").html))


def test_lone_surrogates_and_nulls_are_shown_as_unreadable() -> None:
    assert all_text(html("a\ud800b\x00c")).strip() == "a\ufffdb\ufffdc"
    assert plain("\udfff" + "[" * (MAX_BRACKETS + 1)).startswith("\ufffd[")


ALPHABET = [
    *"<>&\"'`*_~[]()!#|:-+=\\/ \n\t",
    *("a", "1.", "```", "http://a.example", "javascript:", "&colon;", "&#x3c;", "%00", "\x00"),
    *("<script>", "<img src=x>", " onerror=", " id=x", " hx-get=/x", "style=", "</main>", "<!--"),
    *(
        "\u202e",
        "\ufdd0",
        "\ufdd1",
        "\u2e28\ufdd01\ufdd1\u2e29",
        "\ud800",
        "![",
        "](",
        "\n\n|-|-|\n",
    ),
]


@given(st.lists(st.sampled_from(ALPHABET), max_size=40).map("".join) | texts)
@checked
def test_no_text_makes_more_than_what_is_allowed(text: str) -> None:
    assert_harmless(str(markdown(text, anchor="m-1", own_host="readback.example").html))


@pytest.mark.skipif(not TRANSCRIPTS, reason="the recorded transcripts are not beside the checkout")
def test_every_recorded_text_is_harmless_and_within_the_budgets_but_for_few() -> None:
    plain_ones = count = 0
    for file in TRANSCRIPTS:
        for line in file.read_text(encoding="utf-8").splitlines():
            root = parse(line)
            assert isinstance(root, Object)
            for value in root.items("messages") or ():
                for part in Message.from_json(value).parts:
                    if isinstance(part, Text):
                        view = markdown(part.text)
                        assert_harmless(str(view.html))
                        plain_ones += view.note is not None
                        count += 1
    assert count > 2000
    assert plain_ones < count / 100
