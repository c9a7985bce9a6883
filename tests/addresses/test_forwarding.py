"""Readback behind a proxy and under a path: headers of trusted proxies, and the prefix."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from selectolax.lexbor import LexborHTMLParser
from werkzeug.test import TestResponse

from webapp import create_app
from webapp.addresses.forwarding import is_own_path
from webapp.config import Config
from webapp.embedded import Store, load_samples

PROXY = {"REMOTE_ADDR": "10.1.2.3"}
STRANGER = {"REMOTE_ADDR": "192.0.2.7"}
PAGES_OF_A_KIND = 6
ADDRESSES = ("href", "src", "action", "hx-get", "data", "poster", "formaction")


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    url = f"sqlite:///{tmp_path_factory.mktemp('store') / 'store.sqlite3'}"
    store = Store(url)
    load_samples(store)
    store.close()
    return url


def start(database: str, **settings: str) -> FlaskClient:
    return create_app(
        Config.from_environ({"DATABASE_URL": database, "READBACK_OPEN": "1", **settings})
    ).test_client()


@pytest.fixture
def proxied(database: str) -> FlaskClient:
    return start(
        database,
        READBACK_TRUSTED_PROXIES="10.0.0.0/8, ::1",
        READBACK_ALLOWED_HOSTS="readback.example",
    )


def get(client: FlaskClient, path: str, remote: dict[str, str], **headers: str) -> TestResponse:
    named = {f"X-Forwarded-{name}": value for name, value in headers.items()}
    return client.get(path, headers=named, environ_overrides=remote)


def is_secure(answer: TestResponse) -> bool:
    return "Strict-Transport-Security" in answer.headers


@pytest.mark.parametrize("address", ["10.1.2.3", "::ffff:10.1.2.3", "::1"])
def test_a_trusted_proxy_says_scheme_host_and_prefix(proxied: FlaskClient, address: str) -> None:
    said = {"Proto": "https", "Host": "readback.example", "Prefix": "/tools/readback/"}
    answer = get(proxied, "/", {"REMOTE_ADDR": address}, **said)

    assert answer.location == "/tools/readback/completions"
    assert is_secure(answer)
    assert get(proxied, "/", PROXY, Host="other.example").status_code == 421


@pytest.mark.parametrize("address", ["192.0.2.7", "11.0.0.1", "", "unix:", "10.1.2.3.example"])
def test_others_are_not_believed(proxied: FlaskClient, address: str) -> None:
    said = {"Proto": "https", "Host": "other.example", "Prefix": "/elsewhere"}
    answer = get(proxied, "/", {"REMOTE_ADDR": address}, **said)

    assert answer.status_code == 303
    assert answer.location == "/completions"
    assert not is_secure(answer)


def test_without_the_setting_nobody_is_believed(database: str) -> None:
    local = {"REMOTE_ADDR": "127.0.0.1"}
    answer = get(start(database), "/", local, Proto="https", Prefix="/elsewhere")

    assert answer.location == "/completions"
    assert not is_secure(answer)


@pytest.mark.parametrize(
    "prefix",
    [
        "//evil.example",
        "evil.example",
        "/a/../..",
        "/a b",
        "/%2e%2e",
        '/"><script>',
        "/\\evil",
        "/",
    ],
)
def test_a_malformed_prefix_is_ignored(proxied: FlaskClient, prefix: str) -> None:
    assert get(proxied, "/", PROXY, Prefix=prefix).location == "/completions"


@pytest.mark.parametrize("host", ["a b", "a/b", "user@readback.example", "a:b", ""])
def test_a_malformed_host_is_ignored(proxied: FlaskClient, host: str) -> None:
    assert get(proxied, "/", PROXY, Host=host).status_code == 303


def test_of_a_list_the_value_of_the_nearest_proxy_counts(proxied: FlaskClient) -> None:
    answer = get(proxied, "/", PROXY, Proto="http, https", Prefix="/forged, /real")

    assert answer.location == "/real/completions"
    assert is_secure(answer)


def test_a_write_from_the_page_behind_the_proxy_is_ours(proxied: FlaskClient) -> None:
    headers = {"Origin": "https://readback.example", "X-Forwarded-Host": "readback.example"}
    form = {"pasted": "chatcmpl-1"}

    ours = proxied.post("/open", data=form, headers=headers, environ_overrides=PROXY)
    forged = proxied.post("/open", data=form, headers=headers, environ_overrides=STRANGER)

    assert (ours.status_code, forged.status_code) == (303, 403)


@pytest.mark.parametrize("path", ["/readback/", "/readback", "/"])
def test_the_prefix_is_understood_with_and_without_it_in_the_path(database: str, path: str) -> None:
    client = start(database, READBACK_PREFIX="/readback/")

    assert client.get(path).location == "/readback/completions"
    assert client.get(f"{path.rstrip('/')}/v1/chat/completions").status_code == 200
    assert client.get(f"{path.rstrip('/')}/healthz").status_code == 200
    assert client.get("/readbackwards/completions").status_code == 404


def test_a_redirect_to_the_proper_path_keeps_scheme_and_host(database: str) -> None:
    client = start(database, READBACK_PREFIX="/readback")

    answer = client.get("/readback/completions//chatcmpl-1?limit=5")
    assert answer.location == "/readback/completions/chatcmpl-1?limit=5"
    assert client.get("/completions//a/raw").location == "/readback/completions/a/raw"


def test_the_prefix_of_a_trusted_proxy_replaces_that_of_the_settings(database: str) -> None:
    client = start(database, READBACK_PREFIX="/one", READBACK_TRUSTED_PROXIES="10.0.0.0/8")

    assert get(client, "/", PROXY, Prefix="/two").location == "/two/completions"
    assert get(client, "/", PROXY).location == "/one/completions"


def test_a_proxy_may_serve_it_under_a_path_like_one_of_our_own(proxied: FlaskClient) -> None:
    answer = get(proxied, "/completions", PROXY, Prefix="/completions")

    assert answer.status_code == 200
    assert 'action="/completions/open"' in answer.text


def test_the_api_names_its_address_with_the_prefix(database: str) -> None:
    client = start(database, READBACK_PREFIX="/readback")

    assert "GET /readback/v1/nothing" in client.get("/readback/v1/nothing").text


def addresses_in(html: str) -> Iterator[str]:
    tree = LexborHTMLParser(html)
    for name in ADDRESSES:
        for node in tree.css(f"[{name}]"):
            yield node.attributes[name] or ""


def test_no_address_of_any_page_leaves_the_prefix(database: str) -> None:
    """Follow the links from the list on, to a few pages of each kind."""
    app = create_app(Config(database_url=database, prefix="/deep/readback"))
    client, kinds = app.test_client(), app.url_map.bind("localhost")
    root = "http://localhost/deep/readback"
    waiting, seen, known = [f"{root}/"], Counter[str](), set[str]()
    while waiting:
        page = waiting.pop(0)
        kind, _ = kinds.match(urlsplit(page).path.removeprefix("/deep/readback"))
        seen[kind] += 1
        if seen[kind] > PAGES_OF_A_KIND:
            continue
        answer = client.get(page.removeprefix("http://localhost"), buffered=True)
        is_end_of_list = kind == "listing.neighbor" and answer.status_code == 404
        is_incomplete = kind == "exports.whole" and answer.status_code == 422
        assert answer.status_code < 400 or is_end_of_list or is_incomplete, page
        found = [answer.location] if answer.location else []
        if answer.mimetype == "text/html":
            found += addresses_in(answer.text)
        for address in found:
            url = urljoin(page, address).partition("#")[0]
            if urlsplit(address).scheme not in ("data", "http", "https", "mailto"):
                if url in known:
                    continue
                known.add(url)
                assert url.startswith(f"{root}/"), f"{page} leads to {address}"
                path = urlsplit(url).path.removeprefix("/deep/readback")
                waiting += [url] * kinds.test(path, "GET")
    assert {
        "completions.show",
        "sources.completion",
        "completions.show_from",
        "media.show",
    } < seen.keys()


def test_every_address_of_ours_is_known_as_one(app: Flask) -> None:
    rules = {rule.rule for rule in app.url_map.iter_rules()} - {"/"}

    assert [rule for rule in rules if not is_own_path(rule)] == []
    assert is_own_path("/v1") and not is_own_path("/readback")


def test_no_style_or_script_names_a_path_from_the_root() -> None:
    static = Path(__file__).parent.parent / "static"
    for file in [*static.rglob("*.css"), *(static / "js").rglob("*.js")]:
        text = file.read_text(encoding="utf-8")
        assert re.search(r"""url\(\s*["']?/|(?:fetch|import|assign)\(\s*["'`]/""", text) is None
