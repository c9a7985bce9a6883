"""Static files: names that change with the content, kept for a year; nothing else is given."""

from __future__ import annotations

import hashlib
import json
import re

import pytest
from flask.testing import FlaskClient

from tests.support.pages import Page
from tools.paths import ROOT
from webapp.static_files import EXPORT_PARTS, SCRIPTS, SHEETS, join_scripts, shorten_sheet

STATIC = ROOT / "static"
ADDRESS = re.compile(r"/static/([0-9a-f]{12})/(.+)")


def addresses(client: FlaskClient) -> list[str]:
    """The files that pages load: style sheets, scripts, the icon."""
    return Page.of(client.get("/completions")).files


def read(name: str) -> bytes:
    if name in SHEETS:
        sheets = ((STATIC / "css" / f"{part}.css").read_text() for part in SHEETS[name])
        return b"".join(map(shorten_sheet, sheets))
    if name in SCRIPTS:
        return join_scripts((STATIC / "js" / f"{part}.js").read_text() for part in SCRIPTS[name])
    return (STATIC / name).read_bytes()


def test_every_style_sheet_is_in_one_that_is_served_or_exported() -> None:
    served = [part for name in ("transcript.css", "pages.css") for part in SHEETS[name]]
    assert len(served) == len({*served})
    assert {path.stem for path in (STATIC / "css").iterdir()} == {*served, *EXPORT_PARTS}
    assert {*SHEETS["readback.css"]} < {*SHEETS["transcript.css"]}


def test_every_script_is_in_one_of_all_pages_or_that_of_one(client: FlaskClient) -> None:
    templates = [path.read_text() for path in (ROOT / "templates").rglob("*.html")]
    joined = {part for parts in SCRIPTS.values() for part in parts}
    rest = {path.stem for path in (STATIC / "js").iterdir()} - joined
    assert all(any(f'static_url("js/{one}.js")' in text for text in templates) for one in rest)
    assert not any(re.search(rb"^(import|export)\b", read(name), re.MULTILINE) for name in SCRIPTS)
    assert {*SCRIPTS} <= {address.rpartition("/")[2] for address in addresses(client)}


def test_a_sheet_is_shortened_to_what_means_the_same() -> None:
    sheet = """
    /* A comment; with { signs } */
    @media (40rem < width <= 52rem) {
      .a:is(.b, .c) > .d :hover { content: "· ,  x"; margin: calc(-1 * var(--a) + 2px); }
      .e { color: red; > p { --a: light-dark(#fff, #000); } }
    }
    """
    assert shorten_sheet(sheet).strip() == (
        b'@media (40rem < width <= 52rem){.a:is(.b,.c)>.d :hover{content:"\xc2\xb7 ,  x";'
        b"margin:calc(-1 * var(--a) + 2px)}.e{color:red;>p{--a:light-dark(#fff,#000)}}}"
    )


def test_scripts_and_sheets_have_nothing_that_shortening_would_change() -> None:
    """Texts over several lines, other quotes, and rules that a missing brace adds to others."""
    for path in (STATIC / "js").iterdir():
        assert all(line.count("`") % 2 == 0 for line in path.read_text().splitlines()), path
    for path in (STATIC / "css").iterdir():
        sheet = path.read_text()
        assert sheet.count("{") == sheet.count("}"), path
        assert not re.search(r"""'|\\"|url\(""", re.sub(r"(?s)/\*.*?\*/", "", sheet)), path


def test_no_rule_makes_browsers_look_through_a_transcript_when_messages_are_added() -> None:
    """An element that is added, and stands left of `+` or `~` in a rule, is checked everywhere."""
    added = r"\.(page|older|more|loads|gap|remote-note)\b"
    rules, count = read("transcript.css").decode(), 1
    while count:
        rules, count = re.subn(r"\([^()]*\)", "", rules)
    for left in re.findall(r"([^\s{},>+~]+)\s*[+~]", rules):
        assert re.search(r"[.#\[]", left), left
        assert not re.search(added, left), left


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
