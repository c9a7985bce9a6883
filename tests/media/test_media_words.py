"""The words about media on a page: false claims, sizes, names of files."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.any_json import checked
from tests.support.media_bytes import MPEG_FRAME, SVG, WAVE, gif, jpeg, media, png, segment, uri
from tests.support.media_files import images
from webapp.media import (
    InlineMedia,
    describe_contradiction,
    describe_format,
    explain_download,
    is_cut_off,
    sanitize_file_name,
)
from webapp.media.headers import fit_height, read_image_size


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (media(WAVE, "wav"), None),
        (media(WAVE, "audio/x-wav"), None),
        (media(MPEG_FRAME, "wav"), "Declared as wav, but the data is MP3."),
        (media(WAVE, "pcm16"), "Declared as pcm16, but the data is WAV."),
        (media(b"\0\1\0\1", "pcm16"), None),
        (media(b"\0\1\0\1", "wav"), "Declared as wav, but the data does not look like it."),
        (media(b"\0\1\0\1"), None),
        (media(b"OggS\0\2", "opus"), None),
        (media(b"a,b", "text/csv"), None),
        (InlineMedia(uri(png(1, 1))), None),
        (InlineMedia(uri(gif(1, 1))), "Declared as image/png, but the data is GIF."),
        (InlineMedia(uri(png(1, 1), "application/octet-stream")), None),
        (InlineMedia(uri(SVG, "image/svg+xml")), None),
        (InlineMedia(uri(b"text", "application/pdf")), True),
        (media(MPEG_FRAME, "wa\u202ev"), "Declared as wav, but the data is MP3."),
    ],
)
def test_a_claim_that_the_bytes_contradict_is_told(found: InlineMedia, said: Any) -> None:
    told = describe_contradiction(found)

    assert told == said or (said is True and told is not None)


def test_a_file_is_named_by_its_bytes_and_else_by_what_is_said_of_it() -> None:
    assert describe_format(InlineMedia(uri(b"%PDF-1.7", "text/plain"))) == "PDF"
    assert describe_format(InlineMedia(uri(b"a,b", "text/csv"))) == "declared as text/csv"
    assert describe_format(media(b"a,b")) == "unknown format"


def test_the_reason_for_giving_an_image_as_a_download_is_told() -> None:
    assert "too many pixels" in explain_download(media(png(60_000, 60_000)))
    assert "width and height are unknown" in explain_download(media(png(0, 0)))
    assert "not shown" in explain_download(media(SVG))


@pytest.mark.parametrize("size", [(1, 1), (640, 480), (300, 16_000), (1, 100_000), (9_000, 20)])
def test_an_image_is_shown_no_higher_than_a_page_has_room_for(size: tuple[int, int]) -> None:
    width, height = fit_height(size)

    assert 0 < height <= 512 and 0 < width <= size[0]
    assert width / height == pytest.approx(size[0] / size[1], rel=0.1) or 1 in (width, height)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("orientation", "shown"), [(1, (640, 480)), (6, (480, 640)), (8, (480, 640))]
)
def test_a_photograph_taken_upright_is_as_high_as_it_is_shown(
    order: str, orientation: int, shown: tuple[int, int]
) -> None:
    mark = b"II*\0" if order == "<" else b"MM\0*"
    entry = struct.pack(f"{order}HHIHH", 0x0112, 3, 1, orientation, 0)
    tiff = mark + struct.pack(f"{order}IH", 8, 1) + entry + b"\0" * 4
    photograph = jpeg(640, 480, before=segment(0xE1, b"Exif\0\0" + tiff))

    assert read_image_size(photograph) == shown


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("report.pdf", "report.pdf"),
        ("Bericht für Ärzte.pdf", "Bericht für Ärzte.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\a.txt", "a.txt"),
        ("..", "otherwise"),
        ("", "otherwise"),
        ("a\r\nSet-Cookie: x", "aSet-Cookie x"),
        ("fdp\u202eexe.pdf", "fdpexe.pdf"),
        ('a"b<c>|?*:.txt', "abc.txt"),
        (".bashrc", "bashrc"),
        ("\ud800.pdf", "pdf"),
    ],
)
def test_a_file_name_is_made_harmless(name: str, safe: str) -> None:
    assert sanitize_file_name(name, otherwise="otherwise") == safe


def test_a_long_file_name_keeps_its_extension() -> None:
    name = sanitize_file_name("a" * 500 + ".pdf", otherwise="x")

    assert len(name) == 120 and name.endswith("a.pdf")


@given(st.text(st.characters(codec=None, exclude_categories=())))
@checked
def test_any_file_name_can_be_sent(name: str) -> None:
    safe = sanitize_file_name(name, otherwise="x")

    assert safe and not set(safe) & set('/\\\r\n\0"')
    safe.encode()


@pytest.mark.parametrize("kind", ["png", "jpg", "gif"])
def test_an_image_that_breaks_off_is_noticed(kind: str) -> None:
    whole = images()[kind]

    assert not is_cut_off(media(whole))
    assert is_cut_off(media(whole[: len(whole) // 2]))


@pytest.mark.parametrize("found", [media(b"text"), InlineMedia("%%%"), media(WAVE)])
def test_what_is_no_image_has_no_end_to_lack(found: InlineMedia) -> None:
    assert not is_cut_off(found)
