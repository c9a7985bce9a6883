"""Sources that servers list beside a text: Perplexity's, xAI's and Azure's."""

from __future__ import annotations

import json
from typing import Any

import pytest

from webapp.completions import Completion
from webapp.exact_json import parse
from webapp.messages import Message, UrlCitation
from webapp.messages.citing import MAX_RANGES
from webapp.rendering import render_markdown

A, B = "https://a.example/1", "https://b.example/2"
RESULTS = [{"title": "A", "url": A, "date": "2025-01-01"}, {"title": "B", "url": B}]


def completion(content: Any, message: dict[str, Any] | None = None, **members: Any) -> Completion:
    answer = {"role": "assistant", "content": content, **(message or {})}
    whole = {"id": "c", "choices": [{"index": 0, "message": answer}], **members}
    return Completion.from_json(parse(json.dumps(whole)))


def answer_of(found: Completion) -> Message:
    return found.choices[0].message_or_empty


def cited(message: Message) -> list[tuple[str, str | None, str]]:
    """Return the address, the title and the cited text of each source."""
    text = message.plain_text
    return [
        (one.url, one.title, text[one.start_index or 0 : one.end_index or 0])
        for one in message.annotations
        if isinstance(one, UrlCitation)
    ]


def left_of(found: Completion) -> list[str]:
    return [member.name.text for member in found.settings]


def test_perplexity_cites_by_number() -> None:
    found = completion("Facts here[1][2].", citations=[A, B], search_results=RESULTS)
    message = answer_of(found)
    assert cited(message) == [(A, "A", "[1]"), (B, "B", "[2]")]
    assert [member.name.text for member in message.annotations[0].extras] == ["date"]
    assert left_of(found) == []
    html = str(render_markdown(message.plain_text, annotations=message.annotations).html)
    assert html.count('class="citation-marker"') == 2 and "[1]</a>" in html


def test_zhipu_cites_by_references() -> None:
    found = completion("One[ref_2].", web_search=[{"link": A}, {"link": B, "title": "B"}])
    assert cited(answer_of(found)) == [(A, None, ""), (B, "B", "[ref_2]")]
    assert left_of(found) == []


@pytest.mark.parametrize(
    "members",
    [{"citations": [A, B]}, {"search_results": RESULTS}, {"citations": RESULTS}],
    ids=["addresses", "results", "objects"],
)
def test_either_list_is_enough(members: dict[str, Any]) -> None:
    found = completion("One[2]. Two[2], 😀 three[7].", **members)
    assert [(url, text) for url, _, text in cited(answer_of(found))] == [
        (A, ""),
        (B, "[2]"),
        (B, "[2]"),
    ]
    assert left_of(found) == []


def test_results_nobody_cites_follow_the_citations() -> None:
    found = completion("x[1]", citations=[B], search_results=RESULTS)
    assert cited(answer_of(found)) == [(B, "B", "[1]"), (A, "A", "")]


def test_facts_that_differ_are_all_kept() -> None:
    found = completion("x[1]", citations=[{"title": "Other", "url": A}], search_results=RESULTS)
    assert [title for _, title, _ in cited(answer_of(found))] == ["Other", "A", "B"]


def test_a_repeated_address_keeps_the_numbers_of_the_others() -> None:
    found = completion("x[3]", citations=[A, A, B])
    assert cited(answer_of(found))[-1] == (B, None, "[3]")


@pytest.mark.parametrize("text", ["`row[1]`", "```\nrow[1]\n```", "[1](https://x.example)"])
def test_what_only_looks_like_a_marker_cites_nothing(text: str) -> None:
    assert cited(answer_of(completion(text, citations=[A]))) == [(A, None, "")]


@pytest.mark.parametrize(
    "value", ["text", [A, 5], [{"title": None}], [], [A] * 101, {"a": 1}, [[A]]]
)
def test_lists_of_another_shape_stay_as_sent(value: Any) -> None:
    found = completion("x[1]", citations=value)
    assert left_of(found) == ["citations"] and not answer_of(found).annotations


def test_annotations_say_more_than_the_list_that_repeats_them() -> None:
    own = [{"type": "url_citation", "url": A, "start_index": 0, "end_index": 1}]
    found = completion("x", {"annotations": own}, citations=[A])
    assert cited(answer_of(found)) == [(A, None, "x")] and left_of(found) == ["citations"]


def test_a_list_without_an_answer_stays_as_sent() -> None:
    found = Completion.from_json(parse('{"citations": ["https://a.example/1"], "choices": []}'))
    assert left_of(found) == ["citations"]


def test_azure_cites_documents() -> None:
    context = {
        "citations": [
            {"content": "long", "title": "Plan", "url": None, "filepath": "plan.pdf"},
            {"content": "more", "title": "Web", "url": B, "chunk_id": "0"},
        ],
        "intent": '["q"]',
    }
    message = answer_of(completion("Covered [doc1]. See [doc2][DOC1].", {"context": context}))
    assert cited(message) == [
        ("plan.pdf", "Plan", "[doc1]"),
        ("plan.pdf", "Plan", "[DOC1]"),
        (B, "Web", "[doc2]"),
    ]
    assert [member.name.text for member in message.also_sent] == ["intent"]
    html = str(render_markdown(message.plain_text, annotations=message.annotations).html)
    assert html.count('class="citation-marker"') == 3


def test_sources_of_azure_need_no_address() -> None:
    sources = [{"title": "Plan", "url": None}, {"title": None, "content": "long", "url": ""}]
    context = {"citations": [*sources, {"title": "Plan", "content": "other"}]}
    message = answer_of(completion("So [doc3].", {"context": context}))

    assert set(cited(message)) == {("", None, ""), ("", "Plan", ""), ("", "Plan", "[doc3]")}
    assert not message.also_sent


def test_sources_in_the_message_of_an_older_context_are_listed() -> None:
    source = {"title": "Plan", "url": "https://a.example/", "content": "x"}
    told: dict[str, Any] = {"role": "tool", "end_turn": False, "x": 1}
    told["content"] = json.dumps({"citations": [source], "intent": "plan"})
    message = answer_of(completion("So [doc1].", {"context": {"messages": [told]}}))

    [cited] = message.annotations
    assert isinstance(cited, UrlCitation)
    assert (cited.url, cited.start_index, cited.end_index) == ("https://a.example/", 3, 9)
    assert [member.name.text for member in message.also_sent] == ["intent", "end_turn", "x"]


@pytest.mark.parametrize("context", [{"citations": [{"name": "x"}]}, {"citations": []}, "x", {}])
def test_a_context_of_another_shape_stays_as_sent(context: Any) -> None:
    message = answer_of(completion("x [doc1]", {"context": context}))
    assert [member.name.text for member in message.also_sent] == ["context"]


TOLD = {
    "index": 0,
    "role": "tool",
    "content": json.dumps(
        {"citations": [{"title": "Plan", "url": A, "chunk_id": "0"}], "intent": '["q"]'}
    ),
    "end_turn": False,
}
SAID = {"index": 1, "role": "assistant", "content": "Covered [doc1].", "end_turn": True}


@pytest.mark.parametrize("tools", [1, 2, 0])
def test_the_messages_of_a_choice_are_its_answer_with_the_context_of_tools(tools: int) -> None:
    choice = {"index": 0, "messages": [*([TOLD] * tools), SAID], "message": None}
    found = Completion.from_json(parse(json.dumps({"choices": [choice]})))
    message = answer_of(found)

    assert (message.role, message.plain_text) == ("assistant", "Covered [doc1].")
    assert cited(message)[:1] == [(A, "Plan", "[doc1]")][:tools]
    told = [member.name.text for member in message.also_sent]
    assert told == ["index", "end_turn", *(["intent", "index", "end_turn"] * tools)]
    assert not found.choices[0].also_sent


def test_a_message_that_only_repeats_the_messages_has_their_context() -> None:
    repeated: dict[str, Any] = SAID | {"refusal": None, "name": "x"}
    choice: dict[str, Any] = {"message": repeated, "messages": [TOLD, SAID]}
    message = answer_of(Completion.from_json(parse(json.dumps({"choices": [choice]}))))
    assert cited(message) == [(A, "Plan", "[doc1]")]
    assert message.name == "x"

    for other in (SAID | {"content": "Another"}, {"role": "assistant", "content": SAID["content"]}):
        found = Completion.from_json(parse(json.dumps({"choices": [choice | {"message": other}]})))
        assert answer_of(found).plain_text == other["content"]
        assert [one.name.text for one in found.choices[0].also_sent] == ["messages"]


def test_a_message_of_a_tool_that_lists_no_sources_is_shown_as_it_is() -> None:
    choice = {"messages": [{"role": "tool", "content": "no JSON [doc1]"}, SAID]}
    message = answer_of(Completion.from_json(parse(json.dumps({"choices": [choice]}))))

    assert message.plain_text == "Covered [doc1]."
    shown = [(member.name.text, member.value.source) for member in message.also_sent[-2:]]
    assert shown == [("role", '"tool"'), ("content", '"no JSON [doc1]"')]


@pytest.mark.parametrize(
    "messages",
    [[], [SAID, TOLD], [SAID, SAID], [TOLD, "text"], [5], "text", {"role": "assistant"}],
)
def test_messages_of_another_shape_stay_as_sent(messages: Any) -> None:
    found = Completion.from_json(parse(json.dumps({"choices": [{"messages": messages}]})))

    assert found.choices[0].message is None
    assert [one.name.text for one in found.choices[0].also_sent] == ["messages"]


def test_cohere_cites_ranges() -> None:
    document = {"id": "doc:0", "title": "A", "snippet": "Emperor", "url": A}
    other = {"type": "tool", "id": "t:1", "tool_output": {"content": "x"}}
    citations = [
        {"start": 4, "end": 11, "text": "tallest", "sources": [{"document": document}, other]},
        {
            "start": 15,
            "end": 22,
            "text": "emperor",
            "sources": [{"document": document}],
            "type": "T",
        },
    ]
    found = answer_of(completion("The tallest is emperor.", {"citations": citations}))

    assert cited(found) == [(A, "A", "tallest"), ("", "t:1", "tallest"), (A, "A", "emperor")]
    names = [[one.name.text for one in cited.extras] for cited in found.annotations]
    assert names == [["id", "snippet"], ["type", "id", "content"], ["id", "snippet", "type"]]
    assert not found.also_sent


@pytest.mark.parametrize(
    "citations",
    [
        [{"start": 4, "end": 11, "document_ids": ["doc_0"]}],
        [{"start": 0, "sources": ["a"]}],
        [5],
        [{"start": 0, "end": 1, "sources": [{"id": "a"}] * (MAX_RANGES + 1)}],
    ],
    ids=["ids", "text", "number", "too many"],
)
def test_ranges_of_another_shape_are_shown_as_json(citations: Any) -> None:
    found = answer_of(completion("The tallest.", {"citations": citations}))

    assert not found.annotations
    assert [one.name.text for one in found.also_sent] == ["citations"]


GROUNDING = {
    "groundingChunks": [
        {"web": {"uri": A, "title": "A", "domain": "a.example"}},
        {"web": {"uri": B}},
    ],
    "groundingSupports": [
        {"segment": {"endIndex": 5, "text": "Olé!"}, "groundingChunkIndices": [0]},
        {"segment": {"startIndex": 6, "endIndex": 11}, "groundingChunkIndices": [0, 7]},
    ],
}
SNAKES = {
    "grounding_chunks": GROUNDING["groundingChunks"],
    "grounding_supports": [
        {"segment": {"start_index": 0, "end_index": 5}, "grounding_chunk_indices": [0]},
        {"segment": {"start_index": 6, "end_index": 11}, "grounding_chunk_indices": [0]},
    ],
}


@pytest.mark.parametrize("metadata", [GROUNDING, SNAKES], ids=["camels", "snakes"])
def test_the_grounding_of_gemini_counts_bytes(metadata: dict[str, Any]) -> None:
    message = {"role": "assistant", "content": "Olé! Spain won."}
    in_choice = {"choices": [{"index": 0, "message": message, "groundingMetadata": metadata}]}
    in_gateway = {
        "choices": [{"index": 0, "message": message}],
        "vertex_ai_grounding_metadata": [metadata],
    }
    for whole in (in_choice, in_gateway):
        found = Completion.from_json(parse(json.dumps({"id": "c", **whole})))
        assert cited(answer_of(found)) == [(A, "A", "Olé!"), (A, "A", "Spain"), (B, None, "")]
    # What else there is of it, such as the searches, is shown with it as it came.
    (kept,) = Completion.from_json(parse(json.dumps(in_choice))).choices[0].also_sent
    assert kept.name.text == "groundingMetadata"


@pytest.mark.parametrize(("more", "most"), [(0, MAX_RANGES), (1_000, 10), (20_000, 0)])
def test_grounding_has_a_limited_number_of_citations(more: int, most: int) -> None:
    source = {"uri": A} | {f"member {number}": 1 for number in range(more)}
    support = {"segment": {"endIndex": 1}, "groundingChunkIndices": [0] * (MAX_RANGES + 1)}
    metadata = {"groundingChunks": [{"web": source}], "groundingSupports": [support]}
    message = {"role": "assistant", "content": "x"}
    choice = {"message": message, "groundingMetadata": metadata}
    found = Completion.from_json(parse(json.dumps({"choices": [choice]})))

    assert len(answer_of(found).annotations) == most


@pytest.mark.parametrize(
    "metadata",
    [{}, {"groundingChunks": [5]}, {"groundingSupports": [5]}, {"groundingChunks": "x"}, 5, []],
)
def test_grounding_of_another_shape_cites_nothing(metadata: Any) -> None:
    choice = {"message": {"role": "assistant", "content": "x"}, "grounding_metadata": metadata}
    found = Completion.from_json(parse(json.dumps({"choices": [choice]})))

    assert not answer_of(found).annotations
