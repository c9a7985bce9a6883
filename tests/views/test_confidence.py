"""The tokens of an answer: how likely each was, in words, by a shape and in a table."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.analysis.checks.cases import USER
from tests.support.pages import Page, readable

ADDRESS = "/completions/chatcmpl-1/confidence"


def token(text: str, logprob: float, data: list[int] | None = None, others: Any = None) -> Any:
    alternatives = [{"token": one, "logprob": value} for one, value in (others or {}).items()]
    sent = list(text.encode()) if data is None else data
    return {"token": text, "logprob": logprob, "bytes": sent, "top_logprobs": alternatives}


def choice(index: int = 0, **logprobs: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": "At ten 🐳"}
    return {"index": index, "message": message, "finish_reason": "stop", "logprobs": logprobs}


@pytest.fixture
def put(
    client: FlaskClient, load: Callable[[Path], None], tmp_path: Path
) -> Callable[..., FlaskClient]:
    def store(*choices: dict[str, Any]) -> FlaskClient:
        path = tmp_path / "one.jsonl"
        path.write_text(
            json.dumps({"id": "chatcmpl-1", "messages": [USER], "choices": choices}) + "\n"
        )
        load(path)
        return client

    return store


def test_tokens_are_told_by_words_and_level(put: Callable[..., FlaskClient]) -> None:
    whale = list("🐳".encode())
    content = [
        token("At", -0.002),
        token(" ten", -0.9, others={" ten": -0.9, " nine": -1.1}),
        token("\\xf0", -0.1, whale[:2]),
        token("\\x9f", -3.0, whale[2:]),
        {"token": "?", "logprob": None, "bytes": None},
    ]
    client = put(choice(content=content, refusal=[token("No", -2)]))
    page = Page.of(client.get(ADDRESS))
    pieces = page.all(".tokens > .token")

    assert [readable(node) for node in page.all("h2")] == ["Answer", "Refusal"]
    assert [(node.text(), node.attributes["data-level"]) for node in pieces] == [
        ("At", "5"),
        (" ten", "1"),
        ("🐳", "0"),
        ("?", "none"),
        ("No", "0"),
    ]
    assert pieces[1].attributes["title"] == "40.66 % · instead: ␣nine 33.29 %"
    assert "2 tokens make up this character" in (pieces[2].attributes["title"] or "")
    assert pieces[3].attributes["title"] == "unknown"
    assert [node.attributes["dir"] for node in page.all(".tokens")] == ["auto", "auto"]
    rows = [readable(node) for node in page.all(".token-table tbody tr")]
    assert rows[1] == "2 ␣ten 40.66 % -0.9 ␣nine 33.29 %"
    assert "of 🐳 4.98 % -3.0" in rows[3]
    uncertain = [readable(node) for node in page.all(".uncertain")[0].css("li")]
    assert uncertain[0] == "4.98 % At ten 🐳 (its token \\x90\\xb3 )"
    for link in page.all(".tokens > .token, .uncertain a"):
        assert page.one(link.attributes["href"] or "")
    transcript = Page.of(client.get("/completions/chatcmpl-1"))
    assert transcript.link("Confidence by token") == ADDRESS


def test_each_choice_has_its_tokens(put: Callable[..., FlaskClient]) -> None:
    client = put(choice(content=[token("a", -1)]), choice(1, content=[token("b", -1)]), choice(2))
    second = Page.of(client.get(f"{ADDRESS}?choice=1"))
    third = Page.of(client.get(f"{ADDRESS}?choice=2"))

    assert [node.text() for node in second.all(".tokens > .token")] == ["b"]
    assert readable(second.one("[aria-current]")) == "choice 2"
    assert "No probabilities are stored with this answer" in third.text
    assert client.get(f"{ADDRESS}?choice=3").status_code == 404
    assert client.get(f"{ADDRESS}?choice=x").status_code == 400


def test_long_answers_come_in_pages_and_uncertain_tokens_link_across(
    put: Callable[..., FlaskClient],
) -> None:
    client = put(choice(content=[token("x", -0.0001)] * 1100 + [token("<b>", -5)]))
    page = Page.of(client.get(ADDRESS))
    href = page.one(".uncertain a").attributes["href"] or ""
    last = Page.of(client.get(href))

    assert len(page.all(".tokens > .token")) == 500
    assert page.one("[rel=next]").attributes["href"] == f"{ADDRESS}?start=500"
    assert href == f"{ADDRESS}?start=1000#content-1101"
    assert last.one("#content-1101").text().split()[1] == "<b>"
    assert not last.all("[rel=next]")


def test_values_that_are_no_probability_are_told_apart(put: Callable[..., FlaskClient]) -> None:
    content = [
        token("GitHub", -9999.0, others={"Yo": -0.1}),
        token(" مرحبا بكم", -0.01),
        token("", 1.5),
        {"token": None, "logprob": "low", "top_logprobs": None},
        "odd",
    ]
    page = Page.of(put(choice(content=content)).get(ADDRESS))
    rows = [readable(node) for node in page.all(".token-table tbody tr")]

    assert rows == [
        "1 GitHub < 0.01 % -9999.0 Yo 90.48 %",
        "2 ␣مرحبا␣بكم 99.00 % -0.01 none sent",
        "3 ∅ unknown 1.5 none sent",
        "4 ∅ unknown not sent none sent",
        "5 ∅ unknown not sent none sent",
    ]
    assert page.one(".tokens").attributes["dir"] == "rtl"
    assert [readable(node) for node in page.all(".uncertain li")] == ["< 0.01 % GitHub"]
