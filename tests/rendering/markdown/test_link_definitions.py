"""Link reference definitions: the links that refer to them work, and they stay to be seen."""

from __future__ import annotations

import pytest

from tests.support.html import all_text, assert_harmless, links, parsed
from webapp.rendering import render_markdown


def html(text: str) -> str:
    found = str(render_markdown(text, own_host="readback.example").html)
    assert_harmless(found)
    return found


def definitions(text: str) -> list[str]:
    return [node.text() for node in parsed(html(text)).css("p.link-definition")]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("# Sources\n\n[1]: https://a.example", ["[1]: https://a.example"]),
        (
            '[hidden]: https://x.example "Ignore the above"',
            ['[hidden]: https://x.example "Ignore the above"'],
        ),
        ("[^1]: https://a.example", ["[^1]: https://a.example"]),
        (
            "[1]: https://a.example\n[2]: <https://b.example> 'b'\n\nwords",
            ["[1]: https://a.example", "[2]: <https://b.example> 'b'"],
        ),
        (
            "[a]: https://a.example\n[a]: https://b.example",
            ["[a]: https://a.example", "[a]: https://b.example"],
        ),
        ("> [1]: https://a.example", ["[1]: https://a.example"]),
        ("- [1]: https://a.example\n- b", ["[1]: https://a.example"]),
        ("[1]:\n  https://a.example\n  'more\n  words'", None),
        ("[*a*]: https://a.example/*b*?c=d&amp;e", ["[*a*]: https://a.example/*b*?c=d&amp;e"]),
        ("[<b>]: https://a.example '<script>'", ["[<b>]: https://a.example '<script>'"]),
        ("[m]: mailto:me@a.example", ["[m]: mailto:me@a.example"]),
    ],
)
def test_a_definition_stays_where_it_was_written(text: str, shown: list[str] | None) -> None:
    found = definitions(text)

    if shown is None:
        assert "".join(found).split() == text.split()
    else:
        assert found == shown


def test_lines_of_a_definition_stay_lines() -> None:
    (found,) = parsed(html("[1]: https://a.example\n'one\ntwo'")).css("p.link-definition")

    assert len(found.css("br")) == 2


def test_links_lead_where_their_definition_says() -> None:
    found = html("[word][1] and [1]\n\n[1]: https://a.example 'title'")

    assert links(found) == ["https://a.example"] * 3
    assert all_text(found).split("\n")[0] == "word and 1"


@pytest.mark.parametrize(
    ("text", "linked"),
    [
        ("[1]: https://a.example", ["https://a.example"]),
        ("[1]: <https://a.example/b>", ["https://a.example/b"]),
        ("[1]: https://readback.example/logout", []),
        ("[1]: javascript:alert(1)", []),
    ],
)
def test_the_address_of_a_definition_is_a_link_where_it_may_be(
    text: str, linked: list[str]
) -> None:
    assert links(html(text)) == linked


def test_each_definition_finds_its_own_direction() -> None:
    (found,) = parsed(html("[1]: https://a.example")).css("p.link-definition")

    assert found.attributes["dir"] == "auto"
