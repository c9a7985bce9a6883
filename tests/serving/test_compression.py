"""Pages are sent compressed, and not again to a browser that has them; no length tells a secret."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.support.long_transcripts import write_completion
from tests.support.pages import Page

PATH = "/completions/chatcmpl-long"
GZIP = {"Accept-Encoding": "gzip, br"}
OWN = {**GZIP, "Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def reader(client: FlaskClient, load: Callable[[Path], None], tmp_path: Path) -> FlaskClient:
    load(write_completion(tmp_path / "long.jsonl", 60))
    return client


@pytest.mark.parametrize("path", ["/completions", PATH, f"{PATH}/checks", "/completions/none"])
def test_pages_are_compressed_for_browsers_that_take_it(reader: FlaskClient, path: str) -> None:
    plain = reader.get(path)
    packed = reader.get(path, headers=GZIP)
    assert packed.headers["Content-Encoding"] == "gzip"
    # The shortest page is compressed to just half its size.
    assert len(packed.data) < len(plain.data) * 0.6
    assert len(gzip.decompress(packed.data)) == pytest.approx(len(plain.data), abs=100)
    for answer in (plain, packed):
        assert "Accept-Encoding" in answer.headers["Vary"]
        assert "HX-Request" in answer.headers["Vary"]
    refusing = reader.get(path, headers={"Accept-Encoding": "gzip;q=0, identity"})
    assert "Content-Encoding" not in refusing.headers


@pytest.mark.parametrize(
    ("query", "headers", "is_compressed"),
    [
        ("?limit=5", OWN, True),
        ("?after=chatcmpl-long-4", {**OWN, "HX-Request": "true"}, True),
        ("?limit=5", {**GZIP, "Sec-Fetch-Site": "cross-site"}, False),
        ("?limit=5", GZIP, False),
        ("?model=m", OWN, False),
        ("?limit=5&x=Message", OWN, False),
        ("/search?q=Message", OWN, False),
        ("?all=1", OWN, False),
    ],
)
def test_a_page_that_shows_its_query_is_as_long_as_it_is(
    reader: FlaskClient, query: str, headers: dict[str, str], is_compressed: bool
) -> None:
    answer = reader.get(f"{PATH}{query}", headers=headers)
    assert answer.status_code == 200
    assert ("Content-Encoding" in answer.headers) is is_compressed


def test_a_page_that_did_not_change_is_not_sent_again(
    reader: FlaskClient, load: Callable[[Path], None], tmp_path: Path
) -> None:
    first = reader.get("/completions", headers=OWN)
    known = {**OWN, "If-None-Match": first.headers["ETag"]}
    again = reader.get("/completions", headers=known)
    assert (again.status_code, again.data) == (304, b"")
    for name in ("ETag", "Cache-Control", "Vary", "Content-Security-Policy"):
        assert again.headers[name] == first.headers[name]
    assert "Content-Encoding" not in again.headers
    # The fragment of the same address is another page, and so is one that changed.
    assert reader.get("/completions", headers={**known, "HX-Request": "true"}).status_code == 200
    path = write_completion(tmp_path / "other.jsonl", 2)
    path.write_text(path.read_text().replace("chatcmpl-long", "chatcmpl-other"))
    load(path)
    assert reader.get("/completions", headers=known).status_code == 200


def test_what_must_not_be_kept_and_what_sets_a_cookie_has_no_validator(
    reader: FlaskClient,
) -> None:
    for path in (f"{PATH}/json", f"{PATH}?view=compact", "/completions/none", f"{PATH}?all=1"):
        answer = reader.get(path, headers=OWN, buffered=True)
        assert "ETag" not in answer.headers, path
    assert "no-store" in reader.get(f"{PATH}/json").headers["Cache-Control"]


def test_the_api_is_not_compressed(reader: FlaskClient) -> None:
    answer = reader.get(f"/v1/chat{PATH}/messages", headers=GZIP)
    assert answer.status_code == 200
    assert "Content-Encoding" not in answer.headers


def test_static_texts_are_compressed_and_keep_their_address(reader: FlaskClient) -> None:
    page = Page.of(reader.get("/completions"))
    for node in page.all("link[rel=stylesheet], script[src]"):
        address = node.attributes.get("href") or node.attributes.get("src") or ""
        plain = reader.get(address, buffered=True)
        packed, again = (reader.get(address, headers=GZIP) for _ in range(2))
        assert packed.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(packed.data) == plain.data == gzip.decompress(again.data)
        assert packed.headers["Content-Type"] == plain.headers["Content-Type"]
        assert packed.headers["Cache-Control"] == plain.headers["Cache-Control"]
        assert packed.headers["ETag"] != plain.headers["ETag"]
        known = {**GZIP, "If-None-Match": packed.headers["ETag"]}
        assert reader.get(address, headers=known).status_code == 304
