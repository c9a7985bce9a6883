"""Secrets in contexts that were written down before the rules for them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final

from webapp.exact_json import parse
from webapp.redaction import Redactor

_HERE: Final = Path(__file__).parent
UNSEEN: Final = _HERE / "unseen.txt"
"""Made-up secrets, each between `«` and `»`; `\\n`, `\\t` and `\\\\` are escapes, and a new message
begins after ` ¦ `."""

UNSEEN_LATER: Final = _HERE / "unseen_later.txt"
"""Others, written down after the rules for the first ones."""

NEIGHBOURS: Final = _HERE / "neighbours.txt"
"""More secrets of the same kinds, in the same form."""

NEARBY: Final = _HERE / "nearby.txt"
"""Sentences with the noun for a secret some words from it, in the same form."""

AGENTS: Final = _HERE / "agents.txt"
"""What commands, logs, settings and people in transcripts of agents say, in the same form."""

HEALTHY: Final = _HERE / "healthy.txt"
"""Texts like them without a secret."""

VENDORS_AND_PLACES: Final = _HERE / "vendors_and_places.txt"
"""Made-up keys of 150 vendors, and secrets in settings, commands, headers, addresses, sentences and
files, with personal data."""

BESIDE_WORDS: Final = _HERE / "beside_words.txt"
"""Made-up keys of services beside the words for them, in sentences of several languages, settings,
tables and code; most of these services are in no list of the rules."""

INNOCENT: Final = _HERE / "innocent.txt"
"""Ids, digests, placeholders, code and sentences, none of them a secret."""

_ESCAPE: Final = re.compile(r"\\([nt\\])")
_MARKED: Final = re.compile("«([^»]+)»")
_MASK: Final = re.compile(r"\[masked: [a-z-]+\]")
_PIECE: Final = 6


def find_missed(file: Path) -> list[str]:
    """Return the lines of a file of which a piece of a secret is left."""
    return [line for line in file.read_text("utf-8").splitlines() if _is_left(line)]


def unescape(line: str) -> str:
    """Return the text that a line of such a file stands for."""
    return _ESCAPE.sub(lambda match: {"n": "\n", "t": "\t"}.get(match[1], match[1]), line)


def _redact(messages: list[str]) -> list[str]:
    value = {"messages": [{"role": "user", "content": one} for one in messages]}
    shown = json.loads(Redactor().redact(parse(json.dumps(value))).source)
    return [one["content"] for one in shown["messages"]]


def _is_left(line: str) -> bool:
    written = unescape(line)
    left = _MASK.sub("", "\f".join(_redact(_MARKED.sub(r"\1", written).split(" ¦ "))))
    for secret in _MARKED.findall(written):
        pieces = (secret[at : at + _PIECE] for at in range(max(len(secret) - _PIECE + 1, 1)))
        if any(piece in left for piece in pieces):
            return True
    return False


def test_contexts_of_many_kinds_are_known() -> None:
    assert len(find_missed(UNSEEN)) <= 1


def test_contexts_that_were_written_down_later_are_known() -> None:
    assert len(find_missed(UNSEEN_LATER)) <= 6


def test_their_neighbours_are_known() -> None:
    assert find_missed(NEIGHBOURS) == []


def test_values_some_words_from_their_nouns_are_known() -> None:
    assert find_missed(NEARBY) == []


def test_outputs_and_sentences_of_agents_are_known() -> None:
    assert len(find_missed(AGENTS)) <= 4


def test_texts_like_them_stay() -> None:
    texts = [unescape(line) for line in HEALTHY.read_text("utf-8").splitlines()]

    assert [text for text in texts if _redact([text]) != [text]] == []


def test_the_receiver_of_a_password_is_no_new_password() -> None:
    receivers = ["to ann@shop24.example", "to https://shop24.example/login", "to /etc/app2/secrets"]
    shown = [_redact([f"Send the password Blume2020x {one}"])[0] for one in receivers]

    assert shown == [f"Send the password [masked: password] {one}" for one in receivers]


def test_secrets_of_many_vendors_and_places_are_known() -> None:
    missed = find_missed(VENDORS_AND_PLACES)
    count = len(VENDORS_AND_PLACES.read_text("utf-8").splitlines())

    print(f"{count - len(missed)} of {count} lines are masked")
    assert count >= 900
    assert len(missed) <= count // 100, missed


def test_keys_of_any_service_are_known_beside_the_words_for_them() -> None:
    assert find_missed(BESIDE_WORDS) == []


def test_innocent_texts_stay() -> None:
    texts = [unescape(line) for line in INNOCENT.read_text("utf-8").splitlines()]
    masked = [
        (text, shown)
        for text in texts
        for whole in (text, f"Before.\n{text}\nAfter.")
        if (shown := _redact([whole])[0]) != whole
    ]

    assert len(texts) >= 400
    assert masked == []
