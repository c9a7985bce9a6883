"""The page of the checks: findings that link to their places, and what is not checkable."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.analysis.checks.cases import USER, answered, ask, call, complete, result
from tests.support.fake_upstream import FakeUpstream, stored
from tests.support.pages import Page
from webapp import create_app
from webapp.analysis.assessing import assess_completion
from webapp.analysis.checks import CHECKS_VERSION
from webapp.config import Config
from webapp.embedded import Store, load_samples
from webapp.embedded.samples import SAMPLES
from webapp.factories import find_database_url

ADDRESS = "/completions/chatcmpl-1/checks"


def words(page: Page, selector: str) -> list[str]:
    return [" ".join(node.text().split()) for node in page.all(selector)]


def load_document(load: Callable[[Path], None], tmp_path: Path, document: object) -> None:
    path = tmp_path / "one.jsonl"
    path.write_text(json.dumps(document) + "\n", encoding="utf-8")
    load(path)


def test_findings_link_to_their_places_on_pages_that_have_them(
    client: FlaskClient, load: Callable[[Path], None], tmp_path: Path
) -> None:
    document = answered('{"row": <b>1</b>}') | {"metadata": {"note": "x" * 600}}
    document["messages"] += [result(id="call_9")] + [USER] * 30
    load_document(load, tmp_path, document)

    page = Page.of(client.get(ADDRESS))

    assert words(page, ".finding-code") == ["args-invalid", "result-orphan", "metadata-limits"]
    assert words(page, ".finding pre") == ['{"row": <b>1</b>} ^']
    links = [node.attributes["href"] for node in page.all(".finding a")]
    assert len(links) == 2, "a finding of the completion as a whole has no place"
    for link in links:
        assert link is not None
        there = Page.of(client.get(link, follow_redirects=True))
        assert there.all(f"#{link.partition('#')[2]}")
    transcript = Page.of(client.get("/completions/chatcmpl-1"))
    assert words(transcript, ".checks-link") == ["Checks 3"]


@pytest.mark.parametrize("whole_requests", [0, 20])
@pytest.mark.parametrize("messages", [1, 60])
def test_faults_of_the_answer_are_found_in_transcripts_of_every_length(
    config: Config,
    load: Callable[[Path], None],
    tmp_path: Path,
    messages: int,
    whole_requests: int,
) -> None:
    answer = {"content": None, "tool_calls": [call()]}
    load_document(load, tmp_path, complete([USER] * messages, answer, finish="length"))
    client = create_app(replace(config, whole_requests=whole_requests)).test_client()

    transcript = Page.of(client.get("/completions/chatcmpl-1"))
    assert words(transcript, ".checks-link") == ["Checks 1"]
    found = words(Page.of(client.get(ADDRESS)), ".finding-code")
    assert found == ["cut-length", "call-awaits"]


def test_a_healthy_completion_has_no_count(
    client: FlaskClient, load: Callable[[Path], None], tmp_path: Path
) -> None:
    load_document(load, tmp_path, complete([USER, ask(), result()]))

    assert words(Page.of(client.get("/completions/chatcmpl-1")), ".checks-link") == ["Checks"]
    page = Page.of(client.get(ADDRESS))
    assert "Nothing was found" in page.text
    assert words(page, "main li code") == ["args-schema", "tool-unknown", "model-retiring"]
    assert "This server is not OpenAI's" in page.text


def test_a_sound_record_of_failed_calls_names_them(
    client: FlaskClient, load: Callable[[Path], None], tmp_path: Path
) -> None:
    failed = {**result(), "content": '{"error": "no such seat"}'}
    load_document(load, tmp_path, complete([USER, ask(), failed]))

    page = Page.of(client.get(ADDRESS))

    assert "Found in the run itself: 1 failed call" in page.text
    address = page.link("1 failed call")
    assert address is not None
    assert client.get(address).status_code == 200


def test_a_server_of_five_keys_is_not_accused(fake_client: FlaskClient, fake: FakeUpstream) -> None:
    one = stored("chatcmpl-1", "Which seat?", "", "14C")
    for message, role in zip(one.messages, ("user", "assistant", "tool"), strict=True):
        message |= {"role": role, "content": message["content"] or None}
    fake.completions["chatcmpl-1"] = one

    page = Page.of(fake_client.get(ADDRESS))

    assert words(page, ".finding-code") == []
    assert "returns no tool calls of earlier turns" in page.text


def say(role: str, content: str) -> dict[str, Any]:
    return {"role": role, "content": content}


QUESTION = say("user", "How long does the ferry to Balestrand take? " * 3)
HISTORY = [QUESTION, say("assistant", "Four hours."), say("user", "Thanks.")]


@pytest.mark.parametrize(
    ("second", "tokens", "expected"),
    [
        ([say("system", "Be brief. It is 15:09:34."), *HISTORY], 2_000,
         "Message 1 differs from the previous request at character 23: 15:09:20. became 15:09:34."),
        ([say("developer", "Be kind."), *HISTORY], 2_000,
         "Message 1 differs from the previous request in its role: system became developer. A"),
        ([say("developer", "Be kind."), *HISTORY], None, None),
        ([say("system", "Be brief. It is 15:09:34."), *HISTORY], 900, None),
        ([say("system", "Be brief. It is 15:09:20."), *HISTORY], 2_000, None),
        ([say("system", "Be kind."), say("user", "Another question, of no use.")], 2_000, None),
    ],
    ids=["a clock", "a role", "a short prompt", "few tokens", "continued", "another conversation"],
)  # fmt: skip
def test_it_says_where_the_prompt_parted_from_the_one_before(
    client: FlaskClient,
    load: Callable[[Path], None],
    tmp_path: Path,
    second: list[dict[str, Any]],
    tokens: int | None,
    expected: str | None,
) -> None:
    answer = {"index": 0, "finish_reason": "stop", "message": say("assistant", "Four hours.")}
    first = [say("system", "Be brief. It is 15:09:20."), QUESTION]
    used = {"prompt_tokens": tokens, "completion_tokens": 3, "total_tokens": (tokens or 0) + 3}
    for at, messages in enumerate((first, second)):
        one = {"id": f"chatcmpl-{at}", "created": 100 + at, "model": "m", "choices": [answer]}
        usage = {"usage": used} if tokens else {}
        load_document(load, tmp_path, one | usage | {"messages": messages})

    page = Page.of(client.get(ADDRESS))
    assert words(page, ".finding-code") == (["cache-broken"] if expected else [])
    if expected:
        assert expected in " ".join(page.text.split())
        link = page.one(".finding a").attributes["href"]
        assert link == "/completions/chatcmpl-1/messages/chatcmpl-1-0#m-1"
    assert words(Page.of(client.get("/completions/chatcmpl-0/checks")), ".finding-code") == []


def test_an_unknown_completion_is_not_found(client: FlaskClient) -> None:
    assert client.get("/completions/chatcmpl-none/checks").status_code == 404


def test_the_count_that_the_store_keeps_is_that_of_the_page(config: Config, tmp_path: Path) -> None:
    config = replace(config, database_url=f"sqlite:///{tmp_path}/samples.sqlite3")
    with closing(Store(find_database_url(config))) as store:
        load_samples(store)
        ids = [json.loads(path.read_text())["id"] for path in sorted(SAMPLES.glob("2[1-4]*.json"))]

        def read_counts() -> dict[str, list[str]]:
            client = create_app(config).test_client()
            pages = {one: Page.of(client.get(f"/completions/{one}")) for one in ids}
            return {one: words(page, ".checks-link") for one, page in pages.items()}

        computed = read_counts()
        store.check(assess_completion, rules=CHECKS_VERSION)
        assert read_counts() == computed
    assert ["Checks"] in computed.values()
    assert len(set(map(tuple, computed.values()))) > 1
