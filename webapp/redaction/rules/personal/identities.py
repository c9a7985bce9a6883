"""Numbers of persons and dates of birth, beside the words for them in many languages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from webapp.redaction.rules.kinds import SecretPlace, match_at

_ID_NAME: Final = re.compile(
    r"(?:user|customer|person|applicant|employee)?[_-]?(?:ssn|social_?security(?:_?(?:number|no))?"
    r"|national_?(?:id|insurance)(?:_?(?:number|no))?|passport(?:_?(?:number|no|nr|num))?|nino|dni|cpf"
    r"|tax_?id|steuer_?id|driver_?s?_?licen[cs]e(?:_?(?:number|no))?|aadhaar(?:_?number)?|pesel|bsn)",
    re.IGNORECASE,
)
_BIRTH_NAME: Final = re.compile(
    r"(?:user|customer|person|patient)?[_-]?(?:date_?of_?birth|birth_?da(?:te|y)|dob|geburtsdatum)",
    re.IGNORECASE,
)
_IDENTITIES: Final = (
    *("ssn", "social security", "sozialversicherungs", "national insurance", "nino", "passport"),
    *("passeport", "pasaporte", "reisepass", "personalausweis", "steuer-id", "steuerid", "tax id"),
    *(
        "steuernummer",
        "steueridentifikationsnummer",
        "taxpayer id",
        "driver license",
        "driver's licen",
        "nhs number",
    ),
    *("drivers licen", "driving licen", "führerschein", "sécurité sociale", "dni", "nie", "nif"),
    *(
        "cpf",
        "cnpj",
        "codice fiscale",
        "bsn",
        "burgerservicenummer",
        "pesel",
        "personnummer",
        "cpr",
    ),
    *("fødselsnummer", "henkilötunnus", "rodné číslo", "curp", "aadhaar", "snils", "medicare"),
    *("паспорт", "снилс", "инн", "身份证", "身分證", "マイナンバー", "주민등록번호"),
    *(
        "emirates id",
        "kimlik",
        "cédula",
        "versichertennummer",
        "versicherungsnummer",
        "sozialversicherungsnummer",
        "krankenversicherten",
        "voter id",
    ),
    *("my social", "sécu", "steuer id", "health insurance", "krankenkasse", "hkid", "imei"),
    *("social insurance", "tax file", "insurance number", "medical record", "health card"),
    *("carte vitale", "mynumber", "my number card", "ausweisnummer", "account number"),
    *("account no", "kontonummer", "routing", "sort code", "numéro de compte", "rekeningnummer"),
    *("cuit", "rijksregister", "hetu", "егн", "ת.ז", "주민번호", "nhs no", "ni number"),
    *("número de cuenta", "cuenta bancaria", "número da conta", "conto corrente"),
)
_ABBREVIATIONS: Final = (
    *("SIN", "TFN", "NIR", "RG", "RUT", "AHV", "AVS", "SVNR", "TAJ", "CNP", "EGN", "AMKA", "AFM"),
    *(
        "EIN",
        "NIN",
        "UTR",
        "PPS",
        "PPSN",
        "NRIC",
        "NISS",
        "BVN",
        "CNIC",
        "MRN",
        "EMŠO",
        "OIB",
        "JMBG",
        "PAN",
        "RFC",
    ),
)
"""Words of other languages too, if not in capitals."""
_ID: Final = re.compile(
    rf"(?i:{'|'.join(_IDENTITIES)})(?i:[cs]e)?(?i:-?nummer|-?nr)?"
    r"(?i:[ _-]?(?:number|numbers|no|nr|nummer|num|id|号码|號碼|号|card))?"
    r"(?:\.|[\"'])?(?:[ ](?i:is|was|ist|lautet|est|es|é|è|:)|[:：=#])?\s{0,2}[\"'«“]?"
    r"(?P<number>[A-Z0-9](?:[ ./-]?[A-Z0-9]){6,20}(?:\([0-9A]\))?)(?![\w-])"
)
_BANK_ACCOUNT: Final = re.compile(
    r"(?<![\w-])(?:account|acct?|konto(?:nr|nummer)?|kto|compte|cuenta|rekening|conto|conta)\.?"
    r"(?:[ ](?:number|no\.?|nr\.?|nummer))?(?:[ ](?:is|ist|est|es|è|é))?[:#]?[ ]{1,2}"
    r"(?P<number>[0-9](?:[ -]?[0-9]){5,13})(?![\w-]|[.,][0-9])",
    re.IGNORECASE,
)
_BANK: Final = re.compile(
    r"routing|sort code|\b(?:bank|swift|bic|blz|iban|bsb|aba|ifsc|clabe)\b|bankleitzahl|sparkasse"
    r"|wire transfer|überweis|virement|transferencia|bonifico|overschrijving",
    re.IGNORECASE,
)
_BANK_REACH: Final = 120
_ABBREVIATED: Final = re.compile(
    rf"(?:{'|'.join(_ABBREVIATIONS)})(?:[ ](?i:number|no|nr|num|card|code|id))?\.?"
    r"(?:[ ](?i:is|ist|est|es|é|è))?(?:[:=#]|[ ]){1,3}[\"'`«“]?"
    r"(?P<number>[0-9](?:[ ./-]?[0-9]){6,16}(?:-?[A-Z]{1,2})?|[A-Z]{2}(?: ?[0-9]{2}){3} ?[A-D]"
    r"|[A-Z]{1,5}[0-9]{4,7}[A-Z0-9]{1,3})"
    r"(?![\w-])"
)
_SORT_CODE: Final = re.compile(
    r"sort code(?: is|:|=)? {0,2}(?P<number>[0-9]{2}(?:[ -]?[0-9]{2}){2})(?![\w-])", re.IGNORECASE
)
_SWISS: Final = re.compile(r"(?<![\w.])756\.[0-9]{4}\.[0-9]{4}\.[0-9]{2}(?![\w.])")


_PLATE: Final = re.compile(
    r"(?i:(?:number|licen[cs]e|registration|vehicle|car)[ -]?plates?|kennzeichen|nummernschild"
    r"|(?:plaque d['’])?immatriculation|matrícula|\btarga|kenteken|nummerplade|registreringsnummer"
    r"|rejestracyjn[aey]|\bplaka|vehicle registration)"
    r"(?i:[ ](?:number|no|nr|num|du véhicule|del coche))?\.?"
    r"(?:[ ]?[:=(]|[ ](?i:is|was|ist|lautet|war|est|es|era|è|é))?[ ]{1,2}[\"'`«“]?"
    r"(?P<number>[A-ZÄÖÜ0-9]{1,4}(?:[ -]?[A-ZÄÖÜ0-9]{1,4}){1,3})(?![\w-])"
)
"""The words for the number of a car, and the number in capitals."""


def _find_plates(text: str, name: str) -> Iterator[SecretPlace]:
    for match in _PLATE.finditer(text):
        number = match["number"]
        if (
            5 <= len(number) <= 11
            and any(map(str.isdigit, number))
            and any(map(str.isalpha, number))
        ):
            yield SecretPlace("number-plate", *match.span("number"))


def _find_abbreviated(text: str, name: str) -> Iterator[SecretPlace]:
    for match in match_at(_ABBREVIATED, text, text, _ABBREVIATIONS):
        yield SecretPlace("id-number", *match.span("number"))
    for match in _SWISS.finditer(text):
        yield SecretPlace("id-number", *match.span())


def _find_identities(text: str, name: str) -> Iterator[SecretPlace]:
    for match in _SORT_CODE.finditer(text):
        yield SecretPlace("id-number", *match.span("number"))
    for match in _BANK_ACCOUNT.finditer(text):
        # An account of another kind has a number as well, which anybody may know.
        around = max(match.start() - _BANK_REACH, 0), match.end() + _BANK_REACH // 2
        if _BANK.search(text, *around):
            yield SecretPlace("id-number", *match.span("number"))
    for match in match_at(_ID, text, text.lower(), _IDENTITIES):
        if sum(map(str.isdigit, match["number"])) >= 5:
            yield SecretPlace("id-number", *match.span("number"))


_BIRTH: Final = (
    r"(?:date[ _]?of[ _]?birth|birth[ _-]?da(?:te|y)|\bd\.?o\.?b\b\.?|geburtsdatum|geburtstag"
    r"|geb\. ?am|fecha de nacimiento|date de naissance|data di nascita|data de nascimento"
    r"|geboortedatum"
    r"|data urodzenia|födelsedatum|fødselsdato|дата рождения|生年月日|出生日期|생년월일)"
)
_DATE: Final = (
    r"(?:[0-9]{1,4}[./-][0-9]{1,2}[./-][0-9]{2,4}"
    r"|[0-9]{1,2}(?:st|nd|rd|th|\.)? (?:de )?[^\W\d_]{3,10}\.?,? (?:de )?[0-9]{4}"
    r"|[^\W\d_]{3,10} [0-9]{1,2}(?:st|nd|rd|th)?,? [0-9]{4}"
    r"|(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
    r"|[0-9]{4}[年년] ?[0-9]{1,2}[月월] ?[0-9]{1,2}[日일])"
)
_BORN: Final = re.compile(
    rf"{_BIRTH}[\"'`*)]{{0,3}}(?: (?:is|was|ist|est|es|è|é)|[ ]?[:=：]){{0,2}}"
    rf"[ ]{{0,3}}[\"'`*]{{0,3}}(?P<date>{_DATE})(?![\w])",
    re.IGNORECASE,
)


_BORN_ON: Final = re.compile(
    r"(?<!\w)(?:(?:i was|i am|i['’]m) born(?: on)?|n[ée]e? le|nac[íi] el|nacid[oa] el|geboren am"
    r"|nat[oa] il|geboren op|född den|urodzon[ya](?: dnia)?|родил(?:ся|ась)|nasci (?:em|a|no dia))"
    rf"(?: the)?[: ]{{1,2}}(?P<date>{_DATE})(?!\w)",
    re.IGNORECASE,
)
_BORN_THEN: Final = re.compile(
    r"(?<!\w)(?:born|geboren|née?)(?: on| am)?:? {1,2}"
    r"(?P<date>[0-9]{1,2}[./-][0-9]{1,2}[./-](?:19[2-9]|20[0-2])[0-9])(?!\w)",
    re.IGNORECASE,
)
_OF_OUR_TIME: Final = re.compile(r"19[2-9][0-9]|20[0-2][0-9]|[./-][0-9]{2}\Z")
"""Years of people who are alive; others were written about."""


def _find_births(text: str, name: str) -> Iterator[SecretPlace]:
    for match in _BORN.finditer(text):
        yield SecretPlace("birth-date", *match.span("date"))
    for match in _BORN_THEN.finditer(text):
        yield SecretPlace("birth-date", *match.span("date"))
    for match in _BORN_ON.finditer(text):
        if _OF_OUR_TIME.search(match["date"]):
            yield SecretPlace("birth-date", *match.span("date"))


def find_named_identity(text: str, name: str) -> Iterator[SecretPlace]:
    """Yield the whole text if its name says that it is a number of a person or a date of birth."""
    if len(text) <= 24 and _ID_NAME.fullmatch(name) and sum(map(str.isdigit, text)) >= 5:
        yield SecretPlace("id-number", 0, len(text))
    if _BIRTH_NAME.fullmatch(name) and re.fullmatch(_DATE, text[:40]):
        yield SecretPlace("birth-date", 0, len(text))


IDENTITIES: Final[tuple[tuple[str, Callable[[str, str], Iterator[SecretPlace]]], ...]] = (
    (
        rf"(?:^|[^\p{{L}}\p{{N}}_-])(?i:{'|'.join(_IDENTITIES)}"
        r"|(?:account|acct?|konto(?:nr|nummer)?|kto|compte|cuenta|rekening|conto|conta)[^0-9\n]*[0-9])",
        _find_identities,
    ),
    (
        rf"(?:^|[^\p{{L}}\p{{N}}_-])(?:{'|'.join(_ABBREVIATIONS)})[ .:=#]|756\.[0-9]{{4}}\.",
        _find_abbreviated,
    ),
    (
        r"(?i:plates?|kennzeichen|nummernschild|immatriculation|matrícula|targa|kenteken|nummerplade"
        r"|registreringsnummer|rejestracyjn[aey]|plaka|vehicle registration)"
        r"[^\n]{0,24} [\"'`«“]?[A-ZÄÖÜ0-9]",
        _find_plates,
    ),
    (
        r"(?i:birth|d\.?o\.?b|geburts|geb\.|nacimiento|naissance|nascita|nascimento|geboorte|urodzenia"
        r"|födelsedatum|fødselsdato|рождения|生年月日|出生日期|생년월일)[^0-9\n]*[0-9]"
        r"|(?i:birth|dob|geburts)[^0-9\n]* [0-9]"
        r"|(?i:born|n[ée]e?|nac[íi]|nacid[oa]|geboren|nat[oa]|född|urodzon[ya]|родил(?:ся|ась)|nasci)"
        r"[ :][^\n]*[0-9]",
        _find_births,
    ),
)
"""Expressions of RE2, each with the function that finds its kind in a text that matches."""
