"""The dialogue that makes a share, the list of shares, and text that is redacted without one."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from tests.shares.sharing import COMPLETION, MESSAGES, OWN_ID, SECRET, publish, sharing_of, snapshot
from tests.support.pages import Page
from webapp import create_app
from webapp.config import Config
from webapp.factories import open_app_database
from webapp.shares import ShareChoices
from webapp.shares.store import MAX_LISTED

HERE = f"/completions/{OWN_ID}/share"
CHOICES = {"answer": "1"}
TERMS = {"action": "publish", "lifetime": "3600", "maker": "Ann"}


@pytest.fixture(autouse=True)
def stored(app: Flask, load: Callable[[Path], None], tmp_path: Path) -> None:
    file = tmp_path / "one.jsonl"
    file.write_text(json.dumps({**COMPLETION, "messages": MESSAGES}), encoding="utf-8")
    load(file)


def make_draft(client: FlaskClient, **choices: str) -> str:
    answer = client.post(HERE, data={**CHOICES, **choices})
    assert answer.status_code == 303
    address: str = answer.headers["Location"]
    return address


def test_what_the_maker_saw_is_what_leaves(client: FlaskClient, app: Flask) -> None:
    assert f'href="{HERE}"' in client.get(f"/completions/{OWN_ID}").text
    assert "Search for secrets" in client.get(HERE).text
    draft = make_draft(client, words="harbour\nberth")
    page = client.get(draft)
    assert SECRET in page.text and "Tick those that are harmless" in page.text
    store = sharing_of(app).store
    assert "harbour" not in json.dumps(store.find(draft[8:]), default=str)
    preview = client.get(f"{draft}/preview")
    assert preview.status_code == 200
    assert SECRET not in preview.text and "harbour" not in preview.text
    assert "frame-ancestors 'self'" in preview.headers["Content-Security-Policy"]
    assert "Set-Cookie" not in preview.headers

    # Other choices than those of the preview lead to a new preview, not to a link.
    words = {"words": "harbour\nberth"}
    changed = client.post(draft, data={**CHOICES, **words, **TERMS, "calls": "1"})
    assert changed.headers["Location"] == f"{draft}?changed=1"
    assert "The preview has changed" in client.get(f"{draft}?changed=1").text
    seen = store.read_snapshot(draft[8:])
    made = client.post(draft, data={**CHOICES, **words, **TERMS, "calls": "1"})
    assert (made.status_code, made.headers["Location"]) == (303, draft)
    assert store.read_snapshot(draft[8:]) == seen

    page = client.get(draft)
    (token,) = set(re.findall(r"http://localhost/s/([\w-]+)", page.text))
    shown = app.test_client().get(f"/s/{token}")
    assert "from <bdi>Ann</bdi>" in shown.text
    assert SECRET not in shown.text and "look_up" in shown.text
    # The link exists only in the browser of its maker.
    assert token not in app.test_client().get(draft).text
    assert token not in client.get("/shares").text
    renewed = client.post(f"{draft}/link")
    assert renewed.status_code == 303
    assert app.test_client().get(f"/s/{token}").status_code == 404
    assert client.post(draft, data=CHOICES).status_code == 409


def test_every_message_of_a_long_transcript_is_shared(
    client: FlaskClient, app: Flask, load: Callable[[Path], None], tmp_path: Path
) -> None:
    messages = [{"role": "user", "content": f"number {at}"} for at in range(250)]
    file = tmp_path / "long.jsonl"
    file.write_text(json.dumps({**COMPLETION, "id": "long", "messages": messages}))
    load(file)

    draft = client.post("/completions/long/share", data=CHOICES).headers["Location"]

    text = sharing_of(app).store.read_snapshot(draft[8:])
    assert json.loads(text or "")["messages"] == messages
    shown = client.get(f"{draft}/preview?all=1").text
    assert all(f"number {at}</p>" in shown for at in (0, 124, 249))


def test_a_finding_is_kept_only_if_the_maker_ticks_it(client: FlaskClient, app: Flask) -> None:
    draft = make_draft(client)
    page = client.get(draft).text
    (finding,) = re.findall(r'name="keep" value="([0-9a-f]+)"', page)
    client.post(draft, data={**CHOICES, "keep": finding, "action": "update"})

    assert SECRET in client.get(f"{draft}/preview").text
    assert re.search(rf'value="{finding}" checked', client.get(draft).text)


def test_the_maker_is_told_of_archives_that_are_left_out(
    client: FlaskClient, load: Callable[[Path], None], tmp_path: Path
) -> None:
    data = "data:application/zip;base64," + base64.b64encode(b"PK\x03\x04" + bytes(60)).decode()
    part = {"type": "file", "file": {"filename": "plans.docx", "file_data": data}}
    file = tmp_path / "archive.jsonl"
    messages = [{"role": "user", "content": [{"type": "text", "text": "Read this."}, part]}]
    file.write_text(json.dumps({**COMPLETION, "id": "chatcmpl-archive", "messages": messages}))
    load(file)
    answer = client.post("/completions/chatcmpl-archive/share", data=CHOICES)
    draft = answer.headers["Location"]

    assert "1 archive or file left out." in client.get(draft).text
    preview = client.get(f"{draft}/preview").text
    assert "plans.docx" in preview and data[40:80] not in preview


def test_a_question_with_half_a_character_is_shared(
    client: FlaskClient, load: Callable[[Path], None], tmp_path: Path
) -> None:
    file = tmp_path / "half.jsonl"
    messages = [{"role": "user", "content": "Is it \ud83d, or not?"}]
    file.write_text(json.dumps({**COMPLETION, "id": "chatcmpl-half", "messages": messages}))
    load(file)

    draft = client.post("/completions/chatcmpl-half/share", data=CHOICES).headers["Location"]
    assert client.post(draft, data={**CHOICES, **TERMS}).status_code == 303
    assert "Is it \ufffd, or not?" in client.get("/shares").text


@pytest.mark.parametrize(
    ("terms", "sentence"),
    [
        ({"lifetime": "date", "until": "9999-12-31"}, "at most 30 days"),
        ({"lifetime": "9999999"}, "at most 30 days"),
        ({"lifetime": "date", "until": "2020-01-01"}, "at most 30 days"),
        ({"lifetime": "date", "until": "soon"}, "2026-11-30"),
        ({"lifetime": ""}, "how long the share lasts"),
        ({"view_limit": "0"}, "whole numbers"),
    ],
)
def test_terms_that_are_not_allowed_are_refused(
    client: FlaskClient, terms: dict[str, str], sentence: str
) -> None:
    draft = make_draft(client)
    answer = client.post(draft, data={**CHOICES, **TERMS, **terms})

    assert answer.status_code == 400
    assert sentence in answer.text


def test_the_policy_can_demand_a_passphrase_and_turn_sharing_off(config: Config) -> None:
    strict = Config(database_url=config.database_url, shares_need_passphrase=True, share_days=1)
    client = create_app(strict).test_client()
    draft = make_draft(client)
    assert "30 days" not in client.get(draft).text
    assert client.post(draft, data={**CHOICES, **TERMS}).status_code == 400
    assert client.post(draft, data={**CHOICES, **TERMS, "passphrase": "x"}).status_code == 303

    off = create_app(Config(database_url=config.database_url, allows_shares=False)).test_client()
    assert off.get(HERE).status_code == off.post(HERE).status_code == 403


@pytest.mark.parametrize(("days", "chosen"), [(1, 1), (3, 1), (8, 7), (90, 7)])
def test_a_lifetime_that_is_allowed_is_chosen_from_the_first(
    config: Config, days: int, chosen: int
) -> None:
    client = create_app(replace(config, share_days=days)).test_client()
    lifetimes = Page.of(client.get(make_draft(client))).all("input[name=lifetime][checked]")
    assert [one.attributes["value"] for one in lifetimes] == [str(chosen * 86400)]


def test_the_list_finds_revokes_and_checks_again(client: FlaskClient, app: Flask) -> None:
    (first, token), (second, _) = publish(app), publish(app, view_limit=3)
    store = sharing_of(app).store
    assert client.get("/shares").text.count('class="share"') == 2
    assert "0 of 3 views" in client.get("/shares").text
    assert "Only the newest" not in client.get("/shares").text
    assert "No shares match" in client.get("/shares?q=elsewhere").text
    assert client.get("/shares?q=PASSWORD").text.count('class="share"') == 2

    store.note_rules(first, 0)
    assert "masked by older rules" in client.get("/shares").text
    assert client.post(f"/shares/{first}/check").headers["Location"] == "/shares"
    assert "masked by older rules" not in client.get("/shares").text

    assert client.post(f"/shares/{first}/revoke").status_code == 303
    assert app.test_client().get(f"/s/{token}").status_code == 404
    assert client.post("/shares/revoke", data={"completion": "other"}).status_code == 303
    assert store.find(second) and not store.find(second).has_ended(0)  # type: ignore[union-attr]
    client.post("/shares/revoke")
    assert all(share.revoked for share in store.list_shares())
    assert "revoked" in client.get(f"/shares/{second}").text
    assert client.get(f"/shares/{second}/preview").status_code == 404
    assert client.get("/shares/unknown").status_code == 404


def test_all_shares_are_revoked_however_many_the_list_shows(app: Flask, config: Config) -> None:
    (share_id, token) = publish(app)
    copied = (
        "owner, maker, completion, title, omitted, choices, rules, expires, views, tries, tried"
    )
    copies = [{"copy": f"copy-{at}", "id": share_id} for at in range(MAX_LISTED)]
    database = open_app_database(config)
    with database.get().exclusive.begin() as connection:
        connection.execute(
            text(
                f"INSERT INTO shares (id, token, created, {copied}) SELECT :copy, :copy,"
                f" created + 1, {copied} FROM shares WHERE id = :id"
            ),
            copies,
        )
    database.close()
    store = sharing_of(app).store
    assert share_id not in {one.id for one in store.list_shares()}
    assert "Only the newest 1,000 shares" in app.test_client().get("/shares?q=elsewhere").text

    assert app.test_client().post("/shares/revoke").status_code == 303
    assert store.find_open(token) is None


def test_new_rules_that_find_more_say_so(client: FlaskClient, app: Flask) -> None:
    # What older rules would have let pass.
    made = snapshot()
    (finding,) = made.findings
    kept = snapshot(ShareChoices(keep=(finding.id,), key=made.choices.key))
    share_id, _ = publish(app, replace(kept, choices=made.choices, rules=0))

    answer = client.post(f"/shares/{share_id}/check")

    assert answer.headers["Location"] == f"/shares/{share_id}/check"
    assert SECRET in client.get(f"/shares/{share_id}/check").text
    assert "masked by older rules" in client.get("/shares").text


def test_text_is_redacted_without_a_share(client: FlaskClient, app: Flask) -> None:
    whole = client.get(f"/completions/{OWN_ID}/redacted")
    assert whole.headers["Cache-Control"] == "no-store"
    one = client.get(f"/completions/{OWN_ID}/messages/{OWN_ID}-4/redacted").text
    answer = client.get(f"/completions/{OWN_ID}/choices/0/redacted").text
    for page in (whole.text, one, answer):
        assert SECRET not in page and "[masked: password]" in page
    assert "look_up: {}" in whole.text.replace("&#34;", '"')
    assert "A berth is free" not in one and "harbour" not in answer
    assert client.get(f"/completions/{OWN_ID}/messages/none/redacted").status_code == 404
    assert client.get(f"/completions/{OWN_ID}/choices/7/redacted").status_code == 404
    assert sharing_of(app).store.list_shares() == []


@pytest.mark.parametrize("words", ["[" * 2_900, '["\\ud800"]', "3", '[["x"]]'])
def test_a_cookie_of_words_that_is_not_ours_is_no_error(client: FlaskClient, words: str) -> None:
    draft = make_draft(client)
    client.set_cookie("readback-words", base64.urlsafe_b64encode(words.encode()).decode())

    assert client.get(draft).status_code == 200
