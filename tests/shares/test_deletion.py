"""Deleting a completion reaches everything that is kept of it."""

from __future__ import annotations

import json
import time
from pathlib import Path

from tests.shares.sharing import COMPLETION, MESSAGES, OWN_ID, publish, sharing_of
from tests.shares.test_links import PIXEL
from webapp import create_app
from webapp.config import Config
from webapp.database import Outage
from webapp.embedded import Retention, Spool, Store, import_files
from webapp.embedded.documents.from_exchange import RecordedAnswer
from webapp.embedded.recording.exchange import Exchange
from webapp.exact_json import Object, parse
from webapp.factories import find_media_folder, find_spool_folder
from webapp.http.deadline import Clock

DAY = 86400


def test_a_deleted_completion_leaves_nothing_behind(config: Config, tmp_path: Path) -> None:
    picture = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": PIXEL}}]}
    file = tmp_path / "one.jsonl"
    file.write_text(json.dumps({**COMPLETION, "messages": [*MESSAGES, picture]}), encoding="utf-8")
    app = create_app(config)
    store = Store(config.database_url or "")
    import_files(store, [file])
    client = app.test_client()
    assert client.get(f"/completions/{OWN_ID}").status_code == 200
    assert list(find_media_folder(config).iterdir())
    spool = Spool(find_spool_folder(config), max_bytes=1_000_000)
    asked, answered = parse('{"messages":[]}'), parse(json.dumps(COMPLETION))
    assert isinstance(asked, Object) and isinstance(answered, Object)
    spool.put(Exchange(asked, RecordedAnswer(answered), "req_1", 0), Outage.DOWN)
    share_id, token = publish(app)

    assert client.delete(f"/v1/chat/completions/{OWN_ID}").status_code == 200

    assert client.get(f"/completions/{OWN_ID}").status_code == 404
    assert not list(find_media_folder(config).iterdir())
    assert spool.is_empty
    assert client.get(f"/s/{token}").status_code == 404
    assert sharing_of(app).store.read_snapshot(share_id) is None
    listed = client.get("/shares").text
    assert "A deleted transcript" in listed and "harbour" not in listed


def test_retention_counts_from_when_a_completion_was_stored(url: str, tmp_path: Path) -> None:
    now = [0.0]
    store = Store(url)
    file = tmp_path / "one.jsonl"
    file.write_text(json.dumps({**COMPLETION, "messages": MESSAGES}), encoding="utf-8")
    import_files(store, [file])
    forgotten: list[str] = []
    deleted: list[str] = []
    retention = Retention(
        store,
        days=30,
        erase_traces=forgotten.append,
        record_deletion=deleted.append,
        clock=Clock(wall=lambda: now[0], monotonic=lambda: now[0]),
    )
    with store.connect() as connection:
        (stored_at,) = connection.exec_driver_sql("SELECT stored FROM completions").one()

    now[0] = stored_at + 30 * DAY
    assert retention.delete_old() == 0
    now[0] += 1
    assert retention.delete_old() == 1

    assert forgotten == deleted == [OWN_ID]
    assert store.retrieve_completion(OWN_ID) is None
    store.close()


def test_a_clock_that_jumps_ahead_deletes_nothing_for_a_day(url: str, tmp_path: Path) -> None:
    file = tmp_path / "one.jsonl"
    file.write_text(json.dumps({**COMPLETION, "messages": MESSAGES}), encoding="utf-8")
    store = Store(url)
    import_files(store, [file])
    wall, passed = [time.time()], [0.0]
    retention = Retention(
        store,
        days=30,
        erase_traces=lambda _: None,
        record_deletion=lambda _: None,
        clock=Clock(wall=lambda: wall[0] + passed[0], monotonic=lambda: passed[0]),
    )

    wall[0] += 100 * DAY
    assert retention.delete_old() == 0
    passed[0] += DAY - 1
    assert retention.delete_old() == 0, "nor an hour later"
    wall[0] -= 100 * DAY
    assert retention.delete_old() == 0
    wall[0] += 100 * DAY
    passed[0] += 1
    assert retention.delete_old() == 0, "the clock was right between two jumps"
    passed[0] += DAY
    assert retention.delete_old() == 1, "a day later it is believed"
    store.close()


def test_a_completion_whose_data_stay_does_not_keep_others(url: str, tmp_path: Path) -> None:
    file = tmp_path / "some.jsonl"
    given = [{**COMPLETION, "id": f"c{at}", "messages": MESSAGES} for at in range(3)]
    file.write_text("\n".join(map(json.dumps, given)), encoding="utf-8")
    store = Store(url)
    import_files(store, [file])
    asked: list[str] = []

    def erase(completion_id: str) -> None:
        asked.append(completion_id)
        if completion_id == "c0":
            raise OSError("read-only")

    deleted: list[str] = []
    retention = Retention(
        store,
        days=1,
        erase_traces=erase,
        record_deletion=deleted.append,
        clock=Clock(wall=lambda: 10.0**10),
    )

    assert retention.delete_old() == 2
    assert deleted == ["c1", "c2"]
    assert retention.delete_old() == 0
    assert asked == ["c0", "c1", "c2", "c0"]
    store.close()
