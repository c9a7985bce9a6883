"""Numbers of persons and dates of birth, beside the words for them in many languages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Final

from webapp.redaction.prefilter import lower
from webapp.redaction.rules.kinds import WORD, SecretPlace, match_at
from webapp.redaction.rules.tables import iter_columns, iter_labels

# Spaces stand for any way to join words, as in `driver_license` and `driverLicense`.
_WRITTEN: Final = """
    ssn, social security, my social, social insurance, national insurance, nino, ni number, ni no,
    national id, national identity, identity number, citizen id, identity card, id card,
    my id number, your id number, his id number, her id number, cedula, personal id,
    personal number, identification number, south african id, resident registration, passport,
    driver license, drivers license, driver's license, driving license, driver licence,
    drivers licence, driver's licence, driving licence, tax id, taxpayer id, tax file,
    taxpayer identification, itin, nhs, medicare, medical record, health card, health insurance,
    insurance number, voter id, emirates id, hkid, nric, imei, account number, account no,
    account #, cbu, clabe, cvu, routing, sort code, my ic, dl#, sozialversicherungs,
    sozialversicherung,
    sv-nummer, sv-nr, reisepass, personalausweis, ausweis, steuer-id, steuernummer, steuernr,
    steuer-identifikations, steueridentifikations, idnr, führerschein, krankenversicherten,
    krankenkasse, versicherten, versicherungs, kontonummer, rentenversicherungs, ahv-nummer,
    ahv-nr, passeport, sécurité sociale, sécu, carte vitale, permis de conduire, carte d'identité,
    numéro de compte, numéro fiscal, nir, tfn, rrn, rut, mrn, ppsn, pasaporte, dni, nie, nif,
    cédula, curp, cuit, cuil, seguridad social, número de cuenta, cuenta bancaria,
    permiso de conducir, licencia de conducir, passaporte, cpf, cnpj, bilhete de identidade,
    cartão de cidadão, número da conta, codice fiscale, passaporto, conto corrente,
    carta d'identità, patente, bsn, burgerservicenummer, rekeningnummer, rijksregister, paspoort,
    rijbewijs, pesel, dowód osobisty, dowodu osobistego, paszport, personnummer, cpr,
    fødselsnummer, henkilötunnus, hetu, rodné číslo, aadhaar, snils, kimlik, паспорт, снилс, инн,
    егн, 身份证, 身份证号, 身分證, 護照, 护照, マイナンバー, 旅券番号,
    パスポート, 免許証, 주민등록번호, 주민번호, 여권번호, ת.ז,
    konto-nr,
    perso-nr, kvnr, ird number, dowodu, паспорта, tessera sanitaria, identifikationsnummer,
    numéro d'identification, número de identifica, 個人番号, my number card, mynumber, visa number,
    green card, patient id, ת"ז, תעודת זהות, αμκα, αφμ, рнокпп, nik, ktp, cccd, cmnd,
    sa id, ohip, permesso di soggiorno, isikukood, asmens kodas, personas kods
"""
_TERMS: Final = [term.strip() for term in _WRITTEN.split(",")]
TERMS: Final = (
    "|".join(
        sorted(
            (re.sub(r"\\[ -]", "[ _-]?", re.escape(term)) for term in _TERMS), key=len, reverse=True
        )
    )
    .replace("número", "(?:n[uú]mero|n[°º]|nº|n\\.)")
    .replace("numéro", "(?:num[eé]ro|n[°º]|n\\.)")
)
"""The words for the numbers of persons, as an expression that ignores case."""
_HINTS: Final = tuple(
    sorted(
        {
            # Short words are said of everything.
            f"{first}{joiner}{rest[:1]}" if len(first) <= 4 and rest else first
            for first, _, rest in (term.replace("-", " ").partition(" ") for term in _TERMS)
            for joiner in (" ", "_", "-", "")
        }
    )
)
SMALL: Final = "ein|sin|tfn|utr|bvn|cnic|ahv|avs|cnp|svnr|niss|ppsn"
"""Those of them that a name of a member or a column can be."""
_LABELS: Final = (
    rf"{SMALL}|tin|nin|rg|rfc|pan|dl|iban|bic iban|my number|id(?: number| no)|(?:policy|visa"
    rf"|permit"
    r"|green card|patient|insured|subscriber)(?: (?:number|no|nr|id))|residence permit|bank account"
    r"|(?:acct|konto|kto|rekening|bank account)(?: (?:number|no|nr|nummer))"
    r"|n[uú]m[eé]ro(?: de| da)? (?:cuenta|compte|conta|s[eé]cu(?:rit[eé] sociale)?)|cuenta bancaria"
    r"|conta corrente|conto corrente"
)
"""Names of members, columns and lines that are said of other things in sentences."""
_NUMBER_WORD: Final = (
    r"(?:number|numbers|no|nr|nummer|num|id|ids|code|card|details|n[°º]|nº|№"
    r"|号码|號碼|番号|号|號|번호|numer|número)"
)
_TERM_NAME: Final = re.compile(
    rf"(?:(?:[a-z]{{1,20}} ){{0,3}}(?:{TERMS})|(?:(?:my|your|his|her|patient|customer|client|user"
    rf"|member|employee|person|owner|holder) )?(?:{_LABELS}))(?:[ _-]?{_NUMBER_WORD}){{0,2}}"
)
_BIRTH_NAMES: Final = re.compile(
    r"(?:[a-z]{1,20} ){0,3}(?:date of birth|birth ?(?:date?|day|dt)|d ?o ?b|born(?: on| at)?"
    r"|geburts"
    r"(?:datum|tag)|geb ?datum|fecha(?: de)? nac(?:imiento)?|date(?: de)? naiss(?:ance)?"
    r"|da?ta?(?: de)? nasc(?:imento)?|data(?: di)? nascita|geboortedatum|data urodzenia"
    r"|f[öoø]d(?:else|sels)dat(?:um|o)|生年月日|出生日期|생년월일)"
)
_WORD: Final = re.compile(r"[A-ZÀ-Þ]+(?![a-zß-ž])|[A-ZÀ-Þ]?[a-zß-ž']+|[0-9]+|[^\W\d_a-zA-ZÀ-ž]+|#")
_ABBREVIATIONS: Final = (
    *("SIN", "TFN", "NIR", "RG", "RUT", "AHV", "AVS", "SVNR", "TAJ", "CNP", "EGN", "AMKA", "AFM"),
    *("EIN", "NIN", "UTR", "PPS", "PPSN", "NRIC", "NISS", "BVN", "CNIC", "MRN", "EMŠO", "OIB"),
    *("JMBG", "PAN", "RFC", "DL", "SVN", "My Number"),
)
"""Words of other languages too, if not in capitals."""
_SAYS: Final = (
    # Whose it is, and a remark between brackets, before the verb or the sign.
    r"[\"'`*)]{0,3}(?:['’]s)?(?:[ ]?#|[ ]\([^()\n]{1,24}\))?"
    r"(?i:[ ](?:of|for|von|für|de|du|del|de la|para|pour|di|per)(?:[ ][\w.'’-]{1,20}){1,3}?)?"
    r"(?:(?i:[ ](?:is|was|ist|lautet|est|es|é|è|to|jest|er|är|:)(?![a-z]))"
    r"|[ ]?(?:[:：=#>|]|->|=>)|[ ][-–—](?=[ ])|,(?=[ ])|</[a-z]{1,8}>"
    r"|(?:[ ](?:is|was|has|been|will|should|must|be|now|changed|updated|corrected|set|to|as|reads"
    r"|says|shows|given|the|following|here|again|listed|recorded|entered|registered)){1,4}|[はは是는은])?\s{0,2}[\"'«“`*]{0,3}"
)
_ID: Final = re.compile(
    rf"(?i:{TERMS})(?i:[cs]e)?(?i:-?nummer"
    rf"|-?nr)?(?i:[ _-]?{_NUMBER_WORD}){{0,2}}(?:[ ]n)?\.?{_SAYS}"
    r"(?P<number>[A-Z0-9](?:[ ./-]?[A-Z0-9]){5,33}(?:\([0-9A]\))?)"
    rf"(?![{WORD}-])"
)
_BANK_ACCOUNT: Final = re.compile(
    r"(?<![\w-])(?:account|acct?|a/c|konto(?:nr|nummer)?|kto|compte|cuenta|rekening|conto|conta)\.?"
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
    rf"(?!RFC[ ][0-9])(?:{'|'.join(_ABBREVIATIONS)})(?:[ ](?i:number|no|nr|num|card|code|id))?\.?"
    rf"(?![\w]){_SAYS}"
    r"(?P<number>[0-9](?:[ ./-]?[0-9]){6,16}(?:-?[A-Z]{1,2})?|[A-Z]{2}(?: ?[0-9]{2}){3} ?[A-D]"
    r"|[A-Z]{1,5}[0-9]{4,7}[A-Z0-9]{1,3}|[A-Z]{2}[0-9]{2}[ ][0-9]{11})"
    # Nor is the size of a download (DL) or a picture.
    r"(?![\w-]|[ ]?(?:bytes|[kKMG]i?B|px|of)\b)"
)
_FORMED: Final = re.compile(
    # Of Switzerland, Italy and Mexico, with the name and the date of birth in the last two.
    rf"(?<![{WORD}.])(?:756\.[0-9]{{4}}\.[0-9]{{4}}\.[0-9]{{2}}"
    r"|[A-Z]{6}[0-9]{2}[A-EHLMPR-T][0-7][0-9][A-Z][0-9]{3}[A-Z]"
    r"|[A-Z]{4}[0-9]{2}[01][0-9][0-3][0-9][HM][A-Z]{5}[A-Z0-9][0-9]"
    # Of a passport or an identity card, in the lines that machines read.
    r"|(?:[PIACV][A-Z<][A-Z0-9<]{28,42}\r?\n)?(?:[A-Z0-9<]{9}[0-9<][A-Z<]{3})?"
    r"[0-9]{6}[0-9<][MFX<][0-9]{6}[0-9<][A-Z0-9<]{8,16}"
    # Of America, and of Brazil, China and France with check digits.
    r"|(?P<america>(?!000|666)[0-8][0-9]{2}-(?!00)[0-9]{2}-(?!0000)[0-9]{4})"
    r"|(?P<brazil>[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2})"
    r"|(?P<china>[1-9][0-9]{5}(?:19|20)[0-9]{2}[01][0-9][0-3][0-9]{4}[0-9X])"
    r"|(?P<france>[12][ ]?[0-9]{2}[ ]?[01][0-9][ ]?[0-9][0-9AB](?:[ ]?[0-9]{3}){2}[ ]?[0-9]{2}))"
    rf"(?![{WORD}.-])"
)
"""Numbers that need no word."""

_GOODS_REACH: Final = 60
_OF_GOODS: Final = re.compile(
    r"(?<![^\W_])(?:version|revision|rev|release|firmware|build|part|model|sku|order|item|article"
    r"|drawing|invoice|ticket|catalog(?:ue)?|product|serial|lot|batch|tracking|dimension|range|size"
    r"|ref(?:erence)?|[ps]/?n|isbn|upc|ean|po|kit|chip|artikel|bestell(?:ung)?|rechnungs?|teil)s?"
    r"[-_ ]?(?:numbers?|no|nr|num|id|code|nummer)?\.?[\"'`*]{0,3}(?:[ ](?:is|ist))?[ ]?[:=#]?[ ]?"
    # Several of them.
    r"[\"'`*#]{0,3}(?:[0-9]{3}-[0-9]{2}-[0-9]{4}(?:,|[ ]and|[ ]or)[ ]){0,3}\Z",
    re.IGNORECASE,
)
"""Words before a number in the form of America's that is of a thing."""


def _find_abbreviated(text: str, name: str) -> Iterator[SecretPlace]:
    for match in match_at(_ABBREVIATED, text, text, _ABBREVIATIONS):
        # The function of that name has other numbers.
        is_sine = match[0].startswith("SIN") and sum(map(str.isdigit, match["number"])) != 9
        if not is_sine and _OTHER_NUMBER.fullmatch(match["number"]) is None:
            yield SecretPlace("id-number", *match.span("number"))
    for match in _FORMED.finditer(text):
        before = text[max(match.start() - _GOODS_REACH, 0) : match.start()] or name
        if match["america"] and _OF_GOODS.search(before):
            continue
        check = _CHECKS.get(match.lastgroup or "")
        if check is None or check(re.sub("[^0-9A-Z]", "", match[0])):
            yield SecretPlace("id-number", *match.span())


def _is_of_brazil(number: str) -> bool:
    digits = list(map(int, number))
    sums = (
        sum(digit * (count + 1 - at) for at, digit in enumerate(digits[:count]))
        for count in (9, 10)
    )
    return len(set(digits)) > 1 and [one * 10 % 11 % 10 for one in sums] == digits[9:]


def _is_of_china(number: str) -> bool:
    total = sum(int(digit) * pow(2, 17 - at, 11) for at, digit in enumerate(number[:17]))
    return "10X98765432"[total % 11] == number[17]


def _is_of_france(number: str) -> bool:
    # Of Corsica.
    digits = number.replace("2A", "19").replace("2B", "18")
    return digits.isdigit() and int(digits[:13]) % 97 == 97 - int(digits[13:])


_CHECKS: Final[dict[str, Callable[[str], bool]]] = {
    # Numbers of advertisements, and of examples.
    "america": lambda number: number not in ("078051120", "219099999", "123456789"),
    "brazil": _is_of_brazil,
    "china": _is_of_china,
    "france": _is_of_france,
}


def _find_identities(text: str, name: str) -> Iterator[SecretPlace]:
    for match in _BANK_ACCOUNT.finditer(text):
        # An account of another kind has a number as well, which anybody may know.
        around = max(match.start() - _BANK_REACH, 0), match.end() + _BANK_REACH // 2
        if _BANK.search(text, *around):
            yield SecretPlace("id-number", *match.span("number"))
    for match in match_at(_ID, text, lower(text), _HINTS, joiners=""):
        is_short = len(match["number"]) < 7
        if is_number(match["number"]) and not is_short and not _is_paid(match):
            yield SecretPlace("id-number", *match.span("number"))
    yield from _find_in_columns(text, "id-number")


def _is_paid(match: re.Match[str]) -> bool:
    """Return whether a number after a word like `Medicare` can be an amount."""
    number, term = match["number"], match[0].lower()
    return (
        number.isdigit()
        and len(number) < _LEAST_DIGITS
        and term.startswith(("social security", "medicare", "health insurance"))
        and re.search(rf"\b{_NUMBER_WORD}\b|#", term) is None
    )


_OTHER_NUMBER: Final = re.compile(
    r"-?[0-9]*\.[0-9]+(?:[eE][+-]?[0-9]+)?"
    # A date, with the hour after it.
    r"|(?:(?:19|20)[0-9]{2}[-/.][01][0-9][-/.][0-3][0-9]"
    r"|[0-3]?[0-9][-/.][0-3]?[0-9][-/.](?:19|20)[0-9]{2})(?:[ ][0-9]{2})?"
    # An amount, and a version.
    r"|[$€£]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?"
    r"|v[0-9]+(?:\.[0-9]+){1,3}|[0-9]{1,3}(?:\.[0-9]{1,2}){2}"
    # A range of years.
    r"|(?:19|20)[0-9]{2}[ ]?[-/][ ]?(?:19|20)?[0-9]{2}"
    # Several numbers, some of them fractions.
    r"|(?=[^.]*\.[0-9]{1,3}(?:[ ]|\Z))-?[0-9]+(?:\.[0-9]+)?(?:[ ]-?[0-9]+(?:\.[0-9]+)?){2,}"
    # The address of a machine; groups of three digits each are those of a large number.
    r"|(?![0-9]{1,3}(?:\.[0-9]{3}){3}\Z)[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?:/[0-9]{1,2})?"
)
_LONGEST_NAME: Final = 60

BIRTHS: Final = (
    "date de naissance|fecha de nacimiento|data di nascita|data de nascimento|geboortedatum"
    "|data urodzenia|födelsedatum|fødselsdato|fødselsdag|дата рождения|дату рождения|生年月日"
    "|誕生日|出生日期|생년월일|doğum tarihi|doğum günü|ngày sinh|tanggal lahir|วันเกิด|data nașterii"
    "|datum narození|dátum narodenia|születési dátum|születési idő|syntymäaika|datum rođenja"
    "|ημερομηνία γέννησης|дата народження|дата на раждане|data de naixement|תאריך לידה"
    "|تاريخ الميلاد|जन्म तिथि"
)
_BIRTH: Final = (
    r"(?:date[ _]?of[ _]?birth|birth[ _-]?da(?:te|y)|(?<![^\W_])d\.?o\.?b\b\.?|geburtsdatum"
    rf"|geburtstag|\bgeb\.(?: ?am)?|\bur\.|data de nasc\.|生まれ|{BIRTHS})"
)
DATE: Final = (
    r"(?:[0-9]{1,4}[./-][0-9]{1,2}[./-][0-9]{2,4}|[0-9]{1,2}-[a-z]{3,9}-[0-9]{4}|[0-9]{1,2}(?:st|nd|rd|th"
    r"|\.)? (?:de )?[^\W\d_]{3,10}\.?,? (?:de )?[0-9]{4}|[^\W\d_]{3,10} [0-9]{1,2}(?:st|nd|rd"
    r"|th)?,? [0-9]{4}|(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
    r"|[0-9]{4}[年년] ?[0-9]{1,2}[月월] ?[0-9]{1,2}[日일])"
)
_BIRTH_HINTS: Final = (
    *("date of", "date_of", "dateof", "birth", "dob", "d.o", "do.b", "geburts", "geb.", "ur."),
    *("data de nasc.", "生まれ"),
    *BIRTHS.split("|"),
)
_BORN: Final = re.compile(
    rf"{_BIRTH}[\"'`*)]{{0,3}}(?: (?:is|was|ist|est|es|è|é|on|am)|[ ]?[:=：>|-]|[はが]| \((?:dob"
    rf"|d\.o\.b\.)\)){{0,3}}"
    rf"[ ]{{0,3}}[\"'`*]{{0,3}}(?P<date>{DATE})(?![{WORD}])",
    re.IGNORECASE,
)


_BORN_THEN: Final = re.compile(
    # The sign for born, which is no mark of an item or of emphasis.
    r"(?:(?:(?<=[\w,;)] )|(?<=\())\*[ ]?|(?<![\w*])\*(?! ))"
    r"(?P<date>[0-9]{1,2}[./-][0-9]{1,2}[./-](?:19[2-9]|20[0-2])[0-9])(?![\w*])"
)
OF_OUR_TIME: Final = re.compile(r"19[2-9][0-9]|20[0-2][0-9]|[./-][0-9]{2}\Z")
"""Years of people who are alive; others were written about."""


def _find_births(text: str, name: str) -> Iterator[SecretPlace]:
    for match in match_at(_BORN, text, lower(text), _BIRTH_HINTS, joiners=None):
        yield SecretPlace("birth-date", *match.span("date"))
    for match in match_at(_BORN_THEN, text, text, ("*",), joiners=None):
        yield SecretPlace("birth-date", *match.span("date"))
    yield from _find_in_columns(text, "birth-date")


@lru_cache(maxsize=4096)
def _classify_person(name: str) -> str | None:
    """Find the kind of personal detail that a name of a member or a column has as its value."""
    words = " ".join(word.lower() for word in _WORD.findall(name[:_LONGEST_NAME]))
    if _COUNTED.fullmatch(words):
        return _LONG
    if _TERM_NAME.fullmatch(words) or words.upper() in _ABBREVIATIONS:
        return "id-number"
    return "birth-date" if _BIRTH_NAMES.fullmatch(words) else None


_COUNTED: Final = re.compile(
    r"(?:[a-z]{1,20} ){0,3}(?:social security|medicare|health insurance)|dl|pan"
)
"""Names of payments, or of a size, too; then the number is alone and short."""
_LONG: Final = "long-number"
_KINDS: Final = {_LONG: "id-number"}
_LEAST_DIGITS: Final = 9
_NUMBER_FORM: Final = re.compile(
    r"(?=(?:.*[0-9]){7})[A-Z0-9](?:[ ./-]?[A-Z0-9]){5,34}(?:\([0-9A]\))?|[0-9]{2}(?:-[0-9]{2}){2}"
)


def _is_of_kind(kind: str, text: str) -> bool:
    if kind == _LONG and text.isdigit() and len(text) < _LEAST_DIGITS:
        return False
    if kind == "birth-date":
        return len(text) <= 40 and re.fullmatch(DATE, text, re.IGNORECASE) is not None
    return len(text) <= 24 and len(text.split()) <= 6 and is_number(text)


def is_number(text: str) -> bool:
    """Return whether a text can be the number of a person, and is no date, fraction or address."""
    digits = sum(map(str.isdigit, text))
    is_long = digits >= 5 or (digits >= 2 and re.fullmatch("[A-Z0-9]{8,12}", text) is not None)
    return is_long and _OTHER_NUMBER.fullmatch(text) is None


def find_named_identity(text: str, name: str) -> Iterator[SecretPlace]:
    """Yield the whole text if its name says that it is a number of a person or a date of birth."""
    kind = _classify_person(name)
    if kind is not None and _is_of_kind(kind, text):
        yield SecretPlace(_KINDS.get(kind, kind), 0, len(text))


def _find_in_columns(text: str, wanted: str) -> Iterator[SecretPlace]:
    """Yield the values of columns, lines and elements whose names are those of such details."""
    for iter_places in (iter_columns, iter_labels):
        for start, end, kind in iter_places(text, _classify_person):
            written = text[start:end].strip("\"'` ")
            is_form = (
                iter_places is iter_columns
                or kind == "birth-date"
                or _NUMBER_FORM.fullmatch(written) is not None
            )
            if _KINDS.get(kind, kind) == wanted and is_form and _is_of_kind(kind, written):
                yield SecretPlace(_KINDS.get(kind, kind), start, end)


IDENTITIES: Final[tuple[tuple[str, Callable[[str, str], Iterator[SecretPlace]]], ...]] = (
    (
        rf"(?:^|[^\p{{L}}\p{{N}}]|[\x{{2e80}}-\x{{ffff}}])(?i:{TERMS}"
        rf"|(?:{_LABELS.replace(' ', '[ _-]?')})[\"'`* ]*[,;:=>\t|\r\n]"
        r"|(?:account|acct?|a/c|konto(?:nr|nummer)?|kto|compte|cuenta|rekening|conto"
        r"|conta)[^0-9\n]*[0-9])",
        _find_identities,
    ),
    (
        rf"(?:^|[^\p{{L}}\p{{N}}_-])(?:{'|'.join(_ABBREVIATIONS)})(?:[ .,:=#*'’|)<?!\"]|$)"
        r"|756\.[0-9]{4}\.|[0-9]{6}[0-9<][MFX<][0-9]{6}[0-9<][A-Z0-9<]{8}"
        r"|[A-Z]{6}[0-9]{2}[A-T][0-7][0-9][A-Z]|[A-Z]{4}[0-9]{6}[HM][A-Z]{5}"
        r"|[0-9]{3}-[0-9]{2}-[0-9]{4}|[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}|[1-9][0-9]{5}(?:19"
        r"|20)[0-9]{9}[0-9X]|[12] ?[0-9]{2} ?[01][0-9] ?[0-9][0-9AB](?: ?[0-9]{3}){2} ?[0-9]{2}",
        _find_abbreviated,
    ),
    (
        r"(?i:birth|born|d[._]?o[._]?b|geb(?:urts|[._]|_?dat)|f[öoø]d(?:else|sels)|nasc|nac(?:imiento)?_?"
        rf"|naiss|nascita|urodzenia|{BIRTHS})"
        r"[^0-9\n]*(?:[0-9]|[ \n])|\*[ ]?[0-9]{1,2}\.[0-9]{1,2}\.[12]|\bur\. ?[0-9]|生まれ",
        _find_births,
    ),
)
"""Expressions of RE2, each with the function that finds its kind in a text that matches."""
