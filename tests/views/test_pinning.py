"""Pin completions: first in the list, and kept."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.access.conftest import HASH
from tests.shares.sharing import COMPLETION, MESSAGES, publish
from tests.support.fake_upstream import FakeUpstream, stored
from tests.support.pages import Page
from webapp import create_app
from webapp.config import Config
from webapp.embedded import Retention, Store
from webapp.embedded.documents.records import parse_record
from webapp.factories import find_database_url, open_app_database
from webapp.http.deadline import Clock
from webapp.pins import MAX_PINNED, Pins

IDS = ["chatcmpl-a", "chatcmpl-b", "chatcmpl-c"]


def fill(config: Config) -> None:
    with closing(Store(find_database_url(config))) as store:
        for at, one in enumerate(IDS):
            document = {**COMPLETION, "id": one, "created": 1_758_000_000 + at}
            store.add([parse_record(json.dumps(document | {"messages": MESSAGES[at:]}))])


@pytest.fixture
def app(config: Config) -> Flask:
    fill(config)
    return create_app(replace(config, allows_writes=True))


def pinned(page: Page) -> list[str | None]:
    return [node.attributes["href"] for node in page.all(".pinned a.row-link")]


def test_what_is_pinned_is_first_in_the_list_and_marked_in_its_transcript(
    client: FlaskClient,
) -> None:
    transcript = Page.of(client.get("/completions/chatcmpl-a"))
    form = transcript.one("form.pin")

    answer = client.post(form.attributes["action"] or "")
    client.post("/selected/pin", data={"pick": ["chatcmpl-b", "chatcmpl-a"]})

    assert not transcript.all(".pin-mark")
    assert (answer.status_code, answer.location) == (303, "/completions/chatcmpl-a")
    transcript = Page.of(client.get(answer.location))
    assert transcript.one(".pin-mark").text() == "pinned"
    assert transcript.one("form.pin").text().strip() == "Unpin"
    page = Page.of(client.get("/completions?flat=1"))
    assert pinned(page) == [f"/completions/chatcmpl-{one}?flat=1" for one in "ba"]
    links = [node.attributes["href"] for node in page.all("a.row-link")]
    assert links == [f"/completions/chatcmpl-{one}?flat=1" for one in "bac"]
    asked = Page.of(client.get("/completions?model=gpt-4o&flat=1"))
    assert sum("pinned" in row.marks for row in asked.rows) == 2
    assert pinned(Page.of(client.get("/completions?model=gpt-4o"))) == []
    assert pinned(Page.of(client.get("/completions?after=chatcmpl-c"))) == []
    (unpin,) = [one for one in page.all(".picked button") if one.text().strip() == "Unpin"]
    client.post(unpin.attributes["formaction"] or "", data={"pick": IDS})
    page = Page.of(client.get("/completions"))
    assert pinned(page) == [] and "Unpin" not in page.one(".picked").text()
    assert "unpinned" in Page.of(client.get("/record")).text


def test_a_pinned_completion_that_the_page_lacks_has_its_numbers(client: FlaskClient) -> None:
    client.post("/completions/chatcmpl-a/pin")

    page = Page.of(client.get("/completions?flat=1&limit=1"))

    assert [row.attributes["href"] for row in page.all(".rows:not(.pinned *) a.row-link")] == [
        "/completions/chatcmpl-c?flat=1"
    ]
    assert page.one(".pinned .row-messages").text() == f"{len(MESSAGES)} messages"


def test_a_deleted_completion_is_not_pinned_any_more(client: FlaskClient, app: Flask) -> None:
    client.post("/selected/pin", data={"pick": IDS})

    client.delete("/v1/chat/completions/chatcmpl-a")
    client.post("/completions/chatcmpl-b/delete")

    assert app.extensions["readback"].pins.list() == ["chatcmpl-c"]
    Page.of(client.post("/completions/chatcmpl-a/pin"), 404)


def test_pins_are_few_of_one_place_and_outlive_retention(database: Config) -> None:
    fill(database)
    with (
        closing(open_app_database(database)) as opener,
        closing(Store(find_database_url(database))) as store,
    ):
        pins, elsewhere = Pins(opener), Pins(opener, "elsewhere")
        elsewhere.add("chatcmpl-b")
        retention = Retention(
            store,
            days=1,
            erase_traces=lambda _: None,
            record_deletion=lambda _: None,
            list_kept=pins.list_everywhere,
            clock=Clock(wall=lambda: 10.0**10),
        )

        assert retention.delete_old() == 2
        assert store.retrieve_completion("chatcmpl-b") is not None
        added = [pins.add(f"c{at}") for at in range(MAX_PINNED + 1)]
        assert added == [True] * MAX_PINNED + [False]
        assert pins.add("c0") and pins.remove("c0") and not pins.remove("c0")
        assert elsewhere.list() == ["chatcmpl-b"]


def test_only_known_readers_pin_and_no_share_says_what_is_pinned(
    app: Flask, client: FlaskClient, config: Config
) -> None:
    client.post("/completions/chatcmpl-a/pin")
    _, token = publish(app)
    shared = Page.of(client.get(f"/s/{token}"))
    assert not shared.all("form.pin, .pin-mark, .picked")

    anyone = create_app(replace(config, host="0.0.0.0", open=True)).test_client()
    page = Page.of(anyone.get("/completions/chatcmpl-a"))
    assert page.one(".pin-mark") and not page.all("form.pin")
    for path in ("/completions/chatcmpl-a/unpin", "/selected/pin"):
        assert anyone.post(path, data={"pick": IDS}).status_code == 403
    access = replace(config.access, password_hash=HASH)
    guarded = create_app(replace(config, host="0.0.0.0", access=access)).test_client()
    assert guarded.post("/completions/chatcmpl-b/pin").status_code == 401
    foreign = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert client.post("/completions/chatcmpl-b/pin", headers=foreign).status_code == 403
    assert pinned(Page.of(client.get("/completions"))) == ["/completions/chatcmpl-a"]


def test_of_another_server_a_copy_is_kept_and_listed_when_the_server_has_deleted_it(
    fake: FakeUpstream, config: Config
) -> None:
    fake.completions |= {one: stored(one, f"question {one}") for one in ("c1", "c2")}
    with fake.serve() as base_url:
        remote = replace(
            config,
            openai_base_url=base_url,
            openai_api_key="sk-test-4f9a",
            limits=replace(config.limits, max_retries=0),
            message_cache_bytes=0,
        )
        client = create_app(remote).test_client()
        assert client.post("/completions/c1/pin").status_code == 303
        del fake.completions["c1"]

        page = Page.of(client.get("/completions"))
        gone = Page.of(client.get("/completions/c1"), 404)

        assert pinned(page) == ["/completions/c1"]
        assert "question c1" in page.one(".pinned").text()
        assert gone.link("Open the copy") == "/kept/c1"
        assert "Unpin" not in Page.of(client.get("/kept/c1")).text
        Page.of(client.post("/completions/c3/pin"), 404)
        assert client.post("/completions/c1/unpin").status_code == 303
        assert pinned(Page.of(client.get("/completions"))) == []
