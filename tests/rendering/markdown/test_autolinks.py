"""Bare URLs and mail addresses: which become links, and where they end."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.support.any_json import checked
from tests.support.html import all_text, assert_harmless, links, parsed
from webapp.rendering import render_markdown


def linked(text: str) -> list[str]:
    """Return the texts of the links in `text`, each of which must be its target."""
    found = str(render_markdown(text, own_host="readback.example").html)
    assert_harmless(found)
    return [node.text() for node in parsed(found).css("a")]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://a.example", ["https://a.example"]),
        ("HTTPS://a.example/X", ["HTTPS://a.example/X"]),
        ("see http://a.example/b?c=d&e=f#g now", ["http://a.example/b?c=d&e=f#g"]),
        ("http://a.example.", ["http://a.example"]),
        ("http://a.example/b!?", ["http://a.example/b"]),
        ("http://a.example, http://b.example; x", ["http://a.example", "http://b.example"]),
        ("(http://a.example)", ["http://a.example"]),
        ("(http://a.example/b_(c))", ["http://a.example/b_(c)"]),
        ("http://a.example/b_(c)).", ["http://a.example/b_(c)"]),
        ("[http://a.example]", ["http://a.example"]),
        ("http://a.example/?q=1&amp;", ["http://a.example/?q=1"]),
        ("http://a.example/?q=1&copy=2", ["http://a.example/?q=1&copy=2"]),
        ("**http://a.example/b**", ["http://a.example/b"]),
        ("*http://a.example/b_c_d*", ["http://a.example/b_c_d"]),
        ("http://a.example/*b*/c", ["http://a.example/*b*/c"]),
        ('{"url": "http://a.example/b", "c": 1}', ["http://a.example/b"]),
        ("<p>http://a.example/b</p>", ["http://a.example/b"]),
        ("\u8a73\u3057\u304f\u306fhttp://a.example/b\u3002\u6b21", []),
        ("\u300chttp://a.example/b\u300d\u6b21", ["http://a.example/b"]),
        ("http://a.example/\u65e5\u672c", ["http://a.example/\u65e5\u672c"]),
        ("www.a.example/b", ["www.a.example/b"]),
        ("www.a.example.", ["www.a.example"]),
        ("www.a", []),
        ("wwww.a.example awww.a.example x.www.a.example", []),
        ("me@a.example, you+x@b.a.example!", ["me@a.example", "you+x@b.a.example"]),
        ("foo_bar@a.example", ["foo_bar@a.example"]),
        ("a@b a@.example @a.example a@b.1", []),
        ("ssh git@a.example:b/c.git", ["git@a.example"]),
        ("http://me@a.example/", []),
        ("xhttp://a.example ftp://a.example javascript://a.example", []),
        ("https://", []),
        ("https://readback.example/logout", []),
        ("www.readback.example", ["www.readback.example"]),
        ("`http://a.example` and\n\n    http://b.example", []),
        (
            "http://a.example:8080/x http://[::1]:80/",
            ["http://a.example:8080/x", "http://[::1]:80/"],
        ),
        ("http://localhost", ["http://localhost"]),
        ("http://a$b.example http://a.example$ http://%61.example http://a.example:x", []),
        ("|a|\n|-|\n|http://a.example|", ["http://a.example"]),
        ("[text http://b.example](http://a.example)", ["text http://b.example"]),
        ("[me@b.example](http://a.example)", ["me@b.example"]),
        ("<http://a.example>", ["http://a.example"]),
        ("http://a.example/" + "b" * 3000, []),
    ],
)
def test_an_address_is_a_link_as_far_as_it_goes(text: str, shown: list[str]) -> None:
    assert linked(text) == shown


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("www.a.example", "http://www.a.example"),
        ("me@a.example", "mailto:me@a.example"),
        ("http://a.example/\u65e5", "http://a.example/%E6%97%A5"),
    ],
)
def test_an_address_leads_where_it_says(text: str, address: str) -> None:
    assert links(str(render_markdown(text).html)) == [address]


@pytest.mark.parametrize(
    "text", ["https://a.example/?b=l%0D%0Am%09n", "mailto:a@b.example?body=c%0Ad"]
)
def test_encoded_line_breaks_are_part_of_an_address_and_shown_as_written(text: str) -> None:
    for written in (f"<{text}>", f"[{text}]({text})"):
        found = str(render_markdown(written).html)
        assert links(found) == [text]
        assert all_text(found).strip() == text


def test_a_host_that_looks_like_another_is_named() -> None:
    found = str(render_markdown("https://\u0430pple.com/").html)

    assert parsed(found).css_first(".link-host") is not None
    assert "xn--" in all_text(found)


PIECES = [
    *("http://", "https://", "www.", "a.example", "@", "me", ".", ",", "(", ")", "]", "&amp;"),
    *("/", "?", "*", "_", "~", "`", "<", ">", '"', "\\", " ", "\n", "\u3002", "%", "#", ":", "$"),
]


@given(st.lists(st.sampled_from(PIECES), max_size=24).map("".join))
@checked
def test_no_address_loses_a_character(text: str) -> None:
    text = text.replace("\\", "/")
    found = str(render_markdown(text).html)
    # A text with nothing to see is described in words of ours.
    assume("quiet-note" not in found)
    letters = {letter for letter in "".join(PIECES) if letter.isalnum()}
    # Signs in a row may be a fence, whose block has a button.
    shown = all_text(found.replace(">copy</button>", "></button>"))

    assert "amp" in text or [one for one in shown if one in letters] == [
        one for one in text if one in letters
    ]
    assert_harmless(found)
