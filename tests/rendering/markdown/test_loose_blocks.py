"""Blocks and tags as models write them: nested lists and fences, alerts, `<br>` and its like."""

from __future__ import annotations

import pytest

from tests.support.html import assert_harmless, elements, parsed
from webapp.rendering import render_markdown


def html(text: str) -> str:
    found = str(render_markdown(text).html)
    assert_harmless(found)
    return found


def tags(text: str) -> list[str]:
    return [node.tag or "" for node in elements(html(text))]


@pytest.mark.parametrize(
    "text",
    [
        "9. Nine\n10. Ten\n   - child of ten\n11. Eleven",
        "1. One\n2. Two\n  - child\n3. Three",
        "20. A\n21. B\n  - child\n22. C",
        "1. One\n2. Two\n\n  * child\n\n3. Three",
    ],
)
def test_a_list_nests_from_two_blanks_on(text: str) -> None:
    root = parsed(html(text))
    assert len(root.css("ol")) == 1 and len(root.css("ol > li")) == 3
    assert len(root.css("ol > li > ul > li")) == 1


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("10. A\n   > q\n11. B", "ol > li > blockquote"),
        ("10. A\n\n   para\n\n11. B", "ol > li > p + p"),
        ("1. A\n  | x | y |\n  |---|---|\n  | 1 | 2 |\n2. B", "ol > li table td"),
        ("> 1. A\n>   - child\n> 2. B", "blockquote > ol > li > ul > li"),
        ("1.\tA\n  - child\n2.\tB", "ol > li > ul > li"),
        ("10.  A\n   - child\n11.  B", "ol > li > ul > li"),
        ("1. A\nlazy\n  - child\n2. B", "ol > li > ul > li"),
        ("10. A\n   1. child\n     - c\n   2. d\n11. B", "ol > li > ol > li > ul > li"),
        ("10. A\n   ```sh\n   ls\n   ```\n   text\n11. B", "ol > li pre"),
    ],
)
def test_blocks_of_every_kind_nest(text: str, found: str) -> None:
    root = parsed(html(text))
    assert len(root.css(found)) >= 1
    [outer] = [one for one in root.css("ol") if one.parent and one.parent.tag != "li"]
    assert [one.tag for one in outer.iter()] == ["li", "li"]


@pytest.mark.parametrize(
    "text", ["The year\n1986. A great\n\n  year", "1. A\n  2. B\n  3. C\n\nend", "2 A\n\n  b"]
)
def test_what_begins_no_nested_block_is_not_moved(text: str) -> None:
    root = parsed(html(text))
    assert not root.css("pre") and not root.css("li ol") and not root.css("li p")


def test_what_is_nested_deeper_keeps_its_depth() -> None:
    root = parsed(html("10. A\n  - b\n    - c\n  - d\n\nend"))
    assert len(root.css("ol > li > ul > li")) == 2
    assert len(root.css("ul ul li")) == 1 and root.css("p")[-1].text() == "end"


@pytest.mark.parametrize("text", ["```\n1. a\n  - b\n```", "    1. a\n      - b"])
def test_code_keeps_its_blanks(text: str) -> None:
    assert "1. a\n  - b" in parsed(html(text)).text()


@pytest.mark.parametrize("name", ["markdown", "md"])
def test_a_markdown_fence_contains_fences(name: str) -> None:
    inner = "## Use\n```bash\nmake run\n```\n## End\n```python\nx\n```\n"
    root = parsed(html(f"Here:\n\n```{name}\n{inner}```\n\nThat is all."))
    assert [code.text() for code in root.css("pre code")] == [inner]
    assert root.css("p")[-1].text() == "That is all."


@pytest.mark.parametrize(
    "name", ["", "text", "README.md", "markdown:docs/a.md", 'md title="a"', "prompt", "yaml"]
)
def test_a_fence_of_another_name_contains_fences_if_they_are_closed_only_so(name: str) -> None:
    root = parsed(html(f"```{name}\nA\n```bash\nx\n```\nB\n```\n\nEnd"))
    assert [code.text() for code in root.css("pre code")] == ["A\n```bash\nx\n```\nB\n"]
    assert root.css("p")[-1].text() == "End"


def test_other_fences_end_at_the_first_one() -> None:
    two = "```\nA\n```bash\nx\n```\nB\n```\nC\n```"
    assert len(parsed(html(two)).css("pre")) == 2
    assert len(parsed(html("```text\n```bash\nx\n```\ny")).css("pre")) == 1
    assert len(parsed(html("```markdown\n# a\n```\n\n```\nb\n```")).css("pre")) == 2


@pytest.mark.parametrize("kind", ["NOTE", "TIP", "IMPORTANT", "WARNING", "CAUTION", "warning"])
def test_an_alert_names_its_kind(kind: str) -> None:
    root = parsed(html(f"> [!{kind}]\n> Mind this."))
    assert root.css("blockquote strong")[0].text() == kind.capitalize()
    assert "[!" not in root.text() and "Mind this." in root.text()


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("> [!INFO]\n> x", "Info"),
        ("> [!NOTE] Mind\n> x", "Note:"),
        ("> [!tip]- Mind\n> x", "Tip:"),
        ("> [!DANGER]+\n> x", "Danger"),
        ("- a\n  > [!quote]\n  > x", "Quote"),
    ],
)
def test_an_alert_of_other_programs_may_have_another_kind_and_a_title(
    text: str, title: str
) -> None:
    quote = parsed(html(text)).css("blockquote")[0]
    assert quote.css("strong")[0].text() == title
    assert "[!" not in quote.text()
    assert ("Mind" in text) is ("Mind" in quote.text())


@pytest.mark.parametrize("text", ["> [!OTHER]\n> x", "> x [!NOTE]", "[!NOTE]\nx"])
def test_what_is_no_alert_stays_text(text: str) -> None:
    assert "[!" in parsed(html(text)).text()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("one<br>two<br/>three<BR />four", ["p", "br", "br", "br"]),
        ("H<sub>2</sub>O, x<sup>2</sup>, <kbd>Ctrl</kbd>", ["p", "sub", "sup", "kbd"]),
        ("**H<SUB>2</SUB>O**", ["p", "strong", "sub"]),
        ("<sub>one\ntwo</sub>", ["p", "sub", "br"]),
    ],
)
def test_a_few_tags_are_rendered(text: str, found: list[str]) -> None:
    assert tags(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "<b>x</b>",
        "<sub>x",
        "x</sub>",
        "<sub onclick=x>y</sub>",
        "<br onload=x>",
        "<script>x</script>",
    ],
)
def test_all_other_tags_stay_visible(text: str) -> None:
    assert tags(text) == ["p"] and parsed(html(text)).text().strip() == text


@pytest.mark.parametrize(
    "text", ["1. A\n  -", "1. A\n  ---\nend", "1. A\n  ===", "1. A\n  b\n  ---"]
)
def test_dashes_below_the_text_of_an_item_make_no_heading_of_it(text: str) -> None:
    assert not {"h3", "h4"} & {*tags(text)}


def test_an_empty_item_between_nested_ones_stays_one_of_them() -> None:
    root = parsed(html("1. A\n  - b\n  -\n  - c\n2. D"))
    assert len(root.css("ol > li > ul > li")) == 3 and len(root.css("ol")) == 1
