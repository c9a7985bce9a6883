"""Read the log-probabilities of an answer: its tokens, their likelihood, and the alternatives."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from webapp.exact_json import Number, Object, Value

LEVELS: Final = (0.2, 0.5, 0.7, 0.9, 0.99)
"""The least probabilities of levels 1 to 5; a token below the first has level 0."""

_ROUNDING: Final = 1e-6
"""Log-probabilities above 0 by this much are 0: servers round."""

_LONGEST_CHARACTER: Final = 4


@dataclass(frozen=True, slots=True)
class Alternative:
    """A token that was likely at a place; `probability` is from 0 to 1, None if not known."""

    text: str
    written: str
    probability: float | None
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Token:
    """Token `number`, from 1, of an answer.

    `written` is its log-probability as sent, empty if there is none. `text` has `\\xf0` for bytes
    that are not a character by themselves.
    """

    number: int
    text: str
    written: str
    probability: float | None
    alternatives: tuple[Alternative, ...]

    @property
    def level(self) -> int | None:
        """How likely the token was, from 0 to 5; None if that is not known."""
        return find_level(self.probability)


@dataclass(frozen=True, slots=True)
class TokenRun:
    """A piece of text with its token, or with the tokens whose bytes make it up together."""

    text: str
    tokens: tuple[Token, ...]

    @property
    def least(self) -> Token:
        """The least likely of its tokens."""
        return min(self.tokens, key=_sort_by_probability)


@dataclass(frozen=True, slots=True)
class Stream:
    """The tokens of the `content` or of the `refusal` of an answer."""

    name: str
    pieces: tuple[TokenRun, ...]

    @property
    def tokens(self) -> tuple[Token, ...]:
        return tuple(token for piece in self.pieces for token in piece.tokens)

    def count_below(self, probability: float) -> int:
        """Count the tokens that were less likely."""
        known = (token.probability for token in self.tokens)
        return sum(one is not None and one < probability for one in known)

    def find_least_certain(self, most: int) -> tuple[Token, ...]:
        """Find the least likely tokens, the least likely first; sure ones are left out."""
        unsure = (
            token
            for token in self.tokens
            if token.probability is not None and token.probability < LEVELS[-1]
        )
        return tuple(sorted(unsure, key=_sort_by_probability)[:most])


def read_streams(logprobs: Object | None) -> tuple[Stream, ...]:
    """Read the tokens of `content` and `refusal`, each if there are any."""
    streams = []
    for name in ("content", "refusal"):
        items = logprobs.items(name) if logprobs else None
        if items:
            streams.append(Stream(name, tuple(_join_tokens(items))))
    return tuple(streams)


def find_level(probability: float | None) -> int | None:
    """Find the level of a probability, from 0 to 5; None for None."""
    if probability is None:
        return None
    return sum(probability >= least for least in LEVELS)


def _sort_by_probability(token: Token) -> float:
    return 2.0 if token.probability is None else token.probability


def _join_tokens(items: Iterable[Value]) -> Iterator[TokenRun]:
    """Yield the tokens as pieces of text that consist of whole characters where possible."""
    waiting: list[Token] = []
    left = b""
    for number, item in enumerate(items, start=1):
        sent = item if isinstance(item, Object) else None
        token = _read_token(number, sent)
        data = _read_bytes(sent)
        if data is None:
            yield from ((TokenRun(one.text, (one,))) for one in waiting)
            waiting, left = [], b""
            yield TokenRun(token.text, (token,))
            continue
        waiting.append(token)
        left += data
        try:
            yield TokenRun(left.decode(), tuple(waiting))
        except UnicodeDecodeError as error:
            is_cut = error.end == len(left) and len(left) - error.start < _LONGEST_CHARACTER
            if is_cut and "end of data" in error.reason:
                continue
            yield from (TokenRun(one.text, (one,)) for one in waiting)
        waiting, left = [], b""
    yield from (TokenRun(one.text, (one,)) for one in waiting)


def _read_token(number: int, sent: Object | None) -> Token:
    if sent is None:
        return Token(number, "", "", None, ())
    text = _read_text(sent)
    written, probability = _read_probability(sent)
    alternatives = []
    for item in sent.items("top_logprobs") or ():
        if isinstance(item, Object):
            other = _read_text(item)
            alternatives.append(Alternative(other, *_read_probability(item), other == text))
    return Token(number, text, written, probability, tuple(alternatives))


def _read_text(sent: Object) -> str:
    r"""Read the text of a token, `\xf0` for bytes that are not a character."""
    data = _read_bytes(sent)
    return sent.text("token") or "" if data is None else data.decode("utf-8", "backslashreplace")


def _read_bytes(sent: Object | None) -> bytes | None:
    """Read the bytes of a token; None if they were not sent, or are not those of its text."""
    items = sent.items("bytes") if sent else None
    numbers = [item.integer for item in items or () if isinstance(item, Number)]
    known = [one for one in numbers if one is not None and 0 <= one < 256]
    if sent is None or items is None or len(known) < len(items):
        return None
    # Some servers send an empty list of each token.
    return bytes(known) if known or not sent.text("token") else None


def _read_probability(sent: Object) -> tuple[str, float | None]:
    """Read a log-probability as sent, and the probability if it is one."""
    value = sent.get("logprob")
    if not isinstance(value, Number):
        return "", None
    number = float(value.source)
    if math.isnan(number) or number > _ROUNDING:
        return value.source, None
    return value.source, min(1.0, math.exp(number))
