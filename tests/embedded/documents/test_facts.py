"""What is found of a completion without reading it again."""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webapp.completions import Completion
from webapp.embedded.documents.facts import Facts, extract_facts
from webapp.embedded.documents.passages import Said, Scope, read_json, read_message
from webapp.exact_json import Object, parse
from webapp.messages import BARE, Message


def extract(*messages: dict[str, Any], answer: dict[str, Any] | None = None) -> Facts:
    completion = parse(json.dumps({"choices": [{"message": answer or {"content": "Done."}}]}))
    assert isinstance(completion, Object)
    return extract_facts(completion, [parse(json.dumps(one)) for one in messages])


BLOCKS: list[dict[str, Any]] = [
    {"type": "thinking", "thinking": "I look first."},
    {"type": "text", "text": "Reading it."},
    {"type": "tool_use", "id": "t1", "name": "read_file", "input": {"path": "Häfen.md"}},
]


def test_calls_and_results_in_content_blocks_are_found() -> None:
    facts = extract(
        {"role": "user", "content": "What is in it?"},
        {"role": "assistant", "content": BLOCKS},
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "t1", "content": "a Lighthouse"},
                {
                    "type": "web_search_tool_result",
                    "tool_use_id": "t2",
                    "content": [{"type": "text", "text": "a Beacon"}, {"title": "Ports"}],
                },
                {"type": "text", "text": "Go on."},
            ],
        },
    )

    assert {"has:calls", "tool:read_file"} <= set(facts.tags)
    assert "calls:read_file" not in facts.tags
    found = {(one.position, one.scope): one.text for one in facts.passages}
    assert found[1, Scope.TEXT] == "reading it.\x1ei look first."
    assert found[1, Scope.NAMES] == "read_file"
    assert "häfen.md" in found[1, Scope.TOOL_INPUT]
    assert found[2, Scope.TEXT] == "go on."
    results = found[2, Scope.TOOL_OUTPUT].split("\x1e")
    assert results == ["a lighthouse", "a beacon", '{\n  "title": "ports"\n}']


@pytest.mark.parametrize(
    ("reason", "failure"),
    [
        *(("length", "length"), ("max_tokens", "length")),
        *(("SAFETY", "content_filter"), ("refusal", "refusal")),
    ],
)
def test_an_answer_that_was_cut_has_its_failure_in_every_wording(reason: str, failure: str) -> None:
    completion = parse(json.dumps({"choices": [{"finish_reason": reason, "message": {}}]}))
    assert isinstance(completion, Object)

    tags = extract_facts(completion, []).tags

    further = ("has:refusal",) if failure == "refusal" else ()
    assert tags == (f"finish:{reason}", f"failure:{failure}", "has:failure", *further)


@pytest.mark.parametrize(
    "said",
    [
        {"reasoning": {"text": "a Beacon"}},
        {"reasoning_content": {"content": [{"type": "text", "text": "a Beacon"}]}},
        {"reasoning_details": [{"type": "reasoning.text", "text": "a Beacon"}]},
        {"thinking_blocks": [{"type": "thinking", "thinking": "a Beacon"}]},
        {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "a Beacon"}]}]},
        {"content": [{"type": "reasoning", "summary": [{"text": "a Beacon"}]}]},
        {"reasoning": "a Beacon", "reasoning_details": [{"text": "a Beacon"}]},
    ],
)
def test_reasoning_in_every_form_is_found_once(said: dict[str, Any]) -> None:
    [*_, found] = extract({"role": "user", "content": "q"}, answer=said).passages

    assert (found.scope, found.text) == (Scope.TEXT, "a beacon")


def test_the_data_of_a_part_of_unknown_type_is_no_text() -> None:
    part = {"type": "hologram", "title": "A Beacon", "data": "QUJD" * 100_000}
    found, *_ = extract({"role": "user", "content": [part]}).passages

    assert "a beacon" in found.text
    assert len(found.text) < 200


def test_an_answer_whose_call_is_a_content_block_calls_the_tool() -> None:
    facts = extract({"role": "user", "content": "Read it."}, answer={"content": BLOCKS})
    assert {"calls:read_file", "tool:read_file", "has:calls"} <= set(facts.tags)


def test_other_results_make_another_conversation() -> None:
    def answers(text: str) -> tuple[int, ...]:
        result = {"type": "tool_result", "tool_use_id": "t1", "content": text}
        return extract({"role": "user", "content": [result]}).chain.answers

    assert answers("a lighthouse") == answers(" a  lighthouse")
    assert answers("a lighthouse") != answers("a beacon")


def test_results_in_a_row_may_come_in_any_order() -> None:
    """Calls that run side by side end in any order, and a client may sort their results later."""
    results = [{"role": "tool", "tool_call_id": one, "content": one} for one in "abc"]
    said = {"role": "assistant", "content": "Then this."}
    chains = [
        extract(*order, said, *order).chain.hashes
        for order in (results, results[::-1], [results[1], results[0], results[2]])
    ]

    assert {(one[2:4], one[-1]) for one in chains} == {(chains[0][2:4], chains[0][-1])}
    assert len({one[0] for one in chains}) == 3
    assert len({*chains[0]}) == 7
    assert extract(results[0], results[0], said).chain.end != extract(results[0], said).chain.end


@pytest.mark.parametrize(
    ("message", "other", "is_same"),
    [
        pytest.param({"reasoning": "Hm."}, {}, True, id="reasoning"),
        pytest.param({"refusal": "No."}, {}, True, id="refusal beside words"),
        pytest.param({"content": None, "refusal": "No."}, {"content": "No."}, True, id="refusal"),
        pytest.param({"content": [{"type": "output_text", "text": "Yes."}]}, {}, True, id="type"),
        pytest.param({"content_parts": []}, {}, True, id="no parts"),
        pytest.param({"content_parts": [{"type": "text", "text": "No."}]}, {}, False, id="beside"),
        pytest.param(
            {"content": [{"type": "text", "text": "Yes."}, {"type": "new", "place": 1}]},
            {},
            True,
            id="unknown part beside words",
        ),
        pytest.param(
            {"content": [{"type": "new", "place": 1}]},
            {"content": [{"type": "new", "place": 2}]},
            False,
            id="unknown parts alone",
        ),
        pytest.param(
            {"content": [{"type": "image_url", "image_url": {"url": "https://a.example/"}}]},
            {"content": [{"type": "input_image", "image_url": "https://a.example/"}]},
            True,
            id="one image in two forms",
        ),
        pytest.param(
            {"content": [{"type": "image_url", "image_url": {"url": "https://a.example/"}}]},
            {"content": [{"type": "image_url", "image_url": {"url": "https://b.example/"}}]},
            False,
            id="two images",
        ),
        pytest.param(
            {"content": [{"type": "audio_transcription", "text": "Yes."}]}, {}, True, id="spoken"
        ),
    ],
)
def test_a_message_that_is_repeated_in_part_has_the_same_digest(
    message: dict[str, Any], other: dict[str, Any], is_same: bool
) -> None:
    said = {"role": "assistant", "content": "Yes."}
    first, second = (extract(said | one).chain.hashes for one in (message, other))
    assert (first == second) == is_same


_VALUES: Final[st.SearchStrategy[object]] = st.sampled_from(
    ["user", "assistant", "tool", "", "<think>Hm</think>Yes", None, 0, [], {}, ["Yes"]]
)
_NAMES: Final = st.sampled_from(
    ["role", "content", "name", "id", "tool_call_id", "refusal", "annotations", "tool_calls"]
    + ["audio", "function_call", "reasoning", "context", "content_parts", BARE, "documents"]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(_NAMES, _VALUES), max_size=5))
def test_a_message_that_is_only_a_text_is_read_as_any_other(
    members: list[tuple[str, object]],
) -> None:
    """Also if a member occurs twice."""
    written = [f"{json.dumps(name)}:{json.dumps(value)}" for name, value in members]
    # A null of an unknown name says nothing, but no message with one is plain, or bare.
    further = [] if BARE in dict(members) else ['"x":null']
    message, other = (parse(f"{{{','.join(some)}}}") for some in (written, [*written, *further]))

    assert read_json(message) == read_message(Message.from_json(other))


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(max_codepoint=127)) | st.text(st.characters(codec=None)))
def test_a_digest_is_that_of_the_text_without_white_space(text: str) -> None:
    """Stored digests are compared with new ones, so the definition stays the same."""
    bare = ("user" + "".join(text.split())).encode("utf-8", "surrogatepass")

    assert Said(role="user", words=[text]).digest() == blake2b(bare, digest_size=8).digest()


def test_each_field_of_reasoning_is_searched() -> None:
    for field in ("reasoning", "reasoning_content", "reasoning_text", "thinking"):
        facts = extract({"role": "assistant", "content": "Yes.", field: "Because."})
        assert facts.passages[0].text == "yes.\x1ebecause."


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"incomplete": True},
        {"incomplete": {}},
        {"incomplete": {"reason": "The answer ended early."}},
        {"error": None},
        {"error": {}},
        {"error": ""},
        {"error": 1},
        {"error": "died"},
        {"error": {"code": 1}},
        {"choices": [{"error": {"message": "died"}}]},
        {"choices": [{"finish_reason": "abort"}]},
    ],
)
def test_the_search_finds_what_its_page_calls_broken_off(members: dict[str, Any]) -> None:
    json_text = json.dumps({"id": "c", "choices": [{"finish_reason": "stop"}]} | members)
    completion = parse(json_text)
    assert isinstance(completion, Object)

    page = Completion.from_json(completion)
    tags = extract_facts(completion, []).tags
    assert ("failure:incomplete" in tags) == (page.broken_off is not None)


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("<think>Hm</think> Yes", "Yes"),
        (" <thinking>Hm</thinking>Yes", "Yes"),
        ("[THINK]Hm[/THINK]Yes", "Yes"),
        ("Hm</think>Yes", "Yes"),
        ("Yes <think>Hm", "Yes <think>Hm"),
        ("<think>Hm</think>", "<think>Hm</think>"),
    ],
)
def test_reasoning_between_tags_does_not_count(text: str, rest: str) -> None:
    said, repeated = (
        extract(answer={"role": "assistant", "content": one}).chain.answers for one in (text, rest)
    )
    assert said == repeated


@pytest.mark.parametrize("text", ["<think>" * 200_000, " " * 1_000_000 + "<think"])
def test_thoughts_without_end_take_linear_time(text: str) -> None:
    """A pattern that goes back for each tag or space would run for longer than anybody waits."""
    assert len(extract(answer={"role": "assistant", "content": text}).chain.answers) == 1


def test_counts_fit_into_their_columns() -> None:
    usage = {"prompt_tokens": 2**31 - 1, "completion_tokens": 10**20}
    completion = parse(json.dumps({"choices": [], "usage": usage}))
    assert isinstance(completion, Object)

    assert extract_facts(completion, []).total_tokens == 2**31 - 1


def test_of_the_messages_that_requests_repeat_the_short_ones_are_kept_for_a_while() -> None:
    """A process that reads for weeks must not keep everything that it has read."""
    short, long = (parse(f'{{"role":"user","content":"{"x" * size}"}}') for size in (9, 9_000))
    kept = read_json(short)
    assert read_json(short) is kept
    assert read_json(long) is not read_json(long)
    for at in range(1_001):
        read_json(parse(f'{{"role":"user","content":"{at}"}}'))
    assert read_json(short) is not kept
