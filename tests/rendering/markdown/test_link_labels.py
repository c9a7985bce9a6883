"""Labels of links and images: found as by markdown-it, in steps that grow with the text alone."""

from __future__ import annotations

import sys
from types import FrameType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from webapp.rendering import MarkdownBudget
from webapp.rendering.markdown.context import Meter, Scope
from webapp.rendering.markdown.plugins.inline import images, link_labels

PIECES = (
    *("[", "[", "]", "]", "![", "](/a)", "](/a 'b')", "](", ")", "[a]", "![a](/b)", "[a](/b)"),
    *("[x](data:image/png;base64,AA)", "[r]", "][r]", "[][r]", "a", " ", "\n", "\n\n"),
    *("`", "``", "\\", "*", "**", "_", "<", ">", "<http://a.example>", "!", "&amp;", "> ", "- "),
)
DEFINITION = "\n\n[r]: /to"


def build_parser(*, ours: bool) -> MarkdownIt:
    parser = MarkdownIt("js-default", {"html": False, "linkify": False})
    if ours:
        link_labels.install(parser)
        images.install(parser)
    return parser


THEIRS, OURS = build_parser(ours=False), build_parser(ours=True)


def parse(parser: MarkdownIt, text: str) -> list[dict[str, object]]:
    """Return the tokens of `text`, without what rules note for themselves."""
    scope = Scope(MarkdownBudget(), Meter(float("inf")), None)
    return [_describe(token) for token in parser.parse(text, scope.env)]


def _describe(token: Token) -> dict[str, object]:
    children = [_describe(child) for child in token.children or ()]
    described: dict[str, object] = dict(token.as_dict(children=False))
    described.update(meta={}, children=children)
    return described


@settings(max_examples=100)
@given(st.lists(st.sampled_from(PIECES), max_size=24).map("".join), st.booleans())
def test_links_and_images_are_those_of_markdown_it(text: str, has_definition: bool) -> None:
    text += DEFINITION * has_definition

    assert parse(OURS, text) == parse(THEIRS, text)


@pytest.mark.parametrize("after", ["", "](/a)", "](/a)" * 2, DEFINITION, f"[r]{DEFINITION}"])
@pytest.mark.parametrize("many", ["[", "![", "[a", "[a] ", "![a] ", "[[a] ", "[a](/b) [", "[![a] "])
def test_many_brackets_are_parsed_as_by_markdown_it(many: str, after: str) -> None:
    text = many * 15 + after

    assert parse(OURS, text) == parse(THEIRS, text)


def count_calls(text: str) -> int:
    """Return how many functions are called to parse `text`."""
    calls = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    scope = Scope(MarkdownBudget(), Meter(float("inf")), None)
    before = sys.getprofile()
    sys.setprofile(count)
    try:
        OURS.parse(text, scope.env)
    finally:
        sys.setprofile(before)
    return calls


@pytest.mark.parametrize("after", ["", "](/a)", f"](/a){DEFINITION}"])
@pytest.mark.parametrize("many", ["[", "![", "[a", "[a] [", "[![a] "])
def test_a_bracket_among_many_takes_few_calls(many: str, after: str) -> None:
    text = many * 300 + after

    # markdown-it alone takes 330 to 1,250 for each.
    assert count_calls(text) < 150 * text.count("[")
