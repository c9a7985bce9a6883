"""Slices of long texts join to the text, end after a paragraph or line, and reopen their blocks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from selectolax.lexbor import LexborNode

from tests.support.any_json import checked
from tests.support.html import parsed
from webapp.rendering import render_markdown
from webapp.rendering.text.slices import (
    MIN_BYTES,
    Slice,
    count_bytes,
    cut_slice,
    find_block_at,
    find_blocks,
    find_previous_start,
    is_too_long,
)

pieces = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        ["\n\n", "\r\n", "\r\n\r\n", "\n```python\n", "\n```\n", "\n~~~~\n", "a" * 200, "日" * 100]
        + ["\n> ```\n", "\n> x\n", "\n- ```py\n", "\n  ```\n", "\n| a |\n|---|\n", "| 1 |\n"]
        + ["\U0001f469\u200d\U0001f467", "e\u0301", "\ud800", "\0", " "]
    ),
)
texts = st.lists(pieces, max_size=60).map("".join)

LINES = st.lists(
    st.sampled_from(
        ["text", "", "```", "```py", "~~~", "````", "~~~ x", "- item", "# Head", "> text"]
    ),
    max_size=9,
)


def cut_all(text: str, limit: int) -> list[Slice]:
    slices = [cut_slice(text, start=0, limit=limit)]
    while (start := slices[-1].next) is not None:
        slices.append(cut_slice(text, start=start, limit=limit))
    return slices


@checked
@given(texts, st.integers(MIN_BYTES, 1_000))
def test_slices_join_to_the_text_and_keep_the_limit(text: str, limit: int) -> None:
    slices = cut_all(text, limit)
    assert "".join(one.text for one in slices) == text
    assert all(count_bytes(one.reopens + one.text) <= limit for one in slices)
    assert slices[-1].seen == slices[-1].total == count_bytes(text)
    for one, following in zip(slices, slices[1:], strict=False):
        assert not (one.text.endswith("\r") and following.text.startswith("\n"))
        assert one.seen == following.before


@checked
@given(texts, st.integers(MIN_BYTES, 1_000))
def test_the_slice_before_is_the_one_that_led_here(text: str, limit: int) -> None:
    starts = [one.start for one in cut_all(text, limit)]
    for before, start in zip(starts, starts[1:], strict=False):
        assert find_previous_start(text, start=start, limit=limit) == before
    assert find_previous_start(text, start=0, limit=limit) is None


@pytest.mark.parametrize("end", ["\n\n", "\r\n\r\n", "\n"])
def test_a_slice_ends_after_a_paragraph_or_a_line(end: str) -> None:
    text = f"{'word ' * 20}{end}" * 40
    assert all(one.text.endswith(end) for one in cut_all(text, 1_000))


def test_a_paragraph_within_code_is_no_place_to_end() -> None:
    text = "before\n\n" * 60 + "```\n" + "code\n\n" * 40 + "```\n" + "after\n\n" * 200
    first = cut_slice(text, start=0, limit=620)
    assert first.text.endswith("before\n\n")


def test_code_longer_than_a_slice_is_opened_again() -> None:
    text = "```python\n" + "print(1)\n" * 200 + "```\n\nThe end.\n"
    first, *later = cut_all(text, 600)
    assert first.reopens == ""
    assert {one.reopens for one in later} == {"```python\n"}
    assert later[-1].markdown.startswith("```python\nprint(1)\n")
    assert later[-1].text.endswith("```\n\nThe end.\n")


def test_a_family_is_not_taken_apart() -> None:
    family = "\U0001f469\u200d\U0001f469\u200d\U0001f467"
    assert all(len(one.text) % len(family) == 0 for one in cut_all(family * 100, 300))


@pytest.mark.parametrize(
    ("text", "limit", "over"), [("a" * 10, 10, False), ("a" * 11, 10, True), ("日" * 4, 11, True)]
)
def test_bytes_are_counted(text: str, limit: int, over: bool) -> None:
    assert is_too_long(text, limit) is over


PROSE = "".join(f"Paragraph {at} of a story.\n\n" for at in range(60))


def render_parts(text: str, limit: int = 600) -> list[LexborNode]:
    """Return the parts of `text`, each read as Markdown."""
    return [parsed(str(render_markdown(one.markdown).html)) for one in cut_all(text, limit)]


@pytest.mark.parametrize(
    "begin",
    [
        *("> ```py\n> a = 1\n\n", "    ```\n    not a fence\n\n", "> ~~~\n> a\n"),
        *("- ```\n  a\n\n", "1. one\n\n   ```\n   a\n   ```\n\n", "\t```\n\n", "> - ```\n\n"),
    ],
)
def test_code_ends_with_its_quote_or_item(begin: str) -> None:
    _, *later = render_parts(begin + PROSE)
    assert len(later) > 1
    assert not any(part.css("pre") for part in later)
    assert sum(len(part.css("p")) for part in later) > 30


@pytest.mark.parametrize(
    ("begin", "indent"),
    [("> ```py\n", "> "), ("- ```py\n", "  "), ("1. a\n\n   ```py\n", "   ")]
    + [("> 1. ```py\n", ">    "), ("- > ```py\n", "  > "), ("-\t```py\n", "\t"), ("```py\n", "")],
)
def test_code_in_quotes_and_items_goes_on_and_ends_where_it_does(begin: str, indent: str) -> None:
    lines = "".join(f"{indent}a = {at}\n" for at in range(200))
    parts = render_parts(f"{begin}{lines}{indent}```\n\nThe end.\n")
    assert len(parts) > 2
    code = "".join(pre.text() for part in parts for pre in part.css("pre"))
    assert code.split() == " ".join(f"a = {at}" for at in range(200)).split()
    assert parts[-1].css("main > p")[-1].text() == "The end."


def test_a_long_line_of_code_in_a_quote_stays_in_it() -> None:
    parts = render_parts("> ```\n> " + "x" * 2_000 + "\n> ```\n\nThe end.\n")
    assert sum(part.text().count("x") for part in parts) == 2_000
    assert all(part.css("blockquote pre") for part in parts)


@pytest.mark.parametrize("around", ["", "> ", "- "])
def test_a_table_has_its_head_in_each_part(around: str) -> None:
    going_on = around.replace("-", " ")
    head = f"{around}| name | sum |\n{going_on}|---|--:|\n"
    text = head + "".join(f"{going_on}| row {at} | {at} |\n" for at in range(100))
    slices = cut_all(text + "\nThe end.\n", 600)
    assert {one.begins_in for one in slices[1:]} == {"table"}
    parts = [parsed(str(render_markdown(one.markdown).html)) for one in slices]
    for part in parts:
        assert [cell.text() for cell in part.css("th")] == ["name", "sum"]
    rows = [row.css("td")[1].text() for part in parts for row in part.css("tbody tr")]
    assert rows == [str(at) for at in range(100)]
    assert parts[-1].css("main > p")[-1].text() == "The end."


@pytest.mark.parametrize("item", ["- item {}\n", "{}. item\n\n", "* item {}\n\n  more\n\n"])
def test_a_part_says_that_it_begins_inside_a_list(item: str) -> None:
    items = "".join(item.format(at) for at in range(200))
    first, *later = cut_all(items + PROSE, 600)
    assert first.begins_in == ""
    assert later[0].begins_in == "list"
    assert later[-1].begins_in == ""


def test_a_head_that_takes_too_much_room_is_not_repeated() -> None:
    text = "| " + "x" * 400 + " |\n|---|\n" + "| 1 |\n" * 400
    assert not any(one.reopens for one in cut_all(text, 600))


@pytest.mark.parametrize(
    "text",
    [
        *(
            "-\n" * 125_000,
            "```\n" * 62_500,
            ("> " * 15 + "\n") * 7_500,
            "> a\n" + "b\n" * 100_000,
        ),
        *("|a|\n|-|\n" * 25_000, "|" * 125_000 + "\n" + "|-" * 50_000, "- " * 125_000),
        *(
            "> ```\n" + "> x\n" * 62_500,
            "\t" * 250_000,
            "```" + "x" * 250_000,
            "\r" * 250_000,
        ),
    ],
    ids=lambda text: repr(text[:8]),
)
def test_nasty_texts_are_cut_like_any_other(text: str) -> None:
    last = cut_slice(text, start=len(text) - 1, limit=50_000)
    assert (last.text, last.end, last.next) == (text[-1], len(text), None)
    before = find_previous_start(text, start=last.start, limit=50_000)
    assert before is not None and last.start - before <= 50_000


def lines_in_code(text: str) -> set[int]:
    """Return the lines of `text` within fences, as Markdown reads it."""
    found: set[int] = set()
    for token in MarkdownIt("js-default", {"html": False}).parse(text):
        if token.type == "fence" and token.map:
            found.update(range(token.map[0] + 1, token.map[1]))
    return found


@checked
@given(LINES)
def test_code_is_found_as_markdown_reads_it(lines: list[str]) -> None:
    text = "".join(f"{line}\n" for line in lines)
    blocks = find_blocks(text, len(text))
    offsets = [sum(len(line) + 1 for line in lines[:at]) for at in range(len(lines))]
    found = {at for at, offset in enumerate(offsets) if find_block_at(blocks, offset)}
    assert found == lines_in_code(text)


@pytest.mark.parametrize(
    ("text", "opening", "indent"),
    [
        ("> ```py\n> 1\n", "> ```py\n", "> "),
        ("- ```\n  1\n", "- ```\n", "  "),
        ("- a\n  - b\n\n    ```\n    1\n", "- - ```\n", "    "),
        ("- > ~~~\n  > 1\n", "- > ~~~\n", "  > "),
        ("| a | b |\n|---|:-:|\n| 1 | 2 |\n", "| a | b |\n|---|:-:|\n", ""),
        ("> a | b\n> -|-\n> 1 | 2\n", "> a | b\n> -|-\n", "> "),
    ],
)
def test_a_block_opens_again_in_its_quotes_and_items(text: str, opening: str, indent: str) -> None:
    (block,) = find_blocks(text, len(text))
    assert (block.opening, block.indent) == (opening, indent)
    assert text[block.start : block.end].count("\n") == 1


@pytest.mark.parametrize(
    "text", ["a | b\n---\n", "a\n-|-\n", "|-|\n", "a `` b\n", "```a`\n", "---\n", ""]
)
def test_other_lines_open_nothing(text: str) -> None:
    assert find_blocks(text, len(text)) == []
