"""Parse rendered text as a browser does, and check it against a short allow-list."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from selectolax.lexbor import LexborHTMLParser, LexborNode

_BARE: Final = (
    *("blockquote", "br", "code", "em", "h3", "h4", "h5", "h6", "hr", "li"),
    *("p", "pre", "s", "strong", "table", "tbody", "thead", "tr", "ul"),
)
ALLOWED: Final[dict[str, set[str]]] = {
    **{name: set() for name in _BARE},
    **{name: {"dir"} for name in ("blockquote", "h3", "h4", "h5", "h6", "ul")},
    "p": {"class", "dir"},
    "a": {"href", "rel", "title", "class", "id", "role"},
    "ol": {"start", "dir", "class"},
    "div": {"class", "tabindex", "dir", "data-language"},
    "pre": {"tabindex"},
    "bdi": {"class"},
    "button": {"type", "class", "data-copy-code"},
    "td": {"class", "dir"},
    "th": {"class", "dir"},
    "li": {"class", "dir", "value"},
    "code": {"class"},
    "span": {
        *("class", "data-mark", "data-quiet", "title"),
        *("tabindex", "role", "aria-label"),
    },
    "details": {"open"},
    "summary": {"dir"},
    "kbd": set(),
    "sub": set(),
    "sup": {"class"},
    **{name: {"class"} for name in ("mrow", "mtext", "mtr", "mtd", "mtable")},
    **{
        name: set()
        for name in (
            *("mn", "ms", "msqrt", "mroot", "msub", "msup", "msubsup", "mmultiscripts"),
            *("mprescripts", "mphantom"),
        )
    },
    "math": {"class", "display", "alttext"},
    "mi": {"mathvariant"},
    "mfrac": {"linethickness"},
    "mo": {
        *("lspace", "rspace", "fence", "form", "largeop", "maxsize", "minsize", "movablelimits"),
        *("separator", "stretchy", "symmetric"),
    },
    "mover": {"accent"},
    "munder": {"accentunder"},
    "munderover": {"accent", "accentunder"},
    "mpadded": {"lspace", "rspace", "depth", "height", "voffset", "width"},
    "mspace": {"depth", "height", "width"},
    "mstyle": {"class", "displaystyle", "scriptlevel"},
}
ALLOWED["a"] |= {"aria-label"}
ALLOWED["li"] |= {"id"}
ALLOWED["mtable"] |= {"displaystyle", "scriptlevel"}
ALLOWED["mtd"] |= {"columnspan", "rowspan"}
_MATH: Final = "math-[a-z-]+( math-[a-z-]+)*"
TARGET: Final = r"[\w-]+-(cite|source|note|noteref)-[0-9]+"
CLASSES: Final = {
    "a": "citation-(marker|number)",
    "div": "wide|code|code-head|formula",
    "bdi": "code-language",
    "button": "quiet",
    "span": "link-host|source-chip|control|joined|code-[a-z]+|formula-(inline|long|display)|task"
    "|image-link",
    "code": "formula-source",
    "li": "task-item",
    "p": "link-definition|quiet-note",
    **{name: _MATH for name in ("math", "mrow", "mstyle", "mtext", "mtr", "mtd", "mtable")},
    "ol": "footnotes|(very-)?long-numbers",
    "sup": "citation|footnote",
    "td": "align-(center|right)",
    "th": "align-(center|right)",
}


def parsed(html: str) -> LexborNode:
    """Return `html` parsed, inside a `<main>`."""
    main = LexborHTMLParser(f"<main>{html}</main>").css_first("main")
    assert main is not None
    return main


def elements(html: str) -> Iterator[LexborNode]:
    yield from (node for node in parsed(html).css("main *") if node.tag)


def all_text(html: str) -> str:
    return parsed(html).text()


def links(html: str) -> list[str]:
    """Return the targets of all links, in order."""
    return [node.attributes.get("href") or "" for node in parsed(html).css("a[href]")]


def assert_harmless(html: str) -> None:
    """Fail if `html` has an element, attribute, class or target that is not on the list."""
    body = LexborHTMLParser(f"<main>{html}</main>").body
    assert body is not None
    (main,) = body.iter(include_text=False)
    assert main.tag == "main", "something closed what is around the text"
    for node in elements(html):
        assert node.tag in ALLOWED, node.tag
        assert set(node.attributes) <= ALLOWED[node.tag], node.html
        if node.tag == "li" and "id" in node.attributes:
            assert re.fullmatch(TARGET, node.attributes["id"] or "")
        if "class" in node.attributes:
            assert re.fullmatch(CLASSES[node.tag], node.attributes["class"] or "")
        if node.tag == "a" and "href" in node.attributes:
            address = node.attributes["href"] or ""
            assert re.fullmatch(rf"((?i:https?)://|mailto:)\S+|#{TARGET}", address)
            ours = address.startswith("#")
            assert ours or node.attributes["rel"] == "noopener noreferrer nofollow"
            assert re.fullmatch(f"({TARGET})?" if ours else "", node.attributes.get("id") or "")
