"""The box at the top while a transcript is open: a number opens a message or a call of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.support.fake_upstream import FakeUpstream, stored
from tests.support.pages import Page

ID = "chatcmpl-place"
MESSAGES = f"/completions/{ID}/messages/{ID}"


@pytest.fixture
def run_client(client: FlaskClient, load: Callable[[Path], None], tmp_path: Path) -> FlaskClient:
    """A question, and 30 times a message with two calls and a result: 61 messages, 60 calls."""
    messages: list[dict[str, Any]] = [{"role": "user", "content": "Go on"}]
    for number in range(1, 31):
        made = [
            {
                "id": f"{name}{number}",
                "type": "function",
                "function": {"name": name, "arguments": "{}"},
            }
            for name in ("look", "book")
        ]
        messages.append({"role": "assistant", "content": None, "tool_calls": made})
        messages.append({"role": "tool", "tool_call_id": f"book{number}", "content": "done"})
    answer = {"index": 0, "message": {"role": "assistant", "content": "Done."}}
    line = {"id": ID, "created": 1, "model": "m", "messages": messages, "choices": [answer]}
    path = tmp_path / "places.jsonl"
    path.write_text(json.dumps(line) + "\n")
    load(path)
    return client


def test_the_form_names_the_open_completion(run_client: FlaskClient) -> None:
    def hidden(path: str) -> list[str | None]:
        fields = Page.of(run_client.get(path)).all(".open-box input[type=hidden]")
        return [field.attributes["value"] for field in fields]

    assert hidden(f"/completions/{ID}") == [ID]
    assert hidden(f"{MESSAGES}-7") == [ID]
    assert hidden(f"/completions/{ID}?all=1") == [ID]
    assert hidden("/completions") == []


@pytest.mark.parametrize(
    ("pasted", "address"),
    [
        ("1", f"{MESSAGES}-0#m-1"),
        ("#57", f"{MESSAGES}-56#m-57"),
        ("message 61 of 61", f"{MESSAGES}-60#m-61"),
        ("call 1", f"{MESSAGES}-1#m-2-call-1"),
        ("call 57 of 60", f"{MESSAGES}-57#m-58-call-1"),
        ("4.2", f"{MESSAGES}-3#m-4-call-2"),
        (ID, f"/completions/{ID}"),
        ("chatcmpl-other", "/completions/chatcmpl-other"),
    ],
)
def test_a_number_opens_its_place(run_client: FlaskClient, pasted: str, address: str) -> None:
    answer = run_client.post("/open", data={"pasted": pasted, "completion": ID})

    assert (answer.status_code, answer.location) == (303, address)
    path, _, anchor = address.partition("#")
    if anchor:
        assert Page.of(run_client.get(path)).all(f"#{anchor}")


@pytest.mark.parametrize("pasted", ["0", "62", "call 61", "call 0", "4.3", "4.0", "1.1", "99.1"])
def test_a_place_that_is_not_there_is_not_found(run_client: FlaskClient, pasted: str) -> None:
    page = Page.of(run_client.post("/open", data={"pasted": pasted, "completion": ID}), 404)

    assert f"There is no {'message' if pasted.isdigit() else 'call'} " in page.text
    assert "the transcript has 61 messages and 60 calls." in page.text


@pytest.mark.parametrize("words", ["book", "two words", "sofia_kim_7287"])
def test_words_are_searched_for_in_the_open_transcript_first(
    run_client: FlaskClient, words: str
) -> None:
    answer = run_client.post("/open", data={"pasted": words, "completion": ID})
    assert answer.location == f"/completions/{ID}/search?q={words.replace(' ', '+')}"

    page = Page.of(run_client.get(answer.location))
    everywhere = page.link("Search all completions") or ""
    assert everywhere == f"/search?q={words.replace(' ', '+')}&from={ID}"
    page = Page.of(run_client.get(everywhere))
    assert page.link("Search only the transcript that you came from") == answer.location
    assert page.one("input[name=from]").attributes["value"] == ID
    filters = run_client.post("/open", data={"pasted": "tool:book", "completion": ID})
    assert filters.location == "/completions?filter=tool:book"


def test_another_server_searches_the_open_transcript(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fake.completions[ID] = stored(ID, "Tides")
    word = fake_client.post("/open", data={"pasted": "tides", "completion": ID})
    assert word.location == f"/completions/{ID}/search?q=tides"
    answer = fake_client.post("/open", data={"pasted": "the tides", "completion": ID})
    assert answer.location == f"/completions/{ID}/search?q=the+tides"
    assert Page.of(fake_client.get(answer.location)).all('a[href^="/search"]') == []


@pytest.mark.parametrize("completion", ["", "..", "a b"])
def test_without_an_open_transcript_a_number_is_searched_for(
    run_client: FlaskClient, completion: str
) -> None:
    answer = run_client.post("/open", data={"pasted": "187", "completion": completion})

    assert answer.location == "/search?q=187"


@pytest.mark.parametrize(("number", "status"), [(250, 303), (251, 404)])
def test_ids_of_other_servers_need_no_numbers(
    fake: FakeUpstream, fake_client: FlaskClient, number: int, status: int
) -> None:
    fake.completions[ID] = stored(ID, *(f"text {at}" for at in range(250)))
    for at, message in enumerate(fake.completions[ID].messages):
        message["id"] = f"msg_{at * 7919 % 251:03}x"
    last = fake.completions[ID].messages[-1]["id"]

    answer = fake_client.post("/open", data={"pasted": str(number), "completion": ID})

    assert answer.status_code == status
    if status == 303:
        assert answer.location == f"/completions/{ID}/messages/{last}#m-250"


def test_numbers_in_ids_find_a_message_without_reading_the_others(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fake.completions[ID] = stored(ID, *(f"text {at}" for at in range(250)))

    answer = fake_client.post("/open", data={"pasted": "187", "completion": ID})

    assert answer.location == f"{MESSAGES}-186#m-187"
    assert len(fake.requests) == 3


def test_a_completion_that_is_gone_says_so(fake_client: FlaskClient) -> None:
    page = Page.of(
        fake_client.post("/open", data={"pasted": "3", "completion": "chatcmpl-no"}), 404
    )

    assert "store: true" in page.text
