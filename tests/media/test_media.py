"""Media inside messages: the format and size of their bytes."""

from __future__ import annotations

import base64
import struct
import wave
from collections.abc import Callable
from io import BytesIO
from typing import Any
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.any_json import checked
from tests.support.media_bytes import (
    AAC_FRAME,
    MPEG_FRAME,
    SVG,
    WAVE,
    avif,
    box,
    gif,
    jpeg,
    media,
    png,
    riff,
    segment,
    uri,
    webp,
    webp_extended,
    webp_lossless,
)
from webapp.exact_json import parse
from webapp.media import (
    DOWNLOAD,
    InlineMedia,
    NotMedia,
    detect_format,
    extract_media,
    find_media,
)
from webapp.media.formats import SVG as SVG_FORMAT
from webapp.media.headers import MAX_PIXELS, read_image_size
from webapp.messages import Audio, File, Image, InputAudio, Message, Text

NULL = parse("null")


@pytest.mark.parametrize(
    ("data", "shown_as", "mimetype"),
    [
        (png(1, 1), "image", "image/png"),
        (jpeg(1, 1), "image", "image/jpeg"),
        (gif(1, 1), "image", "image/gif"),
        (gif(1, 1, b"87a"), "image", "image/gif"),
        (webp(1, 1), "image", "image/webp"),
        (avif((1, 1)), "image", "image/avif"),
        (avif((1, 1), brand=b"avis"), "image", "image/avif"),
        (WAVE, "audio", "audio/wav"),
        (b"ID3\x04\0\0\0\0\0\0", "audio", "audio/mpeg"),
        (MPEG_FRAME, "audio", "audio/mpeg"),
        (b"\xff\xf3\x40\xc0", "audio", "audio/mpeg"),
        (AAC_FRAME, "audio", "audio/aac"),
        (b"\xff\xf9\x50\x80", "audio", "audio/aac"),
        (b"fLaC\0\0\0\x22", "audio", "audio/flac"),
        (b"OggS\0\x02", "audio", "audio/ogg"),
        (b"%PDF-1.7\n", "download", "application/pdf"),
        (SVG, "download", "application/octet-stream"),
        (b"<!doctype html>", "download", "application/octet-stream"),
        (b"GIF88a\1\0\1\0", "download", "application/octet-stream"),
        (riff(b"AVI ", b"LIST", b""), "download", "application/octet-stream"),
        (box(b"ftyp", b"heic\0\0\0\0"), "download", "application/octet-stream"),
        ("\ufeffText".encode("utf-16-le"), "download", "application/octet-stream"),
        (b"\xff\xfb\xf0\x00", "download", "application/octet-stream"),
        (b"\xff\xfb\x9c\x00", "download", "application/octet-stream"),
        (b"\xff\xeb\x90\x00", "download", "application/octet-stream"),
        (b"\xff\xe1\x90\x00", "download", "application/octet-stream"),
        (b"", "download", "application/octet-stream"),
        (b"\xff", "download", "application/octet-stream"),
    ],
)
def test_the_format_is_told_by_the_first_bytes(data: bytes, shown_as: str, mimetype: str) -> None:
    found = detect_format(data)

    assert (found.shown_as, found.mimetype) == (shown_as, mimetype)


@pytest.mark.parametrize("make", [png, gif, jpeg, webp, webp_lossless, webp_extended])
@pytest.mark.parametrize("size", [(1, 1), (640, 480), (300, 16_000)])
def test_the_size_of_an_image_is_read_from_its_header(make: Any, size: tuple[int, int]) -> None:
    assert read_image_size(make(*size)) == size


def test_the_size_of_an_avif_is_that_of_its_largest_item() -> None:
    assert read_image_size(avif((160, 120), (640, 480), (64, 64))) == (640, 480)


@pytest.mark.parametrize("marker", [0xC1, 0xC2, 0xCF])
def test_every_kind_of_jpeg_frame_tells_the_size(marker: int) -> None:
    thumbnail = segment(0xE1, b"Exif\0\0" + jpeg(160, 120))
    tables = segment(0xC4, b"\0" * 20) + segment(0xDB, b"\0" * 65) + b"\xff"

    assert read_image_size(jpeg(640, 480, before=thumbnail + tables, marker=marker)) == (640, 480)


@pytest.mark.parametrize(
    "data",
    [
        png(0, 5),
        png(1, 1)[:20],
        gif(1, 1)[:8],
        b"\xff\xd8\xff",
        b"\xff\xd8\xff\xda\0\2scan",
        b"\xff\xd8\xff\xe0\0\0" * 3,
        jpeg(1, 1)[:-12],
        webp(1, 1)[:28],
        webp_lossless(1, 1)[:22],
        webp_extended(1, 1)[:26],
        avif(),
        avif((9, 9))[:-4],
        WAVE,
        b"",
    ],
)
def test_a_header_that_does_not_tell_gives_no_size(data: bytes) -> None:
    assert read_image_size(data) is None


@given(
    st.sampled_from([b"\x89PNG\r\n\x1a\n", b"GIF89a", b"\xff\xd8\xff", b"RIFF....WEBP", b""]),
    st.binary(max_size=60),
)
@checked
def test_no_bytes_are_too_odd_to_look_at(start: bytes, rest: bytes) -> None:
    size = read_image_size(start + rest)

    assert detect_format(start + rest).shown_as in ("image", "audio", "download")
    assert size is None or min(size) > 0


@pytest.mark.parametrize(
    ("part", "text", "claimed"),
    [
        (Image(json=NULL, url="DATA:,x", detail=None), "DATA:,x", None),
        (InputAudio(json=NULL, data="UklG", format="wav"), "UklG", "wav"),
        (Audio(json=NULL, id=None, data="UklG", transcript=None, expires_at=None), "UklG", "pcm16"),
        (File(json=NULL, file_id=None, filename=None, data="JVBE"), "JVBE", None),
    ],
)
def test_the_data_of_a_part_is_found(part: Any, text: str, claimed: str | None) -> None:
    found = extract_media(part, "pcm16")

    assert found is not None
    assert (found.text, found.claimed) == (text, claimed)


@pytest.mark.parametrize(
    "part",
    [
        Image(json=NULL, url="https://i.example/a.png", detail=None),
        InputAudio(json=NULL, data=None, format="wav"),
        InputAudio(json=NULL, data="", format="wav"),
        Audio(json=NULL, id="a", data=None, transcript="x", expires_at=1),
        File(json=NULL, file_id="f", filename=None, data=None),
        Text(json=NULL, text="data:,x"),
        None,
    ],
)
def test_a_part_without_data_of_its_own_has_none(part: Any) -> None:
    assert extract_media(part) is None


def test_the_media_of_a_message_are_found_in_their_order() -> None:
    text = (
        '{"content": [{"type": "text", "text": "x"}, {"type": "image_url", "image_url": "data:,1"},'
        '{"type": "image_url", "image_url": "https://i.example"}], "audio": {"data": "UklG"}}'
    )
    found = find_media(Message.from_json(parse(text)), "mp3")

    assert [(one.text, one.claimed) for one in found] == [("data:,1", None), ("UklG", "mp3")]


@pytest.mark.parametrize(
    "text",
    [
        uri(png(3, 2)),
        uri(png(3, 2), "text/html"),
        uri(png(3, 2)).replace("data:", "DATA:").replace("base64", "Base64"),
        uri(png(3, 2), "image/png;name=a.png"),
        uri(png(3, 2)).partition(",")[2],
        "data:image/png," + quote_from_bytes(png(3, 2)),
    ],
)
def test_media_are_what_their_bytes_are_whatever_they_claim(text: str) -> None:
    found = InlineMedia(text)

    assert found.format.mimetype == "image/png"
    assert found.image_size == (3, 2)
    assert found.problem is None
    assert found.decode() == png(3, 2)


def test_markup_that_claims_to_be_an_image_is_a_download() -> None:
    for text in (uri(SVG, "image/svg+xml"), "data:image/svg+xml," + quote_from_bytes(SVG)):
        found = InlineMedia(text)
        assert (found.format, found.image_size) == (SVG_FORMAT, None)
        assert found.format.shown_as == "download"
        assert found.format.mimetype == "application/octet-stream"
        assert found.decode() == SVG


@given(st.binary(max_size=200))
@checked
def test_the_size_is_that_of_the_decoded_bytes(data: bytes) -> None:
    for found in (InlineMedia(uri(data)), media(data)):
        assert found.size == len(found.decode()) == len(data)


@pytest.mark.parametrize(
    "text",
    [
        "=",
        "UklG!",
        "UklGR",
        "Ukl\nGx",
        "Uk lGx",
        "Ukl=G===",
        "\u00e9",
        "\ud800",
        "data:;base64,*",
        "data:x",
    ],
)
def test_broken_base64_is_told_and_never_guessed_at(text: str) -> None:
    found = InlineMedia(text)

    assert found.format is DOWNLOAD
    assert found.size >= 0
    assert found.image_size is None
    assert found.problem is not None and found.problem.startswith("The data is not base64")
    with pytest.raises(NotMedia, match="not base64"):
        found.decode()


def test_base64_that_breaks_in_the_middle_is_told_when_it_is_decoded() -> None:
    whole = uri(png(3, 2) + b"\0" * 300)
    found = InlineMedia(whole[:200] + "****" + whole[204:])

    assert found.problem is None
    with pytest.raises(NotMedia):
        found.decode()


def test_what_is_no_base64_at_all_is_not_told_as_cut_off() -> None:
    problem = InlineMedia("data:image/png;base64,!!!not base64!!!").problem
    assert problem == "The data is not base64 (it holds characters that base64 has not)."


@pytest.mark.parametrize("lost", [1, 2, 3])
def test_base64_that_was_cut_off_is_told_at_once(lost: int) -> None:
    found = InlineMedia(uri(b"\0" * 300)[:-lost])

    assert found.problem is not None and "cut off" in found.problem


def test_base64_that_breaks_at_its_end_is_told_at_once() -> None:
    assert InlineMedia(uri(png(3, 2) + b"\0" * 300) + "!!!!").problem is not None


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: "\n".join(text[at : at + 76] for at in range(0, len(text), 76)) + "\n",
        lambda text: "data:image/png;base64," + text.replace("+", "%2B").replace("=", "%3D"),
        lambda text: "data:image/png;base64," + " \r\n".join((text[:9], text[9:])),
    ],
    ids=["lines", "escapes", "spaces"],
)
def test_base64_may_be_wrapped_in_lines_and_escaped(spoil: Callable[[str], str]) -> None:
    data = png(3, 2) + b"\xfb\xef\xbe" * 99 + b"\xfb"
    found = InlineMedia(spoil(base64.b64encode(data).decode()))
    assert (found.problem, found.size, found.decode()) == (None, len(data), data)
    assert found.format.shown_as == "image"


def test_a_data_uri_without_base64_may_hold_any_text() -> None:
    found = InlineMedia("data:text/plain,a%20b\ud800")

    assert found.format is DOWNLOAD
    assert found.decode() == "a b\ud800".encode("utf-8", "surrogatepass")


@pytest.mark.parametrize("make", [png, webp_lossless, jpeg, gif, webp_extended])
def test_an_image_of_too_many_pixels_is_a_download(make: Any) -> None:
    assert MAX_PIXELS < 10_001 * 10_000
    assert media(make(10_001, 10_000)).format is DOWNLOAD
    assert media(make(10_000, 10_000)).format.shown_as == "image"


def test_an_avif_of_too_many_pixels_is_a_download() -> None:
    assert media(avif((1, 1), (40_000, 40_000))).format is DOWNLOAD
    assert media(avif((1, 1))).format.shown_as == "image"


@pytest.mark.parametrize("data", [png(0, 0), b"\xff\xd8\xff\xe0", avif(), gif(1, 1)[:8]])
def test_an_image_that_does_not_tell_its_size_is_a_download(data: bytes) -> None:
    found = media(data)

    assert found.format is DOWNLOAD
    assert found.image_size is None


def test_the_size_is_found_behind_long_profiles() -> None:
    profiles = segment(0xE2, b"\0" * 60_000) * 4

    assert media(jpeg(20_000, 20_000, before=profiles)).format is DOWNLOAD
    assert media(jpeg(20, 10, before=profiles)).image_size == (20, 10)


def test_headerless_sound_is_given_a_header() -> None:
    samples = struct.pack("<480h", *range(-240, 240))
    found = media(samples, "pcm16")

    assert found.format.mimetype == "audio/wav"
    with wave.open(BytesIO(found.decode())) as sound:
        assert (sound.getnchannels(), sound.getsampwidth()) == (1, 2)
        assert (sound.getframerate(), sound.getnframes()) == (24_000, 480)
        assert sound.readframes(480) == samples


def test_sound_with_a_header_is_left_as_it_is_whatever_it_claims() -> None:
    for data, claimed in ((WAVE, "pcm16"), (MPEG_FRAME, "pcm16"), (b"\0\1\0\1", "wav")):
        assert media(data, claimed).decode() == data
    assert media(b"\0\1\0\1", "wav").format is DOWNLOAD


def test_a_digest_names_text_and_claim() -> None:
    assert len(media(b"a").digest) == 32
    assert media(b"a").digest == media(b"a").digest
    assert media(b"a").digest != media(b"b").digest
    assert media(b"a").digest != media(b"a", "pcm16").digest
    assert InlineMedia("\ud800").digest != InlineMedia("\ud801").digest


@given(st.text(), st.text(), st.none() | st.text() | st.just("pcm16"), st.none() | st.text())
@checked
def test_what_has_one_digest_decodes_alike(
    first: str, second: str, claimed: str | None, other: str | None
) -> None:
    one, two = InlineMedia(first, claimed), InlineMedia(second, other)

    assert (one.digest == two.digest) is (one.kept == two.kept)
    if one.digest == two.digest:
        assert (one.text, one.format) == (two.text, two.format)


def test_a_line_break_in_a_claim_is_not_mistaken_for_the_text() -> None:
    assert InlineMedia("y", "pcm16\nx").digest != InlineMedia("x\ny", "pcm16").digest


@given(st.text(st.characters(codec=None, exclude_categories=())), st.none() | st.text())
@checked
def test_what_is_kept_is_what_comes_back(text: str, claimed: str | None) -> None:
    found = InlineMedia(text, claimed)
    again = InlineMedia.from_kept(found.kept)

    assert (again.text, again.digest, again.format) == (found.text, found.digest, found.format)
