"""Programs that lock our tables in the opposite order: PostgreSQL ends our transactions.

It ends the one that finds that both wait for each other, which is ours: it waits first, and the
other program does not look.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Final

import psycopg
import pytest
from flask.testing import FlaskClient
from sqlalchemy import make_url
from werkzeug.test import TestResponse

from tests.support.kept_databases import KeptDatabases
from tests.support.model_server import PATIENCE, FakeModel
from tools.cluster import wait_for
from tools.postgres import PostgresServer
from webapp import create_app
from webapp.app import close_databases
from webapp.config import Config

API: Final = "/v1/chat/completions"
ASKED: Final = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "store": True}
FIRST: Final = f"{API}/chatcmpl-fake0"


@pytest.fixture
def url(kept_databases: KeptDatabases) -> Iterator[str]:
    with kept_databases.lend() as address:
        yield address


@pytest.fixture
def client(url: str, config: Config, tmp_path: Path) -> Iterator[FlaskClient]:
    """Yield a client of an application with a model, a spool and a stored completion."""
    with FakeModel().serve() as model_url:
        spool = str(tmp_path / "spool")
        app = create_app(replace(config, database_url=url, model_url=model_url, spool_dir=spool))
        client = app.test_client()
        assert client.post(API, json=ASKED).headers["X-Readback-Store"] == "stored"
        yield client
        close_databases(app)


@contextmanager
def deadlocks(url: str, second: str, *, times: int | None = None) -> Iterator[None]:
    """End transactions that have written to `completions` and wait to write to `second`.

    That happens so many `times`, or until the end of the block. The next of two connections locks
    `second` before the other lets go of its tables, so that no transaction gets through meanwhile.
    """
    is_over = Event()
    with (
        closing(connect(url)) as one,
        closing(connect(url)) as other,
        ThreadPoolExecutor(1) as thread,
    ):
        lock(one, second)

        def meet() -> int:
            holding, following = one, other
            met = 0
            while met != times and wait_until_awaited(following, second, is_over):
                lock(holding, "completions")
                met += 1
                if met != times:
                    lock(following, second)
                holding.rollback()
                holding, following = following, holding
            holding.rollback()
            return met

        met = thread.submit(meet)
        yield
        is_over.set()
        assert met.result(PATIENCE) >= (times or 2)


def connect(url: str) -> psycopg.Connection:
    found = make_url(url)
    return psycopg.connect(
        dbname=found.database,
        user=found.username,
        host=str(found.query["host"]),
        options="-c deadlock_timeout=1h",
    )


def lock(connection: psycopg.Connection, table: str) -> None:
    connection.execute(f"LOCK TABLE {table} IN SHARE MODE".encode())


def wait_until_awaited(connection: psycopg.Connection, table: str, is_over: Event) -> bool:
    """Return when a transaction waits for `table`, with False if the block is over before."""
    query = "SELECT FROM pg_locks WHERE relation = %s::regclass AND NOT granted"
    while not is_over.is_set():
        is_awaited = connection.execute(query, [table]).fetchone() is not None
        connection.rollback()
        if is_awaited:
            return True
    return False


def create(client: FlaskClient) -> TestResponse:
    answer = client.post(API, json=ASKED)
    assert answer.headers["X-Readback-Store"] == "stored"
    assert client.get(f"{API}/{answer.get_json()['id']}").status_code == 200
    return answer


def update(client: FlaskClient) -> TestResponse:
    answer = client.post(FIRST, json={"metadata": {"key": "new"}})
    assert client.get(FIRST).get_json()["metadata"] == {"key": "new"}
    return answer


def delete(client: FlaskClient) -> TestResponse:
    answer = client.delete(FIRST)
    assert client.get(FIRST).status_code == 404
    return answer


@pytest.mark.parametrize(
    ("write", "second"), [(create, "messages"), (update, "metadata"), (delete, "messages")]
)
def test_a_transaction_that_met_a_deadlock_is_repeated(
    url: str, client: FlaskClient, write: Callable[[FlaskClient], TestResponse], second: str
) -> None:
    with deadlocks(url, second, times=1):
        assert write(client).status_code == 200


def test_an_answer_that_meets_deadlocks_again_and_again_is_spooled_and_stored_later(
    url: str, client: FlaskClient, postgres: PostgresServer
) -> None:
    name = make_url(url).database
    postgres.run(f"ALTER DATABASE {name} SET deadlock_timeout = '100ms'")
    postgres.drop_connections(url)
    with deadlocks(url, "messages"):
        answer = client.post(API, json=ASKED)
        refused = client.delete(FIRST)
    assert (answer.status_code, answer.headers["X-Readback-Store"]) == (200, "spooled")
    assert refused.status_code == 503
    assert "another program has locked the database" in refused.get_json()["error"]["message"]
    assert client.get(FIRST).status_code == 200
    postgres.run(f"ALTER DATABASE {name} RESET deadlock_timeout")
    # Also for the next test that gets this database, which the answer would be stored in.
    wait_for(lambda: client.get(f"{API}/{answer.get_json()['id']}").status_code == 200)
