"""Reading our pages as a browser would: roles, texts and links, not strings of markup."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from flask.testing import FlaskClient
from selectolax.lexbor import LexborHTMLParser, LexborNode
from werkzeug.test import TestResponse

from tools.paths import ROOT
from webapp.static_files import SHEETS

AS_FRAGMENT = {"HX-Request": "true"}
SOURCE = ".source, [data-same]"
"""A text exactly as it was written, by the side of what is read of it or the same."""


@cache
def find_styled_classes(sheet: str) -> frozenset[str]:
    """Return the classes that a sheet of pages has rules for; those for paper add no look."""
    paths = [ROOT / "static" / "css" / f"{part}.css" for part in SHEETS[sheet] if part != "print"]
    text = "".join(path.read_text(encoding="utf-8") for path in paths)
    selectors = re.sub(r"""/\*.*?\*/|"[^"]*"|\{[^{}]*\}""", "", text, flags=re.DOTALL)
    return frozenset(re.findall(r"\.([a-z][\w-]*)", selectors))


def readable(node: LexborNode) -> str:
    """All that can be read in it, white space joined."""
    return " ".join(node.text(separator=" ").split())


def classes(node: LexborNode) -> list[str]:
    return (node.attributes.get("class") or "").split()


@dataclass(frozen=True)
class Row:
    """One completion as the list shows it."""

    node: LexborNode

    @property
    def text(self) -> str:
        return readable(self.node)

    @property
    def href(self) -> str | None:
        """Where the row leads, None when it is no link."""
        link = self.node.css_first("a.row-link")
        return None if link is None else link.attributes.get("href")

    @property
    def question(self) -> str:
        return self._text(".question")

    @property
    def answer(self) -> str:
        """The first words of the answer, without the marks."""
        return self._text(".answer")

    @property
    def marks(self) -> list[str]:
        return [readable(mark) for mark in self.node.css(".mark")]

    @property
    def reason(self) -> str:
        """How the answer failed or ended, empty if as usual."""
        return self._text(".row-reason")

    def _text(self, selector: str) -> str:
        found = self.node.css_first(selector)
        assert found is not None
        return readable(found)


@dataclass(frozen=True)
class Bubble:
    """A message as the page shows it."""

    node: LexborNode

    @property
    def anchor(self) -> str:
        return self.node.attributes["id"] or ""

    @property
    def role(self) -> str | None:
        return self.node.attributes.get("data-role")

    @property
    def message_id(self) -> str | None:
        return self.node.attributes.get("data-message-id")

    @property
    def text(self) -> str:
        return readable(self.node)

    @property
    def parts(self) -> LexborNode:
        found = self.node.css_first(".parts")
        assert found is not None
        return found

    @property
    def sources(self) -> list[str]:
        """The texts of its own parts, exactly as they were written."""
        nested = {node.mem_id for call in self.calls for node in call.css(SOURCE)}
        nodes = self.parts.css(SOURCE)
        return [node.text() for node in nodes if node.mem_id not in nested]

    @property
    def calls(self) -> list[LexborNode]:
        return [node for node in self.parts.iter() if "call" in classes(node)]

    def link(self, text: str) -> str:
        """The address of the first link that reads `text`."""
        for link in self.node.css("a"):
            if link.text(strip=True) == text:
                return link.attributes.get("href") or ""
        raise AssertionError(f"no link {text!r} in {self.anchor}")


class Page:
    """One answer of ours, parsed."""

    def __init__(self, html: str) -> None:
        self.html = html
        self.tree = LexborHTMLParser(html)

    @classmethod
    def of(cls, response: TestResponse, status: int = 200) -> Page:
        page = cls(response.get_data(as_text=True))
        assert response.status_code == status, page.text[:1000]
        assert not page.unstyled, f"no sheet of the page has the rules of {page.unstyled}"
        return page

    @property
    def bubbles(self) -> list[Bubble]:
        return [Bubble(node) for node in self.tree.css("article.bubble")]

    @property
    def rows(self) -> list[Row]:
        return [Row(node) for node in self.tree.css(".rows > .row")]

    @property
    def message_ids(self) -> list[str | None]:
        return [bubble.message_id for bubble in self.bubbles]

    @property
    def files(self) -> list[str]:
        """The addresses of its sheets, scripts and icon, and of those that a script loads."""
        names = ("href", "src", "content", "data-htmx")
        nodes = self.all("link[href], script[src], meta:is([name=acting], [name=swapping])")
        return [path for node in nodes for path in map(node.attributes.get, names) if path]

    @property
    def unstyled(self) -> set[str]:
        """The classes whose rules are only in sheets that the page does not load."""
        names = {path.rpartition("/")[2] for path in self.files}
        rules = {name: find_styled_classes(name) for name in SHEETS}
        loaded = set().union(*(rules[name] for name in names & rules.keys()))
        if not loaded:
            return set()
        used = {one for text in re.findall(r' class="([^"]*)"', self.html) for one in text.split()}
        return used & set().union(*rules.values()) - loaded

    @property
    def text(self) -> str:
        return readable(self.tree.body) if self.tree.body else ""

    @property
    def is_whole(self) -> bool:
        """Whether this is a page with a frame of its own and no fragment of one."""
        return self.html.lstrip().lower().startswith("<!doctype html>")

    @property
    def notices(self) -> list[str]:
        return [readable(node) for node in self.tree.css("[role=alert]")]

    def split_at_gap(self) -> tuple[Page, Page]:
        """This page as far as the messages that are left out, and what comes after them."""
        start, end = Page(self.html), Page(self.html)
        start_gap, end_gap = start.one("#gap"), end.one("#gap")
        while (later := start_gap.next) is not None:
            later.decompose()
        while (earlier := end_gap.prev) is not None:
            earlier.decompose()
        start_gap.decompose()
        end_gap.decompose()
        return start, end

    def link(self, text: str) -> str | None:
        """Return the address of the first link that reads `text`, or None."""
        for link in self.tree.css("a"):
            if link.text(strip=True) == text:
                return link.attributes.get("href")
        return None

    def all(self, selector: str) -> list[LexborNode]:
        return self.tree.css(selector)

    def one(self, selector: str) -> LexborNode:
        found = self.tree.css(selector)
        assert len(found) == 1, f"{len(found)} of {selector}"
        return found[0]


def open_menu(client: FlaskClient, head: LexborNode) -> Page:
    """Fetch the menu of a message or call, the first one below `head`, as the script does."""
    link = head.css_first(".menu-link")
    assert link is not None
    return Page.of(client.get(link.attributes["href"] or "", headers=AS_FRAGMENT))


def pages_from(
    client: FlaskClient, path: str, *, link: str = "Load more", fragments: bool = False
) -> Iterator[Page]:
    """The page at `path`, then those that its links named `link` lead to, one by one.

    With `fragments` the later ones are asked for as htmx does. The end that the first page of a
    long transcript shows is a page of its own, after the fragments between; without fragments
    it comes with the last page anyway.
    """
    address: str | None = path
    headers: dict[str, str] = {}
    end: Page | None = None
    while address is not None:
        page = Page.of(client.get(address, headers=headers))
        gap = page.tree.css_first("#gap .button")
        address = page.link(link) if gap is None else gap.attributes["href"]
        if page.is_whole and gap is not None:
            page, end = page.split_at_gap()
        yield page
        headers = AS_FRAGMENT if fragments else {}
    if end is not None and fragments:
        yield end
