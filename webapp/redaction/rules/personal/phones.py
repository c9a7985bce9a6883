"""Numbers of telephones, as they are dialled from abroad, at home, or beside a word for them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Final

import phonenumbers
import re2

from webapp.redaction.prefilter import lower
from webapp.redaction.rules.kinds import WORD, SecretPlace, match_at
from webapp.redaction.rules.tables import iter_columns

_INTERNATIONAL: Final = re.compile(
    rf"[+0](?<![{WORD}.+/-].)(?:(?<=\+)|0(?=[ ]?[1-9]))(?:[ ]?\(?[0-9]\)?)"
    rf"(?:[ .\-/()\u00a0]{{0,2}}[0-9]){{7,14}}(?![{WORD}%]|[.-][0-9])"
)
_NATIONAL: Final = re.compile(
    rf"[(0-9](?<![{WORD}.+/-].)(?:(?<=\()[0-9]{{2,5}}\)[ ]?|(?<=[0-9])[0-9]{{1,4}}[ .-])"
    rf"[0-9]{{2,4}}[ .-][0-9]{{2,4}}(?:[ .-][0-9]{{2,4}}){{0,2}}(?![{WORD}%]|[.-][0-9])"
)
_AMERICAN: Final = re.compile(r"[0-9]{3}\D{1,2}[0-9]{3}\D[0-9]{4}\Z")
_SAID_WORDS: Final = (
    r"(?:phone|mobil(?:e|telefon|nummer)?|móvil|movil|celular|cellulare|téléphone|cell|tél"
    r"|tel(?:efon|éfono|ephone|efono)?|fax|handy|whatsapp"
    r"|land ?line|festnetz(?:nummer)?|(?:call-?back|daytime|direct) (?:number|line)"
    r"|(?:mon|ton|son|votre) portable|gsm|komórka|telefonu"
    r"|sđt|điện thoại|mob(?:\.|:| no\b)|κινητό|puh|puhelin|tlf|mobilnr|telp"
    r"|call(?: me| us| him| her| them)?(?: at| on| under| up)?"
    r"|(?:dial|ring)(?: me| us| him| her| them)(?: at| on| under| up)?"
    r"|ring mich an(?: unter)?|ruf(?:e|en)? (?:mich|uns|sie)(?: bitte)? (?:an unter|an|unter)"
    r"|bel (?:me|mij|ons)|ring (?:mig|meg)(?: på)?|llámame al?|chiamami al?|me liga no"
    r"|appelle[rz]?(?:-moi| moi)?(?: au)?"
    r"|(?:reach|contact)(?: me| us| him| her)?(?: at| on| under| via)"
    r"|erreich(?:bar|en|st|t)|rückruf(?:e|en)?(?: bitte)?(?: unter| an)?"
    r"|hotline|sms|text me(?: at)?|rufnummer|numéro"
    r"|(?:my|our|his|her|their|mi|mon|meine|mijn|mitt|mit|il mio|meu)"
    r" (?:number|número|numéro|nummer|numero))"
)
_NEXT_DIGIT: Final = r"(?:[ .\-/()\u00a0\u2011\u2013\u2212]{0,3}[0-9])"
_SAID_TOGETHER: Final = (
    "โทร|手機|טלפון|هاتف|电话|手机|電話|携帯|전화|휴대폰|핸드폰|연락처|телефон|мой номер"
)
"""The words of languages that write no spaces between them, or decline them."""
_SAID: Final = re.compile(
    rf"(?:{_SAID_WORDS}|{_SAID_TOGETHER})"
    rf"[^0-9\n+(]{{0,20}}(?P<number>\+?\(?[0-9]{_NEXT_DIGIT}{{6,14}})"
    r"(?![A-Za-z0-9_%]|\.[a-z])",
    re.IGNORECASE,
)
_SAID_HINTS: Final = (
    *("phone", "mob", "móvil", "movil", "cel", "tél", "tel", "fax", "handy", "whatsapp", "land"),
    *("festnetz", "call", "daytime", "direct", "mon p", "ton p", "son p", "votre p", "gsm"),
    *("komórka", "dial ", "ring ", "ruf", "bel m", "bel o", "llámame", "chiamami", "me liga"),
    *("sđt", "điện", "κινητό", "puh", "tlf"),
    *("appelle", "reach", "contact", "erreich", "rückruf", "hotline", "sms", "text me", "numéro"),
    *(f"{whose} n" for whose in ("my", "our", "his", "her", "their", "mi", "meine", "mijn")),
    *("mitt n", "mit n", "il mio", "meu n", *_SAID_TOGETHER.split("|")),
)
_OTHER_WORDS: Final = re.compile(
    # As `telemetry`, `called` and `sms_count`.
    r"tel(?!efon|éfono|ephone|n[ru])[a-z]|call(?!back)[a-z]|cell(?!s\b|phone|ular)[a-z]|faxes"
    r"|sms_[a-z]|(?:phone|mobile)s (?:sold|shipped|made)|mob(?!il)[a-z]|puh(?!elin)[a-z]|tlf[a-z]",
    re.IGNORECASE,
)
_COMPOUNDS: Final = re.compile("phone|telefon", re.IGNORECASE)
_TOGETHER: Final = re.compile(_SAID_TOGETHER, re.IGNORECASE)
_COMPOUND: Final = re.compile(r"(?<![^\W_])[a-zà-ÿ]{0,12}\Z", re.IGNORECASE)
_CONTACTED: Final = re.compile(
    # In groups, since these words are said of other things too.
    r"(?<![^\W_])(?:contacte?[zr]?|kontakt|contacto|contato|contatto|number on file)[ :]{1,3}"
    # Who it is of.
    r"(?:[^\W\d_]{2,16},?[ ]){0,2}(?P<number>(?!(?:19|20)[0-9]{2}[-/](?:19|20)?[0-9]{2}(?![0-9]))"
    r"\+?\(?[0-9]{2,5}[ .\-/()\u00a0]{1,3}[0-9]{2,5}"
    r"(?:[ .\-/\u00a0]{1,2}[0-9]{2,5}){0,4})(?![\w%-])",
    re.IGNORECASE,
)
_VERSION: Final = re.compile(r"[0-9]\.[0-9]+(?:/|\Z)|/[0-9]+\.")
_DATE: Final = re.compile(
    r"20[0-9]{2}[-/.]?(?:0[1-9]|1[0-2])[-/.]?(?:[0-2][0-9]|3[01])\Z"
    r"|(?:19|20)[0-9]{2}[-/ ](?:19|20)[0-9]{2}\Z"
)
_DOTTED: Final = re.compile(r"0[1-9][0-9]{0,2}[/.][0-9]{2,3}(?:[. ][0-9]{2,3}){1,3}\Z")
"""A number with dots that is none of a version."""
_MOBILE: Final = re.compile(
    # Forms of one country that other numbers do not have: France.
    rf"(?<![{WORD}.+/:#-])(?<![0-9][ ])"
    r"(?:0[1-9](?:(?<![0-9A-Fa-f][A-Fa-f][ ]..)(?:[ ][0-9]{2}){4}|(?:\.[0-9]{2}){4})"
    r"(?![ .][0-9A-Fa-f]{2})"
    # Germany, Britain, Australia.
    r"|01[567][0-9][ /-](?:[0-9]{6,8}|[0-9]{3,4}[ ][0-9]{3,5})"
    r"|0[1-9][0-9]{1,4}/[0-9]{3,4}[ ]?[0-9]{3,5}"
    r"|07[0-9]{3}[ ](?:[0-9]{6}|[0-9]{3}[ ][0-9]{3})|04[0-9]{2}[ ][0-9]{3}[ ][0-9]{3}"
    # Japan and Korea, Sweden and Switzerland, the Netherlands, Belgium, Turkey.
    r"|0[789]0-[0-9]{4}-[0-9]{4}|010-[0-9]{4}-[0-9]{4}|07[0-9][ -][0-9]{3}[ ][0-9]{2}[ ][0-9]{2}"
    r"|06-[0-9]{8}|04[0-9]{2}[/ ][0-9]{2}[. ][0-9]{2}[. ][0-9]{2}"
    r"|05[0-9]{2}[ ][0-9]{3}[ ][0-9]{2}[ ][0-9]{2}"
    # Indonesia, Russia, Brazil, China.
    r"|08[1-9][0-9]-[0-9]{4}-[0-9]{3,4}"
    r"|8[ ]?\([0-9]{3}\)[ ]?[0-9]{3}-[0-9]{2}-[0-9]{2}|\([1-9][0-9]\)[ ]9[0-9]{4}-[0-9]{4}"
    rf"|1[3-9][0-9][ -][0-9]{{4}}[ -][0-9]{{4}})(?![{WORD}%]|[ .-][0-9])"
)
_FICTIONAL: Final = re.compile(
    # Numbers that are kept for films and for examples, of America, Britain and France.
    r"(?:\+?1)?(?:[2-9][0-9]{2}555|555[2-9][0-9]{2}|555123|5550)[0-9]{4}\Z"
    r"|(?:\+?44|0)(?:7700900|1632960|113496|20794609|8081570)[0-9]{3,4}\Z"
    r"|(?:\+?33|0)(?:63998|1991|2619|3530|4652|5364)[0-9]{4,5}\Z"
)
_REGIONS: Final = (
    *("US", "GB", "DE", "FR", "ES", "IT", "IN", "AU", "JP", "CN", "BR", "NL", "CH", "PL", "SE"),
    *("AT", "BE", "PT", "RU", "KR", "MX", "IE", "ZA"),
    *("VN", "ID", "TH", "GR", "FI", "DK", "NO", "TW", "TR", "UA", "IL"),
)
_FROM_ABROAD: Final = re.compile("00|011")
_KINDS: Final = (
    *("fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "personal_number"),
    *("voip", "pager", "uan", "voicemail"),
)
"""The kinds of numbers of a region, of which each has a form."""
_COUNTED: Final = ("12345", "23456", "34567", "45678", "56789")
"""Every second digit of numbers that are counted on."""
_PHONE_NAME: Final = re.compile(r"phone|mobile|\btel\b|cell|fax|msisdn|whatsapp", re.IGNORECASE)


_WRITTEN: Final = re.compile(r"\+[0-9 ()./-]+")


def _find_international(text: str, name: str) -> Iterator[SecretPlace]:
    for match in _INTERNATIONAL.finditer(text):
        number = re.sub(r"\A00", "+", match[0])
        if _is_phone(number) or _is_fictional(number):
            yield SecretPlace("phone", *match.span())


def _find_national(text: str, name: str) -> Iterator[SecretPlace]:
    for match in _NATIONAL.finditer(text):
        if _AMERICAN.search(match[0]) and _is_phone(match[0], ("US",)):
            yield SecretPlace("phone", *match.span())


def _find_said(text: str, name: str) -> Iterator[SecretPlace]:
    for match in match_at(_SAID, text, lower(text), _SAID_HINTS, joiners=None):
        # No part of a longer word, as of `Bestellnummer`, but of one such as `Mobiltelefon`.
        before = _COMPOUND.search(text, max(match.start() - 13, 0), match.start())
        is_word = before is not None and (not before[0] or _COMPOUNDS.match(match[0]) is not None)
        if not is_word and _TOGETHER.match(match[0]) is None:
            continue
        if _OTHER_WORDS.match(match[0]):
            continue
        number = match["number"]
        is_other = _DATE.match(number) or (_VERSION.search(number) and not _DOTTED.match(number))
        if not is_other and (
            _is_phone(number, _REGIONS) or _is_fictional(number) or _is_called_phone(number)
        ):
            yield SecretPlace("phone", *match.span("number"))
    for match in _CONTACTED.finditer(text):
        if _is_phone(match["number"], _REGIONS):
            yield SecretPlace("phone", *match.span("number"))


_DIALLED: Final = re.compile(
    # Links that call or write to a number.
    r"(?:wa\.me/|whatsapp\.com/send/?\?phone=|signal\.me/#p/|viber://chat\?number=)(?:\+|%2B)?"
    r"(?P<number>[0-9]{8,15})(?![0-9])|\btel:(?P<told>\+?[0-9](?:[ .()-]?[0-9]){6,14})(?![0-9])",
    re.IGNORECASE,
)


def _find_dialled(text: str, name: str) -> Iterator[SecretPlace]:
    for match in _DIALLED.finditer(text):
        group = match.lastgroup or "number"
        number = match[group] if group == "told" else f"+{match[group]}"
        if _is_phone(number, _REGIONS) or _is_called_phone(number) or _is_fictional(number):
            yield SecretPlace("phone", *match.span(group))


def _find_mobile(text: str, name: str) -> Iterator[SecretPlace]:
    for match in _MOBILE.finditer(text):
        digits = re.sub(r"\D", "", match[0])
        if (_is_phone(match[0], _REGIONS) or _is_fictional(digits)) and digits[
            1::2
        ] not in _COUNTED:
            yield SecretPlace("phone", *match.span())


def _is_fictional(written: str) -> bool:
    return _FICTIONAL.match(re.sub(r"[^0-9+]", "", written)) is not None


def _find_phones_in_columns(text: str, name: str) -> Iterator[SecretPlace]:
    def classify(head: str) -> bool | None:
        return True if _PHONE_NAME.search(head) else None

    for start, end, _ in iter_columns(text, classify):
        number = text[start:end].strip("\"'` ")
        if len(number) <= 24 and (_is_phone(number, _REGIONS) or _is_called_phone(number)):
            yield SecretPlace("phone", start, end)


def _is_phone(written: str, regions: tuple[str, ...] = ()) -> bool:
    """Return whether a number is valid after `+`, or as it is dialled in one of some regions.

    The forms of numbers are compared here, since `phonenumbers.parse` takes ten times as long.
    """
    digits = re.sub(r"\D", "", written)
    # Longer ones begin with the code of the country, or with that of long distance.
    is_long = len(digits) > 11 and not written.startswith(("+", "0", "(0"))
    if not 7 <= len(digits) <= 15 or len(set(digits)) < 3 or is_long:
        return False
    if written.startswith("+"):
        return _is_international(digits)
    abroad = _FROM_ABROAD.match(digits)
    if abroad is not None and _is_international(digits[abroad.end() :]):
        return True
    return bool(regions) and _compile_national(regions).fullmatch(digits.encode()) is not None


def _is_called_phone(written: str) -> bool:
    """Return whether a number that is called one of a telephone is one, if not of a known form."""
    digits = re.sub(r"\D", "", written)
    return (
        _WRITTEN.fullmatch(written) is not None
        and 10 <= len(digits) <= 15
        and len(set(digits)) >= 3
        and any(int(digits[:end]) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE for end in (1, 2, 3))
    )


def _is_international(digits: str) -> bool:
    codes = [int(digits[:end]) for end in (1, 2, 3)]
    return any(
        code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE
        and _compile_form(code).fullmatch(digits.encode())
        for code in codes
    )


@cache
def _compile_form(code: int) -> Any:
    """Compile the form of all numbers that begin with the code of a country, with that code."""
    return re2.compile(f"{code}{_write_form(code)}")


@cache
def _compile_national(regions: tuple[str, ...]) -> Any:
    codes = map(phonenumbers.country_code_for_region, regions)
    return re2.compile("|".join(f"(?:{code})?{_write_form(code)}" for code in codes))


def _write_form(code: int) -> str:
    """Write the form of the numbers of the regions that share a code, each with its prefix."""
    forms: list[str] = []
    for region in phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]:
        metadata = phonenumbers.PhoneMetadata.metadata_for_region_or_calling_code(code, region)
        kinds = [getattr(metadata, kind) for kind in _KINDS]
        numbers = [kind.national_number_pattern for kind in kinds if kind is not None]
        prefix = metadata.national_prefix_for_parsing if metadata is not None else None
        forms.append(f"(?:{prefix or ''})?(?:{'|'.join(filter(None, numbers)) or '(?!)'})")
    return f"(?:{'|'.join(forms)})"


PHONES: Final[tuple[tuple[str, Callable[[str, str], Iterator[SecretPlace]]], ...]] = (
    (r"(?:\+|00) ?\(?[0-9]\)?(?:[ .\-/()\x{a0}]{0,2}[0-9]){7}", _find_international),
    (r"[0-9]{3}(?:\) ?|[ .-])[0-9]{3}[ .-][0-9]{4}", _find_national),
    (
        r"(?i:phone|mobile|tel|cell|fax|msisdn|whatsapp)[\p{L}\p{N}_.#/()\"'`* -]*"
        r"(?:[|\t;,][^\n]*)?\n",
        _find_phones_in_columns,
    ),
    (
        rf"(?i:(?:{_SAID_WORDS}|{_SAID_TOGETHER}|contact|kontakt|contat|number on file)"
        r"[^0-9\n+(]*\+?\(?[0-9](?:[ .\-/()\x{a0}\x{2011}\x{2013}\x{2212}]{0,3}[0-9]){6})",
        _find_said,
    ),
    (
        r"(?i:wa\.me/|send/?\?phone=|signal\.me/#p/|viber://chat\?number=|tel:)(?:\+|%2B)?[0-9]",
        _find_dialled,
    ),
)
"""Expressions of RE2, each with the function that finds its kind in a text that matches."""

MOBILES: Final[tuple[tuple[str, Callable[[str, str], Iterator[SecretPlace]]], ...]] = (
    (
        r"0[1-9](?:[ .][0-9]{2}){4}|0[145678][0-9]{2,3}[ /-][0-9]{2,3}|0[1-9][0-9]{1,4}/[0-9]{3}"
        r"|0[1789]0-[0-9]{4}-|07[0-9][ -][0-9]{3} |06-[0-9]{8}|8 ?\([0-9]{3}\)"
        r"|\([1-9][0-9]\) 9[0-9]{4}-|1[3-9][0-9][ -][0-9]{4}[ -]",
        _find_mobile,
    ),
)
"""The same for the numbers that their forms alone tell from others."""


def find_named_phone(text: str, name: str) -> Iterator[SecretPlace]:
    """Yield the whole text if it is a number of a telephone, as its name says."""
    if (
        _PHONE_NAME.search(name)
        and 7 <= len(text) <= 24
        and (_is_phone(text, _REGIONS) or _is_called_phone(text))
    ):
        yield SecretPlace("phone", 0, len(text))
