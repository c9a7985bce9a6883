"""Results of content filters and moderation, in words and signs, and their JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from selectolax.lexbor import LexborNode

from tests.support.bubbles import HERE, ID, ShowAnswer, pairs
from tests.support.fake_upstream import FakeUpstream, stored
from tests.support.pages import Page, readable

SAFE = {"filtered": False, "severity": "safe"}
AZURE = {
    "hate": SAFE,
    "violence": {"filtered": True, "severity": "medium"},
    "self_harm": {"filtered": False, "severity": "low"},
    "jailbreak": {"filtered": False, "detected": False},
    "protected_material_code": {
        "filtered": False,
        "detected": True,
        "citation": {"URL": "https://code.example/a", "license": "MIT"},
    },
    "custom_blocklists": [{"filtered": True, "id": "our-words"}],
}


def summary(node: LexborNode) -> str:
    found = node.css_first("summary")
    assert found is not None
    return readable(found)


def exact(node: LexborNode) -> Any:
    (found,) = node.css("details details.json-fold pre")
    return json.loads(found.text())


def test_the_filters_of_a_choice_are_words_with_signs(answered: ShowAnswer) -> None:
    bubble = answered({"content_filter_results": AZURE}, content="The fog")
    (report,) = bubble.parts.css("details.report")
    assert summary(report) == (
        "Content filter violence: medium, filtered self_harm: low "
        "protected_material_code: detected custom_blocklists: filtered"
    )
    words = pairs(report, ".verdicts")
    assert words["hate"] == "safe"
    assert words["jailbreak"] == "not found"
    states = {readable(node): node.attributes["data-state"] for node in report.css("dd > .verdict")}
    assert states == {
        **{"safe": "passed", "not found": "passed", "low": "detected", "detected": "detected"},
        **{"medium, filtered": "filtered", "filtered": "filtered"},
    }
    assert "our-words" in readable(report)
    assert "MIT" in readable(report)
    assert exact(report) == AZURE


def test_filters_that_found_nothing_say_so(answered: ShowAnswer) -> None:
    bubble = answered({"content_filter_results": {"hate": SAFE, "sexual": SAFE}}, content="Hi")
    (report,) = bubble.parts.css("details.report")
    assert summary(report) == "Content filter 2 categories, nothing found"


@pytest.mark.parametrize("reason", ["content_filter", "SAFETY", "guardrail_intervened"])
def test_an_answer_that_was_filtered_away_says_so(answered: ShowAnswer, reason: str) -> None:
    bubble = answered({"finish_reason": reason}, content=None)
    assert "The content filter stopped this answer." in bubble.text
    assert "the content filter withheld it" in bubble.text


@pytest.mark.parametrize(("reason", "is_refused"), [("refusal", True), ("stop", False)])
def test_a_refusal_is_known_by_the_finish_reason_alone(
    answered: ShowAnswer, reason: str, is_refused: bool
) -> None:
    bubble = answered({"finish_reason": reason}, content="I'm sorry, I cannot help.")
    assert ("The model refused to answer." in bubble.text) == is_refused


@pytest.mark.parametrize("reason", ["length", "max_tokens", "MAX_TOKENS", "model_length"])
def test_an_answer_that_was_cut_off_says_so(answered: ShowAnswer, reason: str) -> None:
    bubble = answered({"finish_reason": reason}, content="Once upon")
    assert "it reached the limit of its tokens" in bubble.text


@pytest.mark.parametrize("odd", [{}, [], "high", 5, True, [1, "a"]])
def test_filter_results_of_another_form_are_also_sent(answered: ShowAnswer, odd: Any) -> None:
    bubble = answered({"content_filter_results": odd}, content="Hi")
    assert bubble.parts.css("details.report") == []
    assert list(pairs(bubble.parts, ".also-sent")) == ["content_filter_results"]


@pytest.mark.parametrize(
    "odd",
    [
        {"hate": "high"},
        {"hate": {"severity": 3, "filtered": "yes"}},
        {"error": {"code": "content_filter_error", "message": "down"}},
        {"hate": [SAFE, 7]},
        {"hate": {}},
    ],
)
def test_odd_findings_are_read_as_far_as_they_go(answered: ShowAnswer, odd: Any) -> None:
    bubble = answered({"content_filter_results": odd}, content="Hi")
    (report,) = bubble.parts.css("details.report")
    assert exact(report) == odd
    for word in ("high", "3", "yes", "down", "7"):
        assert word not in json.dumps(odd) or word in readable(report)


def about(fake: FakeUpstream, client: FlaskClient, **fields: Any) -> LexborNode:
    """The head of a completion with these fields."""
    completion = stored(ID)
    completion.completion.update(fields)
    fake.completions[ID] = completion
    return Page.of(client.get(HERE)).one("header.about")


def test_the_filters_of_the_prompt_stand_in_the_head(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    results = [{"prompt_index": at, "content_filter_results": AZURE} for at in (0, 1)]
    head = about(fake, fake_client, prompt_filter_results=results)
    (report,) = head.css("details.report")
    assert summary(report).startswith("Content filter, prompt violence: medium, filtered")
    assert [readable(node) for node in report.css(".report-of")] == ["prompt 0", "prompt 1"]
    assert exact(report) == results


def test_moderation_tells_categories_and_scores(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    result = {
        "type": "moderation_result",
        "model": "omni-moderation",
        "flagged": True,
        "categories": {"violence": True, "hate": False},
        "category_scores": {"violence": 0.93, "hate": 1e-06},
        "category_applied_input_types": {"violence": ["text"]},
    }
    moderation = {
        "input": {"type": "moderation_results", "model": "omni", "results": [result]},
        "output": {"type": "error", "code": "timeout", "message": "It took too long."},
    }
    head = about(fake, fake_client, moderation=moderation)
    (report,) = head.css("details.report")
    assert summary(report) == "Moderation violence: detected output: not checked"
    assert pairs(report, ".verdicts") == {
        "violence": "detected score 0.93",
        "hate": "not found score 1e-06",
    }
    assert [readable(node) for node in report.css(".report-of")] == ["input", "output"]
    assert "It took too long." in readable(report)
    assert exact(report) == moderation


def test_a_check_that_failed_is_not_told_as_one_that_found_nothing(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    failed = {"type": "error", "code": "timeout", "message": "It took too long."}
    clean = {"type": "moderation_result", "categories": {"hate": False}}
    head = about(fake, fake_client, moderation={"input": failed, "output": clean})
    (report,) = head.css("details.report")
    assert summary(report) == "Moderation 1 category, nothing found there input: not checked"
    assert pairs(report, ".also-sent")["code"] == "timeout"
    assert exact(report) == {"input": failed, "output": clean}


def test_a_second_check_of_one_text_that_failed_names_the_text(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    failed = {"type": "error", "code": "timeout"}
    clean = {"type": "moderation_result", "categories": {"hate": False}}
    (report,) = about(fake, fake_client, moderation={"input": [clean, failed]}).css(
        "details.report"
    )
    assert summary(report) == "Moderation 1 category, nothing found there input: not checked"
    assert [readable(node) for node in report.css(".report-of")] == ["input"]


def test_a_filter_that_failed_is_told(answered: ShowAnswer) -> None:
    error = {"code": "content_filter_error", "message": "The contents are not filtered"}
    bubble = answered({"content_filter_results": {"error": error}}, content="Hi")
    (report,) = bubble.parts.css("details.report")
    assert summary(report) == "Content filter one result: not checked"


def test_very_many_categories_are_counted_and_kept(answered: ShowAnswer) -> None:
    many = {f"category {at}": SAFE for at in range(1000)}
    bubble = answered({"content_filter_results": many}, content="Hi")
    (report,) = bubble.parts.css("details.report")
    assert len(report.css(".verdicts > div")) == 200
    assert "800 more categories in the JSON" in readable(report)
    assert exact(report) == many
