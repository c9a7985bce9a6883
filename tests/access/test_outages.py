"""Pages for readers without a login while the database of sessions and shares is down."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest
from flask import Flask
from sqlalchemy import create_engine, make_url

from tests.access.conftest import HASH, PASSWORD, Open
from tests.shares.sharing import publish
from tests.support.answer_headers import find_header_faults
from tools.postgres import PostgresServer
from tools.store_rows import database_url
from webapp.access import Access, Event
from webapp.cli.running import run_command
from webapp.config import AccessSettings, Config
from webapp.database import Database, DatabaseOpener, open_database

Outage: TypeAlias = tuple[str, Callable[[], object]]


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.process)])
def outage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Outage]:
    """Yield the address of a database, and a function that takes it away."""
    if request.param == "sqlite":
        (tmp_path / "a-file").touch()
        yield f"sqlite:///{tmp_path / 'a-file' / 'readback.sqlite3'}", lambda: None
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.database() as url:
        name = make_url(url).database

        def begin() -> None:
            server.run(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
            server.drop_connections(url)

        yield url, begin
        server.run(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


def test_shares_and_the_login_say_that_the_database_is_down(outage: Outage, open_app: Open) -> None:
    url, begin = outage
    app = open_app(
        READBACK_PASSWORD_HASH=HASH,
        DATABASE_URL=url,
        OPENAI_BASE_URL="http://127.0.0.1:9/v1",
        OPENAI_API_KEY="sk-nowhere",
    )
    token = "no-such-link" if url.startswith("sqlite") else publish(app, view_limit=1)[1]
    client = app.test_client()
    assert client.get("/login").status_code == 200
    client.set_cookie("readback", "some-token")
    begin()

    asked = [
        *(("GET", f"/s/{token}{rest}") for rest in ("", "/", "/completions/shared/json")),
        *((method, f"/s/{token}") for method in ("HEAD", "POST")),
        *(("GET", path) for path in ("/login", "/sessions", "/completions", "/shares")),
        ("POST", "/login"),
    ]
    for method, path in asked:
        form = {"password": PASSWORD} if method == "POST" else None
        answer = client.open(path, method=method, data=form)
        assert answer.status_code == 503, (method, path)
        assert not find_header_faults(answer.headers)
        assert "Traceback" not in answer.text and "a-file" not in answer.text
        if method == "GET":
            assert "Try again" in answer.text, path
        if path.startswith("/s/"):
            assert answer.headers["Retry-After"] == "10"
            assert answer.headers["Cache-Control"] == "no-store"
            assert answer.headers["Referrer-Policy"] == "no-referrer"
            assert '="/completions' not in answer.text
    fragment = client.get(f"/s/{token}", headers={"HX-Request": "true"})
    assert fragment.status_code == 503 and "<html" not in fragment.text


def test_a_pool_without_a_free_connection_is_an_outage(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    url = database_url(tmp_path)
    open_database(url).close()
    engine = create_engine(url, pool_size=1, max_overflow=0, pool_timeout=0.01)
    config = Config(host="0.0.0.0", access=AccessSettings(password_hash=HASH))
    guard = Access(config, DatabaseOpener(lambda: Database.from_engine(engine)), now=lambda: 0.0)
    app = Flask(__name__)
    guard.install(app)
    with engine.connect():
        answer = app.test_client(use_cookies=False).get(
            "/completions", headers={"Cookie": "readback=some-token"}
        )
        guard.record.add(Event.LOGOUT, None)
        command = Namespace(run=lambda *_: engine.connect(), needs_settings=False)
        status = run_command(command)
    engine.dispose()

    assert answer.status_code == 503 and "cannot check your login" in answer.text
    assert "a session could not be checked" in caplog.text
    assert "an entry of the record could not be stored" in caplog.text
    assert status == 1
    assert capsys.readouterr().err == (
        "readback: the store failed: all of its connections stayed in use\n"
    )
