"""Creates with `store: true` while the database fails, and what becomes of them afterwards."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import make_url

from tests.support.fake_time import FakeTime
from tests.support.model_server import FakeModel, chunk, chunks_of, completion, delta, stream, whole
from tools.postgres import PostgresServer
from tools.store_rows import rows
from webapp.database import Outage
from webapp.embedded import ModelServer, Recovery, Spool, Store, create_server, load_samples

CREATE = "/chat/completions"
ASKED = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "store": True}


class Outages:
    """A database at `url` that can fail: `begin` takes it away, `end` brings it back."""

    def __init__(self, url: str, begin: Callable[[], None], end: Callable[[], None]) -> None:
        self.url = url
        self.begin = begin
        self.end = end


@pytest.fixture(
    params=[
        "no-folder",
        pytest.param("refused", marks=pytest.mark.process),
        pytest.param("read-only", marks=pytest.mark.process),
    ]
)
def outages(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Outages]:
    if request.param == "no-folder":
        folder = tmp_path / "data"
        file = folder / "store.db"
        folder.write_text("in the way")

        def begin() -> None:
            for path in folder.iterdir():
                path.rename(tmp_path / path.name)
            folder.rmdir()
            folder.write_text("in the way")

        def end() -> None:
            folder.unlink()
            folder.mkdir()
            for path in tmp_path.glob("store.db*"):
                path.rename(folder / path.name)

        yield Outages(f"sqlite:///{file}", begin, end)
        if folder.is_file():
            folder.unlink()
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.database() as url, ExitStack() as stack:
        name = make_url(url).database
        off, on = {
            "refused": ("ALLOW_CONNECTIONS false", "ALLOW_CONNECTIONS true"),
            "read-only": (
                "SET default_transaction_read_only = on",
                "RESET default_transaction_read_only",
            ),
        }[request.param]

        def end_postgres() -> None:
            server.run(f"ALTER DATABASE {name} {on}")
            server.drop_connections(url)

        def begin_postgres() -> None:
            server.run(f"ALTER DATABASE {name} {off}")
            server.drop_connections(url)

        begin_postgres()
        stack.callback(end_postgres)
        yield Outages(url, begin_postgres, end_postgres)


@contextmanager
def serving(
    outages: Outages, folder: Path, model: FakeModel, **settings: Any
) -> Iterator[tuple[FlaskClient, Recovery]]:
    """A client of a server with a model, and its recovery, which runs only when called."""
    store = Store(outages.url, opens_later=True)
    recovery = Recovery(store, Spool(folder, max_bytes=1_000_000), **settings)
    # Not `open_store`, which begins a thread: the tests choose the moments.
    recovery.begin = lambda: None  # type: ignore[method-assign]
    with model.serve() as url, closing(store):
        app = create_server(store, model=ModelServer(url), recovery=recovery)
        yield app.test_client(), recovery


def create(client: FlaskClient, **fields: Any) -> Any:
    answer = client.post(CREATE, json=ASKED | fields)
    assert answer.status_code == 200
    assert answer.data
    return answer


def test_answers_of_an_outage_are_stored_when_it_is_over(outages: Outages, tmp_path: Path) -> None:
    model = FakeModel()
    with serving(outages, tmp_path / "spool", model) as (client, recovery):
        model.script(
            whole(completion("chatcmpl-1")),
            stream(*chunks_of("Hel", "lo", completion_id="chatcmpl-2")),
            whole(b"not json"),
            stream(
                chunk(delta(content="Ha"), completion_id="chatcmpl-4"), breaks_off=True, done=False
            ),
            whole(completion("chatcmpl/5")),
        )
        kept = [create(client, stream=at in (1, 3)) for at in range(5)]
        assert [one.headers.get("x-readback-store") for one in kept] == [
            "spooled",
            None,
            "spooled",
            None,
            "spooled",
        ]
        assert b"[DONE]" in kept[1].data
        assert recovery.spool.read_state().waiting == 5

        outages.end()
        assert recovery.recover() and recovery.spool.is_empty
        assert create(client).headers["x-readback-store"] == "stored"
        listed = client.get(f"{CREATE}?order=asc").get_json()["data"]

    assert len(listed) == 6
    assert {"chatcmpl-1", "chatcmpl-2", "chatcmpl-4"} <= {one["id"] for one in listed}
    assert [one["request_id"] for one in listed if one["id"] == "chatcmpl-1"] == [
        kept[0].headers["x-request-id"]
    ]
    assert sum("incomplete" in one for one in listed) == 2


@pytest.mark.parametrize("begins", ["before", "between"])
def test_what_comes_after_the_end_amends_the_completion_when_the_outage_is_over(
    outages: Outages, tmp_path: Path, begins: str
) -> None:
    model = FakeModel()
    ended = Event()
    usage = {"usage": {"total_tokens": 3}}
    model.script(stream(*chunks_of("Hi"), b"data: [DONE]\n\n", ended, usage, done=False))
    if begins == "between":
        outages.end()
    with serving(outages, tmp_path / "spool", model) as (client, recovery):
        events = iter(client.post(CREATE, json=ASKED | {"stream": True}).response)
        for _ in range(4):
            next(events)
        if begins == "between":
            outages.begin()
        recovery.spool.end_outage()
        ended.set()
        list(events)
        waiting = recovery.spool.read_state().waiting
        is_tried = recovery.spool.current_outage is None
        outages.end()
        assert recovery.recover()
        [one] = client.get(CREATE).get_json()["data"]

    # A connection that is open may outlive the folder of its file.
    assert waiting == 2 if begins == "before" else waiting <= 1
    # What waits for an exchange before it is no failure of the store.
    assert is_tried or begins == "between"
    assert (one["id"], one["usage"]["total_tokens"]) == ("chatcmpl-1", 3)
    assert one["choices"][0]["message"]["content"] == "Hi"


def test_reading_in_an_outage_is_an_api_error_that_says_so(
    outages: Outages, tmp_path: Path
) -> None:
    with serving(outages, tmp_path / "spool", FakeModel()) as (client, _):
        answers = [client.get(CREATE), client.delete(f"{CREATE}/chatcmpl-1")]
        outages.end()

    for answer in answers:
        assert answer.status_code in (500, 503)
        assert answer.get_json()["error"]["code"] == "store_unavailable"
        assert "the database" in answer.get_json()["error"]["message"]
        assert answer.headers["x-should-retry"] == "false"


def test_an_outage_in_the_middle_and_a_restart_lose_nothing(
    outages: Outages, tmp_path: Path
) -> None:
    model = FakeModel()
    outages.end()
    with serving(outages, tmp_path / "spool", model) as (client, _):
        assert create(client).headers["x-readback-store"] == "stored"
    outages.begin()
    with serving(outages, tmp_path / "spool", model) as (client, recovery):
        assert create(client).headers["x-readback-store"] == "spooled"
        (file,) = (tmp_path / "spool").rglob("*.exchange")
        again = file.read_bytes()
    outages.end()
    with serving(outages, tmp_path / "spool", model) as (client, recovery):
        assert recovery.recover()
        # A process that ends before it has removed the file adds it again.
        file.write_bytes(again)
        assert recovery.recover()
        listed = client.get(CREATE).get_json()["data"]

    assert sorted(one["id"] for one in listed) == ["chatcmpl-fake0", "chatcmpl-fake1"]


def test_an_answer_that_the_spool_cannot_take_is_dropped_and_counted(
    outages: Outages, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    with serving(outages, tmp_path / "file" / "spool", FakeModel()) as (client, recovery):
        answer = create(client)
        create(client, stream=True)
        outages.end()

    assert answer.headers["x-readback-store"] == "dropped"
    assert recovery.spool.read_state().dropped == 2
    assert caplog.text.count("A completion was not stored") == 2
    assert answer.headers["x-request-id"] in caplog.text


def test_a_completion_without_store_is_not_kept(outages: Outages, tmp_path: Path) -> None:
    with serving(outages, tmp_path / "spool", FakeModel()) as (client, recovery):
        answer = create(client, store=False)
        outages.end()

    assert "x-readback-store" not in answer.headers
    assert recovery.spool.is_empty


def test_samples_are_loaded_when_a_new_store_can_be_made(outages: Outages, tmp_path: Path) -> None:
    with serving(outages, tmp_path / "spool", FakeModel(), fill=load_samples) as (client, recovery):
        with pytest.raises(Exception) as failed:
            recovery.recover()
        outages.end()
        assert recovery.recover()
        listed = client.get(f"{CREATE}?limit=100").get_json()["data"]

    assert failed.value is not None
    assert len(listed) > 20


def test_an_error_that_is_no_outage_is_logged_once_and_waited_for_longer(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    url = f"sqlite:///{tmp_path / 'others.db'}"
    rows(url, "CREATE TABLE theirs (a)")
    time = FakeTime()

    def sleep(seconds: float) -> None:
        time.clock.sleep(seconds)
        if len(time.sleeps) == 7:
            rows(url, "DROP TABLE theirs")

    with closing(Store(url, opens_later=True)) as store:
        clock = replace(time.clock, sleep=sleep)
        recovery = Recovery(store, Spool(tmp_path, max_bytes=1), clock=clock)
        recovery.run()
        assert store.list_conversations(limit=1, least=1) == []

    assert time.sleeps == [4, 8, 16, 32, 60, 60, 60]
    [record] = caplog.records
    assert "belongs to another program" in record.message


def test_every_outage_has_words() -> None:
    assert all(json.dumps(one.sentence) for one in Outage)
