"""The head of a transcript: facts, metadata, settings to the last digit, and odd completions."""

from __future__ import annotations

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


def test_titles_tell_which_completion_it_is(fake_client: FlaskClient) -> None:
    page = open_transcript(fake_client)
    assert page.one("title").text() == f"{ID} · Readback"
    assert page.one("h1").text(strip=True) == ID
