"""Static files: names that change with the content, kept for a year; nothing else is given."""

from __future__ import annotations

import hashlib
import json
import re

import pytest
from flask.testing import FlaskClient

from tests.support.pages import Page
from tools.paths import ROOT
from webapp.static_files import EXPORT_PARTS, SCRIPT, SCRIPT_PARTS, SHEET, SHEET_PARTS

STATIC = ROOT / "static"
ADDRESS = re.compile(r"/static/([0-9a-f]{12})/(.+)")


def addresses(client: FlaskClient) -> list[str]:
    """The files that pages load: style sheets, scripts, the icon."""
    return Page.of(client.get("/completions")).files


def read(name: str) -> bytes:
    if name == SHEET:
        return b"\n".join((STATIC / "css" / f"{part}.css").read_bytes() for part in SHEET_PARTS)
    if name == SCRIPT:
        scripts = ((STATIC / "js" / f"{part}.js").read_bytes() for part in SCRIPT_PARTS)
        return b"\n".join(b"{\n" + script + b"}" for script in scripts)
    return (STATIC / name).read_bytes()


def test_every_style_sheet_is_in_the_one_that_is_served(client: FlaskClient) -> None:
    assert {path.stem for path in (STATIC / "css").iterdir()} == {*SHEET_PARTS, *EXPORT_PARTS}
    assert sum(address.endswith(".css") for address in addresses(client)) == 1


def test_every_script_is_in_the_one_of_all_pages_or_that_of_one(client: FlaskClient) -> None:
    templates = [path.read_text() for path in (ROOT / "templates").rglob("*.html")]
    rest = {path.stem for path in (STATIC / "js").iterdir()} - {*SCRIPT_PARTS}
    assert all(any(f'static_url("js/{one}.js")' in text for text in templates) for one in rest)
    assert not re.search(rb"^(import|export)\b", read(SCRIPT), re.MULTILINE)
    assert sum(address.endswith(f"/{SCRIPT}") for address in addresses(client)) == 1


def test_a_page_loads_files_of_ours_by_the_digest_of_their_content(client: FlaskClient) -> None:
    found = addresses(client)
    assert len(found) > 3
    for address in found:
        match = ADDRESS.fullmatch(address)
        assert match is not None
        content = read(match[2])
        assert match[1] == hashlib.sha256(content).hexdigest()[:12]
        response = client.get(address, buffered=True)
        assert (response.status_code, response.data) == (200, content)


def test_files_are_kept_for_a_year_and_typed(client: FlaskClient) -> None:
    types = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
    for address in addresses(client):
        response = client.get(address, buffered=True)
        assert response.mimetype == types[address.rpartition(".")[2]]
        kept = set(response.headers["Cache-Control"].split(", "))
        assert kept == {"public", "max-age=31536000", "immutable"}
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_a_file_that_was_not_changed_is_not_sent_again(client: FlaskClient) -> None:
    address = addresses(client)[0]
    etag = client.get(address, buffered=True).headers["ETag"]
    response = client.get(address, headers={"If-None-Match": etag}, buffered=True)
    assert (response.status_code, response.data) == (304, b"")


@pytest.mark.parametrize(
    "path",
    [
        "/static/000000000000/css/base.css",
        "/static/css/base.css",
        "/static/",
        "/static/{digest}/css/base.css",
        "/static/{digest}/css/../readback.css",
        "/static/{digest}/../templates/base.html",
        "/static/{digest}/%2e%2e/pyproject.toml",
        "/static/{digest}/css%2fbase.css%00",
        "/static/{digest}//etc/passwd",
        "/static/{digest}/css/none.css",
    ],
)
def test_nothing_else_is_given(client: FlaskClient, path: str) -> None:
    match = ADDRESS.fullmatch(addresses(client)[1])
    assert match is not None
    response = client.get(path.format(digest=match[1]))
    assert response.status_code in (404, 308)
    if response.status_code == 308:
        assert client.get(response.location).status_code == 404


def test_htmx_is_the_version_that_is_locked(client: FlaskClient) -> None:
    vendored = STATIC / "vendor" / "htmx.min.js"
    if not vendored.exists():
        pytest.skip("htmx has not been brought in: run the tests by `make test`")
    lock = json.loads((ROOT / "package-lock.json").read_text())
    version = lock["packages"]["node_modules/htmx.org"]["version"]
    assert f'"{version}"' in vendored.read_text()
    assert any(address.endswith("/vendor/htmx.min.js") for address in addresses(client))


def test_the_health_page_asks_nobody_and_is_not_kept(client: FlaskClient) -> None:
    response = client.get("/healthz")
    assert (response.status_code, response.data) == (200, b"ok\n")
    assert response.headers["Cache-Control"] == "no-store"
