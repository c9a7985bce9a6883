"""Reads on a replica: they lack nothing that was committed, and the primary is there instead."""

from __future__ import annotations

import itertools
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, make_url, text
from sqlalchemy.exc import DBAPIError, TimeoutError

from tests.support.fake_time import FakeTime
from tests.support.kept_databases import KeptDatabases
from tests.support.pgbouncer import run_pgbouncer
from tools.postgres import PostgresServer, running_postgres
from tools.store_rows import add, completion, listening
from webapp import create_app
from webapp.config import Config
from webapp.database import StoreError, open_database
from webapp.database.replicas import Replica, ReplicatedDatabase, open_replica
from webapp.embedded import Store
from webapp.embedded.documents.records import Metadata
from webapp.embedded.store.pages import PageRequest

PATIENCE = 60
NEWEST = PageRequest(None, 20, "desc")
RESTS = 10
"""Seconds for which a replica that failed is not asked."""
END = text("SELECT pg_current_wal_flush_lsn()")
HAS_REACHED = text("SELECT pg_last_wal_replay_lsn() >= CAST(:end AS pg_lsn)")

LOST_AND_BACK = [
    "The replica is not read: the database cannot be reached.",
    "The replica is read again.",
]
"""The lines of the log about a replica that could not be reached for a while."""


@pytest.fixture(scope="module")
def standby(postgres: PostgresServer) -> Iterator[PostgresServer]:
    with running_postgres(postgres.programs, primary=postgres) as server:
        server.run("ALTER SYSTEM SET max_standby_streaming_delay = 0")
        server.run("SELECT pg_reload_conf()")
        yield server


@pytest.fixture
def url(kept_databases: KeptDatabases) -> Iterator[str]:
    with kept_databases.lend() as address:
        yield address


@dataclass(frozen=True)
class Servers:
    """A primary and its replica, seen from the database at `url`."""

    primary: PostgresServer
    standby: PostgresServer
    url: str

    @property
    def name(self) -> str:
        return make_url(self.url).database or ""

    @property
    def replica_url(self) -> str:
        return self.standby.url(self.name)

    def catch_up(self) -> None:
        """Wait until the replica has everything."""
        with (
            closing(open_database(self.primary.url("postgres"))) as primary,
            closing(open_database(self.standby.url("postgres"))) as replica,
            primary.reader.connect() as asking,
            replica.reader.connect() as waiting,
        ):
            end = asking.execute(END).scalar_one()
            until = time.monotonic() + PATIENCE
            while not waiting.execute(HAS_REACHED, {"end": end}).scalar_one():
                assert time.monotonic() < until

    @contextmanager
    def paused(self) -> Iterator[None]:
        self.standby.run("SELECT pg_wal_replay_pause()")
        try:
            yield
        finally:
            self.standby.run("SELECT pg_wal_replay_resume()")

    @contextmanager
    def noting(self) -> Iterator[list[str]]:
        """Yield the statements that run on the replica, without those that ask how far it is."""
        found: list[str] = []

        def note(connection: Connection, _cursor: object, statement: str, *_: Any) -> None:
            host = connection.engine.url.query["host"]
            if host == str(self.standby.folder) and "pg_last_wal_replay_lsn" not in statement:
                found.append(statement)

        with listening(Engine, "before_cursor_execute", note):
            yield found


@pytest.fixture
def servers(postgres: PostgresServer, standby: PostgresServer, url: str) -> Servers:
    return Servers(postgres, standby, url)


@dataclass(frozen=True)
class Reading:
    """A database with a replica, whose pauses pass when the test says so."""

    database: ReplicatedDatabase
    time: FakeTime

    def find_server(self) -> str:
        return "replica" if self.database.read(is_replica) else "primary"

    def reach_replica(self, servers: Servers) -> None:
        """Read until that is on the replica: other work of the servers may delay it."""
        until = time.monotonic() + PATIENCE
        while self.find_server() != "replica":
            assert time.monotonic() < until
            servers.catch_up()
            self.time.passes(RESTS)


@contextmanager
def reading(url: str, replica_url: str) -> Iterator[Reading]:
    passing = FakeTime()
    engine = open_replica(make_url(replica_url)).engine
    replica = Replica(engine, clock=passing.clock.monotonic)
    with closing(ReplicatedDatabase.from_database(open_database(url), replica)) as database:
        yield Reading(database, passing)


def is_replica(connection: Connection) -> bool:
    return bool(connection.execute(text("SELECT pg_is_in_recovery()")).scalar_one())


def count_completions(connection: Connection) -> int:
    return int(connection.execute(text("SELECT count(*) FROM completions")).scalar_one())


def test_what_another_node_changed_is_seen_while_the_replica_lags(servers: Servers) -> None:
    def read(query: Callable[[Store], Any]) -> Any:
        # Each has yet to find out that the replica lags.
        with closing(Store(servers.url, replica_url=servers.replica_url)) as store:
            return query(store)

    with closing(Store(servers.url)) as other:
        add(other, completion("changed"), completion("deleted"))
        servers.catch_up()
        with servers.paused(), servers.noting() as statements:
            add(other, completion("created", messages=3))
            other.replace_metadata("changed", Metadata('{"a":"1"}', (("a", "1"),)))
            other.delete_completion("deleted")
            listed = read(lambda store: store.list_completions(NEWEST))
            found = read(lambda store: store.list_completions(NEWEST, metadata=[("a", "1")]))
            created = read(lambda store: store.list_messages("created", NEWEST))
            deleted = read(lambda store: store.list_messages("deleted", NEWEST))

    assert set(listed.ids) == {"changed", "created"} and found.ids == ("changed",)
    assert len(created.ids) == 3 and deleted is None
    assert statements == []


def test_pages_are_read_on_the_replica(servers: Servers, caplog: pytest.LogCaptureFixture) -> None:
    config = Config(database_url=servers.url, replica_url=servers.replica_url)
    client = create_app(config, completes_store=False).test_client()
    with closing(Store(servers.url)) as store:
        add(store, completion("one", messages=50, metadata={"session_id": "s"}))
        add(store, completion("two", messages=51, metadata={"session_id": "s"}))
        store.complete()
    servers.catch_up()
    until = time.monotonic() + PATIENCE
    for path, words in (
        ("/completions", "FROM completions"),
        ("/search?q=message", "FROM passages"),
        # Counts are kept for some seconds, those of all completions by the list too.
        ("/overview?filter=tokens:>{}", "count("),
        ("/completions/two", "FROM messages"),
        ("/conversations/two", "FROM facts"),
        ("/completions/two/export.json", "FROM messages"),
        ("/completions.jsonl", "FROM completions"),
        ("/v1/chat/completions/two/messages", "FROM messages"),
    ):
        for attempt in itertools.count():
            with servers.noting() as found:
                assert client.get(path.format(attempt)).status_code == 200
            if any(words in statement for statement in found):
                break
            assert time.monotonic() < until, (path, found)
    assert [one.message for one in caplog.records if one.levelno >= logging.WARNING] == []


@pytest.mark.parametrize("is_pooled", [False, True])
def test_a_read_sees_what_is_replayed_while_it_waits(servers: Servers, is_pooled: bool) -> None:
    """Not only what had been replayed when the replica was asked first."""
    questions = 0

    def replay(_connection: object, _cursor: object, statement: str, *_: Any) -> None:
        nonlocal questions
        questions += "pg_last_wal_replay_lsn" in statement
        if questions == 2:
            servers.standby.run("SELECT pg_wal_replay_resume()")
            servers.catch_up()

    pooled = run_pgbouncer(servers.standby, servers.replica_url, connections=2)
    with (
        pooled if is_pooled else nullcontext(servers.replica_url) as address,
        reading(servers.url, address) as read,
        closing(Store(servers.url)) as other,
    ):
        read.reach_replica(servers)
        with servers.paused():
            add(other, completion("late"))
            with listening(read.database.replica.engine, "before_cursor_execute", replay):
                found = read.database.read(lambda one: (is_replica(one), count_completions(one)))

    assert found == (True, 1)


def test_a_commit_that_waits_for_no_disk_is_seen_too(servers: Servers) -> None:
    servers.primary.run(f"ALTER DATABASE {servers.name} SET synchronous_commit = off")
    with closing(Store(servers.url)) as other:
        for number in range(1, 4):
            add(other, completion(f"c{number}"))
            # Each has yet to find out that the replica lags.
            with reading(servers.url, servers.replica_url) as read:
                assert read.database.read(count_completions) == number


def test_a_replica_that_is_down_is_left_alone_for_a_while(
    servers: Servers, caplog: pytest.LogCaptureFixture
) -> None:
    address = servers.replica_url.replace("postgres@", "postgres:s3cret@")
    with reading(servers.url, address) as read:
        read.reach_replica(servers)
        servers.standby.stop()
        assert [read.find_server() for _ in range(2)] == ["primary"] * 2
        read.time.passes(RESTS)
        assert [read.find_server() for _ in range(2)] == ["primary"] * 2
        servers.standby.start()
        assert read.find_server() == "primary"
        read.time.passes(RESTS)
        read.reach_replica(servers)

    assert caplog.messages == LOST_AND_BACK


def test_a_read_that_conflicts_with_the_replay_is_repeated_on_the_primary(
    servers: Servers, caplog: pytest.LogCaptureFixture
) -> None:
    counts = []

    def count(connection: Connection) -> int:
        counts.append((is_replica(connection), count_completions(connection)))
        if counts[-1] == (True, 1):
            assert other.delete_completion("old")
            servers.primary.run("VACUUM completions", database=servers.name)
            until = time.monotonic() + PATIENCE
            while time.monotonic() < until:
                count_completions(connection)
        return counts[-1][1]

    with closing(Store(servers.url)) as other, reading(servers.url, servers.replica_url) as read:
        add(other, completion("old"))
        while read.database.read(count) == 1:
            read.reach_replica(servers)
        assert counts[-2:] == [(True, 1), (False, 0)]
        read.reach_replica(servers)

    assert caplog.messages == []


def test_a_read_that_gets_no_answer_is_repeated_on_the_primary(
    servers: Servers, caplog: pytest.LogCaptureFixture
) -> None:
    def hang(connection: Connection) -> bool:
        if is_replica(connection):
            driver: Any = connection.connection.driver_connection
            driver.patience = 0.0
            connection.execute(text("SELECT pg_sleep(60)"))
        return is_replica(connection)

    with reading(servers.url, servers.replica_url) as read:
        read.reach_replica(servers)
        assert read.database.read(hang) is False
        assert read.find_server() == "primary"
        read.time.passes(RESTS)
        read.reach_replica(servers)
    assert caplog.messages == LOST_AND_BACK


def test_a_primary_that_does_not_say_where_its_log_ends_is_read(
    servers: Servers, caplog: pytest.LogCaptureFixture
) -> None:
    servers.primary.run(
        "CREATE FUNCTION public.pg_control_system(OUT system_identifier bigint) AS"
        " 'BEGIN RAISE feature_not_supported; END' LANGUAGE plpgsql",
        database=servers.name,
    )
    address = f"{servers.url}&options=-csearch_path%3Dpublic,pg_catalog"
    with reading(address, servers.replica_url) as read:
        assert [read.find_server() for _ in range(2)] == ["primary"] * 2
    assert caplog.messages == [
        "The replica is not read: the primary does not say where its log ends."
    ]


def name_primary(servers: Servers, _folder: Path) -> str:
    return servers.url


def name_other_database(servers: Servers, _folder: Path) -> str:
    return servers.standby.url("postgres")


def name_nothing(_servers: Servers, folder: Path) -> str:
    return f"postgresql://ann:s3cret@/a?host={folder}"


@pytest.mark.parametrize(
    ("find", "problem"),
    [
        (name_primary, "it is no replica, or was promoted"),
        (name_other_database, "its address names another database or schema"),
        (name_nothing, "the database cannot be reached"),
    ],
)
def test_an_address_of_no_replica_is_logged_and_the_primary_is_read(
    servers: Servers,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    find: Callable[[Servers, Path], str],
    problem: str,
) -> None:
    with reading(servers.url, find(servers, tmp_path)) as read:
        assert [read.find_server() for _ in range(3)] == ["primary"] * 3
    assert caplog.messages == [f"The replica is not read: {problem}."]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"system_identifier": 1}, "it is a replica of another server"),
        ({"timeline": "00000002"}, "it has not followed the last failover yet"),
    ],
)
def test_positions_in_other_logs_are_not_compared(
    servers: Servers, change: dict[str, object], problem: str
) -> None:
    with reading(servers.url, servers.replica_url) as read:
        end = SimpleNamespace(**read.database.find_end()._asdict() | change)
        replica = read.database.replica
        with replica.engine.connect() as opened, pytest.raises(StoreError, match=problem):
            replica.catches_up(opened, end)


def test_one_read_at_a_time_asks_whether_a_failure_is_over() -> None:
    passing = FakeTime()
    replica = Replica(
        open_replica(make_url("postgresql://nowhere/a")).engine, clock=passing.clock.monotonic
    )
    replica.note_failure(StoreError("it is down"))
    passing.passes(RESTS)
    assert [replica.may_be_asked() for _ in range(3)] == [True, False, False]
    replica.note_success()
    replica.note_failure(TimeoutError("all connections are in use"))
    assert [replica.may_be_asked() for _ in range(3)] == [True] * 3


def test_a_failure_of_the_primary_is_raised(servers: Servers, tmp_path: Path) -> None:
    nowhere = f"postgresql+psycopg://postgres@/a?host={tmp_path}"
    with reading(nowhere, servers.replica_url) as read, pytest.raises(DBAPIError):
        read.find_server()
