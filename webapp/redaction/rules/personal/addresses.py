"""Postal addresses: a street with the number of the house, and the town after it."""

from __future__ import annotations

import re
from typing import Final

_NAME: Final = r"[A-ZÀ-Þ](?:[^\W\d_]|['’-]){1,24}(?!\w)\.?"
_TOWN: Final = rf"{_NAME}(?:[ ]{_NAME}){{0,3}}"
_CODE: Final = (
    r"(?:[A-Z]{2}[ ])?(?:[0-9]{5}(?:-[0-9]{4})?|[A-Z]{1,2}[0-9][A-Z0-9]?[ ][0-9][A-Z]{2})"
)
STREET: Final = (
    # The number first: of America and Britain, and of France.
    rf"(?:[0-9]{{1,5}}[A-Za-z]?[ ](?:{_NAME}[ ]){{1,4}}?(?:Street|St|Avenue|Ave|Road|Rd|Lane|Ln"
    r"|Drive|Dr|Boulevard|Blvd|Court|Ct|Place|Pl|Terrace|Way|Square|Sq|Close|Crescent|Parkway|Pkwy"
    r"|Highway|Hwy|Circle|Gardens|Row|Hill|Mews|Grove|Walk)\b\.?(?:,?[ ](?:Apt|Unit|Suite|Flat|#)"
    rf"\.?[ ]?\w{{1,6}})?(?:,?[ ]{_TOWN})?(?:,?[ ]{_CODE})?"
    r"|[0-9]{1,4}(?:[ ]?bis)?,?[ ](?:[Rr]ue|[Aa]venue|[Bb]oulevard|[Pp]lace|[Cc]hemin|[Aa]llée"
    r"|[Qq]uai)"
    r"(?:[ ][\w'’-]{1,24}){1,5}(?:,?[ ][0-9]{5}[ ]" + _TOWN + r")?"
    # The number last: of Germany, and of Spain and Italy.
    r"|(?:[A-ZÄÖÜ][\w-]{0,24}(?:straße|strasse|str\.|weg|allee|platz|gasse|ring|damm|ufer)"
    r"|[A-ZÄÖÜ][\w-]{1,24}[ ](?:Straße|Str\.|Weg|Allee|Platz|Ring)"
    r"|(?:Am|An der|An den|Im|In der|Zum|Zur|Auf dem)[ ][A-ZÄÖÜ][\w-]{2,24}"
    r"|(?:[Cc]alle|Via(?=[ ][A-ZÀ-Þ])|[Pp]laza|[Pp]iazza|[Rr]ua)(?:[ ][\w'’.-]{1,24}){1,4},?)"
    rf"[ ][0-9]{{1,4}}(?:[ ]?[a-z])?\b(?:,?[ ](?:[A-Z]{{1,2}}-)?[0-9]{{4,5}}[ ]{_TOWN})?)"
)

_ENDS_AS_STREET: Final = re.compile(
    r"(?:straße|strasse|str\.|weg|allee|platz|gasse|ring|damm|ufer)[ ]", re.IGNORECASE
)
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
)
"""A time, a device or an institution in the form of an address."""
_GOES_ON: Final = re.compile(
    # A name goes on after a word that is one of a street less often.
    r"[0-9]+[A-Za-z]?[ ](?:[^\s,]+[ ])+?(?:Drive|Court|Place|Way|Square|Close|Circle|Row|Hill|Walk)"
    r"[ ](?!Apt|Unit|Suite|Flat|#)[A-Z][\w'’-]*\Z"
)


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
