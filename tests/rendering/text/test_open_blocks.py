"""What is open at each line of a text: the same as Markdown itself makes of it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tests.support.any_json import checked
from webapp.rendering.text.open_blocks import Open, walked

LINES = st.lists(
    st.sampled_from(
        [
            *("text", "", "```", "```py", "~~~", "````", "    ```", "  ```", "   ```", "\t```"),
            *("> text", ">", "> ```", "> ~~~", ">     ```", "> > ```", "> > text", "> - ```"),
            *("- item", "- ```", "1. item", "1. ```", "  - item", "  - ```", "  more", "    more"),
            *(
                "- > ```",
                "  > ```",
                "  > text",
                "* * *",
                "---",
                "# Head",
                "==",
                "      ```",
                "  ~~~ x",
            ),
        ]
    ),
    max_size=9,
)


def in_code(text: str) -> set[int]:
    """The lines of `text` behind which a fenced block of code is open, as Markdown reads it."""
    lines = text.count("\n")
    opened: set[int] = set()
    for token in MarkdownIt("js-default", {"html": False}).parse(text):
        if token.type == "fence" and token.map:
            first, behind = token.map
            opened.update(range(first, behind))
            if token.content.count("\n") == behind - first - 2:
                opened.discard(behind - 1)
    return {line for line in opened if line < lines}


def found(text: str) -> set[int]:
    """The same as this program sees it."""
    opened = Open()
    starts = [0, *(at + 1 for at, sign in enumerate(text) if sign == "\n")]
    states = dict(walked(text, opened, start=0, end=len(text)))
    seen = set()
    for line, end in enumerate(starts[1:]):
        opened = states.get(end, opened)
        if opened.is_code:
            seen.add(line)
    return seen


@checked
@given(LINES)
def test_code_is_where_markdown_has_it(lines: list[str]) -> None:
    text = "".join(f"{line}\n" for line in lines)
    assert found(text) == in_code(text)
