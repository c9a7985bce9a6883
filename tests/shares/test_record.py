"""Records and log lines of shares and deletions, with their authors."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from tests.shares.sharing import COMPLETION, MESSAGES, OWN_ID, publish, sharing_of
from tests.support.command import PATIENCE
from webapp import create_app
from webapp.access import Record
from webapp.config import Config
from webapp.embedded import Store, import_files
from webapp.factories import open_app_database


class Recorded(logging.Handler):
    """Keeps the entries of the record, and says when one of a completion's deletion is there."""

    def __init__(self) -> None:
        super().__init__()
        self.entries: list[dict[str, str]] = []
        self.has_deletion = threading.Event()

    def emit(self, line: logging.LogRecord) -> None:
        entry = json.loads(line.getMessage())
        self.entries.append(entry)
        if entry["event"] == "delete":
            self.has_deletion.set()


@pytest.fixture
def recorded() -> Iterator[Recorded]:
    handler = Recorded()
    logger = logging.getLogger("readback.record")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield handler
    logger.removeHandler(handler)
    logger.setLevel(level)


@pytest.fixture
def stored(config: Config, tmp_path: Path) -> Store:
    store = Store(config.database_url or "")
    file = tmp_path / "one.jsonl"
    file.write_text(json.dumps({**COMPLETION, "messages": MESSAGES}), encoding="utf-8")
    import_files(store, [file])
    return store


def test_no_line_of_any_log_has_more_than_six_characters_of_a_link(
    stored: Store, app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client = app.test_client()
    form = {"answer": "1", "lifetime": "3600", "maker": "Ann", "view_limit": "2"}
    share = client.post(f"/completions/{OWN_ID}/share", data=form).headers["Location"]
    client.post(share, data={**form, "action": "publish"})
    published = client.get_cookie("readback-link", path=share)
    assert published is not None
    token = published.value
    store = sharing_of(app).store
    (made,) = store.list_shares()
    reader = app.test_client()
    here = f"/s/{token}"
    assert reader.get(here).status_code == 200
    assert reader.post(here).status_code == 303
    assert "And [masked" in reader.get(here).text
    for path in ("/media/none/0", "/completions/shared/messages/none", "/completions/shared/json"):
        reader.get(f"{here}{path}", headers={"HX-Request": "true"})
    for path in ("json?download=1", "export.md", "export.html", "export.jsonl"):
        assert reader.get(f"{here}/completions/shared/{path}").data
    reader.put(here)
    client.post(f"/shares/{made.id}/revoke")
    assert reader.get(here).status_code == reader.post(here).status_code == 404

    entries = [one.getMessage() for one in caplog.records if one.name == "readback.record"]
    events = [json.loads(one)["event"] for one in entries]
    assert events == ["share made", "share opened", "share revoked"]
    assert token[:7] not in caplog.text
    assert not any(token[:7] in str(vars(one)) for one in caplog.records)


def test_retention_is_recorded_with_the_shares_that_it_revokes(
    stored: Store, app: Flask, config: Config, recorded: Recorded
) -> None:
    share_id, token = publish(app)
    with stored._database.writer.begin() as connection:
        connection.exec_driver_sql("UPDATE completions SET stored = 0")

    create_app(replace(config, keep_days=30))
    assert recorded.has_deletion.wait(PATIENCE)

    facts = [(one["event"], one["name"], one["completion"]) for one in recorded.entries]
    assert facts == [(event, "retention", OWN_ID) for event in ("share revoked", "delete")]
    assert recorded.entries[0]["share"] == share_id
    client = app.test_client()
    assert client.get(f"/completions/{OWN_ID}").status_code == 404
    assert client.get(f"/s/{token}").status_code == 404
    assert "retention" in client.get("/record").text


def test_a_deletion_through_the_api_is_recorded_with_its_shares(
    stored: Store, app: Flask, config: Config
) -> None:
    publish(app)
    assert app.test_client().delete("/v1/chat/completions/never").status_code == 404
    assert app.test_client().delete(f"/v1/chat/completions/{OWN_ID}").status_code == 200

    database = open_app_database(config)
    entries = Record(database, days=1, now=lambda: 0.0).list_entries()
    database.close()
    facts = [(one.event, one.details["by"], one.address) for one in entries]
    assert facts == [(event, "API", "127.0.0.1") for event in ("delete", "share revoked")]
