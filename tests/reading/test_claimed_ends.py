"""Servers that call every page the last one: nothing is hidden, and no total is made up."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.support.fake_upstream import FakeUpstream, Json, Reply, error, never_more, stored
from tests.support.pages import Page, pages_from

ID = "chatcmpl-1"
HERE = f"/completions/{ID}"
MESSAGES = f"/chat/completions/{ID}/messages"

Texts = list[str]


def name_by_number(number: int) -> str:
    return f"{ID}-{number}"


def name_otherwise(number: int) -> str:
    return f"msg_{number * 7919 % 100003:05}"


def store(fake: FakeUpstream, count: int, name: Callable[[int], str] = name_by_number) -> Texts:
    """Store a completion of `count` messages on a server that never says that more follow."""
    texts = [f"text {number}" for number in range(count)]
    fake.completions[ID] = stored(ID, *texts)
    for number, listed in enumerate(fake.completions[ID].messages):
        listed["id"] = name(number)
    fake.page = never_more
    return texts


def sources(*pages: Page) -> Texts:
    return [source for page in pages for bubble in page.bubbles for source in bubble.sources]


@pytest.mark.parametrize("name", [name_by_number, name_otherwise])
@pytest.mark.parametrize(
    ("count", "limit"), [(0, 20), (1, 1), (4, 1), (19, 20), (20, 20), (21, 20), (40, 20), (45, 20)]
)
def test_every_message_and_the_answer_are_shown_once(
    fake: FakeUpstream,
    fake_client: FlaskClient,
    count: int,
    limit: int,
    name: Callable[[int], str],
) -> None:
    texts = store(fake, count, name)
    pages = list(pages_from(fake_client, f"{HERE}?limit={limit}"))
    assert sources(*pages) == [*texts, "An answer"]
    assert f"{limit} of {limit} message" not in "".join(page.text for page in pages[:-1])
    is_joined = count < 2 * limit or (count == 2 * limit and name is name_by_number)
    assert len(pages) == (1 if is_joined else -(-count // limit))
    whole = Page.of(fake_client.get(f"{HERE}?limit={limit}&all=1"))
    assert sources(whole) == [*texts, "An answer"]
    assert count == 0 or f"{count} of {count} message" in whole.text


@pytest.mark.parametrize(("count", "limit"), [(4, 1), (20, 20), (40, 20), (45, 20)])
def test_every_message_is_shown_newest_first(
    fake: FakeUpstream, fake_client: FlaskClient, count: int, limit: int
) -> None:
    texts = store(fake, count)
    pages = list(pages_from(fake_client, f"{HERE}?order=desc&limit={limit}"))
    assert sources(*pages) == ["An answer", *texts[::-1]]
    assert f"{limit} of {limit} messages" not in pages[0].text or count == limit


@pytest.mark.parametrize("name", [name_by_number, name_otherwise])
@pytest.mark.parametrize("at", [0, 1, 20, 25, 44])
def test_a_link_leads_to_the_first_message_and_to_the_answer(
    fake: FakeUpstream, fake_client: FlaskClient, at: int, name: Callable[[int], str]
) -> None:
    texts = store(fake, 45, name)
    path = f"{HERE}/messages/{name(at)}"
    first = Page.of(fake_client.get(path))
    later = first.link("Later messages")
    following = list(pages_from(fake_client, later)) if later else []
    assert sources(first, *following) == [*texts[at:], "An answer"]
    earlier = list(pages_from(fake_client, path, link="Earlier messages", fragments=True))[1:]
    assert sources(*reversed(earlier)) == texts[:at]


def test_a_run_is_counted_to_its_end(fake: FakeUpstream, fake_client: FlaskClient) -> None:
    store(fake, 230)
    page = Page.of(fake_client.get(HERE))
    page = Page.of(fake_client.get(page.link("count the whole run") or ""))
    assert "user 230" in page.one(".roles").text()


@pytest.mark.parametrize("total", [20, 0])
def test_a_total_that_is_the_length_of_the_page_is_not_believed(
    fake: FakeUpstream, fake_client: FlaskClient, total: int
) -> None:
    store(fake, 45)
    fake.page = lambda page: page | {"has_more": False, "total": total}
    page = Page.of(fake_client.get(f"{HERE}?after={ID}-9"))
    assert "30 so far" in page.text
    assert page.link("Load more")


@pytest.mark.parametrize("limit", [5, 20])
def test_pages_that_are_longer_than_requested_are_full(
    fake: FakeUpstream, fake_client: FlaskClient, limit: int
) -> None:
    texts = store(fake, 45)
    listed = fake.completions[ID].messages

    def send_twenty(page: Json) -> Json:
        ids = [one["id"] for one in listed]
        if not page["data"]:
            return never_more(page)
        start = ids.index(page["data"][0]["id"])
        return page | {"data": listed[start : start + 20], "has_more": False}

    fake.page = send_twenty
    pages = list(pages_from(fake_client, f"{HERE}?limit={limit}"))
    assert sources(*pages) == [*texts, "An answer"]
    assert "20 of 20 messages" not in pages[0].text


def test_a_claim_that_cannot_be_checked_is_called_one(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    store(fake, 45)
    for listed in fake.completions[ID].messages:
        listed["id"] = None
    page = Page.of(fake_client.get(HERE))
    assert "20 messages; the server says that no more follow" in page.text
    assert "of 20" not in page.text
    assert sources(page)[-1] == "An answer"


def test_a_server_without_cursors_is_not_said_to_have_sent_everything(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    store(fake, 45)
    first_twenty = fake.completions[ID].messages[:20]
    fake.page = lambda page: page | {"data": first_twenty, "has_more": False}
    page = Page.of(fake_client.get(HERE))
    assert "20 messages; the server says that no more follow" in page.text
    assert sources(page)[-1] == "An answer"


def test_a_check_that_fails_costs_neither_the_page_nor_the_answer(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    store(fake, 45)
    page = {"object": "list", "data": fake.completions[ID].messages[:20], "has_more": False}
    fake.script(MESSAGES, Reply(200, page), error(400, "no cursors here"))
    shown = Page.of(fake_client.get(HERE))
    assert "20 messages; the server says that no more follow" in shown.text
    assert sources(shown)[-1] == "An answer"


def test_the_embedded_server_is_believed(
    client: FlaskClient, load: Callable[[Path], None], tmp_path: Path
) -> None:
    messages = [{"role": "user", "content": f"text {number}"} for number in range(20)]
    answer = {"index": 0, "message": {"role": "assistant", "content": "An answer"}}
    file = tmp_path / "one.jsonl"
    file.write_text(json.dumps({"id": ID, "messages": messages, "choices": [answer]}))
    load(file)
    page = Page.of(client.get(HERE))
    assert "20 of 20 messages" in page.text
    assert sources(page)[-1] == "An answer"


@pytest.mark.parametrize("most", [10, 20])
def test_pages_that_are_shorter_than_requested_are_full_at_a_usual_length(
    fake: FakeUpstream, fake_client: FlaskClient, most: int
) -> None:
    texts = store(fake, 45)

    def send_fewer(page: Json) -> Json:
        return never_more(page | {"data": page["data"][:most]})

    fake.page = send_fewer
    pages = list(pages_from(fake_client, f"{HERE}?limit=100"))
    assert sources(*pages) == [*texts, "An answer"]
    assert f"{most} of {most} messages" not in pages[0].text


def listed(client: FlaskClient) -> tuple[list[str], str]:
    """Return the ids in the list, followed to its end, and the note there."""
    found, address = [], "/completions"
    while True:
        page = Page.of(client.get(address))
        found += [(row.href or "").rpartition("/")[2] for row in page.rows]
        following = page.link("Load more")
        if following is None:
            return found, page.one("#more").text().strip()
        address = following


@pytest.mark.parametrize("count", [19, 20, 40, 45])
def test_every_completion_is_listed(
    fake: FakeUpstream, fake_client: FlaskClient, count: int
) -> None:
    ids = [f"c{number}" for number in range(count)]
    fake.completions |= {one: stored(one, "q") for one in ids}
    fake.page = never_more
    assert listed(fake_client) == (ids[::-1], "No more completions.")


def test_a_list_whose_claimed_end_cannot_be_checked_says_who_claims_it(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fake.completions |= {f"c{number}": stored(f"c{number}", "q") for number in range(45)}
    first = fake.completions["c0"].completion
    same = [first | {"id": f"c{number}"} for number in range(20)]
    fake.page = lambda page: never_more(page | {"data": same})
    found, said = listed(fake_client)
    assert len(found) == 20
    assert said == "The server says that no more completions follow."
