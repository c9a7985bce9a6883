"""Reading our pages as a browser would: roles, texts and links, not strings of markup."""

from __future__ import annotations

from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser, LexborNode
from werkzeug.test import TestResponse


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
        """All that can be read in it, white space joined."""
        return " ".join(self.node.text(separator=" ").split())

    @property
    def parts(self) -> LexborNode:
        found = self.node.css_first(":scope > .parts") or self.node.css_first(".parts")
        assert found is not None
        return found

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
        assert response.status_code == status, response.get_data(as_text=True)[:2000]
        return cls(response.get_data(as_text=True))

    @property
    def bubbles(self) -> list[Bubble]:
        return [Bubble(node) for node in self.tree.css("article.bubble")]

    @property
    def text(self) -> str:
        body = self.tree.body
        return " ".join(body.text(separator=" ").split()) if body else ""

    def link(self, text: str) -> str | None:
        """Where the first link that reads `text` leads, None when there is none."""
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
