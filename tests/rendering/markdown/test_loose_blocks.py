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


def test_other_fences_end_at_the_first_one() -> None:
    assert len(parsed(html("```text\n```bash\nx\n```\ny")).css("pre")) == 1
    assert len(parsed(html("```markdown\n# a\n```\n\n```\nb\n```")).css("pre")) == 2


@pytest.mark.parametrize("kind", ["NOTE", "TIP", "IMPORTANT", "WARNING", "CAUTION", "warning"])
def test_an_alert_names_its_kind(kind: str) -> None:
    root = parsed(html(f"> [!{kind}]\n> Mind this."))
    assert root.css("blockquote strong")[0].text() == kind.capitalize()
    assert "[!" not in root.text() and "Mind this." in root.text()


@pytest.mark.parametrize("text", ["> [!OTHER]\n> x", "> [!NOTE] x", "[!NOTE]\nx"])
def test_what_is_no_alert_stays_text(text: str) -> None:
    assert "[!" in parsed(html(text)).text()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("one<br>two<br/>three<BR />four", ["p", "br", "br", "br"]),
        ("H<sub>2</sub>O, x<sup>2</sup>, <kbd>Ctrl</kbd>", ["p", "sub", "sup", "kbd"]),
        ("**H<SUB>2</SUB>O**", ["p", "strong", "sub"]),
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
