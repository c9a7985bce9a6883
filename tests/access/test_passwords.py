"""The team's password: sessions, their ends, and how guesses are slowed."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from selectolax.lexbor import LexborHTMLParser
from sqlalchemy import text
from werkzeug.security import generate_password_hash

from tests.access.conftest import HASH, PASSWORD, Open
from tests.support.fake_time import FakeTime
from tests.support.pages import readable
from tools.store_rows import database_url
from webapp import create_app
from webapp.access import SCHEMA
from webapp.access.passwords import (
    MAX_LOGINS,
    PASSWORDS,
    Attempts,
    check_password,
    hash_password,
    take_place,
)
from webapp.access.reader import Reader
from webapp.access.sessions import Sessions, describe_browser, digest
from webapp.addresses.hosts import name_source
from webapp.config import Config
from webapp.database import open_database, open_later

FROM = "192.0.2.1"
Change = Callable[[str], None]


@pytest.fixture
def change(tmp_path: Path) -> Change:
    """Return a function that changes the database of the application by a statement."""

    def run(statement: str) -> None:
        database = open_database(database_url(tmp_path))
        with database.writer.begin() as connection:
            connection.execute(text(statement))
        database.close()

    return run


def log_in(client: FlaskClient, password: str = PASSWORD, source: str = FROM, **form: str) -> int:
    sent = {"password": password, **form}
    return client.post("/login", data=sent, environ_overrides={"REMOTE_ADDR": source}).status_code


def test_a_link_leads_to_its_page_after_the_login(with_password: Flask) -> None:
    client = with_password.test_client()
    wanted = "/completions?model=gpt-4o&metadata%5Ba%5D=b%20c"
    asked = client.get(wanted)
    page = LexborHTMLParser(client.get(asked.location).text)
    hidden = page.css_first("input[name=next]")
    assert hidden is not None
    answer = client.post(
        "/login", data={"password": PASSWORD, "next": hidden.attributes["value"] or ""}
    )

    assert (asked.status_code, answer.status_code) == (303, 303)
    assert answer.location == hidden.attributes["value"]
    assert client.get(answer.location).status_code == 200
    assert client.get("/login").location == "/completions"


@pytest.mark.parametrize(
    "wanted",
    [
        "",
        "evil",
        "//evil.example",
        "///evil.example",
        "/.//evil.example",
        "/..//evil.example",
        "/\\evil.example",
        "/a\\..\\b",
        "/\t/evil.example",
        "/\n/evil.example",
        "http:/a",
        "https://evil.example",
        "javascript:1",
    ],
)
def test_only_a_path_of_ours_is_gone_to(with_password: Flask, wanted: str) -> None:
    answer = with_password.test_client().post("/login", data={"password": PASSWORD, "next": wanted})

    assert (answer.status_code, answer.location) == (303, "/completions")


def test_the_cookie_is_bound_to_the_host_over_tls_and_never_read_by_script(
    with_password: Flask,
) -> None:
    plain = with_password.test_client().post("/login", data={"password": PASSWORD})
    secure = with_password.test_client().post(
        "/login", data={"password": PASSWORD}, base_url="https://localhost"
    )
    for answer, name in ((plain, "readback="), (secure, "__Host-readback=")):
        (cookie,) = answer.headers.getlist("Set-Cookie")
        assert cookie.startswith(name)
        assert {"HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
        assert ("; Secure" in cookie) == (answer is secure)
        assert "Domain" not in cookie


def test_the_token_is_nowhere_in_the_database_and_another_at_each_login(
    with_password: Flask, tmp_path: Path
) -> None:
    client = with_password.test_client()
    assert log_in(client) == 303
    first = client.get_cookie("readback")
    assert log_in(client) == 303
    second = client.get_cookie("readback")
    assert first and second and first.value != second.value

    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    assert second.value.encode() not in stored
    assert digest(second.value).encode() in stored
    client.set_cookie("readback", first.value)
    assert client.get("/completions").status_code == 303


def test_a_session_ends_when_idle_and_when_old(with_password: Flask, change: Change) -> None:
    client = with_password.test_client()
    for column in ("seen", "started"):
        log_in(client)
        assert client.get("/completions").status_code == 200
        change(f"UPDATE access_sessions SET {column} = {column} - 15 * 24 * 3600 * 1000")
        assert client.get("/completions").status_code == 303


def test_use_keeps_a_session_alive(with_password: Flask, change: Change) -> None:
    client = with_password.test_client()
    log_in(client)
    for _ in range(3):
        change("UPDATE access_sessions SET seen = seen - 20 * 3600 * 1000")
        assert client.get("/completions").status_code == 200


def test_use_keeps_the_shortest_session_alive(tmp_path: Path) -> None:
    time = FakeTime()
    settings = {"HOST": "0.0.0.0", "DATABASE_URL": database_url(tmp_path)}
    settings |= {"READBACK_PASSWORD_HASH": HASH, "READBACK_SESSION_IDLE_SECONDS": "60"}
    client = create_app(Config.from_environ(settings), clock=time.clock).test_client()
    log_in(client)
    for _ in range(8):
        time.passes(20)
        assert client.get("/completions").status_code == 200
    time.passes(61)
    assert client.get("/completions").status_code == 303


def test_logging_out_ends_the_session_here_and_everywhere(open_app: Open) -> None:
    processes = [open_app(READBACK_PASSWORD_HASH=HASH) for _ in range(2)]
    first, second, third = (app.test_client() for app in (*processes, processes[0]))
    for client in (first, second, third):
        log_in(client)
    token = first.get_cookie("readback")
    assert token is not None
    answer = first.post("/logout")
    first.set_cookie("readback", token.value)

    assert (answer.status_code, answer.location) == (303, "/logged-out")
    assert answer.headers["Clear-Site-Data"] == '"cache"'
    assert first.get("/completions").status_code == 303
    assert second.get("/completions").status_code == 200
    second.post("/logout", data={"everywhere": "1"})
    assert third.get("/completions").status_code == 303


def test_one_ends_a_session_of_ones_own_on_the_page_of_sessions(with_password: Flask) -> None:
    here, there = with_password.test_client(), with_password.test_client()
    log_in(here)
    there.environ_base["HTTP_USER_AGENT"] = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"
    log_in(there)
    page = LexborHTMLParser(here.get("/sessions").text)
    other = page.css_first("form[action='/sessions/end'] input")
    assert other is not None
    assert "Firefox on Linux" in readable(page.css_first("main"))  # type: ignore[arg-type]

    ended = here.post("/sessions/end", data={"session": other.attributes["value"] or ""})

    assert (ended.status_code, ended.location) == (303, "/sessions")
    assert here.get("/sessions").status_code == 200
    assert there.get("/sessions").status_code == 303


@pytest.mark.parametrize(
    ("signs", "named"),
    [
        ("Windows NT 10.0) Chrome/131.0 Safari/537.36 Edg/131.0", "Edge on Windows"),
        ("Linux; Android 10) Chrome/131.0 Mobile Safari/537.36 EdgA/131.0", "Edge on Android"),
        ("iPhone; like Mac OS X) Version/17.0 EdgiOS/131.0 Safari/605.1", "Edge on iPhone"),
        ("iPad; like Mac OS X) CriOS/131.0 Safari/605.1", "Chrome on iPad"),
    ],
)
def test_a_browser_is_known_by_its_own_sign(signs: str, named: str) -> None:
    assert describe_browser(f"Mozilla/5.0 ({signs}") == named


def test_another_password_ends_the_sessions_of_the_old_one_on_every_process(
    open_app: Open,
) -> None:
    old_process = open_app(READBACK_PASSWORD_HASH=HASH)
    reader = old_process.test_client()
    log_in(reader)
    assert reader.get("/completions").status_code == 200
    other = generate_password_hash("another horse", method="scrypt:16384:8:1")
    new_process = open_app(READBACK_PASSWORD_HASH=other)
    assert log_in(new_process.test_client(), "another horse") == 303

    assert reader.get("/completions").status_code == 303
    assert log_in(old_process.test_client()) == 401
    restarted = open_app(READBACK_PASSWORD_HASH=HASH)
    assert log_in(restarted.test_client()) == 401


def test_a_password_that_is_put_back_lets_no_old_session_in(tmp_path: Path) -> None:
    database = open_later(database_url(tmp_path), SCHEMA)
    reader = Reader("ann", "Ann", False, "password")
    ways = [
        Sessions(database, {"password": basis}, idle=60, lifetime=60, now=lambda: 1_000.0)
        for basis in ("first", "second", "first")
    ]
    for sessions in ways[:2]:
        sessions.put_in_force()
        token = sessions.start(reader, address="", browser="")
        sessions.put_in_force()
        assert sessions.find(token) is not None
    ways[0].start(reader, address="", browser="")
    ways[2].put_in_force()
    assert ways[2].list_for("ann") == []
    database.close()


def test_wrong_passwords_are_slowed_per_address_and_the_right_one_ends_that(
    with_password: Flask,
) -> None:
    client = with_password.test_client()
    assert [log_in(client, "wrong") for _ in range(4)] == [401] * 4
    assert log_in(client) == 303
    assert [log_in(client, "wrong") for _ in range(5)] == [401] * 5
    slowed = client.post(
        "/login", data={"password": PASSWORD}, environ_overrides={"REMOTE_ADDR": FROM}
    )

    assert slowed.status_code == 429
    assert 0 < int(slowed.headers["Retry-After"]) <= 60
    assert log_in(with_password.test_client(), source="192.0.2.2") == 303


def test_logins_beyond_those_that_may_wait_are_asked_to_come_again(with_password: Flask) -> None:
    client = with_password.test_client()
    with ExitStack() as stack:
        for _ in range(MAX_LOGINS):
            stack.enter_context(take_place())
        refused = [client.post("/login", data={"password": PASSWORD}) for _ in range(6)]

    assert {one.status_code for one in refused} == {503}
    assert refused[0].headers["Retry-After"] == "5"
    assert "Try again in a few seconds." in refused[0].text
    assert log_in(client) == 303


def test_the_ceiling_slows_all_addresses_and_locks_nobody_out() -> None:
    attempts = Attempts("memory://")
    for _ in range(60):
        attempts.fail(PASSWORDS, "password")

    assert [attempts.begin(PASSWORDS, "password", FROM) > 0 for _ in range(2)] == [False, True]
    assert attempts.begin(PASSWORDS, "password", "192.0.2.9") == 0


def test_many_attempts_of_an_address_slow_it_and_lock_nobody_out() -> None:
    often = replace(PASSWORDS, each="99/minute")
    attempts = Attempts("memory://")

    waits = [attempts.begin(often, "password", FROM) for _ in range(32)]

    assert waits[:31] == [0] * 31
    assert 0 < waits[31] <= 60
    assert attempts.begin(often, "password", "192.0.2.9") == 0


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("", "unknown"),
        ("unix:", "unknown"),
    ],
)
def test_an_ipv6_network_is_one_source(address: str, source: str) -> None:
    assert name_source(address) == source


def test_behind_a_proxy_each_client_is_slowed_by_its_own_address(open_app: Open) -> None:
    app = open_app(READBACK_PASSWORD_HASH=HASH, READBACK_TRUSTED_PROXIES="10.0.0.0/8")
    client = app.test_client()

    def post(password: str, forwarded: str, remote: str = "10.0.0.1") -> int:
        return client.post(
            "/login",
            data={"password": password},
            headers={"X-Forwarded-For": forwarded},
            environ_overrides={"REMOTE_ADDR": remote},
        ).status_code

    # Addresses that the client itself put before it do not count.
    tries = [post("wrong", f"192.0.2.{n}, 198.51.100.7, 10.0.0.9") for n in range(6)]
    assert tries == [401] * 5 + [429]
    assert post("wrong", "198.51.100.8") == 401
    # Some proxies write the port as well.
    tries = [post("wrong", f"198.51.100.{n}:{5000 + n}, 10.0.0.9:80") for n in range(20, 26)]
    assert tries == [401] * 6
    tries = [post("wrong", f"[2001:db8:{n}::1]:443") for n in range(6)]
    assert tries == [401] * 6
    tries = [post("wrong", f"198.51.100.9:{n}") for n in range(4000, 4006)]
    assert tries == [401] * 5 + [429]
    assert [post("wrong", f"192.0.2.{n}", "203.0.113.5") for n in range(6)][-1] == 429


def test_the_record_has_who_when_and_from_where(
    open_app: Open, caplog: pytest.LogCaptureFixture
) -> None:
    client = open_app(READBACK_PASSWORD_HASH=HASH, READBACK_ADMINS="everyone").test_client()
    with caplog.at_level(logging.INFO, "readback.record"):
        log_in(client, "wrong")
        log_in(client)
        client.post("/logout")
    lines = [json.loads(one.message) for one in caplog.records if one.name == "readback.record"]

    assert [line["event"] for line in lines] == ["failed login", "login", "logout"]
    assert {line["address"] for line in lines[:2]} == {FROM}
    assert lines[1]["identity"] == "team" and lines[1]["time"].endswith("+00:00")
    assert "wrong" not in caplog.text and PASSWORD not in caplog.text
    log_in(client)
    page = LexborHTMLParser(client.get("/record").text)
    assert [readable(one).split(" ")[0] for one in page.css(".entry strong")] == [
        "login",
        "logout",
        "login",
        "failed",
    ]


def test_the_record_is_for_administrators(with_password: Flask, client: FlaskClient) -> None:
    reader = with_password.test_client()
    log_in(reader)

    assert reader.get("/record").status_code == 403
    assert client.get("/record").status_code == 200


def test_a_deletion_by_a_client_of_the_api_is_recorded(
    client: FlaskClient, load: Callable[[Path], None], tmp_path: Path
) -> None:
    path = tmp_path / "gone.jsonl"
    path.write_text('{"id":"chatcmpl-gone","messages":[],"choices":[]}\n', encoding="utf-8")
    load(path)
    client.delete("/v1/chat/completions/chatcmpl-gone")

    assert "chatcmpl-gone" in client.get("/record").text


def test_a_write_from_another_site_is_refused(with_password: Flask) -> None:
    client = with_password.test_client()
    foreign = {"Sec-Fetch-Site": "cross-site"}
    for path in ("/login", "/logout", "/sessions/end"):
        assert client.post(path, headers=foreign).status_code == 403
    log_in(client)
    assert client.post("/logout", headers={"Origin": "https://evil.example"}).status_code == 403
    assert client.get("/completions").status_code == 200


def test_a_database_that_is_down_lets_nobody_in(with_password: Flask, tmp_path: Path) -> None:
    client = with_password.test_client()
    client.set_cookie("readback", "x")
    (tmp_path / "readback.sqlite3").unlink(missing_ok=True)
    for path in tmp_path.iterdir():
        path.unlink()
    (tmp_path / database_url(tmp_path).rpartition("/")[2]).mkdir()

    assert client.get("/completions").status_code == 503
    assert client.get("/healthz").status_code == 200


def test_a_password_is_hashed_with_salt_and_checked() -> None:
    first, second = hash_password(PASSWORD), hash_password(PASSWORD)

    assert first != second and first.startswith("scrypt:32768:8:1$")
    assert check_password(first, PASSWORD) and not check_password(first, PASSWORD + "x")
    assert not check_password(first, "x" * 2_000)
    for unfit in ("short", "x" * 1_001):
        with pytest.raises(ValueError, match="characters"):
            hash_password(unfit)
