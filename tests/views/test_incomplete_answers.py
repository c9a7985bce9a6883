"""An answer that broke off says so, on its page and in the list, and keeps what was received."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.support.fake_upstream import FakeUpstream, stored
from tests.support.pages import Page

ID = "chatcmpl-1"
CHOICE = {"index": 0, "message": {"role": "assistant", "content": "Half"}}
REASON = "The model server reported an error: <b>Provider died</b>"
BROKEN: list[dict[str, Any]] = [
    {"incomplete": {"reason": REASON}},
    {"incomplete": {"reason": REASON, "received": "data: {"}, "choices": []},
    {"error": {"message": REASON, "code": 502}},
    {"error": REASON},
    {"choices": [CHOICE | {"finish_reason": "error", "error": REASON}]},
]


@pytest.mark.parametrize("members", BROKEN)
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_the_page_says_why_the_answer_is_not_complete(
    fake: FakeUpstream, fake_client: FlaskClient, members: dict[str, Any], order: str
) -> None:
    fake.completions[ID] = stored(ID, "Why?", **members)

    page = Page.of(fake_client.get(f"/completions/{ID}?order={order}"))

    assert page.text.count("The answer is not complete.") == 1
    assert REASON in page.text


@pytest.mark.parametrize("members", BROKEN)
def test_the_list_marks_it(
    fake: FakeUpstream, fake_client: FlaskClient, members: dict[str, Any]
) -> None:
    fake.completions[ID] = stored(ID, "Why?", **members)

    [row] = Page.of(fake_client.get("/completions")).rows

    assert "✗ broken off" in row.text


@pytest.mark.parametrize("reason", ["error", "abort", "insufficient_system_resource"])
def test_a_finish_reason_can_say_that_the_answer_broke_off(
    fake: FakeUpstream, fake_client: FlaskClient, reason: str
) -> None:
    fake.completions[ID] = stored(ID, "Why?", choices=[CHOICE | {"finish_reason": reason}])

    page = Page.of(fake_client.get(f"/completions/{ID}"))

    assert f"The answer is not complete. The finish reason is {reason}." in page.text
    assert "✗ broken off" in Page.of(fake_client.get("/completions")).rows[0].text


@pytest.mark.parametrize("members", [{}, {"incomplete": None}, {"error": None}, {"error": {}}])
def test_a_complete_answer_has_no_notice(
    fake: FakeUpstream, fake_client: FlaskClient, members: dict[str, Any]
) -> None:
    fake.completions[ID] = stored(ID, "Why?", **members)

    assert "not complete" not in Page.of(fake_client.get(f"/completions/{ID}")).text
    assert Page.of(fake_client.get("/completions")).rows[0].marks == []


def test_the_notice_comes_once_after_the_last_message(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fake.completions[ID] = stored(ID, *map(str, range(30)), incomplete={"reason": REASON})

    between = Page.of(fake_client.get(f"/completions/{ID}?after={ID}-4"))
    assert "not complete" not in between.text
    for query in ("", "?all=1", f"?after={ID}-24"):
        page = Page.of(fake_client.get(f"/completions/{ID}{query}"))
        assert page.text.count("The answer is not complete.") == 1


def test_the_page_says_what_the_server_called_it(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fake.completions[ID] = stored(ID, "Why?", original_id="chatcmpl-373")

    about = Page.of(fake_client.get(f"/completions/{ID}")).one(".about").text()

    assert "The server called it chatcmpl-373." in " ".join(about.split())


@pytest.mark.parametrize("created", [None, 0, -1, "soon", float("1e300"), []])
def test_a_time_that_was_not_given_is_not_shown(
    fake: FakeUpstream, fake_client: FlaskClient, created: object
) -> None:
    fake.completions[ID] = stored(ID, "Why?", created=1)
    fake.completions[ID].completion["created"] = created

    for address in ("/completions", f"/completions/{ID}"):
        page = Page.of(fake_client.get(address))
        assert "1970" not in page.text
        assert page.all("time") == []


@pytest.mark.parametrize(
    "created",
    ["1766000000", 1766000000.734, 1766000000734, "2025-12-17T19:33:20Z", "2025-12-17 19:33:20"],
)
def test_a_time_in_another_form_is_understood(
    fake: FakeUpstream, fake_client: FlaskClient, created: object
) -> None:
    fake.completions[ID] = stored(ID, "Why?")
    fake.completions[ID].completion["created"] = created

    page = Page.of(fake_client.get(f"/completions/{ID}"))

    assert page.one("time").attributes["datetime"] == "2025-12-17T19:33:20Z"
    assert str(created) in page.one(".settings").text()


@pytest.mark.parametrize("indexes", [(0, 0, 0), (0, 3, 7)])
def test_choices_whose_indexes_do_not_number_them_are_numbered(
    fake: FakeUpstream, fake_client: FlaskClient, indexes: tuple[int, ...]
) -> None:
    choices = [
        {"index": at, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        for at, text in zip(indexes, ("a", "b", "c"), strict=True)
    ]
    fake.completions[ID] = stored(ID, "Why?", choices=choices)

    page = Page.of(fake_client.get(f"/completions/{ID}"))

    titles = [" ".join(node.text().split()) for node in page.all(".choice > summary")]
    assert titles == ["Choice 1 stop", "Choice 2 stop", "Choice 3 stop"]
    assert f"The server gives this choice the index {indexes[-1]}." in page.text


@pytest.mark.parametrize(
    "empty", [{}, {"message": None}, {"message": {}}, {"message": {"role": "x", "content": ""}}]
)
def test_a_stored_delta_counts_as_the_message(
    fake: FakeUpstream, fake_client: FlaskClient, empty: dict[str, Any]
) -> None:
    said = {"role": "assistant", "content": "It is so."}
    choices = [{"index": 0, "delta": said, "finish_reason": "stop"} | empty]
    fake.completions[ID] = stored(ID, "Why?", choices=choices)

    page = Page.of(fake_client.get(f"/completions/{ID}"))

    assert page.bubbles[-1].sources == ["It is so."]
