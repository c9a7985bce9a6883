"""Links in plain texts, such as notes."""

from __future__ import annotations

import pytest

from tests.support.html import parsed
from webapp.rendering import link_addresses, render_markdown


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("(see https://a.example/b_(c))", "https://a.example/b_(c)"),
        ("see https://a.example/b, and", "https://a.example/b"),
        ("[https://a.example/b].", "https://a.example/b"),
        ("{https://a.example/b}", "https://a.example/b"),
        ("<https://a.example/b>", "https://a.example/b"),
        ("https://a.example/b…", "https://a.example/b"),
    ],
)
def test_an_address_ends_where_it_does_in_markdown(text: str, address: str) -> None:
    plain, markdown = link_addresses(text, own_host=""), render_markdown(text).html
    assert parsed(str(plain)).text() == text
    for html in (plain, markdown):
        (link,) = parsed(str(html)).css("a")
        assert link.attributes["href"] == address
