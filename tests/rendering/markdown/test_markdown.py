"""Text as Markdown: it reads well, can do no harm, and stays plain beyond its budget."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markupsafe import escape

from tests.support.any_json import TRANSCRIPTS, checked, texts
from tests.support.html import all_text, assert_harmless, elements, links, parsed
from webapp.exact_json import Object, parse
from webapp.messages import Message, Text
from webapp.rendering import Budgets, MarkdownBudget, render_markdown
from webapp.rendering.markdown.context import MAX_STEPS

MAX_BRACKETS = Budgets().brackets
MAX_LEVELS = Budgets().levels


def html(text: str) -> str:
    view = render_markdown(text, own_host="readback.example")
    assert view.note is None
    return str(view.html)


def tags(text: str) -> list[str]:
    return [node.tag or "" for node in elements(html(text))]


def plain(text: str) -> str:
    """Return the content of the only `<pre>` of a text shown as plain text."""
    view = render_markdown(text)
    node, *marks = elements(str(view.html))
    assert node.tag == "pre" and {mark.tag for mark in marks} <= {"span"}
    assert view.note is not None and view.note.startswith("Shown as plain text: ")
    return node.text()


_WORDS = [
    "a",
    "Table",
    "www.x",
    "2024",
    "don't",
    "i.e.",
    "end?",
    "ok;",
    "x,",
    "http",
    "1",
    "E'",
    '"q"',
]
_SIGNS = [
    "(c)",
    "and/or",
    "Note:",
    "tel:1",
    "http://a.b",
    "50%",
    "-",
    "1.",
    "+",
    "oh!",
    "www.",
    "(x",
]
_OTHERS = [
    "é",
    "—",
    "“a”",
    "…",
    "’s",
    "日本語",
    "です。",
    "「あ」",
    "привет",
    "λ",
    "/usr",
    "a_b_c",
    "_a_",
]
_CODE = ["`a`", "`a b`,", "`<b>&\"'`", "`\\`.", "``a``", "`", "`a", "`$x$`", "`a``b`", "`[a](b)`"]
_STRONG = [
    "**a**",
    "**a b**,",
    "**a:**",
    "**`a`**",
    "**a**b",
    "**",
    "**a",
    "b**",
    "(**a**)",
    "日**本**",
]
_MARKERS = ["- ", "- ", "1. ", "2. ", "# ", "## ", "### ", "* ", "#", "---\n"]
_PIECES = st.one_of(*map(st.sampled_from, (_WORDS, _WORDS, _SIGNS, _OTHERS, _CODE, _STRONG)))
_BREAKS = st.sampled_from([" ", " ", " ", "\n", "\n\n", ""])
_SEPARATORS = st.one_of(_BREAKS, _BREAKS, st.sampled_from(_MARKERS).map("\n".__add__))


@given(
    st.sampled_from(["", "", *_MARKERS]),
    _PIECES,
    st.lists(st.tuples(_SEPARATORS, _PIECES).map("".join), max_size=10),
)
@example("", "Thank", [" you.", " Go", " on", " with", " the", " next", " one."])
@example("", "It", ["\nreturns `0`.", "\n`a<b` is true.", "\nSo", "\nwhat?"])
@example("", "`a`", ["\n\nb", "\n\n`c`"])
@example("", "First", [" **read `a`**:", "\n\n- its **names:** b", "\n- its tests", "\n\nThen"])
@example("## ", "A", ["\n1. b", "\n2. c", "\n\n### B", "\n# C", "\nd", "\n- e", "\n## D"])
@example("- ", "a", ["\n\n- b"])
@example("- ", "a", ["\nb"])
@example("- ", "a", ["\n1. b"])
def test_usual_blocks_are_shown_as_the_parser_shows_them(
    marker: str, first: str, words: list[str]
) -> None:
    text = "".join([marker, first, *words])
    # A line break at its end leaves a text to the parser.
    assert html(text) == html(text + "\n")


def test_usual_blocks_need_none_of_the_time_of_a_page() -> None:
    spent = MarkdownBudget(Budgets(seconds=0))
    assert render_markdown("Go **on**.", budget=spent).html == html("Go **on**.")
    assert render_markdown("*Go* on.", budget=spent).is_plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a [](https://b.example/) c", "a https://b.example/ c"),
        ("a []() c", "a []() c"),
    ],
)
def test_a_link_without_a_text_is_seen(text: str, shown: str) -> None:
    assert all_text(html(text)).strip() == shown


@pytest.mark.parametrize(
    ("text", "paragraphs"),
    [
        (
            "\u3000\u3000段落。\n\u3000\u3000行\n\n\u3000二",
            ["\u3000\u3000段落。\n\u3000\u3000行", "\u3000二"],
        ),
        ("> \u3000a\n\nb", ["\u3000a", "b"]),
        ("1. a\n\n   \u00a0 b", ["a", "\u00a0 b"]),
        (" \u2003a", ["\u2003a"]),
        ("a\u3000", ["a"]),
    ],
)
def test_a_paragraph_keeps_the_wide_spaces_before_it(text: str, paragraphs: list[str]) -> None:
    assert [node.text() for node in elements(html(text)) if node.tag == "p"] == paragraphs


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("words", ["p"]),
        ("*a* **b** ~~c~~ `d`", ["p", "em", "strong", "s", "code"]),
        ("one\ntwo", ["p", "br"]),
        ("- a\n- b", ["ul", "li", "li"]),
        ("> a", ["blockquote", "p"]),
        ("---", ["hr"]),
        ("    code", ["div", "div", "bdi", "button", "pre", "code"]),
        ("```python\ncode\n```", ["div", "div", "bdi", "button", "pre", "code"]),
        ("", []),
    ],
)
def test_markdown_is_rendered(text: str, found: list[str]) -> None:
    assert tags(text) == found
    assert_harmless(html(text))


@pytest.mark.parametrize("level", range(1, 7))
def test_the_first_heading_is_one_level_below_that_of_the_message(level: int) -> None:
    assert tags("#" * level + " Title") == ["h3"]
    assert all_text(html("#" * level + " Title")).strip() == "Title"


@pytest.mark.parametrize(
    ("levels", "found"),
    [
        ((1, 2, 3, 4, 5, 6), "345666"),
        ((2, 4, 4, 2), "3443"),
        ((4, 2, 1, 3), "3334"),
        ((1, 3, 2, 3), "3445"),
    ],
)
def test_headings_leave_out_no_level(levels: tuple[int, ...], found: str) -> None:
    text = "\n\n".join(f"{'#' * level} Title" for level in levels)
    assert "".join(tags(text)) == "".join(f"h{level}" for level in found)


def test_an_empty_cell_heads_no_column() -> None:
    assert [tag for tag in tags("| | a |\n|-|-|\n| b | |") if tag in ("td", "th")] == [
        *("td", "th", "td", "td")
    ]


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
    link, *others = parsed(html(text)).css("a")

    assert all(other.text() == "https://a.example" for other in others)
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
    ],
)
def test_addresses_that_are_not_allowed_stay_text(text: str) -> None:
    assert links(html(text)) == []
    assert "a" in all_text(html(text))


def test_our_own_host_is_that_of_the_request() -> None:
    text = "[a](https://readback.example/x)"

    assert links(str(render_markdown(text, own_host="other.example").html)) != []
    assert links(str(render_markdown(text, own_host="readback.example").html)) == []


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
        "&" * (2 * MAX_STEPS),
        "[" * (MAX_BRACKETS + 1),
        "*a" * (MAX_BRACKETS + 1),
        "`a` " * MAX_BRACKETS + "b",
        "a\n\n" * MAX_STEPS + "b",
        "> " * MAX_LEVELS + "deep",
        "- " * MAX_LEVELS + "deep",
        "> - " * MAX_LEVELS + "<b>deep",
        "<script>" * MAX_STEPS,
        "\n\n  two line breaks in front\r\n" + "[" * (MAX_BRACKETS + 1),
    ],
)
def test_text_beyond_a_budget_is_shown_as_it_is_with_a_note(text: str) -> None:
    shown = plain(text)

    assert shown.replace("\r\n", "\n") == text.replace("\r\n", "\n")


@pytest.mark.parametrize(
    "text",
    [
        "x" * 1_000_000,
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
def test_nothing_is_lost_however_deeply_it_is_nested(depth: int, mark: str) -> None:
    assert "deep words" in all_text(str(render_markdown(mark * depth + "deep words").html))


def test_tasks_are_boxes_that_say_whether_they_are_done() -> None:
    found = html("- [ ] a\n- [x] **b**\n- [X] c\n\n  more\n- [y] d\n- [x]e\n- `[x]` f")
    boxes = parsed(found).css("li.task-item span.task")

    assert [(box.attributes["aria-label"], box.text()) for box in boxes] == [
        ("to do", "\u2610"),
        ("done", "\u2611"),
        ("done", "\u2611"),
    ]
    assert "[y] d" in all_text(found) and "[x]e" in all_text(found)
    assert_harmless(found)


def test_a_link_in_front_of_an_item_is_no_task() -> None:
    assert parsed(html("- [x](https://a.example)")).css_first(".task") is None


@pytest.mark.parametrize(
    ("text", "with_direction"),
    [
        ("one\n\ntwo", ["p", "p"]),
        ("# one", ["h3"]),
        ("- one\n- two", ["ul"]),
        ("1. one\n\n   two", ["ol", "p"]),
        ("> one\n>\n> two", ["blockquote", "p"]),
        ("> - one", ["blockquote"]),
        ("- one\n  - two", ["ul", "ul"]),
        ("|a|\n|-|\n|b|", ["div"]),
        ("`code`", ["p"]),
        ("```\ncode\n```", []),
    ],
)
def test_each_block_finds_its_own_direction(text: str, with_direction: list[str]) -> None:
    """The first block in an item or a quote sets the direction of both, so it has no `dir`."""
    found = html(text)

    assert [node.tag for node in parsed(found).css("[dir=auto]")] == with_direction
    assert_harmless(found)


@pytest.mark.parametrize(
    ("text", "whole", "blocks"),
    [
        ("API هو واجهة برمجة التطبيقات", "rtl", ["p rtl"]),
        ("The word שלום means peace", "ltr", ["p ltr"]),
        ("شكرا جزيلا\n\nSee you.", "rtl", ["p rtl", "p auto"]),
        ("شكرا\n\n```\nfor letter in alphabet: print(letter)\n```", "rtl", ["p rtl"]),
        ("[شكرا](https://example.com/a/long/address)", "rtl", ["p rtl"]),
        ("- HTTP بروتوكول\n- TLS تشفير", "rtl", ["ul rtl", "li rtl", "li rtl"]),
        ("> HTTP بروتوكول", "rtl", ["blockquote rtl", "p rtl"]),
        ("# GNU نظام تشغيل", "rtl", ["h3 rtl"]),
        ("|Key|المفتاح|\n|-|-|\n|id|المعرف الفريد|", "rtl", ["div rtl", "th rtl", "td rtl"]),
        ("|Word|Meaning|\n|-|-|\n|שלום|peace|", "ltr", ["div ltr", "td rtl"]),
        ("1 + 1 = ٢", "auto", ["p auto"]),
        ("`שלום`", "auto", ["p auto"]),
    ],
)
def test_right_to_left_letters_decide_by_their_number(
    text: str, whole: str, blocks: list[str]
) -> None:
    view = render_markdown(text)

    nodes = parsed(str(view.html)).css("[dir]")
    assert view.direction == whole
    assert [f"{node.tag} {node.attributes['dir']}" for node in nodes] == blocks


@pytest.mark.parametrize(
    ("text", "address", "alt"),
    [
        ("![alt](https://i.example/a.png)", "https://i.example/a.png", "alt"),
        ("![*a* `b`](https://i.example/a.png 'title')", "https://i.example/a.png", "a b"),
        ("![alt][r]\n\n[r]: https://i.example/a.png", "https://i.example/a.png", "alt"),
        ("![](data:image/png;base64,iVBO)", "data:image/png;base64,iVBO", ""),
        ("![$x$](https://i.example/a.png)", "https://i.example/a.png", "$x$"),
    ],
)
def test_the_caller_decides_how_an_image_is_shown(text: str, address: str, alt: str) -> None:
    view = render_markdown(text, image=lambda url, words: escape(f"[{url}|{words}]"))

    assert all_text(str(view.html)).split("\n")[0] == f"[{address}|{alt}]"


def test_an_image_in_a_link_follows_it() -> None:
    text = "[![alt](https://i.example/a.png)](https://a.example) after"
    found = str(render_markdown(text, image=lambda url, alt: escape("picture")).html)

    assert [node.text() for node in parsed(found).css("a")] == ["image: alt"]
    assert all_text(found).strip() == "image: alt picture after"


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "/a.png", "//i.example/a.png", "data:text/html,x", "blob:x"]
)
def test_an_image_without_a_proper_address_is_text(address: str) -> None:
    text = f"![alt]({address})"

    assert all_text(str(render_markdown(text, image=lambda url, alt: escape("")).html)) == (
        f"{text}\n"
    )


def test_an_image_without_a_caller_is_a_link_that_names_its_host() -> None:
    found = html("![a chart](https://i.example/a.png) ![](data:image/png;base64,AAAA)")

    assert all_text(found).strip() == (
        "image: a chart (i.example) image: without description (image/png)"
    )
    assert links(found) == ["https://i.example/a.png"]
    assert_harmless(found)


def test_no_text_can_forge_a_placeholder() -> None:
    text = " ".join(f"{'0' * 24}n{number}n" for number in range(3)) + " $x$ 0n0n"
    found = html(text)

    assert len(parsed(found).css("math")) == 1
    assert "0n0n" in all_text(found)


def test_a_page_that_spent_its_time_shows_plain_text() -> None:
    view = render_markdown("*words*", budget=MarkdownBudget(Budgets(seconds=0)))

    assert all_text(str(view.html)) == "*words*"
    assert view.note == "Shown as plain text: this page spent its time for rendering."
    assert view.is_plain


@pytest.mark.parametrize(
    "text",
    [
        "\U0001f469\u200d\U0001f469\u200d\U0001f467 e\u0301 \ufffd",
        "\u0939\u093f\u0928\u094d\u0926\u0940",
        "one\r\ntwo",
        "\u05e9\u05dc\u05d5\u05dd \u202eabc",
    ],
)
def test_characters_that_scripts_need_survive(text: str) -> None:
    assert all_text(html(text)).split() == text.split()


@pytest.mark.parametrize("text", ["# Title", "```py\ncode\n```", "- a", "|a|\n|-|", "---", "a"])
def test_a_byte_order_mark_in_front_changes_no_block(text: str) -> None:
    for front in ("\ufeff", "\ufeff\ufeff"):
        assert html(front + text) == html(text)


def test_lone_surrogates_and_nulls_are_shown_as_unreadable() -> None:
    assert all_text(html("a\ud800b\x00c")).strip() == "a\ufffdb\u2400c"
    assert plain("\udfff" + "[" * (MAX_BRACKETS + 1)).startswith("\ufffd[")


@pytest.mark.parametrize(
    ("text", "room"),
    [
        ("1. a\n2. b", None),
        ("98. a\n99. b", "long-numbers"),
        ("2026. a", "long-numbers"),
        ("1. a\n" * 120, "long-numbers"),
        ("123456789. a", "very-long-numbers"),
    ],
)
def test_long_numbers_of_lists_get_their_room(text: str, room: str | None) -> None:
    (found,) = parsed(str(render_markdown(text).html)).css("ol")
    assert found.attributes.get("class") == room


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
        "$",
        "$$",
        "\\(",
        "\\)",
        "\\[",
        "\\]",
        "\\frac{",
        "}",
        "^2",
        "\\text{<b>",
        "www.a.example",
        "@b.example",
        "[x] ",
        "```python\n",
        "```math\n",
    ),
]


@given(st.lists(st.sampled_from(ALPHABET), max_size=40).map("".join) | texts)
@checked
def test_no_text_makes_anything_that_is_not_allowed(text: str) -> None:
    assert_harmless(str(render_markdown(text, anchor="m-1", own_host="readback.example").html))


@pytest.mark.skipif(not TRANSCRIPTS, reason="the recorded transcripts are not beside the checkout")
def test_every_recorded_text_is_harmless_and_within_the_budgets_but_for_few() -> None:
    plain_ones = unset = count = 0
    for file in TRANSCRIPTS:
        for line in file.read_text(encoding="utf-8").splitlines():
            root = parse(line)
            assert isinstance(root, Object)
            for value in root.items("messages") or ():
                for part in Message.from_json(value).parts:
                    if isinstance(part, Text):
                        view = render_markdown(part.text)
                        assert_harmless(str(view.html))
                        plain_ones += view.note is not None
                        unset += len(parsed(str(view.html)).css("code.formula-source"))
                        count += 1
    assert count > 2000
    assert plain_ones < count / 100
    assert unset <= 1, "one of the real formulas has words in it that are no mathematics"
