"""The head of a transcript: facts, metadata, settings to the last digit, and odd completions."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.support.fake_upstream import FakeUpstream, Reply, error, stored
from tests.support.pages import Page
from tests.views.transcripts import COMPLETION, HERE, ID, MESSAGES, ids, open_transcript


def test_the_head_tells_model_time_reasons_tokens_and_metadata(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    choices = [
        {"index": at, "message": {"role": "assistant", "content": "x"}, "finish_reason": reason}
        for at, reason in enumerate(["stop", "length", "stop"])
    ]
    usage = {"total_tokens": 1515, "prompt_tokens": 1204, "completion_tokens": 311}
    metadata = {"eval": "7", "nested": {"a": [1.0]}, "": "no name"}
    fake.completions[ID] = stored(ID, "x", choices=choices, usage=usage, metadata=metadata)
    page = open_transcript(fake_client)
    facts = page.one(".bar-facts").text(separator=" ").split()
    assert facts == ["gpt-4o-mini-2024-07-18", "stop", "length", "1", "message"]
    about = " ".join(page.one(".about").text(separator=" ").split())
    assert "2025-09-16 16:11 UTC" in about
    assert "1,204 tokens in" in about
    assert "311 out" in about
    assert "eval 7" in about
    assert 'nested {"a":[1.0]}' in about
    assert "no name" in about


@pytest.mark.parametrize(
    ("timing", "words"),
    [
        ({"total_ms": 3140, "first_token_ms": 420}, ["first token 0.42 s", "answer 3.1 s"]),
        ({"total_ms": 65_000}, ["answer 1 min 5 s"]),
        ({"total_ms": -1, "first_token_ms": "soon"}, []),
        ({"total_ms": 10**400}, [" d "]),
        ({}, []),
        ([3140], []),
        (None, []),
    ],
)
def test_the_head_tells_how_long_the_answer_took_only_if_that_is_recorded(
    fake: FakeUpstream, fake_client: FlaskClient, timing: object, words: list[str]
) -> None:
    fake.completions[ID] = stored(ID, "x", readback_timing=timing)
    page = open_transcript(fake_client)
    facts = " ".join(page.one(".about-line").text(separator=" ").split())
    assert all(word in facts for word in words)
    assert ("answer" in facts, "first token" in facts) == (bool(words), len(words) == 2)
    assert bool(page.all(".settings [data-group=Timing]")) is (timing is not None)


def test_settings_are_exact_to_the_last_digit(fake: FakeUpstream, fake_client: FlaskClient) -> None:
    members = (
        '"seed":-8132613597486110237,"top_p":1.0,"temperature":0.70,"penalty":1e-7,'
        '"user":"\\u00e9 <b>","store":true,"nothing":null,"tools":[{"z":1,"a":2.50}]'
    )
    fake.script(COMPLETION, Reply(200, f'{{"id":"{ID}",{members}}}'))
    settings = open_transcript(fake_client).one(".settings")
    names = [node.text() for node in settings.css("dt")]
    values = [" ".join(node.text().split()) for node in settings.css("dd")]
    assert dict(zip(names, values, strict=True)) == {
        "seed": "-8132613597486110237",
        "top_p": "1.0",
        "temperature": "0.70",
        "penalty": "1e-7",
        "user": "é <b>",
        "store": "true",
        "tools": '[{"z":1,"a":2.50}]',
    }


@pytest.mark.parametrize(
    "members",
    [
        '"created":1' + "0" * 400,
        '"created":1' + "0" * 4400,
        '"created":"yesterday","usage":"none","metadata":[],"choices":{}',
        '"usage":{"prompt_tokens":' + "9" * 4300 + ',"completion_tokens":-1.5}',
        '"choices":[null,1,"x",{"message":null},{"index":' + "9" * 4300 + "}]",
        '"choices":[{"message":"text"},{"message":{"content":{"deep":'
        + "[" * 3000
        + "]" * 3000
        + "}}}]",
        '"model":7,"model":null,"metadata":{"a":NaN,"a":"\\ud800"}',
    ],
    ids=["far", "too far", "other types", "counts", "choices", "deep", "twice"],
)
def test_an_odd_completion_is_still_a_page(
    fake: FakeUpstream, fake_client: FlaskClient, members: str
) -> None:
    fake.script(COMPLETION, Reply(200, f'{{"id":"{ID}",{members}}}'))
    page = open_transcript(fake_client, limit=100)
    assert page.message_ids[:45] == ids(*range(45))


def test_a_completion_created_beyond_all_time_that_is_not_there_is_not_found(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fake.script(COMPLETION, Reply(200, f'{{"id":"{ID}","created":1{"0" * 400}}}'))
    fake.script(MESSAGES, error(404, "Completion not found", code="not_found"))
    Page.of(fake_client.get(HERE), 404)


def test_the_raw_completion_is_exact(fake: FakeUpstream, fake_client: FlaskClient) -> None:
    source = f'{{"z":1.0,"id":"{ID}","z":-8132613597486110237,"a":"\\u00e9\\/"}}'
    fake.script(COMPLETION, Reply(200, source), Reply(200, source))
    address = open_transcript(fake_client).link("JSON") or ""
    raw = Page.of(fake_client.get(address)).one("pre.json").text()
    assert raw == json_indented(source)


def json_indented(source: str) -> str:
    """Flat JSON with a member a line, done with nothing that parses it."""
    return source.replace("{", "{\n  ").replace(",", ",\n  ").replace(":", ": ").replace("}", "\n}")


def test_the_title_is_the_question(fake: FakeUpstream, fake_client: FlaskClient) -> None:
    fake.completions[ID] = stored(ID, "Where is the **harbour**?\n\nWe need it.")
    page = open_transcript(fake_client)
    assert page.one("title").text() == "Where is the harbour? · Readback"
    assert page.one("h1").text(strip=True) == "Where is the harbour?"
    assert page.one("h1 a").attributes["title"] == ID
    assert page.link("‹Completions") == "/completions"


def test_a_page_without_the_question_has_the_id_as_title(fake_client: FlaskClient) -> None:
    page = open_transcript(fake_client, after=f"{ID}-20")
    assert page.one("h1").text(strip=True) == ID


def test_settings_are_grouped_and_usage_is_counted(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    usage = {"prompt_tokens": 9, "prompt_tokens_details": {"cached_tokens": 256, "audio_tokens": 0}}
    fields: dict[str, Any] = {"seed": 1, "temperature": 1.0, "request_id": "req_1", "usage": usage}
    fake.completions[ID] = stored(ID, "What?", **fields)
    page = open_transcript(fake_client)
    groups = [node.attributes["data-group"] for node in page.all(".settings [data-group]")]
    assert groups == ["Request", "Usage", "Identity"]
    assert "cached 256, audio 0" in page.one(".settings").text()
    assert [node.css_first("dt").text() for node in page.all("[data-default]")] == ["temperature"]  # type: ignore[union-attr]


def test_long_metadata_is_a_line_and_the_rest(fake: FakeUpstream, fake_client: FlaskClient) -> None:
    metadata = {f"key{at}": f"value{at}" for at in range(11)}
    fake.completions[ID] = stored(ID, "What?", metadata=metadata)
    further = open_transcript(fake_client).one("details.further")
    assert further.css_first("summary").text() == "+6 more"  # type: ignore[union-attr]
    assert "key10" in further.text()
