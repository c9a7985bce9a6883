"""Postal addresses: a street with the number of the house, and the town after it."""

from __future__ import annotations

from typing import Final

_NAME: Final = r"[A-ZÀ-Þ][\w'’-]{1,24}\.?"
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
    rf"[ ][0-9]{{1,4}}[ ]?[a-z]?\b(?:,?[ ](?:[A-Z]{{1,2}}-)?[0-9]{{4,5}}[ ]{_TOWN})?)"
)
