"""Do something with the rows that are ticked in a list: export, compare, delete."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.access.conftest import HASH
from tests.shares.sharing import sharing_of, snapshot
from tests.support.fake_upstream import FakeUpstream, error, stored
from tests.support.pages import Page
from webapp import create_app
from webapp.config import Config
from webapp.embedded import Store
from webapp.embedded.documents.records import parse_record
from webapp.factories import find_database_url
from webapp.shares import Terms

IDS = ["chatcmpl-a", "chatcmpl-b", "chatcmpl-c"]


@pytest.fixture
def app(config: Config) -> Flask:
    store = Store(find_database_url(config))
    for at, one in enumerate(IDS):
        document = {
            "id": one,
            "created": 1_758_000_000 + at,
            "model": f"m{at}",
            "messages": [{"role": "user", "content": f"<b>question</b> {one}"}],
            "choices": [{"index": 0, "message": {"role": "assistant", "content": "yes"}}],
        }
        store.add([parse_record(json.dumps(document))])
    store.close()
    return create_app(replace(config, allows_writes=True))


def actions(page: Page) -> dict[str, tuple[str, str]]:
    """Return where each button of the bar sends the ticked rows, and how."""
    form = page.one("form#picked")
    return {
        button.text().strip(): (
            button.attributes.get("formaction") or "",
            button.attributes.get("formmethod") or form.attributes["method"] or "",
        )
        for button in form.css("button")
    }


def test_ticked_rows_are_exported_in_the_order_of_the_list(client: FlaskClient) -> None:
    page = Page.of(client.get("/completions?model="))
    bar = actions(page)
    picks = {"pick": ["chatcmpl-c", "chatcmpl-a", "chatcmpl-c"], "back": "/completions"}

    lines = client.post(bar["JSONL"][0], data=picks, buffered=True)
    table = client.post(bar["CSV"][0], data=picks, buffered=True)

    assert bar["JSONL"][1] == bar["CSV"][1] == "post"
    assert bar["Compare two"] == ("/compare", "get")
    assert [json.loads(line)["id"] for line in lines.data.splitlines()] == picks["pick"][:2]
    assert table.text.count("chatcmpl-") == 2
    assert "attachment" in table.headers["Content-Disposition"]
    back = page.one("form#picked input[name=back]").attributes["value"]
    assert back == "/completions"
    recorded = Page.of(client.get("/record")).text
    assert "form: csv" in recorded and "form: jsonl" in recorded


@pytest.mark.parametrize(
    ("picks", "status"),
    [([], 400), (["../x"], 404), (["none"], 404), ([f"id{n}" for n in range(1001)], 400)],
)
def test_what_cannot_be_exported_is_said(
    client: FlaskClient, picks: list[str], status: int
) -> None:
    for form in ("jsonl", "csv"):
        Page.of(client.post(f"/completions.{form}", data={"pick": picks}), status)


def test_ticked_rows_are_deleted_after_a_page_that_names_them(
    client: FlaskClient, app: Flask
) -> None:
    shares = sharing_of(app).store
    draft = shares.add_draft("", IDS[0], snapshot())
    shares.publish(draft, Terms(maker="Ann", seconds=3600))
    bar = actions(Page.of(client.get("/completions")))
    query = {"pick": [*IDS[:2], "gone"], "back": "/completions?model=m2"}

    address, method = bar["Delete …"]
    asked = Page.of(client.get(address, query_string=query))
    assert "They are deleted from the server, with their messages" in asked.text
    alone = Page.of(client.get(address, query_string={"pick": IDS[0]}))
    assert "It is deleted from the server, with its messages" in alone.text
    form = asked.one("main form")
    picks = [one.attributes["value"] for one in form.css("[name=pick]")]
    answer = client.post(form.attributes["action"] or "", data={**query, "pick": picks})

    assert method == "get"
    assert picks == IDS[:2]
    assert [one.text() for one in asked.all(".to-delete a")] == [
        f"<b>question</b> {one}" for one in IDS[:2]
    ]
    assert "gone is not stored any more" in asked.text
    assert "1 share of them" in asked.text
    assert (answer.status_code, answer.location) == (303, "/completions?model=m2")
    listed = Page.of(client.get("/completions"))
    assert "Deleted 2 completions." in listed.text
    assert [row.href for row in listed.rows] == [f"/completions/{IDS[2]}"]
    [share] = shares.list_shares(completion=IDS[0])
    assert share.revoked is not None


def test_only_paths_of_readback_are_gone_back_to(client: FlaskClient) -> None:
    for back in ("//evil.example/", "https://evil.example/", "/\\evil.example"):
        answer = client.post("/selected/delete", data={"pick": ["gone"], "back": back})
        assert answer.location == "/completions"


def test_without_writes_or_the_role_nothing_is_deleted(config: Config, app: Flask) -> None:
    closed = create_app(config).test_client()
    form = {"pick": IDS}

    assert "Delete …" not in actions(Page.of(closed.get("/completions")))
    assert (
        "READBACK_WRITES=1" in Page.of(closed.get("/selected/delete", query_string=form), 403).text
    )
    assert closed.post("/selected/delete", data=form).status_code == 403
    access = replace(config.access, password_hash=HASH)
    reader = create_app(replace(config, allows_writes=True, host="0.0.0.0", access=access))
    answer = reader.test_client().post("/selected/delete", data=form)
    assert answer.status_code == 401
    foreign = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert app.test_client().post("/selected/delete", data=form, headers=foreign).status_code == 403


def test_after_a_failure_the_page_asks_about_those_that_are_left(
    fake: FakeUpstream, config: Config
) -> None:
    fake.completions |= {one: stored(one, f"question {one}") for one in ("c1", "c2", "c3")}
    with fake.serve() as base_url:
        remote = replace(
            config,
            openai_base_url=base_url,
            openai_api_key="sk-test-4f9a",
            database_url=config.database_url,
            allows_writes=True,
            limits=replace(config.limits, max_retries=0),
            message_cache_bytes=0,
        )
        client = create_app(remote).test_client()
        fake.script("/chat/completions/c2", error(500, "It is in use."))
        page = Page.of(client.post("/selected/delete", data={"pick": ["c1", "c2", "c3"]}), 502)

    assert "1 completion deleted; those below are not." in page.notices[0]
    assert [one.attributes["value"] for one in page.all("main [name=pick]")] == ["c2", "c3"]
    assert "c1" not in fake.completions and "c3" in fake.completions
