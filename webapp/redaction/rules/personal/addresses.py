"""Postal addresses: a street with the number of the house, and the parts of an address beside it.

A street alone needs a word for an address near it. One before a postal code and a town needs none,
nor do members, columns and lines whose names are those of a street and of a town or a code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

from webapp.redaction.rules.kinds import SecretPlace, split_words
from webapp.redaction.rules.tables import iter_columns, iter_labels

_NAME: Final = r"[A-ZÀ-Þ](?:[^\W\d_]|['’-]){1,24}(?!\w)\.?"
_TOWN: Final = rf"{_NAME}(?:[ ](?:(?:am|an der|im|de|do|da|la|le|sur)[ ])?{_NAME}){{0,3}}"
_UNIT: Final = (
    r"(?:[Aa]p(?:t|artment|to)|[Uu]nit|[Bb]us|[Bb]te|[Ss]uite|[Ff]lat|[Ff]loor|Wohnung|Whg|[Pp]iso)\.?"
    r"[ ]?(?:[ #][A-Za-z]?|(?=[0-9]))[0-9]?\w{0,4}(?!\w)|#[ ]?\w{1,6}|[0-9]{1,2}[ºª°][ ]?\w{0,4}"
)
_LETTERED: Final = (
    # Ireland, Argentina.
    r"[AC-FHKNPRTV-Y][0-9][0-9W][ ]?[0-9AC-FHKNPRTV-Y]{4}(?!\w)"
    r"|[A-HJ-NP-Z][0-9]{4}(?:[A-Z]{3})?(?=[ ][A-Z])|"
    # Britain, Canada, the Netherlands, Brazil, Portugal, Poland, Japan.
    r"[A-Z]{1,2}[0-9][A-Z0-9]?[ ]?[0-9][A-Z]{2}|[A-Z][0-9][A-Z][ ]?[0-9][A-Z][0-9]"
    r"|[1-9][0-9]{3}[ ]?[A-Z]{2}|[0-9]{5}-[0-9]{3}|[0-9]{4}-[0-9]{3}|[0-9]{2}-[0-9]{3}"
    r"|〒[0-9]{3}-[0-9]{4}"
)
_STATE: Final = (
    r"(?:A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]"
    r"|T[NX]|UT|V[AT]|W[AIVY]|NSW|VIC|QLD|TAS|ACT|Wash|Calif)\.?"
)
_CODE: Final = (
    rf"(?:(?:{_STATE},?[ ])(?:USA?,?[ ])?[0-9]{{4,5}}(?:-[0-9]{{4}})?|{_LETTERED}|[0-9]{{5}})"
)
_TYPE: Final = (
    r"(?:Street|St|Avenue|Ave|Road|Rd|Lane|Ln"
    r"|Drive|Dr|Boulevard|Blvd|Court|Ct|Place|Pl|Terrace|Way|Square|Sq|Close|Crescent|Parkway|Pkwy"
    r"|Highway|Hwy|Circle|Gardens|Row|Hill|Mews|Grove|Walk)\b\.?"
)
_ENDING: Final = (
    r"(?:stra(?:ß|ss)e|str\.|weg|allee|platz|gasse|ring|damm|ufer|straat|gracht|laan|plein|kade"
    r"|singel|dijk|gatan|vägen|gade|vej|veien|katu|intie|kuja|polku|utca)"
)
_WAY: Final = (
    # Before the name of a street.
    r"(?:[Rr]ue|[Aa]venue|[Bb]oulevard|[Pp]lace|[Cc]hemin|[Aa]llée|[Qq]uai|[Ii]mpasse|[Cc]alle|C/"
    r"|[Aa]v(?:enida|da)?\.?|[Pp]aseo|[Pp]laza|[Cc]arrer|Via(?=[ ][A-ZÀ-Þ])|Viale|Corso|[Pp]iazza"
    r"|[Rr]ua|[Tt]ravessa|[Pp]raça|[Aa]lameda|[Uu]l\.|ulica)"
)
STREET: Final = (
    # The number first: of America and Britain, and of France.
    rf"(?:(?:[0-9]{{1,5}}[A-Za-z]?[ ](?:{_NAME}[ ]){{1,4}}?{_TYPE}"
    r"|P\.?[ ]?O\.?[ ]?Box[ ][0-9]{1,6}"
    rf"|[0-9]{{1,4}}(?:[ ]?(?:bis|ter))?,?[ ]{_WAY}(?:[ ][\w'’-]{{1,24}}){{1,5}}"
    # The number last: of Germany and its neighbours, and of Spain and Italy.
    rf"|(?:[A-ZÄÖÜ][\w-]{{0,24}}{_ENDING}"
    r"|[A-ZÄÖÜ][\w-]{1,24}[ ](?:Straße|Str\.|Weg|Allee|Platz|Ring)"
    r"|(?:Am|An der|An den|Im|In der|Zum|Zur|Auf dem)[ ][A-ZÄÖÜ][\w-]{2,24}"
    rf"|{_WAY}(?:[ ][\w'’.-]{{1,24}}){{1,4}},?)"
    r"[ ](?:[Nn](?:r\.|º)[ ]?)?[0-9]{1,4}(?:[ ]?[a-z])?\b)"
    rf"(?:,?[ ](?:{_UNIT})){{0,2}}"
    rf"(?:,?[ ](?:[A-Z]{{1,2}}-)?(?:[0-9]{{4,5}}|{_LETTERED})[ ]{_TOWN})?"
    rf"(?:,?[ ]{_TOWN})?(?:,?[ ]{_CODE})?)"
)
_STREET: Final = re.compile(STREET)
_WHOLE: Final = re.compile(
    # A postal code and the town after it, or a town and the words after it.
    rf"(?<![\w,.-])(?:(?:[A-Z]{{1,2}}-)?(?P<digits>[0-9]{{4,5}}|[0-9]{{3}}[ ][0-9]{{2}})[ ]{_TOWN}"
    rf"|(?:{_LETTERED})(?:[ ]{_TOWN})?"
    rf"|{_TOWN}(?:(?:,[ ]?|[ ]-[ ]|[ ])[A-Z][A-Za-z]{{1,12}})?,?[ ]"
    rf"(?:(?P<state>{_STATE}),?[ ](?:USA?,?[ ])?[0-9]{{4,5}}(?:-[0-9]{{4}})?|{_LETTERED}))(?![\w-])"
)
_SIGN: Final = re.compile(r"[:;()\"`|>=?!{}\[\]\t]|\.[ ](?=[A-Z])|\\n|\n[ \t>*-]{0,4}\n")
_SPLIT: Final = re.compile(r"(?:,[ ]?|[ ]?\r?\n[ \t>*-]{0,8}|[ ][-–·][ ]|[ ]\Z)+")
_HOUSE: Final = (
    r"(?:(?:[A-ZÀ-Þ][\w.'’/-]{0,30}|rua|via|calle|rue|av\.|ul\.)"
    r"(?:[ ](?:d[aeio]s?|del|la|las|los|di|du|des|der|den|dem|von|y|e"
    r"|[A-ZÀ-Þ][\w.'’/-]{0,30}"
    r"|[0-9]{1,2}\.?(?=[ ][A-Z]))){0,5}"
    r",?[ ](?:[Nn](?:r\.?|[º°o]\.?)[ ]?)?[0-9]{1,4}(?:[ ]?[A-Za-z](?:[ ][0-9]{1,3})?)?"
    r"(?:[/-](?:[0-9]{1,4}[a-z]?|[IVX]{1,4}))?"
    r"|(?![1-3]/[2-4][ ])[0-9]{1,5}[A-Za-z]?(?:[-/][0-9]{1,5})?(?:[ ](?:bis|ter))?"
    r",?[ ](?:[\w.'’-]{1,24}[ ]){0,5}"
    r"[A-ZÀ-Þ][\w.'’-]{0,24})"
)
_HOUSE_END: Final = re.compile(rf"(?<![\w./-])(?P<street>{_HOUSE})(?:,?[ ](?:{_UNIT}))?\Z")
_SURE: Final = re.compile(
    rf"(?i:{_ENDING}[ ])|[aáeěiíyý][ ][0-9]{{1,4}}/[0-9]{{1,4}}[ ]"
    rf"|\b(?:{_WAY}|{_TYPE}|P\.?O\.?[ ]Box|Am|An|Im|Zum|Zur)(?![\w])"
)
_PUBLIC: Final = re.compile(
    r"platz[ ]|\b(?:Platz|Square|Plaza|Piazza|Place|Praça|Downing|Pennsylvania Ave|Baker St"
    r"|Infinite|51 Franklin St|59 Temple Pl|171 Second St|Box 1866"
    r"|Amphitheatre|Microsoft Way|Hacker Way|Champ|Unter den Linden|Broadway|Wall St|Fifth Ave"
    r"|5th Ave|Apple Park|Market St|One )"
)
"""Of squares and houses that everybody knows."""
_REACH: Final = 110
_MOST_PARTS: Final = 4
_TURKISH: Final = r"Cad(?:desi|\.)|Sok(?:ak|ağı|\.)|Bulvarı|Mah(?:allesi|\.)"
_PROVINCE: Final = re.compile(
    rf"[都道府県省市区县시도]|ул[.и]|просп|пр-т|пер\.|наб\.|бульвар|шоссе|{_TURKISH}"
)
_ASIAN: Final = re.compile(
    # Japan, China and Korea: from the province to the number of the house.
    r"(?:〒?[0-9]{3}-[0-9]{4}[ 　]?)?[一-龥]{1,3}[都道府県][一-龥ぁ-んァ-ヶー]{1,12}[市区町村郡]"
    r"[一-龥ぁ-んァ-ヶー々]{1,20}[0-9０-９一二三四五六七八九十]{1,4}(?:[-−－ー丁目番地号]{1,2}[0-9０-９]{0,4}){0,4}"
    r"(?:[ 　]?[一-龥ァ-ヶーA-Za-z]{1,16}[ 　]?[0-9０-９]{1,4}(?:号室|階|号)?)?"
    r"|[一-龥]{2,8}[省市区县][一-龥]{0,20}(?:[路街道巷弄村]|大道)[0-9０-９]{1,5}[号弄]"
    r"(?:[0-9一-龥A-Z座栋幢单元楼层室-]{1,20}[楼层室号])?"
    # Russia and Turkey.
    r"|(?:ул\.|улица|просп(?:ект|\.)|пр-т|пер\.|наб\.|бульвар|шоссе)[ ][А-ЯЁ][^\n,;]{2,30},?[ ]"
    r"(?:д(?:ом|\.)?[ ]?)?[0-9]{1,4}[а-я]?(?:,?[ ](?:кв|корп|стр|к|оф)\.?[ ]?[0-9]{1,4}){0,3}"
    r"(?:,[ ](?:г\.[ ]?)?[А-ЯЁ][А-ЯЁа-яё-]{2,24}(?:,?[ ][0-9]{6})?)?"
    rf"|(?:[A-ZÇĞİÖŞÜ][^\W\d_]{{1,20}}[ ]){{1,3}}(?:{_TURKISH})"
    r"(?:[, ]{1,2}[^\n,:;]{1,40}){0,2}?[, ]{1,2}No[.: ]{1,3}[0-9]{1,4}(?:[/ ][A-Z0-9]{1,4})?"
    r"(?:,?[ ][A-ZÇĞİÖŞÜ][^\W\d_]{2,20}(?:/[A-ZÇĞİÖŞÜ][^\W\d_]{2,20})?)?"
    r"|[가-힣]{1,8}(?:시|도)[ ](?:[가-힣]{1,8}(?:시|군|구)[ ]){1,2}[가-힣0-9]{1,12}(?:로|길|동)"
    r"[ ][0-9]{1,5}(?:-[0-9]{1,4})?"
)

_ENDS_AS_STREET: Final = re.compile(rf"{_ENDING}[ ]", re.IGNORECASE)
_GERMAN_NOUNS: Final = (
    # Of time.
    r"Moment|Anfang|Ende|Schluss|Abend|Morgen|Mittag|Nachmittag|Vormittag|Tag|Monat|Jahr|Quartal"
    r"|Sommer|Winter|Herbst|Frühling|Frühjahr|(?:Jan|Febr)uar|März|April|Mai|Ju[nl]i|August"
    r"|(?:Septem|Okto|Novem|Dezem)ber|\w{2,8}(?:tag|woch)|Zeitraum"
    # Of places in texts, machines and buildings, and of amounts.
    r"|Kapitel|Abschnitt|Absatz|Artikel|Anhang|Bild|Text|Zeile|Seite|Spalte|Tabelle|Version"
    r"|Schritt|Stufe|Speicher|Bereich|Code|Datei|Ordner|Port|Adresse|Index|Register|Block|Raum"
    r"|Zimmer|Stock|Frage|Punkt|Nummer|Klasse|Gruppe|Liste|Regal|Lager|Paket|Umfang"
    r"|Durchschnitt|Schnitt|Mittel|Preis|Wert|Fall|Vergleich|Verhältnis"
)
_THING: Final = re.compile(
    r"(?:Am|An der|An den|Im|In der|Zum|Zur|Auf dem)[ ]"
    rf"(?:(?:{_GERMAN_NOUNS})\b|[\w-]{{3,25}}[ ][0-9]{{4}}\Z)"
    r"|[0-9]+[ ](?:\w+[ ])?(?:(?:Google|Hard|Hardware|Flash|USB|Shared|Tape|One|Disk|Thumb|Pen"
    r"|Network|Test)[ ]Drive|(?:Food|Tennis|Supreme|High|District|Crown)[ ]Court|Star[ ]Place"
    r"|Sesame[ ]Street|(?:Fast|Bus|Bike)[ ]Lane|(?:One|Two|Three|Four)[ ]Way"
    r"|(?:Click|Column|Factor|Image|Request|Tab|Window)[ ](?:Close|Row|Way))\b"
    r"|(?:Highway|Hwy|Road|Row|Lane|Court|Place|Square|Circle|Way|Walk)[ ][0-9]"
)
"""A time, a device or an institution in the form of an address."""
_GOES_ON: Final = re.compile(
    # A name goes on after a word that is one of a street less often.
    r"[0-9]+[A-Za-z]?[ ](?:[^\s,]+[ ])+?(?:Drive|Court|Place|Way|Square|Close|Circle|Row|Hill|Walk)"
    r"[ ](?!Apt|Unit|Suite|Flat|#)[A-Z][\w'’-]*\Z"
)

_STREETS: Final = (
    r"street(?:[ _-]?(?:address|name|line))?[ _-]?1?|address(?:[ _-]?line)?[ _-]?(?:1|one)"
    r"|stra(?:ß|ss)e|rue|calle|indirizzo|logradouro|endere[cç]o|direcci[oó]n"
    r"|adresse[ _-]?1|anschrift|straat"
)
_PARTS: Final = (
    r"(?:address|street)(?:[ _-]?line)?[ _-]?[23]|apt|apartment|suite|flat"
    r"|house[ _-]?(?:no|nr|number)|hausnummer|huisnummer|n[uú]mero|complemento|bairro|suburb|city"
    r"|town|locality|village|ort|stadt|wohnort|ville|ciudad|cidade|comune|città|miasto|woonplaats"
    r"|zip(?:[ _-]?code)?|post(?:al)?[ _-]?code|plz|postleitzahl|code[ _-]?postal"
    r"|c[oó]digo[ _-]?postal|cep|cap|postnummer|kod[ _-]?pocztowy"
)
_OWN: Final = (
    r"(?:(?:ship(?:ping)?|bill(?:ing)?|home|mail(?:ing)?|delivery|new|your|my|customer)"
    r"(?:[ _.-]?to)?[ _.-]?)?"
)
_ROLE: Final = re.compile(
    rf"(?:\w{{1,20}}[ _.-])??{_OWN}"
    rf"(?:(?P<street>{_STREETS})|(?P<part>{_PARTS})"
    # Of machines and texts as well.
    r"|(?P<address>address|adres(?:se)?|line[ _-]?1)|(?P<rest>line[ _-]?[23]|unit))",
    re.IGNORECASE,
)
_NO_STREET: Final = re.compile(
    r"@|://|\w[(=]|\A[\W\d]+\Z|\A0x|\A[0-9a-fA-F:.]+\Z|\A[^\s]*[0-9a-fA-F]{16}"
)
_PLACE_NAMES: Final = split_words(
    "rating stars reviews price_level opening_hours user_ratings_total"
)
"""Names of members that a business has."""
_STREET_ROLES: Final = frozenset(("street", "address"))
_GAP: Final = 160


ADDRESS_MEMBER: Final = "part of a postal address"
"""The name for the texts of members that are the parts of an address."""


def is_address(address: str, is_placed: bool) -> bool:
    """Return whether a text in the form of a street is one.

    It `is_placed` after words such as `live at`; without them it must have the form of no other.
    """
    if _THING.match(address) or _GOES_ON.match(address):
        return False
    return is_placed or is_surely_address(address)


def is_surely_address(address: str) -> bool:
    """Return whether a street has a town after a comma, or a word that only streets end in."""
    return "," in address or _ENDS_AS_STREET.search(address) is not None


@lru_cache(maxsize=4096)
def _find_role(name: str) -> str | None:
    """Find whether a name is that of a street, of an address, or of another part of one."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z0-9])", "_", name[:60])
    match = _ROLE.fullmatch(spaced)
    return match and match.lastgroup


@lru_cache(maxsize=4096)
def find_roles(names: tuple[str, ...]) -> dict[str, str]:
    """Find the roles of the members with these names in an address, as those of its street."""
    roles = {name: role for name in names if (role := _find_role(name))}
    is_business = not _PLACE_NAMES.isdisjoint(names)
    return roles if not _STREET_ROLES.isdisjoint(roles.values()) and not is_business else {}


def is_whole(parts: Sequence[tuple[str, str]]) -> bool:
    """Return whether texts, each with its role, are an address and not that of a machine.

    A schema and a form with empty fields have no numbers.
    """
    parts = [(role, text) for role, text in parts if is_address_part(text)]
    roles = {
        role
        for role, text in parts
        if role not in _STREET_ROLES
        or (re.search(r"[^\W\d_]{2}", text) and (role == "street" or " " in text))
    }
    return (
        not _STREET_ROLES.isdisjoint(roles)
        and not roles <= _STREET_ROLES
        and not roles <= {"address", "rest"}
        and any(map(str.isdigit, "".join(text for _, text in parts)))
    )


def is_address_part(text: str) -> bool:
    """Return whether the text of a member of an address can be a part of it."""
    return (
        0 < len(text) <= 120
        and _NO_STREET.search(text) is None
        or re.fullmatch(r"[\w -]{3,10}", text) is not None
    )


def find_addresses(text: str, name: str) -> Iterator[SecretPlace]:
    """Yield whole addresses, and the parts of those whose parts have names."""
    for match in _ASIAN.finditer(text) if _PROVINCE.search(text) else ():
        yield SecretPlace("address", *match.span())
    for match in _WHOLE.finditer(text):
        start = _find_street(text, match)
        comma = text.find(", ", *match.span())
        if start is None and comma > 0 and (town := _WHOLE.match(text, comma + 2)):
            # The name of the street was taken for that of the town.
            start = _find_street(text, town)
        if start is not None:
            yield SecretPlace("address", start, match.end())
    group: list[tuple[int, int, str]] = []
    for place in iter_labels(text, _find_role):
        if group and place[0] - group[-1][1] > _GAP:
            yield from _read_group(text, group)
            group = []
        group.append(place)
    yield from _read_group(text, group)
    yield from _read_group(text, list(iter_columns(text, _find_role)))


def _find_street(text: str, code: re.Match[str]) -> int | None:
    """Find where the street begins before a postal code and a town."""
    begin = max(code.start() - _REACH, 0)
    for sign in _SIGN.finditer(text, begin, code.start()):
        begin = sign.end()
    ends = [match.span() for match in _SPLIT.finditer(text, begin, code.start())]
    starts = [begin, *(end for _, end in ends)]
    if not ends or ends[-1][1] != code.start():
        return None
    found = None
    for (end, _), count in zip(reversed(ends), range(_MOST_PARTS), strict=False):
        first = starts[len(ends) - 1 - count]
        if re.fullmatch(r"[0-9]{1,5}[A-Za-z]?", text[first:end].strip()) and count + 1 < len(ends):
            # The number after a comma.
            first = starts[len(ends) - 2 - count]
        street = _HOUSE_END.search(text, first, end) if end - first < 80 else None
        if street is None:
            continue
        # Where states are written, the number is before the street.
        is_street = _SURE.search(street[0] + " ") is not None
        is_sure = is_street or (
            code["digits"] is None and (code["state"] is None or street[0][0].isdigit())
        )
        is_year = (code["digits"] or "").startswith(("19", "20")) and len(code["digits"]) == 4
        is_thing = _THING.match(street[0]) or _PUBLIC.search(street[0])
        if is_street and not is_year and not is_thing:
            return street.start()
        if is_sure and not is_year and not is_thing and found is None:
            # Or a part of the town, as `Dublin 2`.
            found = street.start()
    return found


def _read_group(text: str, group: Sequence[tuple[int, int, str]]) -> Iterator[SecretPlace]:
    """Yield values with names, if they are an address or a street alone."""
    is_all = is_whole([(role, text[start:end]) for start, end, role in group])
    for start, end, role in group:
        part = text[start:end]
        is_street = role == "street" and _STREET.fullmatch(part) and is_address(part, True)
        if (is_all and is_address_part(part)) or is_street:
            yield SecretPlace("address", start, end)


ADDRESSES_NEEDS: Final = (
    r"[\p{L}][ ]{0,1}[0-9]{4,5} \p{Lu}|[, \n](?:[A-Z]{1,2}-)?[0-9]{4,5} ?\p{Lu}"
    r"|[A-Z]{2,3}\.?,? (?:USA?,? )?[0-9]{4}|[0-9][A-Z]{2}\b|[0-9][A-Z][0-9]\b|[0-9]{2}-[0-9]{3}"
    r"|[0-9]{3} [0-9]{2} \p{Lu}"
    r"|[都道府県][^\n]*[市区町村郡][^\n]*[0-9０-９一-十]"
    r"|[A-Z][0-9]{4} [A-Z]|[A-Z][0-9][0-9W] ?[0-9A-Z]{4}\b"
    rf"|(?:ул\.|улица|просп|пр-т|пер\.|наб\.|бульвар|шоссе) |{_TURKISH}"
    r"|[路街道巷弄村][0-9０-９]+[号弄]|[로길동] [0-9]"
    r"|(?i:(?:city|town|locality|village|ort|stadt|ville|ciudad|cidade|comune|plaats|zip|code|plz"
    r"|postal|cep|cap|line[_ ]?[12]|address_?[12]|suburb|street(?:[ _-]?address)?)"
    r"[\"'*`]*[ \t]*[:=>|,;\t])"
)
"""An expression of RE2 that every text with an address matches that `find_addresses` finds."""
