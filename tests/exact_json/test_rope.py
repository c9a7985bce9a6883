"""Large texts store their long strings separately, and read the same as other texts."""

from __future__ import annotations

import base64
import json
import os

import pytest

from webapp.exact_json import NotJson, Object, Rope, String, decode_json, parse
from webapp.exact_json.rope import LEAST

DATA = base64.b64encode(os.urandom(LEAST)).decode()
IMAGE = f"data:image/png;base64,{DATA}"
WRITTEN = json.dumps(
    {"said": "Look \N{SLIGHTLY SMILING FACE}", "data": DATA, "list": [1.0, IMAGE, "é" * 9_000]},
    ensure_ascii=False,
    indent=1,
)


def decode_rope(body: bytes) -> Rope:
    found = decode_json(body)
    assert isinstance(found, Rope)
    return found


def test_every_value_has_its_source() -> None:
    value = parse(decode_rope(WRITTEN.encode()))
    whole = parse(WRITTEN)

    assert isinstance(value, Object) and isinstance(whole, Object)
    assert value.source == WRITTEN == b"".join(value.iter_bytes()).decode()
    assert value.length == len(WRITTEN)
    assert value.digest() == whole.digest()
    assert value.contains(DATA) and not value.contains("none of it")
    for name in whole.names():
        here, there = value.get(name), whole.get(name)
        assert here is not None and there is not None
        assert here.source == there.source and here.length == there.length


def test_a_long_string_is_not_copied() -> None:
    value = parse(decode_rope(WRITTEN.encode()))

    assert isinstance(value, Object)
    assert value.text("data") == DATA
    assert value.text("data") is value.text("data")
    listed = value.items("list")
    assert listed is not None and isinstance(listed[1], String) and listed[1].text == IMAGE


def test_only_plain_strings_of_large_texts_are_held_apart() -> None:
    small, escaped, inside = (
        json.dumps(one) for one in (DATA[:5_000], f"{DATA}\n", json.dumps({"data": DATA}))
    )
    for written in (small, escaped, inside):
        assert decode_json(written.encode()) == written
    assert decode_json(b"\xef\xbb\xbf" + WRITTEN.encode())[:] == WRITTEN


@pytest.mark.parametrize(
    "written",
    [f'{{"a":"b"{DATA}"}}', f'{{"a":"{DATA}" 1}}', f'["{DATA}', f'["{DATA}",\n"{DATA}"x]'],
    ids=["after a string", "before a number", "no end", "second line"],
)
def test_a_fault_has_its_place_in_the_whole_text(written: str) -> None:
    with pytest.raises(NotJson) as here:
        parse(decode_json(written.encode()))
    with pytest.raises(NotJson) as there:
        parse(written)

    assert str(here.value) == str(there.value) and here.value.position == there.value.position


def test_a_wrong_byte_is_counted_in_the_whole_text() -> None:
    body = f'["{DATA}",'.encode() + b'"\xff"]'

    with pytest.raises(UnicodeDecodeError) as wrong:
        decode_json(body)

    assert wrong.value.start == len(body) - 3
    assert decode_json(body.replace(b"\xff", b"\xed\xa0\x80"), errors="surrogatepass")[-3:] == (
        '\ud800"]'
    )
