"""Passages of documents and searches that text blocks of Anthropic's API cite."""

from __future__ import annotations

import json
from typing import Any

import pytest

from webapp.exact_json import parse
from webapp.messages import Message, Text
from webapp.messages.quotations import MAX_QUOTATIONS, Quotation

LOCATION = {"type": "char_location", "cited_text": "The grass is green.", "document_index": 0}


def text_of(citations: Any, **members: Any) -> Text:
    block = {"type": "text", "text": "Green", "citations": citations, **members}
    message = Message.from_json(parse(json.dumps({"role": "assistant", "content": [block]})))
    [part] = message.parts
    assert isinstance(part, Text)
    return part


def only(citation: dict[str, Any]) -> Quotation:
    part = text_of([citation])
    [quotation] = part.quotations
    assert not part.extras
    return quotation


@pytest.mark.parametrize(
    ("members", "place"),
    [
        ({"start_char_index": 0, "end_char_index": 20}, "document 0, characters 0 to 20"),
        ({"start_page_number": 5, "end_page_number": 6}, "document 0, pages 5 to 6"),
        ({"start_block_index": 2, "end_block_index": 3}, "document 0, blocks 2 to 3"),
        ({"start_char_index": 7}, "document 0, characters from 7"),
        ({"end_page_number": 7}, "document 0, pages to 7"),
        ({}, "document 0"),
    ],
)
def test_the_place_is_described_as_it_was_sent(members: dict[str, int], place: str) -> None:
    quotation = only(LOCATION | members)

    assert (quotation.place, quotation.quote) == (place, "The grass is green.")
    assert not quotation.extras


@pytest.mark.parametrize(
    ("citation", "title", "url", "extras"),
    [
        (
            {"url": "https://a.example/", "title": "A", "encrypted_index": "x"},
            "A",
            "https://a.example/",
            ["encrypted_index"],
        ),
        ({"source": "kb/1", "title": "A", "search_result_index": 0}, "A", "kb/1", []),
        ({"document_title": "A", "file_id": "f"}, "A", "", ["file_id"]),
        # An export of claude.ai.
        (
            {
                "uuid": "c",
                "start_index": 5,
                "end_index": 9,
                "details": {"type": "web_search_citation", "url": "https://a.example/", "x": 1},
            },
            None,
            "https://a.example/",
            ["uuid", "x"],
        ),
        # Unknown members are shown as they came.
        (
            {"title": "A", "document_title": "B", "document_index": 1.5},
            "A",
            "",
            ["document_title", "document_index"],
        ),
        ({"type": "new_location"}, None, "", ["type"]),
        ({"title": "A", "type": "new_location", "cited_text": 5}, "A", "", ["type", "cited_text"]),
    ],
)
def test_sources_are_named_and_nothing_is_lost(
    citation: dict[str, Any], title: str | None, url: str, extras: list[str]
) -> None:
    quotation = only(citation)

    assert (quotation.title, quotation.url) == (title, url)
    assert [member.name.text for member in quotation.extras] == extras


@pytest.mark.parametrize(
    "citations",
    [
        [LOCATION, 5],
        {"enabled": True},
        [LOCATION] * (MAX_QUOTATIONS + 1),
        "x",
    ],
    ids=["number", "object", "many", "text"],
)
def test_lists_of_another_shape_are_shown_as_sent(citations: Any) -> None:
    part = text_of(citations)

    assert not part.quotations
    assert [member.name.text for member in part.extras] == ["citations"]


def test_an_empty_list_stays_as_sent_and_null_is_none() -> None:
    assert [member.name.text for member in text_of([]).extras] == ["citations"]
    assert not text_of(None).extras


PASSAGES = [{"text": "The grass is green."}, {"text": "The sky is blue."}]


@pytest.mark.parametrize(
    ("location", "url", "place", "extras"),
    [
        (
            {"documentChar": {"documentIndex": 0, "start": 0, "end": 20}},
            "",
            "document 0, characters 0 to 20",
            [],
        ),
        (
            {"documentPage": {"documentIndex": 1, "start": 2, "end": 3}},
            "",
            "document 1, pages 2 to 3",
            [],
        ),
        (
            {"searchResultLocation": {"searchResultIndex": 4, "start": 0, "end": 1, "x": 1}},
            "",
            "search result 4, blocks 0 to 1",
            ["x"],
        ),
        (
            {"web": {"url": "https://a.example/", "domain": "a.example"}},
            "https://a.example/",
            "",
            ["domain"],
        ),
        ({"elsewhere": {"x": 1}}, "", "", ["location"]),
        ({"documentChunk": {"start": 3}, "x": 1}, "", "chunks from 3", ["x"]),
    ],
)
def test_a_block_of_bedrock_is_its_text_with_what_it_cites(
    location: dict[str, Any], url: str, place: str, extras: list[str]
) -> None:
    cited = {"title": "A", "sourceContent": PASSAGES, "location": location}
    block = {"type": "citationsContent", "content": [{"text": "Green."}, {"text": " Blue."}]}
    message = {"role": "assistant", "content": [block | {"citations": [cited]}]}
    [part] = Message.from_json(parse(json.dumps(message))).parts
    assert isinstance(part, Text)
    [quotation] = part.quotations

    assert (part.text, part.extras) == ("Green. Blue.", ())
    assert quotation.quote == "The grass is green.\n\nThe sky is blue."
    assert (quotation.title, quotation.url, quotation.place) == ("A", url, place)
    assert [member.name.text for member in quotation.extras] == extras


@pytest.mark.parametrize(
    ("fields", "titles", "rest"),
    [
        ({"citations": [[LOCATION | {"document_title": "A"}], [LOCATION]]}, ["A", None], []),
        ({"citations": None, "x": 1}, [], ["provider_specific_fields"]),
        ({"citations": [[{"title": "A"}]], "x": 1}, ["A"], ["x"]),
        ({"citations": [[5]]}, [], ["provider_specific_fields"]),
        ({"citation": [{"title": "A"}, {"title": "B"}]}, ["A", "B"], []),
        ({"citationsContent": [{"citations": [{"title": "A", "location": {}}]}]}, ["A"], []),
        ({"citations": [[{"title": "A"}], "x"]}, [], ["provider_specific_fields"]),
        ({"citation": [{"title": "A"}], "citations": [None, [{"title": "A"}]]}, ["A"], []),
    ],
    ids=["lists", "null", "more", "numbers", "streamed", "Bedrock", "words", "twice"],
)
def test_citations_of_litellm_are_those_of_the_text(
    fields: dict[str, Any], titles: list[str | None], rest: list[str]
) -> None:
    answer = {"role": "assistant", "content": "Green", "provider_specific_fields": fields}
    message = Message.from_json(parse(json.dumps(answer)))
    [part] = message.parts
    assert isinstance(part, Text)

    assert [one.title for one in part.quotations] == titles
    assert [member.name.text for member in message.also_sent] == rest
