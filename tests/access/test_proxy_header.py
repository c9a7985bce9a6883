"""A proxy that authenticates: its header counts from trusted addresses only."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.access.conftest import HASH, Open

PROXY = "10.1.2.3"


@pytest.fixture
def app(open_app: Open) -> Flask:
    return open_app(
        READBACK_PROXY_USER_HEADER="X-Forwarded-User",
        READBACK_TRUSTED_PROXIES="10.0.0.0/8",
        READBACK_ADMINS="Ann@example.com",
    )


def status(app: Flask, name: str | None, path: str = "/completions", remote: str = PROXY) -> int:
    headers = {} if name is None else {"X-Forwarded-User": name}
    overrides = {"REMOTE_ADDR": remote}
    return app.test_client().get(path, headers=headers, environ_overrides=overrides).status_code


def test_the_header_counts_from_a_trusted_address_alone(app: Flask) -> None:
    assert status(app, "ben") == 200
    assert status(app, "ben", remote="192.0.2.1") == 403
    assert status(app, "ben", remote="::ffff:10.1.2.3") == 200


@pytest.mark.parametrize("name", [None, "", " ", "ben, ann@example.com", "b\x1bn"])
def test_a_header_with_no_name_or_with_several_lets_nobody_in(app: Flask, name: str | None) -> None:
    assert status(app, name) == 403


def test_roles_go_by_the_name(app: Flask) -> None:
    assert status(app, "ann@example.com", "/record") == 200
    assert status(app, "ben", "/record") == 403


def test_a_page_names_the_reader_and_where_to_log_out(app: Flask) -> None:
    page = app.test_client().get(
        "/sessions",
        headers={"X-Forwarded-User": "ben"},
        environ_overrides={"REMOTE_ADDR": PROXY},
    )

    assert "logged in as <strong>ben</strong>" in page.text and "log out there" in page.text


def test_on_loopback_too_a_proxy_that_authenticates_is_never_this_machine(open_app: Open) -> None:
    """It may pass on requests without a name, with the host name of the machine."""
    app = open_app(
        HOST="127.0.0.1",
        READBACK_PROXY_USER_HEADER="Remote-User",
        READBACK_TRUSTED_PROXIES="127.0.0.1",
    )
    client = app.test_client()

    assert client.get("/completions").status_code == 403
    assert client.get("/completions", headers={"Remote-User": "ben"}).status_code == 200
    assert client.get("/record", headers={"Remote-User": "ben"}).status_code == 403


def test_beside_a_password_either_lets_in(open_app: Open) -> None:
    app = open_app(
        READBACK_PROXY_USER_HEADER="X-Forwarded-User",
        READBACK_TRUSTED_PROXIES="10.0.0.0/8",
        READBACK_PASSWORD_HASH=HASH,
    )

    assert status(app, "ben") == 200
    assert status(app, "ben", remote="192.0.2.1") == 303
