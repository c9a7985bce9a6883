"""Images, sounds and files as a bubble shows them."""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.http import parse_options_header

from tests.support.bubbles import HERE, ShowAnswer, ShowMessages, part
from tests.support.fake_upstream import Json
from tests.support.media_bytes import gif, png
from tests.support.media_files import sounds
from tests.support.pages import readable
from webapp.embedded.samples import SAMPLES

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


@pytest.mark.parametrize("url", ["data:image/png;base64,!!!", "data:image/png;base64,iVBORw0=A"])
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


def data_uri(data: bytes, mimetype: str = "image/png") -> str:
    return f"data:{mimetype};base64,{base64.b64encode(data).decode()}"


def test_an_image_tells_its_pixels_and_bytes_and_leads_to_its_full_size(show: ShowMessages) -> None:
    (bubble,) = show(image_part(f"data:image/png;base64,{encoded('harbour.png')}"))
    assert "PNG, 480 × 300 pixels, 38 kB" in bubble.text
    (image,) = bubble.parts.css("img")
    assert bubble.link("full size") == image.attributes["src"]
    assert image.attributes["loading"] == "lazy"
    assert image.attributes["alt"] == "Image in message 1: PNG, 480 × 300 pixels, 38 kB"


def test_a_high_image_stands_smaller_in_its_place(show: ShowMessages) -> None:
    (bubble,) = show(image_part(data_uri(png(500, 2_000))))
    (image,) = bubble.parts.css("img")
    assert (image.attributes["width"], image.attributes["height"]) == ("128", "512")
    assert "500 × 2,000 pixels" in bubble.text


def test_an_image_that_is_not_what_it_is_said_to_be_says_both(show: ShowMessages) -> None:
    (bubble,) = show(image_part(data_uri(gif(3, 2), "image/jpeg")))
    assert len(bubble.parts.css("img")) == 1
    assert "Declared as image/jpeg, but the data is GIF." in bubble.text


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (data_uri(b"<svg xmlns='x'/>", "image/svg+xml"), "SVG image, 16 bytes"),
        (data_uri(b"text"), "not shown as an image"),
        (data_uri(png(60_000, 60_000)), "it has too many pixels to show safely"),
        (data_uri(png(0, 0)), "its width and height are unknown"),
    ],
)
def test_an_image_that_is_given_as_a_download_says_why(
    show: ShowMessages, url: str, words: str
) -> None:
    (bubble,) = show(image_part(url))
    assert words in bubble.text
    assert bubble.parts.css("img") == []
    assert bubble.link("Download")


def test_an_image_that_was_cut_off_says_so(show: ShowMessages) -> None:
    (bubble,) = show(image_part(f"data:image/png;base64,{encoded('harbour.png')[:5_001]}"))
    assert "as if cut off" in bubble.text


PICTURE = data_uri(png(6, 4))


@pytest.mark.parametrize(
    "message",
    [
        {"role": "user", "content": PICTURE},
        {"role": "user", "content": f"Look at ![it]({PICTURE})!"},
        {"role": "user", "content": f"`{PICTURE}`"},
        {"role": "tool", "content": PICTURE},
        {"role": "tool", "content": json.dumps({"screenshot": PICTURE})},
        {"role": "tool", "content": [{"type": "image_url", "image_url": {"url": PICTURE}}]},
        {"role": "tool", "content": [{"type": "text", "text": f"done: {PICTURE}"}]},
        {"role": "assistant", "images": [{"image_url": {"url": PICTURE}}]},
        {"role": "user", "content": [{"type": "screenshot", "of": {"picture": PICTURE}}]},
        {"role": "assistant", "reasoning": f"I see {PICTURE}"},
    ],
)
def test_an_image_is_shown_wherever_it_stands(show: ShowMessages, message: Json) -> None:
    (bubble,) = show(message)
    (image,) = bubble.parts.css("img")
    assert (image.attributes["src"] or "").startswith(f"{HERE}/media/")
    assert image.attributes["width"] == "6"


def test_an_image_in_the_arguments_of_a_call_is_shown(show: ShowMessages) -> None:
    called = {"name": "look", "arguments": json.dumps({"image": PICTURE})}
    call = {"id": "call_1", "type": "function", "function": called}
    (bubble,) = show({"role": "assistant", "content": None, "tool_calls": [call]})
    assert len(bubble.parts.css("img")) == 1


@pytest.mark.parametrize("kind", sounds())
def test_a_sound_of_every_format_can_be_played_and_tells_its_length(
    show: ShowMessages, kind: str
) -> None:
    data, seconds = sounds()[kind]
    audio = {"data": base64.b64encode(data).decode(), "format": kind}
    (bubble,) = show(part(type="input_audio", input_audio=audio))
    assert len(bubble.parts.css("audio")) == 1
    (duration,) = bubble.parts.css(".duration")
    assert duration.text() == f"0:{int(seconds):02}"
    assert bubble.parts.css(".flag") == []


def test_sound_that_is_not_what_it_is_said_to_be_says_both(show: ShowMessages) -> None:
    audio = {"data": encoded("ferry-answer.mp3"), "format": "wav"}
    (bubble,) = show(part(type="input_audio", input_audio=audio))
    assert len(bubble.parts.css("audio")) == 1
    assert "Declared as wav, but the data is MP3." in bubble.text


def test_sound_that_was_asked_for_as_samples_is_played_as_such(answered: ShowAnswer) -> None:
    audio = {"id": "a", "data": encoded("chord-answer.pcm"), "transcript": "A chord."}
    bubble = answered(audio=audio)
    (player,) = bubble.parts.css("details audio")
    assert "as=pcm16" in (player.attributes["src"] or "")
    assert "unknown format" in bubble.text


def test_sound_of_an_unknown_format_is_kept_and_may_be_tried(show: ShowMessages) -> None:
    audio = {"data": base64.b64encode(b"none of these" * 20).decode(), "format": "mp3"}
    (bubble,) = show(part(type="input_audio", input_audio=audio))
    assert "Declared as mp3, but the data does not look like it." in bubble.text
    assert len(bubble.parts.css("details:not([open]) audio")) == 1
    assert bubble.link("Download").startswith(f"{HERE}/media/")


def test_a_spoken_answer_without_a_transcript_says_so(answered: ShowAnswer) -> None:
    bubble = answered(audio={"id": "a", "data": encoded("arpeggio.wav")})
    assert "The server sent no transcript." in bubble.text


@pytest.mark.parametrize(
    ("hours", "words"), [(-73, "expired 3 days ago, 20"), (0.75, "expires in 4"), (50, "in 2 days")]
)
def test_the_expiry_is_told_in_words_and_as_a_date(
    answered: ShowAnswer, hours: float, words: str
) -> None:
    bubble = answered(audio={"id": "a", "expires_at": int(time.time() + hours * 3600)})
    assert words in bubble.text
    (moment,) = bubble.parts.css("time")
    assert moment.text().endswith("UTC")


def test_a_file_is_given_under_its_own_name(show: ShowMessages, fake_client: FlaskClient) -> None:
    name = "Fähre, Winter.pdf"
    data = f"data:application/pdf;base64,{encoded('timetable.pdf')}"
    (bubble,) = show(part(type="file", file={"filename": f"../{name}", "file_data": data}))
    response = fake_client.get(bubble.link("Download"))
    kind, options = parse_options_header(response.headers["Content-Disposition"])
    assert (kind, options["filename"]) == ("attachment", name)
    assert response.mimetype == "application/pdf"


@pytest.mark.parametrize("mimetype", ["text/csv", "text/html", "application/zip"])
def test_a_file_of_another_type_is_named_by_what_is_said_of_it(
    show: ShowMessages, fake_client: FlaskClient, mimetype: str
) -> None:
    (bubble,) = show(part(type="file", file={"file_data": data_uri(b"<b>a,b</b>", mimetype)}))
    assert f"declared as {mimetype}, 10 bytes" in bubble.text
    response = fake_client.get(bubble.link("Download"))
    assert response.mimetype == "application/octet-stream"
    assert response.headers["Content-Disposition"].startswith("attachment")


def test_a_file_that_is_only_an_id_says_so(show: ShowMessages) -> None:
    (bubble,) = show(part(type="file", file={"file_id": "file-1"}))
    assert "only its id; the server did not send its contents" in bubble.text
