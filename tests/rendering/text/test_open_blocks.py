"""Blocks that a part of a long text may begin in: code and tables, also within quotes and lists."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tests.support.any_json import checked
from webapp.rendering.text.open_blocks import find_block_at, find_blocks

LINES = st.lists(
    st.sampled_from(
        ["text", "", "```", "```py", "~~~", "````", "~~~ x", "- item", "# Head", "> text"]
    ),
    max_size=9,
)


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
