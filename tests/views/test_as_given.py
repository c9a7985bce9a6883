"""The pages show what was given; members that only the API's form adds are on no page."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.support.pages import Page
from tools.store_rows import jsonl
from webapp.config import Config
from webapp.embedded import Store
from webapp.embedded.transfer.exporting import export_completions
from webapp.exact_json import parse
from webapp.factories import find_database_url
from webapp.shares import ShareChoices, make_snapshot

ID = "chatcmpl-given"
MADE_UP = ("temperature", "top_p", "presence_penalty", "frequency_penalty", "seed", "tool_choice")
ANSWER = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "ok"}}
MESSAGES: list[dict[str, Any]] = [
    {"role": "user", "content": [{"type": "document", "title": "D"}]},
    {"role": "user", "content": [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]},
    {"role": "assistant", "content": "before", "id": "msg_1"},
    {"role": "assistant", "content": None, "tool_calls": [{"id": "c", "function": {"name": "f"}}]},
    {},
]


@pytest.fixture
def loaded(load: Callable[[Path], None], tmp_path: Path) -> Callable[..., None]:
    def load_one(**members: Any) -> None:
        given = {"id": ID, "messages": MESSAGES, "choices": [ANSWER]} | members
        load(jsonl(tmp_path / "given.jsonl", [given]))

    return load_one


def raw(client: FlaskClient, address: str) -> Any:
    return json.loads(Page.of(client.get(f"/completions/{ID}{address}")).one("pre.json").text())


def test_settings_that_nobody_gave_are_not_shown(
    client: FlaskClient, loaded: Callable[..., None]
) -> None:
    loaded()

    page = Page.of(client.get(f"/completions/{ID}"))

    settings = " ".join(node.text() for node in page.all(".settings"))
    assert not [name for name in MADE_UP if name in settings]
    assert not [name for name in ("image_url", "input_audio", "content_parts") if name in page.html]
    assert "1970" not in page.text
    assert raw(client, "/json") == {"id": ID, "choices": [ANSWER]}


def test_settings_that_were_given_are_shown_as_they_were_written(
    client: FlaskClient, loaded: Callable[..., None]
) -> None:
    given: dict[str, Any] = {"temperature": 1.0, "top_p": None, "seed": 0, "tools": []}
    loaded(**given)

    shown = Page.of(client.get(f"/completions/{ID}")).one(".settings").text()

    assert "temperature" in shown
    assert "top_p" not in shown
    assert raw(client, "/json") == {"id": ID, "choices": [ANSWER]} | given


@pytest.mark.parametrize("at", range(len(MESSAGES)))
def test_the_raw_message_is_the_one_that_was_given(
    client: FlaskClient, loaded: Callable[..., None], at: int
) -> None:
    loaded()
    ids = Page.of(client.get(f"/completions/{ID}")).message_ids

    shown = raw(client, f"/messages/{ids[at]}/json")

    assert shown == MESSAGES[at] | {"id": ids[at]}


@pytest.mark.parametrize("given", ["hi", "", 7, 1.50, None, True, ["a", {"b": 1}], []])
def test_a_message_that_is_no_object_is_shown_as_it_was_given(
    client: FlaskClient, loaded: Callable[..., None], given: Any
) -> None:
    loaded(messages=[given, {"role": "user", "content": "and then"}])
    page = Page.of(client.get(f"/completions/{ID}"))
    ids = page.message_ids

    assert raw(client, f"/messages/{ids[0]}/json") == given
    assert json.loads(page.one(".unknown pre.json").text()) == given
    assert "readback" not in (page.bubbles[0].node.html or "")


def test_a_bare_list_is_shared_without_the_results_that_are_left_out() -> None:
    block = {"type": "tool_result", "tool_use_id": "c", "content": "42"}
    messages = [parse(json.dumps(one)) for one in (["a", block], "hi", None)]

    snapshot = make_snapshot(parse(json.dumps({"id": ID})), messages, ShareChoices(calls=False))

    assert json.loads(snapshot.document.source)["messages"] == [["a"], "hi", None]


@pytest.mark.parametrize(
    ("members", "answer"),
    [
        ({}, {}),
        ({"model": "m"}, {"index": 0}),
        ({"created": None, "usage": {"total_tokens": 3}}, {"message": {"content": "ok"}}),
        ({"metadata": {}, "temperature": 0}, {"index": 0, "message": {"role": "assistant"}}),
    ],
)
def test_members_that_nobody_gave_are_in_no_page_raw_view_or_export(
    client: FlaskClient,
    config: Config,
    loaded: Callable[..., None],
    members: dict[str, Any],
    answer: Any,
) -> None:
    message = {"content": "q"}
    loaded(messages=[message], choices=[answer], **members)
    page = Page.of(client.get(f"/completions/{ID}"))
    (message_id, *_) = page.message_ids

    pieces: list[bytes] = []
    with closing(Store(find_database_url(config))) as store:
        export_completions(store, pieces.append, ids=[ID])

    shown = {"id": ID, "choices": [answer]} | members
    assert json.loads(b"".join(pieces)) == shown | {"messages": [message]}
    assert raw(client, "/json") == shown
    assert raw(client, f"/messages/{message_id}/json") == message | {"id": message_id}
    settings = " ".join(node.text() for node in page.all(".settings"))
    assert not [name for name in MADE_UP if name in settings and name not in members]


def test_metadata_replaced_later_are_shown(
    client: FlaskClient, loaded: Callable[..., None]
) -> None:
    loaded(metadata={"old": "1"})

    client.post(f"/v1/chat/completions/{ID}", json={"metadata": {"new": "2"}})

    assert raw(client, "/json")["metadata"] == {"new": "2"}


def test_clients_of_the_api_still_get_its_keys(
    client: FlaskClient, loaded: Callable[..., None]
) -> None:
    loaded()

    one = client.get(f"/v1/chat/completions/{ID}").get_json()

    assert (one["temperature"], one["top_p"], one["created"]) == (1.0, 1.0, 0)


def test_white_space_within_a_message_stays(
    client: FlaskClient, load: Callable[[Path], None], tmp_path: Path
) -> None:
    messages = ('{\t "role" : "user",  "content":"a" }', "{ }", "{\t}", '{  "b":  []}')
    file = tmp_path / "spaced.jsonl"
    file.write_text(f'{{"id":"{ID}","choices":[],"messages":[{",".join(messages)}]}}\n')
    load(file)

    sent = client.get(f"/completions/{ID}/export.json").text

    for at, message in enumerate(messages):
        comma = "," if '"' in message else ""
        assert f'{{"id":"{ID}-{at}"{comma}{message[1:]}' in sent
