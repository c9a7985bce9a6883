"""Read the content of one bubble from a page, in the words of the expectations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Final

from selectolax.lexbor import LexborNode

from tests.support.gallery import Json

BLOCKS: Final = frozenset(
    {"p", "div", "pre", "li", "dt", "dd", "tr", "td", "th", "h1", "h2", "h3", "h4", "h5", "h6"}
    | {"section", "article", "header", "summary", "details", "figure", "figcaption", "blockquote"}
    | {"ul", "ol", "dl", "table", "br", "hr", "button", "label", "caption"}
)
NOTES: Final = ".quiet-note, .flag, .refusal-head, .notice, .result-head"


def text_of(node: LexborNode) -> str:
    """All that can be read in it; unlike `readable`, letters of one word stay together."""
    pieces = []
    for inner in node.traverse(include_text=True):
        if inner.tag == "-text":
            pieces.append(inner.text_content or "")
        elif inner.tag in BLOCKS:
            pieces.append(" ")
    return joined("".join(pieces))


def joined(text: str) -> str:
    return " ".join(text.split())


class Seen:
    """The visible content of the bubbles in `html`: a property for each expectation.

    `node` is the part of the page that contains them. Exact sources, which a switch shows in
    place of what is read, count only for `exact` and `characters`: they are taken out
    of the page.
    """

    def __init__(self, node: LexborNode) -> None:
        self.exact = [one.text() for one in node.css("pre, code, [data-same]")]
        labels = (one.attributes["data-mark"] or "" for one in node.css(".control"))
        self.characters = [name for label in labels for name in label.split()]
        self._node = node
        for one in node.css(".source:not(.plain), .exact, .raw"):
            one.decompose()

    @cached_property
    def text(self) -> str:
        return text_of(self._node)

    @property
    def roles(self) -> list[str]:
        return self._texts(".bubble-head .role")

    @property
    def headings(self) -> list[str]:
        return self._texts(".rendered :is(h1, h2, h3, h4, h5, h6)")

    @property
    def strong(self) -> list[str]:
        return self._texts(".rendered strong")

    @property
    def italic(self) -> list[str]:
        return self._texts(".rendered em")

    @property
    def struck(self) -> list[str]:
        return self._texts(".rendered :is(s, del)")

    @property
    def inline_code(self) -> list[str]:
        return self._texts(".rendered :not(pre) > code")

    @property
    def items(self) -> list[str]:
        return self._texts(".rendered li")

    @property
    def quotes(self) -> list[str]:
        return self._texts(".rendered blockquote")

    @property
    def tasks(self) -> list[bool]:
        labels = [node.attributes.get("aria-label") for node in self._node.css(".rendered .task")]
        assert set(labels) <= {"done", "to do"}
        return [label == "done" for label in labels]

    @property
    def links(self) -> list[tuple[str, str]]:
        return [(text_of(a), a.attributes.get("href") or "") for a in self._node.css("a")]

    @property
    def tables(self) -> list[list[int]]:
        return [_size(table) for table in self._node.css("table")]

    @property
    def code(self) -> list[Json]:
        return [
            {
                "language": " ".join(text_of(told) for told in block.css(".code-language")),
                "sees": "".join(pre.text() for pre in block.css("pre")),
            }
            for block in self._node.css(".rendered .code")
        ]

    @property
    def maths(self) -> list[Json]:
        return [
            {"block": node.attributes.get("display") == "block", "sees": text_of(node)}
            for node in self._node.css("math")
        ]

    @property
    def coloured(self) -> list[str]:
        return [node.text().strip() for node in self._node.css(":is(code, pre) span[class]")]

    @property
    def pictures(self) -> list[list[int]]:
        images = self._node.css("img")
        assert all(image.attributes.get("alt") for image in images), "an image without a name"
        return [
            [int(image.attributes.get(side) or 0) for side in ("width", "height")]
            for image in images
        ]

    @property
    def players(self) -> int:
        """Those that are visible at once; data that may not be a sound is folded."""
        return len(self._node.css("audio[controls]")) - len(self._node.css("details audio"))

    @property
    def downloads(self) -> int:
        return len(self._node.css("a[download]"))

    @property
    def buttons(self) -> list[str]:
        return self._texts("button, .button")

    @property
    def folds(self) -> list[str]:
        return self._texts("summary")

    @property
    def notes(self) -> str:
        return " ".join(self._texts(NOTES))

    @property
    def also_sent(self) -> list[str]:
        return self._texts(".also-sent > div > dt")

    @property
    def calls(self) -> list[str]:
        return self._texts(".call-head .call-name")

    @property
    def citations(self) -> list[str]:
        return self._texts(".citation-marker, .citation-number")

    @property
    def sources(self) -> list[str]:
        return self._texts(".sources li")

    def _texts(self, selector: str) -> list[str]:
        return [text_of(node) for node in self._node.css(selector)]


def _size(table: LexborNode) -> list[int]:
    rows = table.css("tr")
    return [len(rows), max((len(row.css("td, th")) for row in rows), default=0)]


WHOLE: Final = ("roles", "headings", "tasks", "tables", "pictures", "players", "downloads")
WHOLE_TOO: Final = ("also_sent", "calls", "citations")
IN_ORDER: Final = ("strong", "italic", "struck", "inline_code", "items", "quotes", "folds")


def missing(expected: Json, seen: Seen) -> Iterator[str]:
    """Yield a sentence for each expectation that is not met."""
    for key, wanted in expected.items():
        if key in (*WHOLE, *WHOLE_TOO) and getattr(seen, key) != wanted:
            yield f"{key}: {wanted} expected, {getattr(seen, key)} seen"
        elif key in IN_ORDER and (lost := _not_in_order(wanted, getattr(seen, key))):
            yield f"{key}: {lost} not seen in {getattr(seen, key)}"
    yield from _texts_missing(expected, seen)
    yield from _lists_missing(expected, seen)


def _texts_missing(expected: Json, seen: Seen) -> Iterator[str]:
    at = 0
    for wanted in map(joined, expected.get("sees", ())):
        found = seen.text.find(wanted, at)
        if found < 0:
            yield f"sees: {wanted!r} not seen after {seen.text[max(0, at - 40) : at]!r}"
            return
        at = found + len(wanted)
    for unwanted in expected.get("sees_not", ()):
        if unwanted in seen.text:
            yield f"sees_not: {unwanted!r} is there"
    for wanted in expected.get("notes", ()):
        if wanted not in seen.notes:
            yield f"notes: {wanted!r} not in {seen.notes!r}"


def _lists_missing(expected: Json, seen: Seen) -> Iterator[str]:
    for text, address in expected.get("links", {}).items():
        if (text, address) not in seen.links:
            yield f"links: {text!r} to {address!r} not in {seen.links}"
    led_to = {address for _, address in seen.links}
    for unwanted in led_to.intersection(expected.get("links_not", ())):
        yield f"links_not: there is a link to {unwanted!r}"
    for key in ("buttons", "characters", "coloured", "exact"):
        for wanted in expected.get(key, ()):
            if wanted not in getattr(seen, key):
                yield f"{key}: {wanted!r} not in {getattr(seen, key)}"
    for key in ("code", "maths"):
        if key in expected:
            yield from _records_missing(key, expected[key], getattr(seen, key))
    sources = expected.get("sources")
    if sources is not None and len(sources) != len(seen.sources):
        yield f"sources: {len(sources)} expected, {seen.sources} seen"
    elif sources is not None and (lost := _not_in_order(sources, seen.sources)):
        yield f"sources: {lost} not seen in {seen.sources}"


def _records_missing(key: str, wanted: list[Json], seen: list[Json]) -> Iterator[str]:
    if len(wanted) != len(seen):
        yield f"{key}: {len(wanted)} expected, {seen} seen"
        return
    for one, other in zip(wanted, seen, strict=True):
        for name, value in one.items():
            holds = value in other[name] if name == "sees" else value == other[name]
            if not holds:
                yield f"{key}: {name} {value!r} expected, {other} seen"


def _not_in_order(wanted: Iterable[str], seen: Iterable[str]) -> str:
    """The first of `wanted` that is in none of the texts after those for the ones before it."""
    left = iter(seen)
    for text in wanted:
        if not any(joined(text) in one for one in left):
            return text
    return ""
