"""The ranges of citations beside a masked text, which would show the length of the secret."""

from __future__ import annotations

import json
from typing import Any, TypeAlias

import pytest

from webapp.exact_json import parse
from webapp.redaction import Redactor

Build: TypeAlias = Any

KEYS = tuple(f"sk-proj-{'Ab3dEf6hIj9kLm2nOp5qRs8tUv1w' * times}" for times in (1, 2))
MAIL = "lena.ott@hafenkontor.de"
QUOTE = "See the handbook"


def redact(value: Any) -> Any:
    return json.loads(Redactor().redact(parse(json.dumps(value))).source)


def place(text: str, quote: str = QUOTE) -> tuple[int, int]:
    return text.index(quote), text.index(quote) + len(quote)


def of_openai(text: str, *, before: bool = False) -> dict[str, Any]:
    start, end = place(text)
    cited = {"type": "url_citation", "url_citation": {"start_index": start, "end_index": end}}
    annotations = {"annotations": [cited, {"start_index": 0, "end_index": 2}]}
    return annotations | {"content": text} if before else {"content": text} | annotations


def of_parts(text: str) -> dict[str, Any]:
    start, end = place(text)
    part = {"type": "output_text", "text": text}
    return {"content": [part | {"annotations": [{"start_index": start, "end_index": end}]}]}


def of_cohere(text: str) -> dict[str, Any]:
    start, end = place(text)
    cited = {"start": start, "end": end, "text": QUOTE, "sources": [{"id": "a", "seconds": 3}]}
    return {"content": [{"type": "text", "text": text}], "citations": [cited]}


def of_gemini(text: str) -> dict[str, Any]:
    start, end = place(text)
    size = len(text[:start].encode()) - start
    segment = {"startIndex": start + size, "endIndex": end + size}
    return {
        "groundingMetadata": {"groundingSupports": [{"segment": segment}]},
        "message": {"content": text},
    }


@pytest.mark.parametrize("build", [of_openai, of_parts, of_cohere, of_gemini])
def test_a_range_moves_with_its_text(build: Build) -> None:
    texts = [f"é Your key {key} is of {MAIL}. {QUOTE}, or {MAIL} again." for key in KEYS]
    key, mail = "[masked: api-key]", "[masked: email]"
    masked = f"é Your key {key} is of {mail}. {QUOTE}, or {mail} again."

    assert [redact(build(text)) for text in texts] == [build(masked)] * 2


def test_ranges_before_their_text_move_as_well() -> None:
    masked = of_openai(f"By [masked: email]: {QUOTE}", before=True)
    assert redact(of_openai(f"By {MAIL}: {QUOTE}", before=True)) == masked


@pytest.mark.parametrize(
    "build",
    [
        lambda key: {
            "content": [{"text": f"The key is {key} and"}, {"text": "more"}],
            "citations": [{"start": len(key) + 11, "end": len(key) + 13}],
        },
        lambda key: [
            {"type": "document", "source": {"type": "text", "data": f"The key is {key}. {QUOTE}."}},
            {
                "type": "text",
                "text": "See there.",
                "citations": [
                    {"start_char_index": len(key) + 13, "end_char_index": len(key) + 20},
                    {"location": {"documentChar": {"documentIndex": 0, "start": len(key) + 13}}},
                ],
            },
        ],
        lambda key: {
            "content": json.dumps({"text": f"{key}!", "k": 1}),
            "annotations": [{"start_index": len(key) + 10, "end_index": 10**30}],
        },
    ],
)
def test_a_range_whose_text_is_not_known_shows_no_length(build: Build) -> None:
    first, second = (redact(build(key)) for key in KEYS)
    assert first == second


def test_the_ranges_of_a_text_without_secrets_stay() -> None:
    value = [of_openai(f"Read on. {QUOTE}."), {"content": MAIL, "start_index": 5}]
    assert redact(value) == [value[0], {"content": "[masked: email]", "start_index": 5}]
