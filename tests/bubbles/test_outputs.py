"""Answers: alternatives, predicted output, token probabilities, and choices without a message."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.support.bubbles import HERE, ID, ShowAnswer, ShowMessages, pairs
from tests.support.fake_upstream import FakeUpstream, Reply, Stored, stored
from tests.support.pages import Page, readable


def page_of(fake: FakeUpstream, client: FlaskClient, choices: list[Any], **fields: Any) -> Page:
    """The transcript of a completion with these choices and fields."""
    messages = [{"id": f"{ID}-0", "role": "user", "content": "Name it."}]
    completion = stored(ID, choices=choices).completion | fields
    fake.completions[ID] = Stored(completion, messages)
    return Page.of(client.get(HERE))


def choice(index: int, content: str | None, reason: str | None = "stop", **fields: Any) -> Any:
    message = {"role": "assistant", "content": content}
    return {"index": index, "message": message, "finish_reason": reason} | fields


def test_several_choices_are_folds_of_which_one_is_open(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    choices = [choice(0, "First Boat"), choice(1, "Early Quay", "length"), choice(2, "Four", None)]
    page = page_of(fake, fake_client, choices)
    folds = page.all("details.choice")
    assert ["open" in fold.attributes for fold in folds] == [True, False, False]
    assert len({fold.attributes["name"] for fold in folds}) == 1
    assert [readable(fold.css_first("summary") or fold) for fold in folds] == [
        *("Choice 1 stop", "Choice 2 length", "Choice 3")
    ]
    assert [fold.css("article.bubble")[0].attributes["id"] for fold in folds] == [
        *("choice-0", "choice-1", "choice-2")
    ]
    assert "Early Quay" in readable(folds[1])


def test_one_choice_is_no_alternative(fake: FakeUpstream, fake_client: FlaskClient) -> None:
    page = page_of(fake, fake_client, [choice(0, "Only one")])
    assert page.all("details.choice") == []
    assert "Only one" in page.bubbles[-1].text


def test_very_many_choices_are_told_and_reached(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    page = page_of(fake, fake_client, [choice(at, f"Answer {at}") for at in range(230)])
    assert len(page.all("details.choice")) == 200
    assert "The first 200 of 230 are shown." in page.text
    assert page.link("JSON of the completion") == f"{HERE}/json"


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"index": 0, "text": "of old"}, "of old"),
        ({"index": 0, "text": ""}, "This answer has no message."),
        ({"index": 0, "message": None}, "This answer has no message."),
        ({"index": 0, "delta": {"content": "streamed"}}, "streamed"),
        ({}, "This answer has no message."),
        (7, "7"),
        ("bare", "bare"),
        ([], "[]"),
    ],
)
def test_a_choice_without_message_is_no_empty_bubble(
    fake: FakeUpstream, fake_client: FlaskClient, sent: Any, said: str
) -> None:
    bubble = page_of(fake, fake_client, [sent]).bubbles[-1]
    assert said in bubble.text
    if isinstance(sent, dict):
        extra = (
            set(sent) - {"index", "message", "delta"} - ({"text"} if sent.get("text") else set())
        )
        assert not extra or set(pairs(bubble.parts, ".also-sent")) == extra


@pytest.mark.parametrize("index", [5, -1, 10**20])
def test_an_index_that_is_not_the_place_of_its_choice_is_told(
    answered: ShowAnswer, index: int
) -> None:
    assert f"the index {index}." in answered({"index": index}, content="Hi").text


def test_token_probabilities_are_folded_with_their_count(answered: ShowAnswer) -> None:
    tokens = [{"token": word, "logprob": -0.5, "bytes": None} for word in ("Hi", " you")]
    logprobs = {"content": tokens, "refusal": None}
    bubble = answered({"logprobs": logprobs}, content="Hi you")
    (report,) = bubble.parts.css("details.report")
    assert readable(report.css_first("summary") or report) == "Log probabilities of 2 tokens"
    (exact,) = report.css("pre")
    assert json.loads(exact.text()) == logprobs


@pytest.mark.parametrize("odd", [5, "x", [1], {"content": []}, {"tokens": ["a"]}])
def test_token_probabilities_of_another_form_are_also_sent(answered: ShowAnswer, odd: Any) -> None:
    bubble = answered({"logprobs": odd}, content="Hi")
    assert list(pairs(bubble.parts, ".also-sent")) == ["logprobs"]


def test_predicted_output_is_folded_above_the_answer(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    details = {"accepted_prediction_tokens": 40, "rejected_prediction_tokens": 3}
    usage = {"completion_tokens": 50, "completion_tokens_details": details}
    prediction = {"type": "content", "content": "class User:\n    name = 1"}
    page = page_of(fake, fake_client, [choice(0, "Done")], prediction=prediction, usage=usage)
    fold = page.one("details.prediction")
    summary = readable(fold.css_first("summary") or fold)
    assert summary == (
        "Predicted output 5 words, 24 bytes · 40 tokens accepted · 3 tokens rejected"
    )
    (text,) = fold.css("pre")
    assert text.text() == prediction["content"]
    assert page.html.index("Predicted output") < page.html.rindex("Done")


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        ([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], ["a", "b"]),
        ([{"type": "odd"}], ['{\n  "type": "odd"\n}']),
        (5, ["5"]),
        (None, []),
    ],
)
def test_predicted_output_may_be_parts_or_anything(
    fake: FakeUpstream, fake_client: FlaskClient, content: Any, shown: list[str]
) -> None:
    prediction = {"type": "content", "content": content, "more": 1}
    page = page_of(fake, fake_client, [choice(0, "Done")], prediction=prediction)
    fold = page.one("details.prediction")
    assert [node.text() for node in fold.css("pre")] == shown
    assert pairs(fold, ".also-sent") == {"more": "1"}


def test_settings_say_in_words_what_is_nested(fake: FakeUpstream, fake_client: FlaskClient) -> None:
    tools = [{"type": "function", "function": {"name": name}} for name in ("look", "touch")]
    schema = {"name": "invoice", "strict": True, "schema": {"type": "object"}}
    page = page_of(
        fake,
        fake_client,
        [choice(0, "Hi")],
        tools=[*tools, {"type": "custom", "custom": {"name": "sql"}}, {"type": "web"}, 5],
        functions=[{"name": "old"}],
        response_format={"type": "json_schema", "json_schema": schema},
        tool_choice={"type": "function", "function": {"name": "look"}},
        seed=-8132613597486110237,
        service_tier="flex",
        object="something.else",
    )
    words = pairs(page.one("details.rail"), "dl.settings")
    assert words["tools"].startswith("5 tools: look, touch, sql, web, no name")
    assert words["functions"].startswith("1 function: old")
    assert words["response_format"].startswith("json_schema, invoice, strict")
    assert words["tool_choice"].startswith("function look")
    assert words["seed"] == "-8132613597486110237"
    assert (words["service_tier"], words["object"]) == ("flex", "something.else")


@pytest.mark.parametrize(
    ("message", "extra"),
    [
        ('{"role":"user","role":"system","content":"x"}', {"role": "user"}),
        ('{"role":"user","content":"old","content":"x"}', {"content": "old"}),
    ],
)
def test_both_members_of_a_repeated_name_are_shown(
    fake: FakeUpstream, fake_client: FlaskClient, message: str, extra: Any
) -> None:
    fake.completions[ID] = stored(ID, choices=[])
    text = json.dumps(stored(ID, choices=[{"index": 0, "message": "HERE"}]).completion)
    fake.script(f"/chat/completions/{ID}", Reply(body=text.replace('"HERE"', message)))
    bubble = Page.of(fake_client.get(HERE)).bubbles[-1]
    assert pairs(bubble.parts, ".also-sent") == extra


@pytest.mark.parametrize("kind", ["input_text", "output_text"])
def test_text_of_a_neighbouring_api_is_text_with_its_type(show: ShowMessages, kind: str) -> None:
    part = {"type": kind, "text": "So **it** is.", "annotations": []}
    (bubble,) = show({"role": "user", "content": [part]})
    assert bubble.sources == ["So **it** is."]
    assert pairs(bubble.parts, ".also-sent") == {"type": kind, "annotations": "[]"}


def test_an_image_of_a_neighbouring_api_is_one_too(show: ShowMessages) -> None:
    part = {"type": "input_image", "image_url": "https://images.example/a.png", "detail": "low"}
    (bubble,) = show({"role": "user", "content": [part]})
    assert "https://images.example/a.png" in bubble.text
    assert pairs(bubble.parts, ".also-sent") == {"type": "input_image"}
