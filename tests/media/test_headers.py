"""The lengths of sounds, by their headers, which may be wrong."""

from __future__ import annotations

import base64
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.any_json import checked
from tests.support.media_bytes import MPEG_FRAME, media, png
from tests.support.media_files import aac, flac, opus, samples, sounds, wav
from webapp.media import InlineMedia, describe_length, detect_format
from webapp.media.formats import AAC, FLAC, MP3, OGG, WAV
from webapp.media.headers import format_clock, measure_duration


@pytest.mark.parametrize("kind", sounds())
def test_the_duration_of_a_sound_is_read_from_its_bytes(kind: str) -> None:
    data, seconds = sounds()[kind]

    assert measure_duration(data, detect_format(data)) == pytest.approx(seconds, rel=0.03)


def test_the_duration_of_samples_is_reckoned_from_their_number() -> None:
    assert describe_length(media(samples(3.0), "pcm16")) == "0:03"
    assert describe_length(media(samples(3.0))) is None


@pytest.mark.parametrize("unfilled", [0, 0xFFFFFFFF])
def test_a_wave_whose_length_was_never_filled_in_is_as_long_as_what_is_there(unfilled: int) -> None:
    whole = wav(2.0)
    at = whole.index(b"data") + 4

    assert measure_duration(whole[:at] + struct.pack("<I", unfilled) + whole[at + 4 :], WAV) == 2.0


def test_what_was_cut_off_does_not_count() -> None:
    assert measure_duration(wav(2.0)[: -24_000 * 2], WAV) == pytest.approx(1.0)
    assert measure_duration(aac(50)[:-10], AAC) == pytest.approx(49 * 1_024 / 24_000)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.001, "0.1 s"),
        (0.44, "0.4 s"),
        (1.0, "0:01"),
        (59.6, "0:59"),
        (754.2, "12:34"),
        (3_723.0, "1:02:03"),
        (359_999.0, "99:59:59"),
    ],
)
def test_seconds_are_shown_as_on_a_player(seconds: float, shown: str) -> None:
    assert format_clock(seconds) == shown


@pytest.mark.parametrize(
    "data",
    [
        wav(0.0),
        wav(1.0)[:30],
        wav(1.0).replace(b"fmt ", b"tmf "),
        wav(1.0).replace(struct.pack("<I", 48_000), bytes(4)),
        b"RIFF\0\0\0\0WAVE" + b"junk\0\0\0\0" * 5_000,
        b"fLaC",
        flac(1.0)[:20],
        flac(1.0)[:18] + bytes(8) + flac(1.0)[26:],
        flac(1.0)[:18] + b"\0\0\x1f\xff\xff\xff\xff\xff" + flac(1.0)[26:],
        b"OggS",
        b"OggS\0\2" + bytes(40),
        opus(1)[:40],
        b"\xff\xf1\x50\x80\0\0\0",
        b"ID3\x04\0\0\x7f\x7f\x7f\x7f",
        MPEG_FRAME[:3],
        png(1, 1),
        b"",
    ],
)
def test_a_sound_that_does_not_tell_has_no_duration(data: bytes) -> None:
    assert measure_duration(data, detect_format(data)) is None


def test_what_does_not_decode_has_no_duration() -> None:
    whole = base64.b64encode(wav(1.0)).decode()

    assert describe_length(InlineMedia(whole[:400] + "****" + whole[404:], "wav")) is None
    assert describe_length(InlineMedia("%%%", "wav")) is None


STARTS = [b"fLaC\0\0\0\x22", b"OggS\0\2", MPEG_FRAME, b"ID3\x04\0\0\0\0\0\x09", wav(0.0), aac(1)]


@given(st.sampled_from(STARTS), st.binary(max_size=300))
@checked
def test_no_bytes_are_too_odd_to_time(start: bytes, rest: bytes) -> None:
    for found in (WAV, MP3, FLAC, OGG, AAC):
        seconds = measure_duration(start + rest, found)
        assert seconds is None or seconds > 0


SIZE = 1_000_000


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xfb\x90\x64" + b"\xff" * SIZE,
        b"\xff\xfb\x90\x64" + b"\xff\xfb\xff" * (SIZE // 3),
        b"ID3\x04\0\0\0\0\0\0" + b"\xff" * SIZE,
        b"fLaC" + b"\2\0\0\0" * (SIZE // 4),
        b"fLaC" + (b"\4\0\0\0" + bytes(8)) * (SIZE // 12),
        opus(1) + (b"OggS\0\0" + bytes(20) + b"\xff" + bytes(255)) * (SIZE // 282),
        aac(1)[:3] + b"\0\0\xe0\0" + b"\xff\xf1\x50\0\0\xe0\0" * (SIZE // 7),
        b"RIFF\0\0\0\0WAVE" + b"junk\0\0\0\0" * (SIZE // 8),
    ],
    ids=["sync", "frames", "tag", "blocks", "comments", "segments", "adts", "chunks"],
)
def test_a_sound_made_to_be_slow_has_a_duration_or_none(data: bytes) -> None:
    seconds = measure_duration(data, detect_format(data))

    assert seconds is None or 0 < seconds < SIZE
