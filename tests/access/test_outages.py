"""What those who are not logged in see while the database of sessions and shares is down."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest
from sqlalchemy import make_url

from tests.access.conftest import HASH, PASSWORD, Open
from tests.shares.sharing import publish
from tests.support.answer_headers import find_header_faults
from tools.postgres import PostgresServer

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
