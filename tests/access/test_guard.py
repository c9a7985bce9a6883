"""Nobody reads without a session, wherever a request goes and however it came."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.access.conftest import HASH, Open
from tests.support.pages import AS_FRAGMENT
from tools.store_rows import database_url
from webapp import create_app
from webapp.config import Config, ConfigError

OPEN: Final = {
    "/healthz",
    "/logged-out",
    "/login",
    "/login/openid",
    "/login/openid/callback",
    "/readyz",
    "/s/<token>",
    "/s/<token>/<path:rest>",
    "/static/<digest>/<path:name>",
}
FORWARDED: Final = (
    {"Forwarded": "for=192.0.2.1"},
    {"X-Forwarded-For": "192.0.2.1"},
    {"X-Forwarded-Proto": "https"},
    {"X-Forwarded-Anything": "1"},
    {"Via": "1.1 tunnel"},
    {"X-Real-IP": "192.0.2.1"},
    {"X-Original-Forwarded-For": "192.0.2.1"},
    {"CDN-Loop": "cloudflare"},
    {"Tailscale-User-Login": "ann@team.example"},
    {"X-Envoy-External-Address": "192.0.2.1"},
    {"Host": "192.0.2.7:8000"},
    {"Host": "127.0.0.1.nip.example"},
)


def list_addresses(app: Flask) -> list[tuple[str, str, str]]:
    """Return the rule, an address and a method for all that the URL map answers."""
    urls = app.url_map.bind("localhost")
    found = []
    for rule in app.url_map.iter_rules():
        values: dict[str, object] = dict.fromkeys(rule.arguments, "1")
        values |= {"form": "md", **(rule.defaults or {})}
        address = urls.build(rule.endpoint, values, append_unknown=False)
        found += [(rule.rule, address, method) for method in sorted(rule.methods or ())]
    return found


def test_every_route_refuses_without_a_session_but_those_of_a_short_list(
    with_password: Flask,
) -> None:
    client = with_password.test_client()
    addresses = list_addresses(with_password)
    assert {rule for rule, _, _ in addresses} > OPEN

    for rule, address, method in addresses:
        answer = client.open(address, method=method)
        if rule not in OPEN:
            is_sent_to_login = answer.status_code == 303 and answer.location.startswith("/login?")
            assert is_sent_to_login or answer.status_code == 401, (method, address)
    for address in ("/nothing", "/v1", "/v1/chat/completions", "/v1/models", "/completions/"):
        assert client.get(address).status_code in (303, 404), address


def test_what_is_open_says_nothing_of_a_completion(with_password: Flask) -> None:
    client = with_password.test_client()

    assert client.get("/healthz").text == "ok\n"
    assert client.get("/readyz").text == "ready\n"
    page = client.get("/completions/chatcmpl-secret", follow_redirects=True)
    head = page.text.partition("</head>")[0]
    assert "<title>Log in · Readback</title>" in head
    assert 'og:title" content="Readback"' in head
    assert "chatcmpl-secret" not in head
    assert len(head) < 32_000


def test_a_fragment_and_an_image_are_refused_and_not_redirected(with_password: Flask) -> None:
    client = with_password.test_client()
    fragment = client.get("/completions", headers=AS_FRAGMENT)
    image = client.get("/completions/a/media/b", headers={"Sec-Fetch-Dest": "image"})

    assert (fragment.status_code, image.status_code) == (401, 401)
    assert "no longer logged in" in fragment.text
    assert 'class="button" href="/login"' in image.text and "open-box" not in image.text


@pytest.mark.parametrize("headers", FORWARDED, ids=str)
def test_what_comes_to_loopback_through_a_proxy_is_asked(
    tmp_path: Path, headers: dict[str, str]
) -> None:
    settings = {
        "DATABASE_URL": database_url(tmp_path),
        "READBACK_ALLOWED_HOSTS": "127.0.0.1.nip.example",
    }
    alone = create_app(Config.from_environ(settings)).test_client()
    asked = create_app(
        Config.from_environ({**settings, "READBACK_PASSWORD_HASH": HASH})
    ).test_client()

    assert alone.get("/completions").status_code == 200
    assert alone.get("/v1/chat/completions").status_code == 200
    assert asked.get("/completions").status_code == 200
    assert alone.get("/completions", headers=headers).status_code == 403
    refused = alone.get("/completions", headers=headers).text
    assert "on the machine that it runs on" in refused
    assert "open-box" not in refused and "All completions" not in refused
    assert alone.get("/v1/chat/completions", headers=headers).status_code == 404
    assert asked.get("/completions", headers=headers).status_code == 303


def test_a_request_in_http_1_0_counts_as_one_of_a_proxy(client: FlaskClient) -> None:
    old = {"SERVER_PROTOCOL": "HTTP/1.0"}

    assert client.get("/completions", environ_overrides=old).status_code == 403


def test_a_key_of_the_api_and_a_session_do_not_replace_each_other(open_app: Open) -> None:
    key = "sk-of-this-server-0123456789"
    app = open_app(READBACK_PASSWORD_HASH=HASH, READBACK_API_KEY=key)
    client = app.test_client()
    client.post("/login", data={"password": "correct horse battery"})
    bearer = {"Authorization": f"Bearer {key}"}

    assert client.get("/completions").status_code == 200
    assert client.get("/v1/chat/completions").status_code == 401
    assert client.get("/v1/chat/completions", headers=bearer).status_code == 200
    assert app.test_client().get("/completions", headers=bearer).status_code == 303


def test_it_does_not_start_until_somebody_says_who_may_read() -> None:
    with pytest.raises(ConfigError) as caught:
        Config.from_environ({"HOST": "0.0.0.0"})

    for name in ("PASSWORD_HASH", "OIDC_ISSUER", "PROXY_USER_HEADER", "OPEN=1"):
        assert f"READBACK_{name}" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_open_readback_warns_in_its_log_and_has_no_administrators(
    open_app: Open, caplog: pytest.LogCaptureFixture
) -> None:
    client = open_app(READBACK_OPEN="1").test_client()

    assert "READBACK_OPEN=1" in caplog.text
    assert client.get("/completions").status_code == 200
    assert client.get("/record").status_code == 403
