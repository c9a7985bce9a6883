"""The three views of a transcript: which one is shown, that it is remembered, and what it folds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.support.fake_upstream import FakeUpstream, Json, stored
from tests.support.pages import Page, readable
from tests.views.transcripts import HERE, ID


def keep(fake: FakeUpstream, messages: list[Json]) -> None:
    listed = [{"id": f"{ID}-{at}", **message} for at, message in enumerate(messages)]
    fake.completions[ID] = replace(stored(ID, "What?"), messages=listed)


def turns(count: int) -> list[Json]:
    return [{"role": "user", "content": f"Message {at}."} for at in range(count)]


def shown(client: FlaskClient, path: str = HERE, **query: Any) -> str | None:
    page = Page.of(client.get(path, query_string=query))
    return page.one(".transcript").attributes["data-view"]


@pytest.mark.parametrize(("count", "view"), [(1, "full"), (39, "full"), (40, "compact")])
def test_a_long_transcript_is_compact(
    fake: FakeUpstream, fake_client: FlaskClient, count: int, view: str
) -> None:
    keep(fake, turns(count))
    assert shown(fake_client) == view


@pytest.mark.parametrize("view", ["outline", "compact", "full"])
def test_the_chosen_view_is_remembered(
    fake: FakeUpstream, fake_client: FlaskClient, view: str
) -> None:
    keep(fake, turns(50))
    assert shown(fake_client, view=view) == view
    assert shown(fake_client) == view
    assert shown(fake_client, f"{HERE}/messages/{ID}-3") == view
    links = Page.of(fake_client.get(HERE)).all(".views a")
    assert [link.text() for link in links if link.attributes.get("aria-current")] == [view]


@pytest.mark.parametrize("view", ["Full", "bubbles", "full,compact"])
def test_a_view_that_is_none_is_refused(
    fake: FakeUpstream, fake_client: FlaskClient, view: str
) -> None:
    keep(fake, turns(2))
    page = Page.of(fake_client.get(HERE, query_string={"view": view}), 400)
    assert "outline, compact or full" in page.text


def test_a_forged_memory_is_no_view(fake: FakeUpstream, fake_client: FlaskClient) -> None:
    keep(fake, turns(2))
    fake_client.set_cookie("readback_view", "<script>")
    assert shown(fake_client) == "full"


def test_further_pages_keep_the_view_without_a_memory(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    keep(fake, turns(250))
    page = Page.of(fake_client.get(HERE, query_string={"view": "outline"}))
    assert len(page.all(".outlined")) == 101
    fake_client.delete_cookie("readback_view")
    following = Page.of(fake_client.get(page.link("load 100") or ""))
    assert following.one(".transcript").attributes["data-view"] == "outline"


CALLED: list[Json] = [
    {"role": "user", "content": "Look."},
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {"id": "a", "function": {"name": "shell", "arguments": '{"command":"ls -la"}'}},
            {"id": "b", "function": {"name": "add", "arguments": '{"x":1,"y":"two"}'}},
            {"id": "c", "function": {"name": "think", "arguments": "{}"}},
        ],
    },
    {"role": "tool", "tool_call_id": "a", "content": "total 0"},
    {"role": "tool", "tool_call_id": "b", "content": '{"error": "not a number"}'},
]


def test_calls_are_rows_of_a_compact_transcript(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    keep(fake, CALLED)
    page = Page.of(fake_client.get(HERE, query_string={"view": "compact"}))
    assert [readable(row) for row in page.all("details.call > summary")] == [
        "2 shell ls -la ok 7 bytes call 1 of 3",
        '2 add x: 1, y: "two" error 25 bytes call 2 of 3',
        "2 think no result call 3 of 3",
    ]
    assert page.one("#m-3").text().count("total 0") == 1


def test_a_result_that_may_be_on_the_next_page_is_not_missing(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    keep(fake, [*CALLED, *turns(60)])
    page = Page.of(fake_client.get(HERE, query_string={"view": "compact", "limit": 3}))
    states = [one.attributes["data-state"] for one in page.all("details.call > summary .row-state")]
    assert states[:3] == ["ok", "result not loaded", "result not loaded"]


def test_every_message_is_a_line_of_the_outline(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    keep(fake, CALLED)
    page = Page.of(fake_client.get(HERE, query_string={"view": "outline"}))
    lines = [readable(line) for line in page.all(".outlined > summary")]
    assert lines == ["1 user Look.", "2 assistant ✗ failed shell ls -la, add 1, two, think"]
    assert page.one(".outlined > #m-2") is not None


def test_a_call_with_its_result_has_four_controls(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    keep(fake, CALLED[:3])
    page = Page.of(fake_client.get(HERE, query_string={"view": "full"}))
    call = page.all(".call")[0]
    controls = [*call.css("a"), *call.css("button"), *call.css("summary")]
    assert sorted(readable(one) for one in controls) == ["copy", "message 3", "⋯", "⋯"]
