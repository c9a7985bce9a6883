"""Numbers of cards and of bank accounts, each with its check digits."""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from webapp.redaction.rules.kinds import WORD, SecretPlace, split_words

_DIGITS: Final = re.compile(
    # In a row of a table as well, but not the digits of a fraction.
    rf"[0-9](?<![{WORD}.+/#-].)(?<!\b0,.)(?:(?:[ ]{{1,3}}|[._/\u00a0\u2009\u202f-])?[0-9]){{11,70}}"
    rf"(?![{WORD}-]|[./][0-9])"
)
_MAY_BE_CARD: Final = re.compile(
    r"[0-9]{12}|(?<![0-9])[0-9]{4}[^0-9]{1,3}[0-9]{4}|\A(?:[0-9][^0-9]{1,3}){14,15}[0-9]\Z"
)
"""The digits in groups as those of cards; most rows of numbers have none."""
_SHORTEST: Final = 12
_MOST_GROUPS: Final = 7
"""Of a card with its date and code; longer rows of numbers have cards by chance."""
_CARD_NAME: Final = re.compile(
    r"card|credit|carte|karte|kaart|tarjeta|cart[aã]o|\bpan\b|\Acc\Z|cc_?(?:num|no)|payment",
    re.IGNORECASE,
)
_CARD_WORD: Final = re.compile(
    r"\b(?:card|visa|mastercard|amex)|(?:kredit)?karte|\bcarte|tarjeta|\bcarta|kaart|cartão",
    re.IGNORECASE,
)
_CARD_REACH: Final = 80
_BESIDE: Final = re.compile(
    r"[^\n0-9]{1,30}(?P<date>(?:0[1-9]|1[0-2])[ ]?[/-][ ]?(?:20)?[0-9]{2})(?![A-Za-z0-9_/-])"
    r"(?:[^\n0-9]{1,40}(?P<code>[0-9]{3,4})(?![A-Za-z0-9_.,/-]))?"
)
"""The date and the code of a card, after its number."""
# The first character comes first, since a search for it is faster than for a look-behind.
_IBAN: Final = re.compile(
    r"[A-Z](?:(?<![A-Za-z0-9_].)|(?<=[^A-Za-z0-9_]IBAN.)|(?<=\AIBAN.))[A-Z][0-9]{2}"
    r"(?:[ \u00a0\u202f.-]?[A-Z0-9]{1,4}){3,8}(?![A-Za-z0-9_])"
)
_SMALL_IBAN: Final = re.compile(
    # All of digits, in groups, or beside a word of banks; others are digests and ids.
    r"[a-z](?<![A-Za-z0-9_].)[a-z][0-9]{2}(?:[0-9]{11,26}|(?:[ \u00a0\u202f-][a-z0-9]{4}){2,7}"
    r"(?:[ \u00a0\u202f-][a-z0-9]{1,4})?|[a-z0-9]{11,30})(?![A-Za-z0-9_])"
)
_BANK: Final = re.compile(
    r"iban|bank|konto|account|transfer|überweis|virement|\bpay(?:ment|out)?\b|compte|cuenta|conto|\bbic\b",
    re.IGNORECASE,
)
_CAPITALS: Final = str.maketrans(string.ascii_lowercase, string.ascii_uppercase)
_IBAN_LENGTHS: Final = {
    country: length
    for length, countries in {
        15: "NO",
        16: "BE",
        18: "DK FI FO GL NL",
        19: "MK SI",
        20: "AT BA EE KZ LT LU XK",
        21: "CH HR LI LV",
        22: "BG BH CR DE GB GE IE ME RS VA",
        23: "AE GI IL IQ TL",
        24: "AD CZ ES MD PK RO SA SE SK TN VG",
        25: "PT ST",
        26: "IS TR",
        27: "FR GR IT MC MR SM",
        28: "AL AZ BY CY DO GT HU LB PL SV",
        29: "BR EG PS QA UA",
        30: "JO KW MU",
        31: "MT SC",
        32: "LC",
    }.items()
    for country in split_words(countries)
}


_SEED: Final = re.compile(r"seed[\"'`]{0,2}[ ]?[:=]?[ ]?[\"'`]?\Z", re.IGNORECASE)
"""Of a generator of numbers, which are as long as some cards."""


def _find_cards(text: str, name: str) -> Iterator[SecretPlace]:
    if text.isdigit() and name not in ("", "content", "text") and not _CARD_NAME.search(name):
        return
    for match in _DIGITS.finditer(text):
        before = text[max(match.start() - 10, 0) : match.start()]
        if not _MAY_BE_CARD.search(match[0]) or _SEED.search(before):
            continue
        groups = [one.span() for one in re.finditer("[0-9]+", match[0])]
        if _is_spelled(text, match.start(), match[0], groups):
            yield SecretPlace("card", *match.span())
            continue
        is_short = len(groups) <= _MOST_GROUPS
        for first, (start, stop) in enumerate(groups):
            # Other numbers may be before and after it: the date and the code of the card.
            ends = range(first + 3, first + 6) if is_short and stop - start == 4 else [first + 1]
            for last in ends:
                if last <= len(groups) and _is_card_of(match[0], groups[first:last]):
                    end = groups[last - 1][1]
                    yield SecretPlace("card", match.start() + start, match.start() + end)
                    if beside := _BESIDE.match(text, match.start() + end):
                        for group in ("date", "code") if beside["code"] else ("date",):
                            yield SecretPlace("card", *beside.span(group))
        if len(groups) > _MOST_GROUPS and _are_cards(match[0], groups):
            for at in range(0, len(groups), 4):
                begin, end = groups[at][0], groups[at + 3][1]
                yield SecretPlace("card", match.start() + begin, match.start() + end)


def _is_spelled(text: str, at: int, run: str, groups: Sequence[tuple[int, int]]) -> bool:
    """Return whether the digits of a card are apart; others are, so a word says what they are."""
    return (
        len(groups) in (15, 16)
        and all(end - start == 1 for start, end in groups)
        and _CARD_WORD.search(text, max(at - _CARD_REACH, 0), at) is not None
        and _is_card(re.sub("[^0-9]", "", run))
    )


def _is_card_of(run: str, groups: Sequence[tuple[int, int]]) -> bool:
    """Return whether some groups of digits in a run are those of a card, and no fraction."""
    start, end = groups[0][0], groups[-1][1]
    if end - start < _SHORTEST:
        return False
    is_fraction = run[end : end + 1] in (".", "-") or (start and run[start - 1] in ".-")
    if is_fraction or any(stop - begin < 4 for begin, stop in groups[:-1]):
        return False
    digits = "".join(run[slice(*group)] for group in groups)
    return len(digits) >= _SHORTEST and len(set(digits)) > 1 and _is_card(digits)


def _are_cards(run: str, groups: Sequence[tuple[int, int]]) -> bool:
    """Return whether a longer run is nothing but cards, one after the other."""
    if len(groups) % 4 or any(end - start != 4 for start, end in groups):
        return False
    fours = [groups[at : at + 4] for at in range(0, len(groups), 4)]
    return all(_is_card_of(run, four) for four in fours)


_MORE_CARDS: Final = (
    *("2200", "2201", "2202", "2203", "2204", "5018", "5020", "5038", "56", "57", "58", "6304"),
    *("6759", "676", "6362", "6363", "5067", "5060", "5061", "5078", "508", "9792", "81", "82"),
)


def _is_card(digits: str) -> bool:
    first, length = digits, len(digits)
    known = (
        (first[0] == "4" and length in (16, 19))
        # Of one country, or of debit cards, and of sixteen digits.
        or (length == 16 and first.startswith(_MORE_CARDS))
        or (51 <= int(first[:2]) <= 55 and length == 16)
        or (2221 <= int(first[:4]) <= 2720 and length == 16)
        or (first[:2] in ("34", "37") and length == 15)
        or (
            (first[:4] == "6011" or first[:2] in ("64", "65", "62", "35", "60"))
            and length in (16, 19)
        )
        or (first[:2] in ("30", "36", "38", "39") and length == 14)
    )
    if not known:
        return False
    doubled = [int(digit) * (1 + at % 2) for at, digit in enumerate(reversed(digits))]
    return sum(one - 9 * (one > 9) for one in doubled) % 10 == 0


def _find_accounts(text: str, name: str) -> Iterator[SecretPlace]:
    for match in _SMALL_IBAN.finditer(text):
        rest = match[0][4:]
        for place in _check_account(match):
            is_sure = rest.isdigit() or not rest.isalnum() or "iban" in name.lower()
            if is_sure or _BANK.search(text):
                yield place
    for match in _IBAN.finditer(text):
        yield from _check_account(match)


def _check_account(match: re.Match[str]) -> Iterator[SecretPlace]:
    """Yield the account that a match begins with, if its check digits are right."""
    length = _IBAN_LENGTHS.get(match[0][:2].translate(_CAPITALS), 0)
    if not length:
        return
    written = match[0].translate(_CAPITALS)
    end = count = 0
    while end < len(written) and count < length:
        count += written[end].isalnum()
        end += 1
    account = re.sub("[^A-Z0-9]", "", written[:end])
    is_whole = end == len(written) or not written[end].isalnum()
    if len(account) == length and is_whole:
        digits = "".join(str(int(character, 36)) for character in account[4:] + account[:4])
        if int(digits) % 97 == 1:
            yield SecretPlace("iban", match.start(), match.start() + end)


ACCOUNTS: Final[tuple[tuple[str, Callable[[str, str], Iterator[SecretPlace]]], ...]] = (
    (r"[0-9](?:(?: {1,3}|[._/\x{a0}\x{2009}\x{202f}-])?[0-9]){11}", _find_cards),
    (
        r"[A-Z][A-Z][0-9]{2}(?:[ .\x{a0}\x{202f}-]?[A-Z0-9]){11}"
        r"|[a-z][a-z][0-9]{2}(?:[ \x{a0}\x{202f}-]?[a-z0-9]){11}",
        _find_accounts,
    ),
)
"""Expressions of RE2, each with the function that finds its kind in a text that matches."""
