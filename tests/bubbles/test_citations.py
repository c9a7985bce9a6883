"""Citations: marks in the text, sources in a list, and only links that are allowed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from selectolax.lexbor import LexborNode

from tests.support.bubbles import ShowAnswer, ShowMessages, pairs
from tests.support.fake_upstream import Json
from tests.support.pages import Bubble, readable


def cited(url: str, title: str | None, start: int | None, end: int | None, **fields: Any) -> Json:
    place = {"start_index": start, "end_index": end}
    return {"type": "url_citation", "url_citation": {"url": url, "title": title} | place | fields}


def sources(bubble: Bubble) -> list[LexborNode]:
    return bubble.parts.css(".sources > ol > li")


def places(source: LexborNode) -> list[str]:
    return [readable(place) for place in source.css(".place")]


def notes(bubble: Bubble) -> list[str]:
    return [readable(note) for note in bubble.parts.css(".sources > .quiet-note")]


def test_citations_are_marked_in_the_text_and_listed(answered: ShowAnswer) -> None:
    bubble = answered(
        content="It is 21 °C in Paris.",
        annotations=[
            cited("https://weather.example/paris", "Weather in Paris", 6, 11),
            cited("https://b.example/", None, 0, 0),
        ],
    )
    (mark,) = bubble.parts.css("sup.citation a")
    assert mark.text() == "[1]"
    first, second = sources(bubble)
    assert mark.attributes["href"] == f"#{first.attributes['id']}"
    links = [node.css_first("a.source-title") for node in (first, second)]
    assert [link.attributes["href"] for link in links if link] == [
        "https://weather.example/paris",
        "https://b.example/",
    ]
    assert readable(first) == (
        "Weather in Paris weather.example https://weather.example/paris 6 to 11 ↩"
    )
    assert readable(second) == "https://b.example/ b.example no place given"
    assert bubble.sources == ["It is 21 °C in Paris."]
    assert notes(bubble) == []


def test_a_source_leads_back_to_each_of_its_places(answered: ShowAnswer) -> None:
    twice = [cited("https://a.example/", "A", 0, 3), cited("https://a.example/", "A", 4, 7)]
    bubble = answered(content="One two.", annotations=twice)
    (source,) = sources(bubble)
    marks = [mark.attributes["id"] for mark in bubble.parts.css("sup.citation a")]
    assert [f"#{mark}" for mark in marks] == [
        link.attributes["href"] for link in source.css("a.place")
    ]
    assert places(source) == ["0 to 3 ↩", "4 to 7 ↩"]


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        (400, 420, "400 to 420, outside the text"),
        (7, 3, "7 to 3, ends before it starts"),
        (1, 5, "1 to 5, overlaps source 1"),
        (None, None, "no place given"),
    ],
)
def test_a_place_that_cannot_be_marked_says_why(
    answered: ShowAnswer, start: int | None, end: int | None, said: str
) -> None:
    annotations = [
        cited("https://a.example/", "A", 0, 3),
        cited("https://b.example/", "B", start, end),
    ]
    bubble = answered(content="One two three.", annotations=annotations)
    assert [places(source) for source in sources(bubble)] == [["0 to 3 ↩"], [said]]
    assert len(bubble.parts.css("sup.citation a")) == 1


def test_the_text_tells_what_places_count_and_the_list_says_so(answered: ShowAnswer) -> None:
    content = "😀 See [1] now."
    annotation = cited("https://a.example/", "A", 7, 10)
    bubble = answered(content=content, annotations=[annotation])
    (marker,) = bubble.parts.css("a.citation-marker")
    assert marker.text() == "[1]"
    assert notes(bubble) == ["Places are counted in UTF-16 units."]


def test_a_message_of_several_texts_lists_its_sources_and_says_so(show: ShowMessages) -> None:
    parts = [{"type": "text", "text": "One."}, {"type": "text", "text": "Two."}]
    (bubble,) = show(
        {
            "role": "assistant",
            "content": parts,
            "annotations": [cited("https://a.example/", "A", 0, 3)],
        }
    )
    assert bubble.parts.css(".citation") == []
    assert [places(source) for source in sources(bubble)] == [["0 to 3"]]
    (note,) = notes(bubble)
    assert "several texts" in note


def test_a_text_shown_as_json_lists_its_sources_and_says_so(answered: ShowAnswer) -> None:
    bubble = answered(
        content='{"answer": 42}', annotations=[cited("https://a.example/", "A", 0, 5)]
    )
    assert bubble.parts.css(".citation") == []
    assert notes(bubble) == ["The places are not marked in the text as it is shown."]


def test_what_a_citation_has_beyond_is_listed_with_it(answered: ShowAnswer) -> None:
    bubble = answered(
        content="One.", annotations=[cited("https://a.example/", "A", 0, 3, content="From there.")]
    )
    assert pairs(sources(bubble)[0], ".also-sent") == {"content": "From there."}


def test_very_many_annotations_are_all_there(answered: ShowAnswer) -> None:
    many = [cited(f"https://a.example/{at}", None, at, at + 1) for at in range(250)]
    bubble = answered(content="a" * 250, annotations=many)
    assert len(sources(bubble)) == 200
    assert "50 more annotations" in notes(bubble)[0]
    (exact,) = bubble.parts.css(".sources > details pre")
    assert json.loads(exact.text()) == many


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "/logout", "//x", "https://localhost/x", ""]
)
def test_a_source_that_must_not_be_linked_is_named(answered: ShowAnswer, url: str) -> None:
    bubble = answered(content="x", annotations=[cited(url, "Title", 0, 1)])
    (source,) = sources(bubble)
    assert [link.attributes["class"] for link in source.css("a")] == ["place"]
    assert readable(source) == " ".join(f"Title {url} 0 to 1 ↩".split())


@pytest.mark.parametrize(
    "annotation",
    [
        {"type": "file_citation", "file_citation": {"file_id": "f"}},
        {"type": "container_file_citation", "container_id": "c", "start_index": 1},
        {"type": "file"},
        *("odd", 7, None),
    ],
)
def test_an_unknown_annotation_is_listed_as_json(answered: ShowAnswer, annotation: Any) -> None:
    bubble = answered(content="x", annotations=[annotation])
    (source,) = sources(bubble)
    (exact,) = source.css("pre")
    assert "".join(exact.text().split()) == json.dumps(annotation, separators=(",", ":"))
    assert notes(bubble) == []
