"""Redacting a key in a stream, however the stream is split."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.any_json import checked
from webapp.redaction import KeyRedactor


@given(st.text("ab", min_size=1, max_size=5), st.lists(st.text("abc", max_size=4)))
@checked
def test_the_key_is_redacted_however_the_stream_is_split(key: str, pieces: list[str]) -> None:
    stream = KeyRedactor(key).start_stream()
    shown = b"".join(stream.feed(piece.encode()) for piece in pieces) + stream.flush()

    assert shown.decode() == "".join(pieces).replace(key, "*" * len(key))


def test_only_bytes_that_may_begin_the_key_are_held_back() -> None:
    stream = KeyRedactor("secret").start_stream()

    assert stream.feed(b"not it, sec") == b"not it, "
    assert stream.feed(b"ond and the sec") == b"second and the "
    assert stream.feed(b"ret") == b"******"
    assert stream.flush() == b""


@given(st.lists(st.text("ab", min_size=1, max_size=4), max_size=3), st.lists(st.text("abc")))
@checked
def test_several_keys_are_redacted_the_longest_first(keys: list[str], pieces: list[str]) -> None:
    redactor = KeyRedactor(*keys)
    stream = redactor.start_stream()
    shown = b"".join(stream.feed(piece.encode()) for piece in pieces) + stream.flush()

    assert shown.decode() == redactor.redact("".join(pieces))
    assert not any(key in shown.decode() for key in keys)


@pytest.mark.parametrize("key", [None, ""])
def test_without_a_key_nothing_is_redacted_or_held_back(key: str | None) -> None:
    stream = KeyRedactor(key).start_stream()

    assert stream.feed(b"anything") == b"anything"
    assert KeyRedactor(key).redact("anything") == "anything"
