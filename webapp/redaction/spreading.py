"""Search texts for known values, in a time that does not grow with their number.

A known secret is also found backwards, spelled out, wrapped at the end of a line, in halves, and
cut off at either end.
"""

from __future__ import annotations

import base64
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import Final

import re2

from webapp.redaction.prefilter import prepare, replace_surrogates
from webapp.redaction.rules.kinds import is_jumble, is_made, is_mixed, is_scrambled

_HEAD: Final = 4
_BEGIN: Final = 8
"""The characters by which a place where a value may begin is found; few others have them."""
_MEMORY: Final = 16 * 1024 * 1024
_MEMORY_OF_VALUE: Final = 2048
"""The memory for the search for these beginnings, in bytes."""
_LONGEST: Final = 64
"""Longer values are compared by their beginnings first."""

_WHOLE_WORD: Final = 12
"""A shorter value is found only if no letter or digit is next to it."""

SHORTEST: Final = _HEAD


class Values:
    """Values to search for, each of `SHORTEST` characters or more."""

    def __init__(self, values: Iterable[str]) -> None:
        known = sorted(set(values), key=len, reverse=True)
        self._by_head: dict[str, dict[str, list[str]]] = {}
        self._lengths: dict[str, list[int]] = {}
        for value in known:
            begin = value[:_LONGEST]
            self._by_head.setdefault(value[:_HEAD], {}).setdefault(begin, []).append(value)
        for head, begins in self._by_head.items():
            self._lengths[head] = sorted({len(begin) for begin in begins}, reverse=True)
        options = re2.Options()
        options.max_mem = _MEMORY + _MEMORY_OF_VALUE * len(known)
        options.log_errors = False
        starts = sorted({re.escape(replace_surrogates(value[:_BEGIN])) for value in known})
        self._begins = re2.compile("|".join(starts), options) if starts else None

    def search(self, text: str, *, in_words: bool = False) -> Iterator[tuple[int, int]]:
        """Yield the places of the values in `text`, of several at one place the longest.

        With `in_words` also those of short values within words.
        """
        reached: dict[str, int] = {}
        for found in self._begins.finditer(prepare(text)) if self._begins else ():
            # Another one may begin within the beginning of one.
            for at in range(*found.span()):
                value = self._match(text, at, in_words)
                if value and at >= reached.get(value, 0):
                    reached[value] = at + len(value)
                    yield at, reached[value]

    def _match(self, text: str, at: int, in_words: bool) -> str:
        """Find the longest value that begins at a place, or ""."""
        head = text[at : at + _HEAD]
        for length in self._lengths.get(head, ()):
            for value in self._by_head[head].get(text[at : at + length], ()):
                if text.startswith(value, at) and (
                    in_words or _is_whole(text, at, at + len(value))
                ):
                    return value
        return ""


_SHORT_CODE: Final = 6
_JOINERS: Final = "0123456789.,:/#+-_$€£@=&%"
_NUMBER_GOES_ON: Final = re.compile(
    r"[.,:/_-]?\w|[%€$£°]"
    r"|[ ](?:[%€]|(?:EUR|USD|bytes|[mnk]?s|[kmg]i?b|[kcm]?m|k?g|px|h|min|rpm|k?wh?)\b)",
    re.IGNORECASE,
)


def _is_whole(text: str, start: int, end: int) -> bool:
    if end - start >= _WHOLE_WORD:
        return True
    before, after = text[start - 1 : start], text[end : end + 1]
    if end - start < _SHORT_CODE and text[start:end].isdigit():
        # Other numbers are part of something: an amount, an address, a version.
        return not (before and before in _JOINERS) and not _NUMBER_GOES_ON.match(text, end)
    return not (
        (before.isalnum() and text[start].isalnum())
        or (after.isalnum() and text[end - 1].isalnum())
    )


_SHORTEST_FORM: Final = 8
_SHORTEST_JOINED: Final = 12
_LONGEST_HALVED: Final = 200
_SHORTEST_HALF: Final = 4
_NO_NAME: Final = re.compile(r"[^A-Za-z0-9]+")
_TOKEN: Final = re.compile(r"[^\s\"'`,;()<>]{4,200}")
_SHORTEST_CUT: Final = 12
_AROUND: Final = ".!?:…*[]"
"""What may be next to a part of a secret, as where it was cut off."""


class Known:
    """The secrets of a transcript in all their forms; `texts` are those that may hold parts."""

    def __init__(self, secrets: Iterable[str], texts: Iterable[str] = ()) -> None:
        secrets = tuple(secrets)
        self._secrets = {secret: secret for secret in secrets}
        for secret in secrets:
            for form in _iter_forms(secret):
                self._secrets.setdefault(form, secret)
        for part, secret in _iter_parts(secrets, texts):
            self._secrets.setdefault(part, secret)
        self._values = Values(self._secrets)
        self._spread = {
            "".join(form.split()): secret
            for form, secret in self._secrets.items()
            if len(form) >= _SHORTEST_FORM
        }
        self._spread_values = Values(form for form in self._spread if len(form) >= SHORTEST)

    def search(self, text: str) -> Iterator[tuple[int, int, str]]:
        """Yield the places of the secrets in `text`, each with the secret itself."""
        if not self._secrets:
            return
        for start, end in self._values.search(text):
            yield start, end, self._secrets[text[start:end]]
        yield from self._search_spread(text)

    def _search_spread(self, text: str) -> Iterator[tuple[int, int, str]]:
        """Yield the secrets with white space in them: between all their characters, or wrapped."""
        joined = "".join(text.split())
        if len(joined) == len(text):
            return
        words: list[re.Match[str]] = []
        ends: list[int] = []
        for begin, stop in self._spread_values.search(joined, in_words=True):
            if not words:
                words = list(re.finditer(r"\S+", text))
                ends = list(accumulate(len(word[0]) for word in words))
            first, last = bisect_right(ends, begin), bisect_right(ends, stop - 1)
            start = words[first].end() - ends[first] + begin
            end = words[last].end() - ends[last] + stop
            gaps = re.findall(r"\s+", text[start:end])
            is_spelled = len(gaps) >= stop - begin - 1
            is_wrapped = bool(gaps) and all("\n" in gap for gap in gaps)
            if (is_spelled or is_wrapped) and _is_whole(text, start, end):
                yield start, end, self._spread[joined[begin:stop]]


def _iter_forms(secret: str) -> Iterator[str]:
    if len(secret) >= _SHORTEST_FORM and not secret.isdigit():
        yield secret[::-1]
    if len(secret) >= _SHORTEST_FORM:
        joined = "".join(secret.split())
        cases = (secret.lower(), secret.upper(), secret.swapcase(), secret.capitalize())
        for form in (*cases, secret[0].swapcase() + secret[1:]):
            # A word alone is one of other texts, too.
            if _is_half(form):
                yield form
        if len(joined) >= _SHORTEST_JOINED and any(map(str.isdigit, joined)):
            yield from (joined, joined.lower(), joined.upper())
        if len(secret) >= _SHORTEST_JOINED and any(map(str.isalpha, secret)):
            # As a part of names, of files and functions.
            for name in (_NO_NAME.sub(one, secret).strip(one) for one in "_-"):
                yield from filter(_is_half, (name, name.lower(), name.upper()))
    encoded = base64.b64encode(secret.encode("utf-8", "replace")).decode()
    # Longer ones are decoded where they are.
    if SHORTEST < len(encoded) < 16:
        yield encoded
        yield encoded.rstrip("=")


def _iter_parts(secrets: Iterable[str], texts: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield parts of secrets that occur as words: halves if both do, beginnings, and ends."""
    heads: dict[str, tuple[str, int]] = {}
    tails: dict[str, tuple[str, int]] = {}
    cut: dict[str, str] = {}
    for secret in secrets:
        if 2 * _SHORTEST_HALF <= len(secret) <= _LONGEST_HALVED and not re.search(r"\s", secret):
            for at in range(_SHORTEST_HALF, len(secret) - _SHORTEST_HALF + 1):
                if _is_half(secret[:at]) and _is_half(secret[at:]):
                    heads.setdefault(secret[:at], (secret, at))
                    tails.setdefault(secret[at:], (secret, at))
        if len(secret) > _SHORTEST_CUT:
            cut.setdefault(secret[:_SHORTEST_CUT], secret)
            cut.setdefault(secret[-_SHORTEST_CUT:], secret)
    if not cut and not heads:
        return
    seen_heads: set[tuple[str, int]] = set()
    seen_tails: set[tuple[str, int]] = set()
    for text in texts:
        for token in _TOKEN.findall(text):
            for one in {token, token.strip(_AROUND)}:
                if one in heads:
                    seen_heads.add(heads[one])
                if one in tails:
                    seen_tails.add(tails[one])
                begun, ended = cut.get(one[:_SHORTEST_CUT]), cut.get(one[-_SHORTEST_CUT:])
                if begun and begun.startswith(one) and _is_made(one):
                    yield one, begun
                elif ended and ended.endswith(one) and _is_made(one):
                    yield one, ended
    for secret, at in sorted(seen_heads & seen_tails):
        yield secret[:at], secret
        yield secret[at:], secret


def _is_made(part: str) -> bool:
    """Return whether a part of a secret is neither a vendor's prefix nor a word, as a host is."""
    # Of a UUID, too, or of letters alone.
    joined = part.replace("-", "").rpartition("_")[2]
    return is_made(part) or is_made(joined) or is_scrambled(joined) or is_jumble(joined)


def _is_half(text: str) -> bool:
    """Return whether a part of a secret is neither a word nor a number of other texts."""
    return is_mixed(text) or not text.isalnum()
