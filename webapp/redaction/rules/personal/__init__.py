"""Personal data, each kind with a check.

addresses   postal addresses, and the parts of them
emails      e-mail addresses, also written out
accounts    cards and bank accounts
phones      numbers of telephones
identities  numbers of persons, dates of birth
vehicles    numbers of plates and of vehicles
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from webapp.redaction.rules.kinds import SecretPlace
from webapp.redaction.rules.personal.accounts import ACCOUNTS
from webapp.redaction.rules.personal.addresses import ADDRESSES_NEEDS, find_addresses
from webapp.redaction.rules.personal.emails import EMAILS
from webapp.redaction.rules.personal.identities import IDENTITIES, find_named_identity
from webapp.redaction.rules.personal.phones import MOBILES, PHONES, find_named_phone
from webapp.redaction.rules.personal.vehicles import PLATES_NEEDS, find_plates

__all__ = ["EMAILS", "PERSONAL", "find_named_person"]

PERSONAL: Final[tuple[tuple[tuple[str, Callable[[str, str], Iterator[SecretPlace]]], ...], ...]] = (
    (*ACCOUNTS, *PHONES),
    # Have so many forms of numbers that other rules multiply their states at each digit.
    (*MOBILES, (ADDRESSES_NEEDS, find_addresses)),
    (*IDENTITIES, (PLATES_NEEDS, find_plates)),
)
"""Expressions of RE2, divided into passes, each with the function that finds the personal data in a
text that matches it, all of them with digits; the function also takes the name of the text."""


def find_named_person(text: str, name: str) -> Iterator[SecretPlace]:
    """Yield the whole text if it is a number of a person or a telephone, as its name says."""
    yield from find_named_identity(text, name)
    yield from find_named_phone(text, name)
