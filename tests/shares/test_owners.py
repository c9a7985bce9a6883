"""Who may see and revoke a share, and which events are recorded."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.access.conftest import Open, open_app
from tests.shares.sharing import COMPLETION, MESSAGES, OWN_ID, publish
from tools.store_rows import database_url
from webapp.embedded import Store
from webapp.embedded.documents.records import parse_record

__all__ = ["open_app"]

PROXY = "10.1.2.3"
TERMS = {"answer": "1", "action": "publish", "lifetime": "3600"}


@pytest.fixture
def app(open_app: Open, tmp_path: Any) -> Flask:
    made = open_app(
        READBACK_PROXY_USER_HEADER="X-Forwarded-User",
        READBACK_TRUSTED_PROXIES="10.0.0.0/8",
        READBACK_ADMINS="ann",
    )
    store = Store(database_url(tmp_path))
    store.add([parse_record(json.dumps({**COMPLETION, "messages": MESSAGES}))])
    store.close()
    return made


def ask(app: Flask, name: str | None, path: str, **options: Any) -> TestResponse:
    """Ask as a reader whom the proxy names, or as somebody without a login."""
    headers = {} if name is None else {"X-Forwarded-User": name}
    remote = "192.0.2.1" if name is None else PROXY
    client = app.test_client()
    return client.open(path, headers=headers, environ_overrides={"REMOTE_ADDR": remote}, **options)


def test_a_share_is_its_makers_and_the_administrators(app: Flask) -> None:
    drafted = ask(app, "ben", f"/completions/{OWN_ID}/share", method="POST", data={"answer": "1"})
    share = drafted.headers["Location"]
    assert 'name="maker" value="ben"' in ask(app, "ben", share).text
    assert ask(app, "ben", share, method="POST", data={**TERMS, "maker": "ben"}).status_code == 303

    for path in (share, f"{share}/preview"):
        assert [ask(app, who, path).status_code for who in ("ben", "ann", "eve")] == [200, 200, 404]
        assert ask(app, None, path).status_code in (302, 303, 401, 403)
    listed = {who: share in ask(app, who, "/shares").text for who in ("ben", "ann", "eve")}
    assert listed == {"ben": True, "ann": True, "eve": False}
    for path in (f"{share}/revoke", f"{share}/link", share):
        assert ask(app, "eve", path, method="POST", data=TERMS).status_code == 404
    assert ask(app, "eve", "/shares/revoke", method="POST").status_code == 303
    assert "until" in ask(app, "ben", "/shares").text
    assert ask(app, "ann", "/shares/revoke", method="POST").status_code == 303
    assert "revoked" in ask(app, "ben", "/shares").text


def test_who_has_the_link_needs_no_login_and_gets_nothing_else(app: Flask) -> None:
    share_id, token = publish(app, view_limit=1)
    here = f"/s/{token}"
    assert ask(app, None, here).status_code == 200
    opened = ask(app, None, here, method="POST")
    cookie = opened.headers["Set-Cookie"].partition(";")[0]
    for rule in app.url_map.iter_rules():
        if rule.endpoint.partition(".")[0] in ("links", "static_files", "health", "login"):
            continue
        path = re.sub(r"<[^>]+>", OWN_ID, rule.rule)
        method = "GET" if "GET" in (rule.methods or ()) else "POST"
        refused = app.test_client().open(
            path,
            method=method,
            headers={"Cookie": cookie},
            environ_overrides={"REMOTE_ADDR": "192.0.2.1"},
        )
        assert refused.status_code in (303, 401, 403), path
        assert "harbour" not in refused.text

    ask(app, "ann", f"/shares/{share_id}/revoke", method="POST")
    record = ask(app, "ann", "/record").text
    assert "share opened" in record and "share revoked" in record
    assert "harbour" not in record and token not in record
