"""Images in texts and fields of a message, outside of its parts."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.any_json import checked
from tests.support.media_bytes import WAVE, gif, png, uri
from webapp.exact_json import parse
from webapp.media import (
    InlineMedia,
    find_encoded,
    find_media,
    find_other_images,
    find_unshown_images,
)
from webapp.messages import Message

PICTURE = uri(png(3, 2))
OTHER = uri(gif(4, 4), "image/gif")


def message_of(**fields: Any) -> Message:
    return Message.from_json(parse(json.dumps(fields)))


LONG = uri(png(300, 200) + bytes(900))
RUN = base64.b64encode(WAVE + bytes(400)).decode()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"before {LONG} after", [LONG]),
        (json.dumps({"a": LONG, "b": RUN}).replace("/", r"\/"), [LONG, RUN]),
        (f"{RUN}, {RUN}", [RUN, RUN]),
        (
            base64.b64encode(bytes(range(256))).decode(),
            [base64.b64encode(bytes(range(256))).decode()],
        ),
        (LONG.replace("iVBOR", "i!BOR"), []),
        ("data:image/png;base64,iVBORw0KGgo=", []),
        ("a" * 300, []),
        ("0123456789abcdef" * 32, []),
        ("/usr/share/Doc1/" * 20, []),
    ],
)
def test_encoded_media_are_found_in_texts_of_any_kind(text: str, found: list[str]) -> None:
    held = list(find_encoded(text))

    assert [one.media.text for one in held] == found
    assert [text[one.start : one.end].replace("\\", "") for one in held] == found


@pytest.mark.parametrize(
    "text",
    [
        PICTURE,
        f"before {PICTURE} behind",
        f"![a picture]({PICTURE})",
        f"<img src='{PICTURE}'>",
        f'{{"screenshot": "{PICTURE}"}}',
        json.dumps({"inner": json.dumps({"screenshot": PICTURE})}),
        json.dumps({"screenshot": PICTURE}).replace("/", r"\/"),
        PICTURE.replace(";base64", ";charset=utf-8;base64"),
        PICTURE * 2,
    ],
)
def test_an_image_in_a_text_is_found_once(text: str) -> None:
    (found,) = find_unshown_images(text)

    assert found.decode() == png(3, 2)


def test_images_in_a_text_come_in_their_order() -> None:
    found = find_unshown_images(f"{OTHER} and {PICTURE}, and {OTHER}")

    assert [one.format.word for one in found] == ["GIF", "PNG"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "data:image/png;base64,",
        "data:image/png;base64,iVBORw0KGgo…",
        "data:image/png;base64,iVBO",
        "data:image/png;base64,AAAA",
        "data:image/png,AAAA",
        uri(WAVE, "image/png"),
        "data:image",
        "data:image/" + "x" * 100,
    ],
)
def test_what_only_looks_like_an_image_in_a_text_stays_text(text: str) -> None:
    assert find_unshown_images(text) == ()


def test_an_image_that_its_text_shows_in_its_place_is_not_shown_again() -> None:
    shown = f"<img src=/media/{InlineMedia(PICTURE).digest}>"

    (left,) = find_unshown_images(f"{PICTURE} {OTHER}", shown)
    assert left.text == OTHER


@pytest.mark.parametrize(
    "fields",
    [
        {"images": [{"type": "image_url", "image_url": {"url": PICTURE}}]},
        {"content": [{"type": "screenshot", "picture": PICTURE}]},
        {"content": {"image": PICTURE}},
        {"tool_calls": [{"function": {"name": "f", "arguments": json.dumps({"a": PICTURE})}}]},
    ],
)
def test_an_image_anywhere_in_a_message_is_found(fields: Any) -> None:
    message = message_of(role="assistant", **fields)

    (found,) = find_other_images(message)
    assert found.decode() == png(3, 2)
    assert find_media(message) == (found,)


@pytest.mark.parametrize("field", ["content", "reasoning", "refusal"])
def test_an_image_in_a_text_that_is_shown_is_no_other_image(field: str) -> None:
    message = message_of(role="assistant", **{field: f"I see {PICTURE}."})

    assert find_other_images(message) == ()
    assert [media.decode() for media in find_media(message)] == [png(3, 2)]


@pytest.mark.parametrize(
    "content",
    [
        [{"type": "image_url", "image_url": {"url": PICTURE}}],
        [{"type": "image_url", "image_url": {"url": PICTURE + "!!!!"}}],
        [{"type": "file", "file": {"file_data": PICTURE}}],
        [{"type": "text", "text": f"![]({PICTURE})"}],
        f"see {PICTURE}",
    ],
)
def test_what_a_part_shows_is_nowhere_else(content: Any) -> None:
    message = message_of(role="user", content=content)

    assert find_other_images(message) == ()
    assert len(find_media(message)) == 1


@given(st.text(), st.lists(st.sampled_from(["data:image/png;base64,", "\\/", "AAAA", "==", ";"])))
@checked
def test_no_text_is_too_odd_to_look_for_images_in(text: str, pieces: list[str]) -> None:
    assert all(one.problem is None for one in find_unshown_images("".join(pieces) + text))
