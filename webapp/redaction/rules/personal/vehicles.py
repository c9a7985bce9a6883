"""Numbers of plates and of vehicles, beside the words for them in many languages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from webapp.redaction.rules.kinds import SecretPlace

PLATES_NEEDS: Final = (
    r"(?i:plates?|kennzeichen|nummernschild|immatriculation|matrícula|targa|kenteken|nummerplade"
    r"|registreringsnummer|rejestracyjn[aey]|plaka|vehicle (?:registration|identification)"
    r"|\bvin\b|chassis|fahrgestell|identifizierungs|châssis|bastidor|telaio|chassi:)"
    r"[^\n]*[ :] ?[\"'`«“]?[A-ZÄÖÜ0-9]"
)
_PLATE: Final = re.compile(
    r"(?i:(?:number|licen[cs]e|registration|vehicle|car)[ -]?plates?|kennzeichen|nummernschild"
    r"|(?:plaque d['’])?immatriculation|matrícula|\btarga|kenteken|nummerplade|registreringsnummer"
    r"|rejestracyjn[aey]|\bplaka|vehicle registration)"
    r"(?i:[ ](?:number|no|nr|num|du véhicule|del coche))?\.?"
    r"(?:[ ]?[:=(]|[ ](?i:is|was|ist|lautet|war|est|es|era|è|é))?[ ]{1,2}[\"'`«“]?"
    r"(?P<number>[A-ZÄÖÜ0-9]{1,4}(?:[ -]?[A-ZÄÖÜ0-9]{1,4}){1,3})(?![\w-])"
)
"""The words for the number of a car, and the number in capitals."""


_ANY_PLATE: Final = re.compile(
    r"(?<![\w-])(?i:plates?|nummernschild)(?:[ ](?i:is|was|no\.?|nr\.?))?:?[ ](?P<number>"
    # Of Germany, Britain, Spain, and France and Italy.
    r"[A-ZÄÖÜ]{1,3}[- ][A-Z]{1,2}[ -]?[0-9]{1,4}[EH]?|[A-Z]{2}[0-9]{2}[ ][A-Z]{3}"
    r"|[0-9]{4}[ -]?[B-DF-HJ-NP-TV-Z]{3}|[A-Z]{2}-?[0-9]{3}-?[A-Z]{2})(?![\w-])"
)
_VEHICLE: Final = re.compile(
    r"(?<![\w-])(?:VIN|(?i:vehicle identification|chassis no|chassis number|fahrgestell"
    r"|fahrzeug-identifizierungs|fahrzeugidentifizierungs|numéro de châssis|bastidor|telaio"
    r"|chassi:|chassisnummer))[^\n]{0,40}?(?<![A-Za-z0-9])"
    r"(?P<number>(?=[A-Z]{1,16}[0-9]|[0-9]{1,16}[A-Z])[A-HJ-NPR-Z0-9]{17})(?![\w-])"
)
"""The number of a vehicle, beside the word for it."""


def find_plates(text: str, name: str) -> Iterator[SecretPlace]:
    """Yield the numbers of plates and of vehicles, each after the word for it."""
    for pattern in (_ANY_PLATE, _VEHICLE):
        for match in pattern.finditer(text):
            yield SecretPlace("number-plate", *match.span("number"))
    for match in _PLATE.finditer(text):
        if is_plate(match["number"]):
            yield SecretPlace("number-plate", *match.span("number"))


def is_plate(number: str) -> bool:
    """Return whether a text in the form of a car's number has its length, digits and letters."""
    return (
        5 <= len(number) <= 11 and any(map(str.isdigit, number)) and any(map(str.isalpha, number))
    )
