"""The start and the end of a long transcript on its first page, and the way between them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.support.fake_upstream import (
    FakeUpstream,
    Json,
    always_more,
    error,
    never_more,
    stored,
    without_has_more,
)
from tests.support.pages import AS_FRAGMENT, Page, pages_from
from tests.views.transcripts import HERE, ID, MESSAGES, ids, open_transcript


def run_of(count: int, *, users: tuple[int, ...] = (0,)) -> list[Json]:
    """Return messages of users at `users`, and calls in turn with their results."""
    messages: list[Json] = []
    for at in range(count):
        if at in users:
            message: Json = {"role": "user", "content": f"Question {at}"}
        elif messages[-1]["role"] == "assistant":
            message = {"role": "tool", "content": f"result {at}", "tool_call_id": f"c{at - 1}"}
        else:
            call: Json = {"id": f"c{at}", "type": "function"}
            call |= {"function": {"name": "look", "arguments": "{}"}}
            message = {"role": "assistant", "content": None, "tool_calls": [call]}
        messages.append({"id": f"{ID}-{at}", **message})
    return messages


def keep(fake: FakeUpstream, messages: list[Json], **fields: Any) -> None:
    one = stored(ID, **fields)
    one.messages = messages
    fake.completions[ID] = one


def numbers(page: Page) -> set[int]:
    """The numbers of the messages on the page, wherever they are shown."""
    return {int(one.anchor[2:]) for one in page.bubbles if one.anchor.startswith("m-")}


@pytest.mark.parametrize(
    ("users", "last"),
    [((0,), range(83, 101)), ((0, 90), range(91, 101)), ((0, 99), range(100, 101))],
    ids=["no user is near", "the last turn", "a question alone"],
)
def test_a_long_transcript_opens_with_its_start_and_its_last_turn(
    fake: FakeUpstream, fake_client: FlaskClient, users: tuple[int, ...], last: range
) -> None:
    keep(fake, run_of(100, users=users))
    page = open_transcript(fake_client)
    shown = numbers(page)
    assert shown == {*range(1, 21), *last} | ({82} if last.start == 83 else set())
    left = min(shown - {*range(1, 21)}) - 21
    assert f"{left} messages between" in page.one("#gap").text()
    assert page.bubbles[-1].anchor == "choice-0"
    assert page.link("load 20") == f"{HERE}?after={ID}-19&until={ID}-{left + 20}"
    assert page.link("load all") == f"{HERE}?all=1"
    assert "End of the transcript" in page.one("#more").text()
    assert [one.text() for one in page.all("#gap ~ .page .answers")] == []


@pytest.mark.parametrize("count", [*range(20, 42), 65])
def test_messages_that_were_read_anyway_leave_no_gap(
    fake: FakeUpstream, fake_client: FlaskClient, count: int
) -> None:
    keep(fake, run_of(count))
    page = open_transcript(fake_client)
    assert len(fake.requests) == 3
    assert bool(page.all("#gap")) is (count > 40)
    assert page.bubbles[-1].anchor == "choice-0"
    assert count > 40 or numbers(page) == {*range(1, count + 1)}
    assert count > 40 or f"{count} of {count} messages" in page.one("#more").text()
    assert bool(open_transcript(fake_client, limit=30).all("#gap")) is (count > 50)
    assert not open_transcript(fake_client, order="desc").all("#gap")
    assert not open_transcript(fake_client, after=f"{ID}-4").all("#gap")
    assert not open_transcript(fake_client, all=1).all("#gap")


@pytest.mark.parametrize("count", [41, 60, 61, 100])
def test_loading_more_fills_the_gap_in_order_until_it_is_gone(
    fake: FakeUpstream, fake_client: FlaskClient, count: int
) -> None:
    keep(fake, run_of(count, users=(0, count - 1)))
    start, *between, end = pages_from(fake_client, HERE, fragments=True)
    left = [page.one("#gap .progress").text() for page in between if page.all("#gap")]
    assert left == [
        f"{number} message{'s' if number > 1 else ''} between"
        for number in range(count - 41, 0, -20)
    ]
    assert all(not page.all("#more, .outputs") for page in between)
    found = [numbers(page) for page in (start, *between, end)]
    assert set.union(*found) == {*range(1, count + 1)}
    assert sum(map(len, found)) == count


def test_without_scripts_the_links_lead_to_pages_of_the_rest(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    address = open_transcript(fake_client).link("load 20") or ""
    page = Page.of(fake_client.get(address))
    assert page.is_whole
    assert page.message_ids == ids(*range(20, 40))
    assert page.link("Load more") == f"{HERE}?after={ID}-39"
    assert page.link("Earlier messages")


def test_the_embedded_server_shows_both_ends_too(
    client: FlaskClient, load: Callable[[Path], None], tmp_path: Path
) -> None:
    messages = [{"role": "user", "content": f"Message {at}"} for at in range(70)]
    line = {"id": ID, "messages": messages, "choices": []}
    (tmp_path / "one.jsonl").write_text(json.dumps(line) + "\n", encoding="utf-8")
    load(tmp_path / "one.jsonl")
    page = open_transcript(client)
    assert numbers(page) == {*range(1, 21), 70}
    assert page.bubbles[-1].text.startswith("70 user")
    found = [numbers(page) for page in pages_from(client, HERE, fragments=True)]
    assert set.union(*found) == {*range(1, 71)}
    assert sum(map(len, found)) == 70


def names(page: Json) -> Json:
    """Give the messages ids that count nothing."""
    data = [one | {"id": f"msg_{one['id'].rpartition('-')[2]}x"} for one in page["data"]]
    return page | {"data": data}


def from_one(page: Json) -> Json:
    """Give the messages ids that count from one."""
    data = [one | {"id": f"{ID}-{int(one['id'].rpartition('-')[2]) + 1}"} for one in page["data"]]
    return page | {"data": data}


def nameless(page: Json) -> Json:
    return page | {"data": [one | {"id": None} for one in page["data"]], "last_id": None}


@pytest.mark.parametrize(
    ("page", "count", "is_open"),
    [(names, 21, False), (names, 39, False), (names, 40, True), (from_one, 40, False)],
)
def test_other_ids_show_by_an_overlap_or_by_counting_that_nothing_is_between(
    fake: FakeUpstream,
    fake_client: FlaskClient,
    page: Callable[[Json], Json],
    count: int,
    is_open: bool,
) -> None:
    fake.page = page
    keep(fake, run_of(count, users=(0, count - 1)))
    shown = open_transcript(fake_client)
    assert bool(shown.all("#gap")) is is_open
    assert shown.bubbles[-1].anchor == "choice-0"
    assert is_open or len(shown.bubbles) == count + 1


@pytest.mark.parametrize(
    ("page", "ignores_query", "opens"),
    [
        (without_has_more, False, True),
        (never_more, False, True),
        (always_more, False, True),
        (nameless, False, False),
        (names, False, True),
        (without_has_more, True, False),
        (never_more, True, False),
    ],
)
def test_servers_that_cannot_show_the_end_are_read_from_the_start(
    fake: FakeUpstream,
    fake_client: FlaskClient,
    page: Callable[[Json], Json],
    ignores_query: bool,
    opens: bool,
) -> None:
    fake.page, fake.ignores_query = page, ignores_query
    shown = open_transcript(fake_client)
    texts = [source for bubble in shown.bubbles for source in bubble.sources]
    assert bool(shown.all("#gap")) is opens
    assert texts[:20] == [f"text {at}" for at in range(20)]
    assert len(set(texts)) == len(texts)


def test_an_end_that_could_not_be_read_leaves_the_start(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fake.script_newest(MESSAGES, error(500, "broken"))
    page = open_transcript(fake_client)
    assert page.message_ids == ids(*range(20))
    assert page.link("Load more")


def test_answers_among_the_messages_are_shown_once(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    answer = {"id": f"{ID}-45", "role": "assistant", "content": "An answer", "refusal": None}
    fake.completions[ID].messages.append(answer)
    page = open_transcript(fake_client)
    assert [one.text for one in page.bubbles if "An answer" in one.text] == [page.bubbles[-1].text]
    assert "answer" in page.bubbles[-1].text


def test_the_view_and_the_filter_hold_between(fake: FakeUpstream, fake_client: FlaskClient) -> None:
    keep(fake, run_of(100, users=(0, 50, 99)))
    page = open_transcript(fake_client, view="outline", only="user", limit=10)
    assert page.all(".outlined")
    link = page.one("#gap .button").attributes["href"] or ""
    assert {"only=user", "limit=10", "like=outline"} <= set(link.partition("?")[2].split("&"))
    fragment = Page.of(fake_client.get(link, headers=AS_FRAGMENT))
    assert "10 messages not shown" in fragment.one(".left-out").text()


@pytest.mark.parametrize("limit", [5, 10, 20])
def test_newest_first_keeps_every_result_with_its_call(
    fake: FakeUpstream, fake_client: FlaskClient, limit: int
) -> None:
    keep(fake, run_of(100))
    pages = list(pages_from(fake_client, f"{HERE}?order=desc&limit={limit}"))
    assert [page.all(".answers") for page in pages] == [[] for _ in pages]
    found = [numbers(page) for page in pages]
    assert set.union(*found) == {*range(1, 101)}
    assert sum(map(len, found)) == 100


def test_a_page_of_nothing_but_results_keeps_them(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    messages = run_of(2)
    messages[1]["tool_calls"] = [messages[1]["tool_calls"][0] | {"id": f"c{at}"} for at in range(8)]
    for at in range(8):
        message = {"role": "tool", "content": f"result {at}", "tool_call_id": f"c{at}"}
        messages.append({"id": f"{ID}-{at + 2}", **message})
    keep(fake, messages)
    pages = list(pages_from(fake_client, f"{HERE}?order=desc&limit=3"))
    assert [len(numbers(page)) for page in pages] == [3, 3, 3, 1]
