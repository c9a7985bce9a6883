"""Find the secrets of a text, also if they are escaped there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, starmap
from typing import Final, NamedTuple

from webapp.redaction.decoding import iter_decoded
from webapp.redaction.prefilter import Prefilter, encode, lower
from webapp.redaction.rules.blocks import (
    BLOCKS_NEEDS,
    CODES_NEEDS,
    PRINTED_NEEDS,
    USERS_NEEDS,
    find_codes,
    find_in_blocks,
    find_printed,
    find_users,
)
from webapp.redaction.rules.commands import COMMANDS
from webapp.redaction.rules.context import NAMED_NEEDS, VALUES_NEEDS, find_named, find_values
from webapp.redaction.rules.forms import FORMS
from webapp.redaction.rules.generated import GENERATED_NEEDS, find_generated
from webapp.redaction.rules.keys import (
    KEYS,
    PHRASES_NEEDS,
    SEEDS_NEEDS,
    find_cut_keys,
    find_phrases,
    find_seeds,
)
from webapp.redaction.rules.kinds import Kind, SecretPlace, Tokens, is_mixed
from webapp.redaction.rules.links import LINKS
from webapp.redaction.rules.literals import LITERALS_NEEDS, find_in_literals
from webapp.redaction.rules.names import classify
from webapp.redaction.rules.personal import EMAILS, PERSONAL, find_named_person
from webapp.redaction.rules.shapes import has_shape
from webapp.redaction.rules.spoken import find_spoken
from webapp.redaction.rules.spoken.answers import (
    PERSONAL_ANSWERS,
    QUESTION,
    find_answer,
    find_named_answer,
)
from webapp.redaction.rules.spoken.codes import CODES
from webapp.redaction.rules.spoken.sentences import (
    APART_NEEDS,
    SENTENCES,
    SENTENCES_NEEDS,
    find_apart,
    find_in_sentences,
)
from webapp.redaction.rules.tables import (
    HTML_NEEDS,
    MANIFEST_NEEDS,
    TABLES_NEEDS,
    find_in_html,
    find_in_manifests,
    find_in_tables,
)
from webapp.redaction.rules.vendors.parts import PARTS
from webapp.redaction.rules.vendors.prefixes import PREFIXED, is_known_by_itself
from webapp.redaction.rules.vendors.services import SERVICES_NEEDS, find_of_services
from webapp.redaction.rules.vendors.unknown import PREFIX_NEEDS, find_prefixed

_BY_CONTEXT: Final = (*COMMANDS, *SENTENCES, *CODES)
_BY_FORM: Final = (*PARTS, *FORMS, *KEYS, *LINKS)
KINDS: Final = (*_BY_FORM, *_BY_CONTEXT)
_TOKENS: Final = Tokens(PREFIXED, is_known_by_itself)


class Rule(NamedTuple):
    """Finds secrets in a text, given as it is, in lower case, and with the name of its member.

    It finds nothing in a text that `needs`, an expression of RE2, does not match.
    """

    needs: str
    find: Callable[[str, str, str], Iterator[SecretPlace]]


def _of_kind(kind: Kind) -> Rule:
    return Rule(
        kind.write_needs(),
        lambda text, lowered, _: (SecretPlace(kind.name, *at) for at in kind.search(text, lowered)),
    )


def _of_people(needs: str, find: Callable[[str, str], Iterator[SecretPlace]]) -> Rule:
    return Rule(needs, lambda text, _, name: find(text, name))


FORMED: Final = (
    Rule(
        _TOKENS.write_needs(),
        lambda text, *_: (SecretPlace(kind.name, *place) for kind, *place in _TOKENS.search(text)),
    ),
    *(_of_kind(kind) for kind in _BY_FORM if not kind.ignores_case),
    Rule(
        PREFIX_NEEDS,
        lambda text, *_: (
            SecretPlace("api-key", *at)
            for at in find_prefixed(text)
            if not _TOKENS.has(text, at[0])
        ),
    ),
    Rule("-----END ", lambda text, *_: find_cut_keys(text)),
)
SEEDED: Final = (Rule(SEEDS_NEEDS, lambda text, _, name: find_seeds(text, name)),)
WRITTEN: Final = tuple(_of_kind(kind) for kind in _BY_FORM if kind.ignores_case)
COMMANDED: Final = (
    *map(_of_kind, _BY_CONTEXT),
    Rule(CODES_NEEDS, lambda text, lowered, _: find_codes(text, lowered)),
    Rule(USERS_NEEDS, lambda text, *_: find_users(text)),
    Rule(PRINTED_NEEDS, lambda text, *_: find_printed(text)),
    Rule(HTML_NEEDS, lambda text, *_: find_in_html(text)),
    Rule(PHRASES_NEEDS, lambda text, *_: find_phrases(text)),
    Rule(MANIFEST_NEEDS, lambda text, lowered, _: find_in_manifests(text, lowered)),
    Rule(VALUES_NEEDS, lambda text, lowered, _: find_values(text, lowered)),
)
NAMED: Final = (
    Rule(NAMED_NEEDS, lambda text, lowered, _: find_named(text, lowered)),
    Rule(TABLES_NEEDS, lambda text, lowered, _: find_in_tables(text, lowered)),
    Rule(BLOCKS_NEEDS, lambda text, *_: find_in_blocks(text)),
    Rule(LITERALS_NEEDS, lambda text, *_: find_in_literals(text)),
    Rule(SENTENCES_NEEDS, lambda text, *_: find_in_sentences(text)),
    Rule(APART_NEEDS, lambda text, lowered, _: find_apart(text, lowered)),
)
SERVED: Final = (
    Rule(
        SERVICES_NEEDS,
        lambda text, lowered, _: (
            SecretPlace("api-key", *at) for at in find_of_services(text, lowered)
        ),
    ),
)
GENERATED: Final = (
    Rule(
        GENERATED_NEEDS,
        lambda text, lowered, _: (
            place for place in find_generated(text, lowered) if not _TOKENS.has(text, place.start)
        ),
    ),
)
WRITTEN_ADDRESSES: Final = tuple(starmap(_of_people, EMAILS))
NUMBERS: Final = [tuple(starmap(_of_people, part)) for part in PERSONAL]


def _divide(rules: Sequence[Rule], size: int) -> list[tuple[Sequence[Rule], Prefilter]]:
    """Divide rules into passes of at most `size` of them, each with its filter."""
    parts = [rules[at : at + size] for at in range(0, len(rules), size)]
    return [(part, Prefilter([rule.needs for rule in part])) for part in parts]


# The states of a pass multiply with its rules, and new ones are made for each text that differs
# from those before. Rules that begin with literals have few; one more pass costs 5 ns a character.
_OF_SECRETS: Final = (
    *_divide(FORMED, len(FORMED)),
    *_divide(SEEDED, 1),
    *_divide(WRITTEN, len(WRITTEN)),
    *_divide(COMMANDED, 13),
    *_divide(NAMED, 3),
    *_divide(GENERATED, 1),
)
_OF_PEOPLE: Final = tuple(_divide(WRITTEN_ADDRESSES, len(WRITTEN_ADDRESSES)))
# All that these find has digits, and most sentences have none.
_OF_SECRETS_WITH_DIGITS: Final = tuple(_divide(SERVED, 1))
_OF_PEOPLE_WITH_DIGITS: Final = tuple(
    chain.from_iterable(_divide(part, len(part)) for part in NUMBERS)
)
_WITHOUT_DIGITS: Final = (_OF_SECRETS, _OF_SECRETS + _OF_PEOPLE)
"""The passes for a text, without people and with them."""
_WITH_DIGITS: Final = (
    _OF_SECRETS + _OF_SECRETS_WITH_DIGITS,
    _OF_SECRETS + _OF_SECRETS_WITH_DIGITS + _OF_PEOPLE + _OF_PEOPLE_WITH_DIGITS,
)
FILTERS: Final = _WITH_DIGITS[True]

_MAX_NAMED: Final = 4096
_SHORTEST: Final = 6
_DIGIT: Final = re.compile(r"\d")
_CHOSEN: Final = frozenset(("password", "secret"))
_SIGNS: Final = re.compile(r"[!?]{1,8}(?![!?\w])")
_COUNTED: Final = "01234567890123456789 98765432109876543210"
"""Digits in the order of counting."""


@dataclass(frozen=True, slots=True)
class Detected:
    """A secret at a place of a text; `text` is the secret without the escapes in it.

    One that `spreads` is unmistakable, and so is masked wherever else it occurs.
    """

    kind: str
    start: int
    end: int
    text: str
    spreads: bool


def detect(text: str, name: str = "", *, with_people: bool = True) -> Iterator[Detected]:
    """Yield the secrets of the text of the member `name`; one may be found several times.

    A text that answers a question has `QUESTION` and the end of the question as its name.
    """
    question = name.removeprefix(QUESTION) if name.startswith(QUESTION) else ""
    name = "" if question else name
    known = classify(name)
    if known is not None and len(text) <= _MAX_NAMED:
        kind, shape = known
        if has_shape(text, shape, is_quoted=True):
            start = text.find(" ") + 1 if kind == "authorization" else 0
            yield Detected(kind, start, len(text), text[start:], _spreads(kind, text[start:]))
    answers = find_answer(text, question) if question else find_named_answer(text, name)
    for answer in answers:
        if with_people or answer.kind not in PERSONAL_ANSWERS:
            secret = text[answer.start : answer.end]
            yield Detected(
                answer.kind, answer.start, answer.end, secret, _spreads(answer.kind, secret)
            )
    if len(text) < _SHORTEST:
        return
    for decoded in iter_decoded(text):
        for found in _find(decoded.text, name, with_people):
            # A sign after a password may be its own or the sentence's.
            sign = _SIGNS.match(decoded.text, found.end) if found.kind in _CHOSEN else None
            for last in [found.end] if sign is None else [sign.end(), found.end]:
                start, end = decoded.locate(found.start, last)
                secret = decoded.text[found.start : last]
                yield Detected(found.kind, start, end, secret, _spreads(found.kind, secret))


def _find(text: str, name: str, with_people: bool) -> Iterator[SecretPlace]:
    if with_people:
        yield from find_named_person(text, name)
    encoded, lowered = encode(text), lower(text)
    passes = _WITH_DIGITS if _DIGIT.search(text) else _WITHOUT_DIGITS
    places = [
        rules[at].find(text, lowered, name)
        for rules, prefilter in passes[with_people]
        for at in prefilter.find(encoded)
    ]
    # The nouns of sentences are so many that a pass before the search for them saves nothing.
    for place in chain(*places, find_spoken(text)):
        if with_people or place.kind not in PERSONAL_ANSWERS:
            yield place


def _spreads(kind: str, secret: str) -> bool:
    """Return whether a secret is not a word that texts have for other reasons."""
    if secret.isdigit() and 4 <= len(secret) < 12 and (kind == "pin" or len(secret) >= 6):
        # A code is no number of another thing, unless it is one that people choose, or a year.
        is_year = len(secret) == 4 and secret.startswith(("19", "20"))
        return len(set(secret)) >= 3 and secret not in _COUNTED and not is_year
    if len(secret) < 6 or (kind == "address" and not is_mixed(secret)):
        # As the name of a town.
        return False
    return len(secret) >= 12 or is_mixed(secret) or not secret.isalnum()
