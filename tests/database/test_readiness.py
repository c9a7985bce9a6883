"""Whether the database answers: over `/readyz`, in both databases, and asked by many."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from threading import Event, Thread

import pytest
from flask.testing import FlaskClient

from webapp import access, create_app
from webapp.config import Config
from webapp.database import Database, DatabaseOpener, open_later
from webapp.database.readiness import Readiness

PATIENCE = 60


def ask(client: FlaskClient) -> tuple[int, str]:
    answer = client.get("/readyz")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.mimetype == "text/plain"
    return answer.status_code, answer.text


@pytest.mark.new_database
def test_it_is_ready_once_the_database_answers(url: str, client: FlaskClient) -> None:
    with closing(open_later(url, access.SCHEMA)) as database:
        assert Readiness(database, access.SCHEMA).find_problem() is None

    assert ask(client) == (200, "ready\n")
    assert client.head("/readyz").status_code == 200


def test_a_database_that_is_down_is_said_without_its_address(tmp_path: Path) -> None:
    nowhere = f"postgresql+psycopg://ann:s3cret-word@/secret_name?host={tmp_path}"
    client = create_app(Config(database_url=nowhere)).test_client()

    assert ask(client) == (503, "not ready: the database cannot be reached\n")
    assert client.get("/healthz").text == "ok\n"


def test_a_server_elsewhere_does_not_change_what_is_asked(tmp_path: Path) -> None:
    file = tmp_path / "a.sqlite3"
    file.write_text("This is no database, but a text of more than a hundred bytes. " * 20)
    config = Config(openai_api_key="sk-1", database_url=f"sqlite:///{file}")

    assert ask(create_app(config).test_client()) == (503, "not ready: the database is damaged\n")


def test_an_answer_is_repeated_for_a_second_and_nobody_waits_for_another(tmp_path: Path) -> None:
    """The first thread waits in the database, and the second gets the answer of before.

    A database that hangs is not ready, whatever it answered before.
    """
    now = [0.0]
    opens, opened = Event(), Event()
    later = open_later(f"sqlite:///{tmp_path / 'a.sqlite3'}", access.SCHEMA)

    def open_slowly() -> Database:
        opens.set()
        assert opened.wait(PATIENCE)
        return later.get()

    readiness = Readiness(DatabaseOpener(open_slowly), access.SCHEMA, clock=lambda: now[0])
    first = Thread(target=readiness.find_problem)
    first.start()
    assert opens.wait(PATIENCE)
    assert readiness.find_problem() == "the database has not been asked yet"
    now[0] = 5.0
    assert readiness.find_problem() == "the database cannot be reached"
    opened.set()
    first.join()
    assert readiness.find_problem() is None

    with later.get().writer.begin() as connection:
        connection.exec_driver_sql("DROP TABLE access_schema_version")
    now[0] = 5.5
    assert readiness.find_problem() is None
    now[0] = 6.0
    assert readiness.find_problem() == "the database cannot be used"
    later.close()
