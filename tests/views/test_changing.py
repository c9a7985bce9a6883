"""Edit the metadata of a completion and delete it, where the settings and the role allow it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.access.conftest import HASH, PASSWORD
from tests.shares.sharing import COMPLETION, MESSAGES, OWN_ID, publish, sharing_of
from tests.support.fake_upstream import FakeUpstream, Reply, error, stored
from tests.support.pages import Page
from tools.store_rows import database_url
from webapp import create_app
from webapp.config import Config, Limits
from webapp.embedded import Store
from webapp.embedded.documents.records import parse_record
from webapp.factories import find_database_url

HERE = f"/completions/{OWN_ID}"
METADATA = {"run": "7", "note": "two\r\nlines", "half": "\ud800", "<b>": '"quoted"'}


@pytest.fixture
def app(config: Config) -> Flask:
    store = Store(find_database_url(config))
    document = {**COMPLETION, "messages": MESSAGES, "metadata": METADATA}
    store.add([parse_record(json.dumps(document))])
    store.close()
    return create_app(replace(config, allows_writes=True))


@pytest.fixture
def remote(fake: FakeUpstream, tmp_path: Path) -> Iterator[FlaskClient]:
    one = stored("c1", "a question", metadata={"run": "7"})
    fake.completions["c1"] = one
    with fake.serve() as base_url:
        config = Config(
            openai_base_url=base_url,
            openai_api_key="sk-test-4f9a",
            database_url=database_url(tmp_path),
            limits=Limits(max_retries=0, page_timeout=120),
            allows_writes=True,
            message_cache_bytes=0,
        )
        yield create_app(config).test_client()


def read_form(page: Page) -> dict[str, list[str]]:
    (form,) = page.all("main form")
    found: dict[str, list[str]] = {"key": [], "value": [], "was": []}
    for node in form.css("input"):
        found[node.attributes["name"] or ""].append(node.attributes["value"] or "")
    # A browser leaves out one line break at the beginning.
    found["value"] = [node.text().removeprefix("\n") for node in form.css("textarea")]
    return found


def read_metadata(client: FlaskClient) -> dict[str, str]:
    answer = client.get(f"/v1/chat/completions/{OWN_ID}")
    found: dict[str, str] = json.loads(answer.data)["metadata"]
    return found


def test_metadata_are_edited_and_the_untouched_stay_exact(client: FlaskClient) -> None:
    transcript = Page.of(client.get(HERE))
    form = read_form(Page.of(client.get(transcript.link("Edit metadata"))))
    assert form["key"] == ["run", "note", "half", "<b>", *[""] * 4]
    form["value"][0] = "8"
    form["key"][4], form["value"][4] = "new", "  spaces and é\r\n"

    saved = client.post(f"{HERE}/metadata", data=form)

    assert (saved.status_code, saved.location) == (303, HERE)
    assert read_metadata(client) == METADATA | {"run": "8", "new": "  spaces and é\n"}
    assert "metadata changed" in Page.of(client.get("/record")).text
    form = read_form(Page.of(client.get(f"{HERE}/metadata")))
    form["key"], form["value"] = ["", "note"], ["", "only"]
    client.post(f"{HERE}/metadata", data=form)
    assert read_metadata(client) == {"note": "only"}


def test_what_somebody_else_changed_is_not_overwritten_unseen(client: FlaskClient) -> None:
    form = read_form(Page.of(client.get(f"{HERE}/metadata")))
    client.post(f"/v1/chat/completions/{OWN_ID}", json={"metadata": {"run": "theirs"}})
    form["value"][0] = "mine"

    page = Page.of(client.post(f"{HERE}/metadata", data=form), 409)

    assert "theirs" in page.all(".notice")[0].text()
    assert read_form(page)["value"][0] == "mine"
    assert read_metadata(client) == {"run": "theirs"}
    assert client.post(f"{HERE}/metadata", data=read_form(page)).status_code == 303
    assert read_metadata(client)["run"] == "mine"


@pytest.mark.parametrize(
    ("keys", "values", "word"),
    [
        (["a", "a"], ["1", "2"], "same key"),
        ([""], ["1"], "needs a key"),
        (["k" * 65], ["1"], "64 characters"),
        (["k"], ["1" * 513], "512 characters"),
        ([f"k{at}" for at in range(17)], ["1"] * 17, "16 pairs"),
    ],
)
def test_what_the_api_refuses_is_said_beside_the_form(
    client: FlaskClient, keys: list[str], values: list[str], word: str
) -> None:
    was = read_form(Page.of(client.get(f"{HERE}/metadata")))["was"]

    page = Page.of(
        client.post(f"{HERE}/metadata", data={"key": keys, "value": values, "was": was}), 400
    )

    assert word in page.all('[role="alert"]')[0].text()
    assert read_form(page)["key"][: len(keys)] == keys
    assert read_metadata(client) == METADATA


def test_the_page_before_a_deletion_says_what_was_asked(
    fake: FakeUpstream, remote: FlaskClient
) -> None:
    one = stored("c1", "You are terse.", "Be kind.", "Which seat?")
    one.messages[0]["role"], one.messages[1]["role"] = "system", "developer"
    fake.completions["c1"] = one

    page = Page.of(remote.get("/completions/c1/delete"))

    assert "Which seat?" in page.one(".cover-facts").text()


@pytest.mark.parametrize("choice", ["revoke", "keep"])
def test_a_completion_is_deleted_after_its_shares_were_listed(
    app: Flask, client: FlaskClient, choice: str
) -> None:
    share_id, token = publish(app)
    page = Page.of(client.get(Page.of(client.get(HERE)).link("Delete")))
    assert OWN_ID in page.text
    (share,) = page.all(".deleted-shares a")
    assert share.attributes["href"] == f"/shares/{share_id}"
    (checked,) = page.all("input[checked]")
    assert checked.attributes["value"] == "revoke"

    gone = client.post(f"{HERE}/delete", data={"shares": choice})

    assert (gone.status_code, gone.location) == (303, "/completions")
    listed = [Page.of(client.get("/completions")) for _ in range(2)]
    assert [f"Deleted {OWN_ID}." in page.text for page in listed] == [True, False]
    client.set_cookie("readback-deleted", "WzEsImMxIl0.aSu.forged")
    assert "Deleted" not in Page.of(client.get("/completions")).text
    assert client.get(HERE).status_code == 404
    is_open = sharing_of(app).store.find_open(token) is not None
    assert is_open is (choice == "keep")
    record = Page.of(client.get("/record")).text
    assert record.count("delete") >= 1
    assert ("share revoked" in record) is (choice == "revoke")
    assert client.post(f"{HERE}/delete").status_code == 404
    assert sharing_of(app).store.find_open(token) is None, "a second try revokes as well"


def test_nothing_can_be_changed_unless_it_is_allowed(config: Config, app: Flask) -> None:
    client = create_app(config).test_client()
    page = Page.of(client.get(HERE))
    assert page.link("Delete") is page.link("Edit metadata") is None
    for path in ("metadata", "delete"):
        assert client.get(f"{HERE}/{path}").status_code == 403
        assert client.post(f"{HERE}/{path}").status_code == 403
    assert read_metadata(client) == METADATA


@pytest.mark.parametrize("admins", [(), ("everyone",)])
def test_only_administrators_change_anything(
    config: Config, app: Flask, admins: tuple[str, ...]
) -> None:
    access = replace(config.access, password_hash=HASH, admins=admins)
    shared = replace(config, access=access, host="0.0.0.0", allows_writes=True)
    client = create_app(shared).test_client()
    status = 200 if admins else 403
    assert client.get(f"{HERE}/delete").status_code == 303
    client.post("/login", data={"password": PASSWORD})

    assert client.get(f"{HERE}/delete").status_code == status
    assert client.get(f"{HERE}/metadata").status_code == status
    assert (Page.of(client.get(HERE)).link("Delete") is None) is (status == 403)
    foreign = client.post(f"{HERE}/delete", headers={"Sec-Fetch-Site": "cross-site"})
    assert foreign.status_code == 403
    assert client.get(HERE).status_code == 200


def test_a_completion_of_another_server_is_changed_there(
    remote: FlaskClient, fake: FakeUpstream
) -> None:
    form = read_form(Page.of(remote.get("/completions/c1/metadata")))
    form["value"][0] = "8"
    assert remote.post("/completions/c1/metadata", data=form).status_code == 303
    assert fake.completions["c1"].completion["metadata"] == {"run": "8"}
    remote.post("/completions/c1/keep")

    copy = Page.of(remote.get("/kept/c1"))
    there = Page.of(remote.get("/completions/c1/delete"))
    assert there.link("The copy") == "/kept/c1"
    assert remote.post("/completions/c1/delete").location == "/completions"
    assert "c1" not in fake.completions
    assert "Deleted" not in Page.of(remote.get("/kept/completions")).text, "the copy is there"
    asked = Page.of(remote.get(copy.link("Delete")))
    assert "Delete this copy?" in asked.text
    (form_node,) = asked.all("main form")
    deleted = remote.post(form_node.attributes["action"] or "")
    assert deleted.location == "/kept/completions"
    assert "Deleted the copy of c1." in Page.of(remote.get(deleted.location)).text
    assert remote.get("/kept/c1").status_code == 404


def test_errors_of_the_server_are_pages_and_change_nothing(
    remote: FlaskClient, fake: FakeUpstream
) -> None:
    path = "/chat/completions/c1"
    refused = error(405, "Method not allowed")
    fake.script(path, refused)
    page = Page.of(remote.post("/completions/c1/delete", data={"shares": "revoke"}), 501)
    assert "The server did not do this" in page.text
    assert page.link("The transcript") == "/completions/c1"
    for name in ("metadata", "delete"):
        assert remote.get(f"/completions/none/{name}").status_code == 404
        assert remote.post(f"/completions/none/{name}").status_code == 404
    assert "c1" in fake.completions


def test_a_server_that_only_adds_metadata_is_noticed(
    remote: FlaskClient, fake: FakeUpstream
) -> None:
    form = read_form(Page.of(remote.get("/completions/c1/metadata")))
    merged = fake.completions["c1"].completion | {"metadata": {"run": "7", "new": "1"}}
    before = fake.completions["c1"].completion
    fake.script("/chat/completions/c1", Reply(200, before), Reply(200, merged))

    page = Page.of(
        remote.post(
            "/completions/c1/metadata", data={"key": ["new"], "value": ["1"], "was": form["was"]}
        ),
        502,
    )

    assert "does not remove run" in page.text
