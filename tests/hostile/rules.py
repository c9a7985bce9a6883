"""Rules that the HTML of a page must obey with any content, independent of our markup."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Final

from selectolax.lexbor import LexborNode

from tests.support.pages import SOURCE, Bubble, Page
from tools.hostile.cases import MANY, Case
from webapp.exact_json.lexemes import TOKEN

FORBIDDEN: Final = frozenset(
    {"iframe", "object", "embed", "base", "style", "template", "noscript", "svg", "textarea"}
    | {"form", "link", "meta", "script", "frame", "frameset", "applet", "marquee", "portal"}
    | {"dialog", "slot", "map", "area", "param", "source", "video", "canvas", "plaintext"}
    | {"xmp", "listing", "noembed", "noframes", "image", "select", "maction", "mglyph"}
    | {"annotation-xml", "malignmark"}
)
"""Elements that occur in no message."""

_FORBIDDEN_IN_BUBBLES: Final = ",".join(
    f".bubble {selector}" for selector in (*sorted(FORBIDDEN), "[formaction]")
)
OUR_ID: Final = re.compile(r"[a-z]+(-[a-z0-9]+)*")
OUR_PATH: Final = re.compile(r"/(?![/\\])")
_LOADS: Final = ("src", "srcset", "poster", "data", "background", "action", "formaction")
_REQUESTS: Final = ("hx-get", "hx-post", "hx-put", "hx-patch", "hx-delete")
_REL: Final = {"noopener", "noreferrer", "nofollow"}
_WORDS: Final = re.compile(r"[a-z0-9]+")
"""Of ASCII only: other signs may be shown as marks, joined, or as U+FFFD."""


def assert_harmless(page: Page, *, typed: bool = False) -> None:
    """Check that content can have made no element, attribute or address.

    With `typed`, links of ours that try again may contain the reader's own address.
    """
    for node in page.all("*"):
        _check_attributes(node, "\0" if typed else "pwned")
    for node in page.all("main *"):
        assert node.tag and "-" not in node.tag, node.tag
    for node in page.all(_FORBIDDEN_IN_BUBBLES):
        raise AssertionError(node.html)
    for node in page.all("script"):
        assert OUR_PATH.match(node.attributes.get("src") or ""), node.html
    ids = Counter(node.attributes["id"] or "" for node in page.all("[id]"))
    assert [name for name, times in ids.items() if times > 1] == []
    assert [name for name in ids if not OUR_ID.fullmatch(name) or "pwned" in name] == []
    assert len(page.all("main")) <= 1


def _check_attributes(node: LexborNode, stolen: str) -> None:
    for name, value in node.attributes.items():
        assert not name.startswith(("on", "style", "srcdoc", "hx-on", "hx-swap-oob")), name
        assert not name.startswith(("data-hx", "xlink", "ping")), name
        assert name != "formaction" or node.tag == "button", node.html
        if name in _LOADS or name in _REQUESTS or (name == "href" and node.tag == "link"):
            assert OUR_PATH.match(value or ""), (node.tag, name, value)
            assert stolen not in (value or "").partition("?")[0], (node.tag, name, value)
        elif name == "href":
            _check_link(node, value or "", stolen)


def _check_link(node: LexborNode, address: str, stolen: str) -> None:
    assert node.tag == "a", node.tag
    if re.match(r"/(?![/\\])|#|\?", address):
        assert stolen not in re.split("[?#]", address)[0], address
        return
    assert re.match(r"https?://(?!localhost)[^/@]+(/|$|[?#])|mailto:", address, re.I), address
    assert set((node.attributes.get("rel") or "").split()) >= _REL, address


def assert_stands_alone(bubble: Bubble, text: str) -> None:
    """The bubble is a message of the page itself, and says `text` and nothing of others."""
    assert bubble.text.count(text) >= 1
    above = bubble.node.parent
    while above is not None and above.tag not in ("-document", "-undef"):
        assert above.tag in ("section", "div", "main", "body", "html"), above.tag
        assert "bubble" not in (above.attributes.get("class") or "").split()
        above = above.parent


def words(text: str) -> list[str]:
    """The runs of ASCII letters and digits in `text`."""
    return _WORDS.findall(text.lower())


def assert_said(shown: str, said: str) -> None:
    """Check that `shown` has all words of `said`, in their order."""
    at = 0
    shown = shown.lower()
    for word in words(said):
        found = shown.find(word, at)
        assert found >= 0, f"{word!r} is lost behind {shown[max(0, at - 60) : at]!r}"
        at = found + len(word)


def assert_all_said(case: Case, bubbles: list[Bubble]) -> None:
    """Everything the case says can be read in its `bubbles`, and to the letter in some source."""
    shown = "".join(bubble.node.text() for bubble in bubbles)
    sources = [pre.text() for bubble in bubbles for pre in bubble.node.css(SOURCE)]
    for said in case.said:
        if len(said) < MANY:
            assert_said(shown, said)
        if len(said) < MANY and case.is_exact:
            assert shown_exactly(said) in sources, case.name


def shown_exactly(text: str) -> str:
    """`text` in HTML, which has neither NUL nor half a surrogate pair."""
    return re.sub("[\ud800-\udfff]", "\ufffd", text).replace("\0", "\u2400")


def lexemes(text: str) -> list[str]:
    """JSON as its signs, with no white space between them."""
    return [match[match.lastgroup or 0] for match in TOKEN.finditer(text)]


def assert_exact(page: Page, sent: str) -> None:
    """The page gives the JSON that was sent, every lexeme of it, in some place of its own."""
    wanted = lexemes(sent)
    assert json.dumps(wanted) in (json.dumps(lexemes(pre.text())) for pre in page.all("pre"))
