"""Personal data, each kind with a check: addresses, cards, accounts, numbers of telephones."""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import phonenumbers

from webapp.redaction.rules.context import SecretPlace
from webapp.redaction.rules.identities import IDENTITIES, find_named_identity
from webapp.redaction.rules.kinds import split_words
from webapp.redaction.rules.tables import iter_columns

_LOCAL: Final = re.compile(
    r"(?:[A-Za-z0-9_.+'%-]{1,64}|[^\W\d_]{1,64}|\"[^\"\s@]{1,30}(?:[ .][^\"\s@]{1,30})?\")\Z"
)
_DOMAIN: Final = re.compile(
    r"@((?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}[^\W\d_]{2,24})(?![\w@-]|\.[^\W_])"
)
_NO_ENDINGS: Final = split_words(
    """
    png jpg jpeg gif svg webp ico pdf css js mjs ts tsx jsx json html htm xml yml yaml md txt
    py rb go rs java c h cpp sh lock toml whl zip gz tar service timer socket target mount
    slice local internal lan localdomain cluster example invalid test localhost
    """
)
_EXAMPLES: Final = (
    "example.com",
    "example.org",
    "example.net",
    "domain.com",
    "email.com",
    "test.com",
)
_ROLES: Final = split_words(
    """
    user username you your name email mail me test foo bar baz admin info support noreply
    no-reply donotreply do-not-reply hello contact example sales security help git postmaster
    webmaster abuse press privacy billing root bot notifications users someone somebody anyone
    your-email your.email youremail your_email user1 user2 alice bob sender recipient from to
    hostmaster mailer-daemon feedback team jobs careers legal office service customer
    customerservice customer-service
    """
)

_DIGITS: Final = re.compile(
    # In a row of a table as well, but not the digits of a fraction.
    r"[0-9](?<![\w.+/#-].)(?<!\b0,.)(?:(?:[ ]{1,3}|[._/\u00a0\u2009\u202f-])?[0-9]){11,70}"
    r"(?![\w-]|[./][0-9])"
)
_MOST_GROUPS: Final = 7
"""Of a card with its date and code; longer rows of numbers have cards by chance."""
_REMOTE_PATH: Final = re.compile(r":(?:[~/]|[A-Za-z0-9_.-]{1,60}/)")
"""The rest of a path on another machine, as in `host.example:/srv`."""

# The first character comes first, since a search for it is faster than for a look-behind.
_IBAN: Final = re.compile(
    r"[A-Z](?<![A-Za-z0-9_].)[A-Z][0-9]{2}(?:[ -]?[A-Z0-9]{1,4}){3,8}(?![A-Za-z0-9_])"
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

_INTERNATIONAL: Final = re.compile(
    r"[+0](?<![\w.+/-].)(?:(?<=\+)|0(?=[ ]?[1-9]))(?:[ ]?\(?[0-9]\)?)"
    r"(?:[ .\-/()\u00a0]{0,2}[0-9]){7,14}(?![\w%]|[.-][0-9])"
)
_NATIONAL: Final = re.compile(
    r"[(0-9](?<![\w.+/-].)(?:(?<=\()[0-9]{2,5}\)[ ]?|(?<=[0-9])[0-9]{1,4}[ .-])"
    r"[0-9]{2,4}[ .-][0-9]{2,4}(?:[ .-][0-9]{2,4}){0,2}(?![\w%]|[.-][0-9])"
)
_SAID_WORDS: Final = (
    r"(?:phone|mobil(?:e|telefon|nummer)?|móvil|movil|celular|cellulare|téléphone|cell|tél|tel(?:efon|éfono|ephone|efono)?"
    r"|fax|handy|whatsapp|(?:mon|ton|son|votre) portable|gsm|komórka|telefonu"
    r"|call(?: me| us| him| her| them)?(?: at| on| under| up)?"
    r"|(?:dial|ring)(?: me| us| him| her| them)(?: at| on| under| up)?"
    r"|ring mich an(?: unter)?|ruf(?:e|en)? (?:mich|uns|sie)(?: bitte)? an(?: unter)?"
    r"|bel (?:me|mij|ons)|ring (?:mig|meg)(?: på)?|llámame al?|chiamami al?|me liga no"
    r"|appelle[rz]?(?:-moi| moi)?(?: au)?"
    r"|(?:reach|contact)(?: me| us| him| her)?(?: at| on| under| via)"
    r"|erreich(?:bar|en|st|t)|hotline|sms|text me(?: at)?|rufnummer|numéro"
    r"|(?:my|our|his|her|their|mi|mon|meine|mijn|mitt|mit|il mio|meu)"
    r" (?:number|número|numéro|nummer|numero))"
)
_SAID_TOGETHER: Final = "电话|手机|電話|携帯|전화|휴대폰|핸드폰|연락처|телефон|мой номер"
"""The words of languages that write no spaces between them, or decline them."""

_SAID: Final = re.compile(
    # No part of a longer word, as of `Bestellnummer`.
    rf"(?:(?<![^\W_])(?:[a-zà-ÿ]{{0,12}}(?=phone|telefon))?{_SAID_WORDS}|{_SAID_TOGETHER})"
    r"[^0-9\n+(]{0,20}(?P<number>\+?\(?[0-9](?:[ .\-/()]{0,2}[0-9]){6,14})"
    r"(?![A-Za-z0-9_%]|\.[a-z])",
    re.IGNORECASE,
)
_VERSION: Final = re.compile(r"[0-9]\.[0-9]+(?:/|\Z)|/[0-9]+\.")
_REGIONS: Final = (
    "US",
    "GB",
    "DE",
    "FR",
    "ES",
    "IT",
    "IN",
    "AU",
    "JP",
    "CN",
    "BR",
    "NL",
    "CH",
    "PL",
    "SE",
    "AT",
    "BE",
    "PT",
    "RU",
    "KR",
    "MX",
    "IE",
    "ZA",
)
_CARD_NAME: Final = re.compile(r"card|credit|\bpan\b|cc_?(?:num|no)|payment", re.IGNORECASE)
_PHONE_NAME: Final = re.compile(r"phone|mobile|\btel\b|cell|fax|msisdn|whatsapp", re.IGNORECASE)


def _find_emails(text: str, name: str) -> Iterator[SecretPlace]:
    for match in _DOMAIN.finditer(text):
        local = _LOCAL.search(text, max(match.start() - 64, 0), match.start())
        if local is None:
            continue
        start = local.start() + len(local[0]) - len(local[0].lstrip(".%+'-_"))
        before, user, domain = (
            text[start - 1 : start],
            text[start : match.start()],
            match[1].lower(),
        )
        if not user or before in ("/", ":", "=") and _is_address(text, start):
            continue
        if domain.rpartition(".")[2] in _NO_ENDINGS or _REMOTE_PATH.match(text, match.end()):
            continue
        role = user.lower().partition("+")[0]
        if role in ("git", "hg", "svn", "noreply", "no-reply") or (
            role in _ROLES and (domain.endswith(_EXAMPLES) or role not in ("alice", "bob"))
        ):
            continue
        yield SecretPlace("email", start, match.end())


_OF_WORDS: Final = r"[A-Za-z0-9](?<![A-Za-z0-9_.+-].)[A-Za-z0-9_.+-]{1,63}"
_WRITTEN_OUT: Final = (
    re.compile(
        _OF_WORDS + r"[ ]?[\[({<][ ]?(?:at|AT|ät)[ ]?[\])}>][ ]?[A-Za-z0-9-]{1,63}"
        r"(?:(?:\.|[ ]?[\[({<][ ]?(?:dot|DOT|punkt)[ ]?[\])}>][ ]?|[ ]dot[ ])"
        r"(?P<end>[A-Za-z0-9-]{2,63})){1,4}"
    ),
    # `at` alone is a word of sentences, which have no `dot`.
    re.compile(
        _OF_WORDS + r"[ ]at[ ][A-Za-z0-9-]{1,63}(?:[ ]dot[ ][A-Za-z0-9-]{1,63}){0,3}"
        r"[ ]dot[ ](?P<end>com|org|net|edu|gov|io|dev|de|fr|uk|eu|ch|nl|es|pl|jp|cn|br|ca|au)\b"
    ),
)


def _find_written_out(text: str, name: str) -> Iterator[SecretPlace]:
    for pattern in _WRITTEN_OUT:
        for match in pattern.finditer(text):
            ending = match["end"].lower()
            if ending.isalpha() and ending not in _NO_ENDINGS:
                yield SecretPlace("email", *match.span())


def _is_address(text: str, start: int) -> bool:
    """Return whether the word at `start` is the user of a URL."""
    return text.endswith("://", max(start - 3, 0), start) or (
        "://" in text[max(start - 80, 0) : start].rpartition(" ")[2]
        and not text[max(start - 80, 0) : start].rpartition(" ")[2].count("?")
    )


def _find_cards(text: str, name: str) -> Iterator[SecretPlace]:
    if text.isdigit() and name not in ("", "content", "text") and not _CARD_NAME.search(name):
        return
    for match in _DIGITS.finditer(text):
        groups = [one.span() for one in re.finditer("[0-9]+", match[0])]
        for first, (start, _) in enumerate(groups):
            # Other numbers may be before and after it: the date and the code of the card.
            for last in range(first, min(len(groups), first + 5)):
                end = groups[last][1]
                if _is_card_of(match[0], groups[first : last + 1], len(groups)):
                    yield SecretPlace("card", match.start() + start, match.start() + end)
        if len(groups) > _MOST_GROUPS and _are_cards(match[0], groups):
            for at in range(0, len(groups), 4):
                begin, end = groups[at][0], groups[at + 3][1]
                yield SecretPlace("card", match.start() + begin, match.start() + end)


def _is_card_of(run: str, groups: Sequence[tuple[int, int]], total: int) -> bool:
    """Decide whether some groups of digits in a run are those of a card, and no fraction."""
    start, end = groups[0][0], groups[-1][1]
    lengths = [stop - begin for begin, stop in groups]
    has_form = len(lengths) == 1 or (
        total <= _MOST_GROUPS
        and lengths[0] == 4
        and 3 <= len(lengths) <= 5
        and min(lengths[:-1]) >= 4
    )
    if not has_form or run[end : end + 1] in (".", "-") or (start and run[start - 1] in ".-"):
        return False
    digits = "".join(run[slice(*group)] for group in groups)
    return len(digits) >= 12 and len(set(digits)) > 1 and _is_card(digits)


def _are_cards(run: str, groups: Sequence[tuple[int, int]]) -> bool:
    """Decide whether a longer run is nothing but cards, one after the other."""
    if len(groups) % 4 or any(end - start != 4 for start, end in groups):
        return False
    fours = [groups[at : at + 4] for at in range(0, len(groups), 4)]
    return all(_is_card_of(run, four, 4) for four in fours)


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
    if "iban" in name.lower() or re.search(r"\biban\b", text, re.IGNORECASE):
        text = text.translate(_CAPITALS)
    for match in _IBAN.finditer(text):
        length = _IBAN_LENGTHS.get(match[0][:2], 0)
        end = match.start()
        count = 0
        while end < match.end() and count < length:
            count += text[end] not in " -"
            end += 1
        account = re.sub("[ -]", "", text[match.start() : end])
        is_whole = end == match.end() or text[end] in " -"
        if length and len(account) == length and is_whole:
            digits = "".join(str(int(character, 36)) for character in account[4:] + account[:4])
            if int(digits) % 97 == 1:
                yield SecretPlace("iban", match.start(), end)


def find_named_person(text: str, name: str) -> Iterator[SecretPlace]:
    """Yield the whole text if it is a number of a person or a telephone, as its name says."""
    yield from find_named_identity(text, name)
    if _PHONE_NAME.search(name) and 7 <= len(text) <= 24 and _is_phone(text, _REGIONS):
        yield SecretPlace("phone", 0, len(text))


def _find_international(text: str, name: str) -> Iterator[SecretPlace]:
    for match in _INTERNATIONAL.finditer(text):
        if _is_phone(re.sub(r"\A00", "+", match[0]), (None,)):
            yield SecretPlace("phone", *match.span())


def _find_national(text: str, name: str) -> Iterator[SecretPlace]:
    for match in _NATIONAL.finditer(text):
        if _is_phone(match[0], ("US",)) and re.search(
            r"[0-9]{3}\D{1,2}[0-9]{3}\D[0-9]{4}\Z", match[0]
        ):
            yield SecretPlace("phone", *match.span())


def _find_said(text: str, name: str) -> Iterator[SecretPlace]:
    for match in _SAID.finditer(text):
        if not _VERSION.search(match["number"]) and _is_phone(match["number"], _REGIONS):
            yield SecretPlace("phone", *match.span("number"))


def _find_phones_in_columns(text: str, name: str) -> Iterator[SecretPlace]:
    def classify(head: str) -> bool | None:
        return True if _PHONE_NAME.search(head) else None

    for start, end, _ in iter_columns(text, classify):
        if end - start <= 24 and _is_phone(text[start:end].strip("\"'` "), _REGIONS):
            yield SecretPlace("phone", start, end)


def _is_phone(written: str, regions: tuple[str | None, ...]) -> bool:
    digits = re.sub(r"\D", "", written)
    # Longer ones begin with the code of the country, or with that of long distance.
    is_long = len(digits) > 11 and not written.startswith(("+", "0", "(0"))
    if not 7 <= len(digits) <= 15 or len(set(digits)) < 3 or is_long:
        return False
    for region in regions:
        try:
            number = phonenumbers.parse(written, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            return True
    return False


PERSONAL: Final[tuple[tuple[str, Callable[[str, str], Iterator[SecretPlace]]], ...]] = (
    (r"@[^\s@.]+\.[^\s@.]", _find_emails),
    (
        r"(?:[\[({<] ?(?:at|AT|ät) ?[\])}>]|[a-z0-9] at [a-z0-9-]+ dot )",
        _find_written_out,
    ),
    (r"[0-9](?:(?: {1,3}|[._/\x{a0}\x{2009}\x{202f}-])?[0-9]){11}", _find_cards),
    (
        r"[A-Z][A-Z][0-9]{2}(?:[ -]?[A-Z0-9]){11}|(?i:\biban\b)",
        _find_accounts,
    ),
    (r"(?:\+|00) ?\(?[0-9]\)?(?:[ .\-/()\x{a0}]{0,2}[0-9]){7}", _find_international),
    (r"[0-9]{3}(?:\) ?|[ .-])[0-9]{3}[ .-][0-9]{4}", _find_national),
    (
        r"(?i:phone|mobile|tel|cell|fax|msisdn|whatsapp)[\p{L}\p{N}_.#/()\"'`* -]*"
        r"(?:[|\t;,][^\n]*)?\n",
        _find_phones_in_columns,
    ),
    *IDENTITIES,
    (
        rf"(?i:(?:{_SAID_WORDS}|{_SAID_TOGETHER})[^0-9\n+(]*"
        r"\+?\(?[0-9](?:[ .\-/()]{0,2}[0-9]){6})",
        _find_said,
    ),
)
"""Expressions of RE2, each with the function that finds the personal data in a text that matches
it; the function also takes the name of the text."""
