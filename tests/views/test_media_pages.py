"""Images, sounds and files from addresses of ours: their type, their policy, their cost."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import platformdirs
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.support.fake_upstream import FakeUpstream, Json, Stored, error, stored
from tests.support.pages import AS_FRAGMENT, Page
from webapp.config import Config
from webapp.embedded import Store
from webapp.embedded.samples import SAMPLES
from webapp.factories import find_database_url

ID = "chatcmpl-1"
HERE = f"/completions/{ID}"
COMPLETION = f"/chat/completions/{ID}"
MEDIA = SAMPLES / "media"
TYPES = {
    ".png": "image/png",
    ".gif": "image/gif",
    ".jpg": "image/jpeg",
    ".webp": "image/webp",
    ".wav": "audio/wav",
    ".mp3": "audio/mpeg",
    ".pdf": "application/pdf",
}
FILES = [file for file in sorted(MEDIA.iterdir()) if file.suffix in TYPES]
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HTML = b"<!doctype html><script>alert(1)</script>"


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def image(data: bytes, claimed: str = "image/png") -> Json:
    return {
        "type": "image_url",
        "image_url": {"url": f"data:{claimed};base64,{encoded(data)}"},
    }


def holding(*parts: Json) -> Stored:
    """A completion of three messages whose second one has these parts."""
    one = stored(ID, "before", "this", "behind")
    one.messages[1] |= {"content": None, "content_parts": list(parts)}
    return one


def media_address(client: FlaskClient) -> str:
    """Where the page says that its only media is."""
    page = Page.of(client.get(HERE))
    found = {node.attributes.get("src") for node in page.all("img, audio")}
    found |= {node.attributes.get("href") for node in page.all("a[download]")}
    (address,) = found
    return address or ""


def get_media(client: FlaskClient, address: str, **headers: str) -> TestResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.get(address, headers=named, buffered=True)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_media_come_as_they_are_with_the_type_of_their_bytes(
    fake: FakeUpstream, fake_client: FlaskClient, file: Path
) -> None:
    data = file.read_bytes()
    if file.suffix in (".wav", ".mp3"):
        part: Json = {"type": "input_audio", "input_audio": {"data": encoded(data)}}
    elif file.suffix == ".pdf":
        part = {"type": "file", "file": {"file_data": encoded(data), "filename": "x"}}
    else:
        part = image(data, "text/html")
    fake.completions[ID] = holding(part)
    response = get_media(fake_client, media_address(fake_client))
    assert (response.status_code, response.data) == (200, data)
    assert response.mimetype == TYPES[file.suffix]
    disposition = response.headers["Content-Disposition"]
    assert disposition.startswith("attachment" if file.suffix == ".pdf" else "inline")


@pytest.mark.parametrize("data", [SVG, HTML, b"text", b"", b"\x89PNG", b"\x7fELF", b"BM\x00\x00"])
@pytest.mark.parametrize("claimed", ["image/png", "image/svg+xml", "text/html", "application/pdf"])
def test_what_is_not_known_to_be_harmless_is_a_download(
    fake: FakeUpstream, fake_client: FlaskClient, data: bytes, claimed: str
) -> None:
    fake.completions[ID] = holding(image(data, claimed))
    response = get_media(fake_client, media_address(fake_client))
    assert response.data == data
    assert response.mimetype == "application/octet-stream"
    assert response.headers["Content-Disposition"].startswith("attachment")


def test_an_image_of_too_many_pixels_is_a_download(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    head = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (60_000).to_bytes(4) * 2
    fake.completions[ID] = holding(image(head))
    assert Page.of(fake_client.get(HERE)).all("img") == []
    response = get_media(fake_client, media_address(fake_client))
    assert response.headers["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize("data", [(MEDIA / "beacon.gif").read_bytes(), SVG], ids=["gif", "svg"])
def test_a_browser_may_do_nothing_with_media_but_show_them(
    fake: FakeUpstream, fake_client: FlaskClient, data: bytes
) -> None:
    fake.completions[ID] = holding(image(data))
    response = get_media(fake_client, media_address(fake_client))
    assert response.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    kept = set(response.headers["Cache-Control"].split(", "))
    assert kept == {"private", "max-age=31536000", "immutable"}


def test_media_are_sent_in_part_and_not_twice(fake: FakeUpstream, fake_client: FlaskClient) -> None:
    data = (MEDIA / "arpeggio.wav").read_bytes()
    fake.completions[ID] = holding({"type": "input_audio", "input_audio": {"data": encoded(data)}})
    address = media_address(fake_client)
    etag = get_media(fake_client, address).headers["ETag"]
    unchanged = get_media(fake_client, address, If_None_Match=etag)
    assert (unchanged.status_code, unchanged.data) == (304, b"")
    ranged = get_media(fake_client, address, Range="bytes=10-19")
    assert (ranged.status_code, ranged.data) == (206, data[10:20])
    assert ranged.headers["Content-Range"] == f"bytes 10-19/{len(data)}"
    assert ranged.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    beyond = get_media(fake_client, address, Range=f"bytes={len(data)}-")
    assert beyond.status_code == 416


# Headerless sound


def test_sound_without_a_header_is_given_one(fake: FakeUpstream, fake_client: FlaskClient) -> None:
    samples = (MEDIA / "tuning-fork.pcm").read_bytes()
    audio = {"data": encoded(samples), "format": "pcm16"}
    fake.completions[ID] = holding({"type": "input_audio", "input_audio": audio})
    response = get_media(fake_client, media_address(fake_client))
    assert response.mimetype == "audio/wav"
    assert response.data[:4] == b"RIFF"
    assert response.data[44:] == samples
    assert str(response.headers["Content-Disposition"]).endswith(".wav")


def test_sound_of_no_known_format_can_be_asked_for_as_samples(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    samples = (MEDIA / "tuning-fork.pcm").read_bytes()
    fake.completions[ID] = answering_aloud(samples)
    page = Page.of(fake_client.get(HERE))
    address = page.one("audio").attributes["src"] or ""
    forget()
    response = get_media(fake_client, address)
    assert (response.mimetype, response.data[44:]) == ("audio/wav", samples)
    part = get_media(fake_client, address, Range="bytes=0-3")
    assert (part.status_code, part.data) == (206, b"RIFF")


def test_sound_is_not_given_as_anything_else(fake: FakeUpstream, fake_client: FlaskClient) -> None:
    fake.completions[ID] = holding(image(unique("as")))
    address = media_address(fake_client)
    assert get_media(fake_client, f"{address}&as=html").status_code == 400
    assert get_media(fake_client, f"{address}&as=pcm16").mimetype == "image/gif"


def test_an_image_in_a_text_no_longer_at_hand_is_asked_for_again(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    data = unique("in a text")
    text = json.dumps({"screenshot": f"data:image/gif;base64,{encoded(data)}"})
    fake.completions[ID] = stored(ID, text, f"![it](data:image/gif;base64,{encoded(data[:-4])})")
    addresses = [node.attributes["src"] or "" for node in Page.of(fake_client.get(HERE)).all("img")]
    forget()
    found = [get_media(fake_client, address).data for address in addresses]
    assert found == [data, data[:-4]]


# Cost


def unique(seed: str) -> bytes:
    """An image nobody has seen: a GIF and some bytes behind it."""
    return (MEDIA / "beacon.gif").read_bytes() + hashlib.sha256(seed.encode()).digest()


def answering_aloud(data: bytes) -> Stored:
    audio = {"id": "a", "data": encoded(data), "transcript": "x"}
    choice = {"index": 0, "message": {"role": "assistant", "audio": audio}}
    return stored(ID, "say it", choices=[choice])


@pytest.mark.parametrize(
    "path",
    [
        HERE,
        f"{HERE}?all=1",
        f"{HERE}?order=desc",
        f"{HERE}/messages/{ID}-0",
        f"{HERE}/messages/{ID}-2/earlier",
    ],
)
def test_media_of_a_page_just_shown_cost_no_call(
    fake: FakeUpstream, fake_client: FlaskClient, path: str
) -> None:
    data = unique(path)
    fake.completions[ID] = holding(image(data))
    (shown,) = Page.of(fake_client.get(path, headers=AS_FRAGMENT)).all("img")
    fake.requests.clear()
    assert get_media(fake_client, shown.attributes["src"] or "").data == data
    # The page may be there before its request for the newest messages, which it did not need.
    assert [seen for seen in fake.requests if not seen.is_for_newest] == []


def test_a_spoken_answer_just_shown_costs_no_call(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    data = (MEDIA / "arpeggio.wav").read_bytes() + b"an answer"
    fake.completions[ID] = answering_aloud(data)
    address = media_address(fake_client)
    fake.requests.clear()
    assert get_media(fake_client, address).data == data
    assert fake.requests == []


def test_media_no_longer_at_hand_are_asked_for_again(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    data = unique("no longer")
    fake.completions[ID] = holding(image(data))
    address = media_address(fake_client)
    forget()
    fake.requests.clear()
    assert get_media(fake_client, address).data == data
    assert [seen.path for seen in fake.requests] == [f"{COMPLETION}/messages"] * 2
    fake.requests.clear()
    assert get_media(fake_client, address).data == data
    assert fake.requests == []


def test_a_spoken_answer_no_longer_at_hand_is_asked_for_again(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    data = (MEDIA / "arpeggio.wav").read_bytes() + b"again"
    fake.completions[ID] = answering_aloud(data)
    address = media_address(fake_client)
    forget()
    assert get_media(fake_client, address).data == data


def forget() -> None:
    """Clears the folders of media away whole, as whoever clears caches may."""
    shutil.rmtree(platformdirs.user_cache_path("readback", appauthor=False) / "media")


def test_pages_are_shown_when_the_folder_of_media_was_cleared_away(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fake.completions[ID] = holding(image(unique("cleared")))
    address = media_address(fake_client)
    forget()
    assert media_address(fake_client) == address


# Whose they are, and for how long


def kept_files() -> list[Path]:
    root = platformdirs.user_cache_path("readback", appauthor=False) / "media"
    return [path for path in root.rglob("*") if path.is_file()]


def kept_file(address: str) -> Path:
    digest = address.partition("/media/")[2].partition("?")[0]
    (file,) = (path for path in kept_files() if path.name.endswith(digest))
    return file


def test_media_of_one_completion_are_not_found_under_another(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    data = unique("whose")
    fake.completions[ID] = holding(image(data))
    fake.completions["chatcmpl-2"] = stored("chatcmpl-2", "no image")
    address = media_address(fake_client)
    for other in ("chatcmpl-2", "chatcmpl-3", "chatcmpl"):
        foreign = address.replace(f"/{ID}/", f"/{other}/")
        for one in (foreign, foreign.partition("?")[0], foreign.replace(f"={ID}-", f"={other}-")):
            assert get_media(fake_client, one).status_code == 404
    assert get_media(fake_client, address).data == data


@pytest.mark.parametrize("damage", [b"", b"\n", b"\xff\xfe", b"\ndata:image/gif;base64,R0lGOD"])
def test_a_damaged_file_is_replaced_by_what_the_upstream_has(
    fake: FakeUpstream, fake_client: FlaskClient, damage: bytes
) -> None:
    data = unique(f"damaged {damage!r}")
    fake.completions[ID] = holding(image(data))
    address = media_address(fake_client)
    whole = kept_file(address).read_bytes()
    kept_file(address).write_bytes(damage)
    response = get_media(fake_client, address)
    assert (response.status_code, response.data) == (200, data)
    assert kept_file(address).read_bytes() == whole


def test_media_that_the_upstream_lost_are_not_served_when_they_are_old(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fake.completions[ID] = holding(image(unique("lost")))
    address = media_address(fake_client)
    file = kept_file(address)
    del fake.completions[ID]
    assert get_media(fake_client, address).status_code == 200
    before = file.stat().st_mtime - 2 * 3600
    os.utime(file, (before, before))
    assert get_media(fake_client, address).status_code == 404
    assert not file.exists()


@pytest.mark.parametrize("is_gone", [False, True], ids=["stored", "gone from the store"])
def test_media_are_deleted_with_their_completion(
    client: FlaskClient, load: Callable[[Path], None], tmp_path: Path, config: Config, is_gone: bool
) -> None:
    """The store may lose it to another program first; the images go with the next deletion."""
    data = unique(f"deleted {is_gone}")
    lines = [{"id": one, "messages": [{"role": "user", "content": [image(data)]}]} for one in "ab"]
    (tmp_path / "two.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    load(tmp_path / "two.jsonl")
    first, second = (
        Page.of(client.get(f"/completions/{one}")).one("img").attributes["src"] or ""
        for one in "ab"
    )
    if is_gone:
        with closing(Store(find_database_url(config))) as store:
            store.delete_completion("a")
    etag = get_media(client, first).headers["ETag"]
    files = set(kept_files())

    assert client.delete("/v1/chat/completions/a").status_code == (404 if is_gone else 200)
    assert get_media(client, first).status_code == 404
    assert get_media(client, first, If_None_Match=etag).status_code == 404
    assert get_media(client, second).data == data
    assert len(files - set(kept_files())) == 1


# What is not there


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 404),
        (f"?message={ID}-0", 404),
        (f"?message={ID}-9", 404),
        ("?message=a%20b", 404),
        ("?choice=0", 404),
        ("?choice=7", 404),
        ("?choice=x", 400),
        ("?choice=-1", 400),
    ],
)
def test_an_address_whose_message_does_not_hold_the_media_is_not_found(
    fake: FakeUpstream, fake_client: FlaskClient, query: str, status: int
) -> None:
    fake.completions[ID] = holding(image(unique("held")))
    digest = hashlib.sha256(b"another").hexdigest()[:32]
    assert get_media(fake_client, f"{HERE}/media/{digest}{query}").status_code == status


@pytest.mark.parametrize("digest", ["x", "..", "0" * 31, "0" * 33, "A" * 32, "%2e%2e%2fetc"])
def test_a_digest_that_cannot_be_one_is_not_found(fake_client: FlaskClient, digest: str) -> None:
    assert get_media(fake_client, f"{HERE}/media/{digest}").status_code == 404


def test_media_whose_message_cannot_be_read_are_an_error(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fake.completions[ID] = holding(image(unique("unread")))
    address = media_address(fake_client)
    forget()
    fake.script(f"{COMPLETION}/messages", error(500, "broken"))
    assert get_media(fake_client, address).status_code == 502


def test_media_that_break_in_the_middle_are_refused_with_a_reason(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    good = encoded((MEDIA / "beacon.gif").read_bytes())
    broken = {"type": "image_url", "image_url": {"url": f"data:image/gif;base64,{good[:-8]}!!!!"}}
    fake.completions[ID] = holding(broken)
    page = Page.of(fake_client.get(HERE))
    for node in page.all("img"):
        response = get_media(fake_client, node.attributes["src"] or "")
        assert "not base64" in Page.of(response, 422).text
