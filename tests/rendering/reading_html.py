"""Reading rendered text as a browser would, and the short list of what may be in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from selectolax.lexbor import LexborHTMLParser, LexborNode

_BARE: Final = (
    *("blockquote", "br", "code", "em", "h4", "h5", "h6", "hr", "li"),
    *("p", "pre", "s", "strong", "table", "tbody", "thead", "tr", "ul"),
)
ALLOWED: Final[dict[str, set[str]]] = {
    **{name: set() for name in _BARE},
    "a": {"href", "rel", "title"},
    "ol": {"start"},
    "div": {"class", "tabindex"},
    "td": {"class"},
    "th": {"class"},
    "span": {"class"},
    "sup": {"class"},
}
CLASSES: Final = {
    "div": "wide",
    "span": "link-host",
    "sup": "citation",
    "td": "align-(center|right)",
    "th": "align-(center|right)",
}


def parsed(html: str) -> LexborNode:
    """The `<main>` around `html`."""
    main = LexborHTMLParser(f"<main>{html}</main>").css_first("main")
    assert main is not None
    return main


def elements(html: str) -> Iterator[LexborNode]:
    yield from (node for node in parsed(html).css("main *") if node.tag)


def all_text(html: str) -> str:
    return parsed(html).text()


def links(html: str) -> list[str]:
    """The addresses of all links, in order."""
    return [node.attributes.get("href") or "" for node in parsed(html).css("a[href]")]


def assert_harmless(html: str) -> None:
    """Nothing but the elements, attributes and addresses on the list."""
    body = LexborHTMLParser(f"<main>{html}</main>").body
    assert body is not None
    (main,) = body.iter(include_text=False)
    assert main.tag == "main", "something closed what is around the text"
    for node in elements(html):
        assert node.tag in ALLOWED, node.tag
        assert set(node.attributes) <= ALLOWED[node.tag], node.html
        if "class" in node.attributes:
            assert re.fullmatch(CLASSES[node.tag], node.attributes["class"] or "")
        if node.tag == "a" and "href" in node.attributes:
            address = node.attributes["href"] or ""
            assert re.fullmatch(r"(https?://|mailto:)\S+|#[\w-]+-source-\d+", address)
            assert node.attributes["rel"] == "noopener noreferrer nofollow"
