"""Citations: marks in the text, sources in a list, and only links that are allowed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.bubbles.showing import ShowAnswer
from tests.fake_upstream import Json
from tests.pages import readable


def cited(url: str, title: str | None, start: int, end: int) -> Json:
    place = {"start_index": start, "end_index": end}
    return {"type": "url_citation", "url_citation": {"url": url, "title": title} | place}


def test_citations_are_marked_in_the_text_and_listed(answered: ShowAnswer) -> None:
    bubble = answered(
        content="It is 21 °C in Paris.",
        annotations=[
            cited("https://weather.example/paris", "Weather in Paris", 6, 11),
            cited("https://b.example/", None, 0, 0),
        ],
    )
    marks = bubble.parts.css("sup.citation a")
    assert [mark.text() for mark in marks] == ["1"]
    first, second = bubble.parts.css(".sources li")
    assert marks[0].attributes["href"] == f"#{first.attributes['id']}"
    links = [node.css_first("a") for node in (first, second)]
    assert [link.attributes["href"] for link in links if link] == [
        "https://weather.example/paris",
        "https://b.example/",
    ]
    assert readable(first) == "Weather in Paris weather.example"
    assert "https://b.example/" in readable(second)
    assert bubble.sources == ["It is 21 °C in Paris."]


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "/logout", "//x", "https://localhost/x", ""]
)
def test_a_source_that_must_not_be_linked_is_named(answered: ShowAnswer, url: str) -> None:
    bubble = answered(content="x", annotations=[cited(url, "Title", 0, 1)])
    (source,) = bubble.parts.css(".sources li")
    assert source.css("a") == []
    assert readable(source) == f"Title {url}".strip()


@pytest.mark.parametrize(
    "annotation",
    [{"type": "file_citation", "file_citation": {"file_id": "f"}}, {"type": "file"}, "odd", 7],
)
def test_an_unknown_annotation_is_listed_as_json(answered: ShowAnswer, annotation: Any) -> None:
    bubble = answered(content="x", annotations=[annotation])
    (source,) = bubble.parts.css(".sources li pre")
    assert "".join(source.text().split()) == json.dumps(annotation, separators=(",", ":"))
