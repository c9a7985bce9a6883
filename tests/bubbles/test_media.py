"""Images, sounds and files as a bubble shows them."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from tests.bubbles.showing import HERE, ShowAnswer, ShowMessages, part
from tests.fake_upstream import Json
from tests.pages import readable
from webapp.embedded.sample_set import SAMPLES

MEDIA = SAMPLES / "media"


def encoded(name: str) -> str:
    return base64.b64encode((MEDIA / name).read_bytes()).decode()


def image_part(url: str, **fields: Any) -> Json:
    return part(type="image_url", image_url={"url": url} | fields)


def media_files(*suffixes: str) -> list[Path]:
    return [file for file in sorted(MEDIA.iterdir()) if file.suffix in suffixes]


@pytest.mark.parametrize(
    "file", media_files(".png", ".gif", ".jpg", ".webp"), ids=lambda file: file.name
)
def test_an_inline_image_is_shown_from_an_address_of_ours(show: ShowMessages, file: Path) -> None:
    (bubble,) = show(image_part(f"data:image/png;base64,{encoded(file.name)}", detail="low"))
    (image,) = bubble.parts.css("img")
    source = image.attributes["src"] or ""
    assert source.startswith(f"{HERE}/media/")
    assert int(image.attributes["width"] or 0) > 0
    assert image.attributes["alt"]
    assert "detail low" in bubble.text


def test_a_remote_image_is_named_and_not_loaded(show: ShowMessages) -> None:
    url = "https://images.example/a.png?x=1"
    (bubble,) = show(image_part(url))
    assert bubble.parts.css("img") == []
    assert "not loaded" in bubble.text
    assert url in bubble.text
    assert bubble.link("images.example") == url


def test_a_bare_address_of_an_image_is_one_too(show: ShowMessages) -> None:
    (bubble,) = show(part(type="image_url", image_url="https://images.example/a.png"))
    assert bubble.link("images.example") == "https://images.example/a.png"


@pytest.mark.parametrize("url", ["ftp://a.example/x", "/etc/passwd", "file:///x", "javascript:x"])
def test_an_image_at_an_odd_address_is_not_linked(show: ShowMessages, url: str) -> None:
    (bubble,) = show(image_part(url))
    assert bubble.parts.css("img, a") == []
    assert url in bubble.text


@pytest.mark.parametrize("url", ["data:image/png;base64,!!!", "data:image/png;base64,iVBORw0KGgo"])
def test_an_image_that_does_not_decode_says_so(show: ShowMessages, url: str) -> None:
    (bubble,) = show(image_part(url))
    assert bubble.parts.css("img") == []
    assert "This image cannot be shown." in bubble.text


def test_an_image_that_is_a_document_is_a_download(show: ShowMessages) -> None:
    (bubble,) = show(image_part("data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg'/>"))
    assert bubble.parts.css("img") == []
    assert bubble.link("Download").startswith(f"{HERE}/media/")


def test_spoken_input_can_be_played(show: ShowMessages) -> None:
    name = media_files(".wav")[0].name
    audio = {"data": encoded(name), "format": "wav"}
    (bubble,) = show(part(type="input_audio", input_audio=audio))
    (player,) = bubble.parts.css("audio")
    assert (player.attributes["src"] or "").startswith(f"{HERE}/media/")
    assert "autoplay" not in player.attributes
    assert "sent as wav" in bubble.text


def test_sound_that_does_not_decode_says_so(show: ShowMessages) -> None:
    (bubble,) = show(part(type="input_audio", input_audio={"data": "%%%", "format": "mp3"}))
    assert bubble.parts.css("audio") == []
    assert "cannot be played" in bubble.text


def test_sound_without_data_says_so(show: ShowMessages) -> None:
    (bubble,) = show(part(type="input_audio", input_audio={"format": "mp3"}))
    assert "Sound without data (mp3)." in bubble.text


@pytest.mark.parametrize(
    ("expires_at", "words"), [(1_700_000_000, "expired"), (4_100_000_000, "expires")]
)
def test_a_spoken_answer_has_its_words_and_says_when_it_expires(
    answered: ShowAnswer, expires_at: int, words: str
) -> None:
    name = media_files(".wav")[0].name
    audio = {"id": "audio_1", "data": encoded(name), "transcript": "Good *morning*."}
    bubble = answered(content=None, audio=audio | {"expires_at": expires_at})
    assert len(bubble.parts.css("audio")) == 1
    assert "Good *morning*." in bubble.text
    assert "audio_1" in bubble.text
    caption = readable(bubble.parts.css_first("figcaption") or bubble.node)
    assert words in caption.replace(",", "").split()


def test_a_spoken_answer_whose_sound_was_not_sent_keeps_its_words(
    answered: ShowAnswer,
) -> None:
    bubble = answered(content=None, audio={"id": "audio_1", "transcript": "Good morning."})
    assert bubble.parts.css("audio") == []
    assert "sent no sound" in bubble.text
    assert "Good morning." in bubble.text


@pytest.mark.parametrize("expires_at", [10**400, -(10**400), 0, 253402300800])
def test_an_expiry_that_is_no_time_breaks_nothing(answered: ShowAnswer, expires_at: int) -> None:
    assert "Spoken answer" in answered(audio={"id": "a", "expires_at": expires_at}).text


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ({"file_id": "file-1"}, "File file-1"),
        ({"filename": "a <b>.pdf", "file_id": "file-1"}, "File a <b>.pdf file-1"),
        ({"filename": "a.pdf"}, "File a.pdf without contents"),
        ({"filename": "a.pdf", "file_data": "%%%"}, "not base64"),
    ],
)
def test_a_file_tells_its_name_and_what_is_missing(
    show: ShowMessages, file: Json, words: str
) -> None:
    (bubble,) = show(part(type="file", file=file))
    assert words in bubble.text


def test_a_file_with_contents_is_a_download(show: ShowMessages) -> None:
    name = media_files(".pdf")[0].name
    data = f"data:application/pdf;base64,{encoded(name)}"
    (bubble,) = show(part(type="file", file={"filename": "a.pdf", "file_data": data}))
    assert "PDF," in bubble.text
    assert bubble.link("Download").startswith(f"{HERE}/media/")
