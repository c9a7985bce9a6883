"""Seeds of one-time codes: values in base32 beside the words for them, or set into a program."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from webapp.redaction.rules.kinds import SecretPlace, is_scrambled, is_value

_GROUPS: Final = r"[A-Z2-7]{4}(?:[ -]?[A-Z2-7]{4}){3,15}"
_SMALL_GROUPS: Final = r"[a-z2-7]{4}(?:[ -][a-z2-7]{4}){3,15}"
_SEED: Final = re.compile(
    rf"(?<![A-Za-z0-9+/=_.&-])(?P<secret>{_GROUPS}|[A-Z2-7]{{16,103}}|[a-z2-7]{{16,64}}"
    rf"|{_SMALL_GROUPS})=*(?![A-Za-z0-9+/=_-])"
)
_WORD: Final = (
    r"(?:totp|hotp|2fa|2-fa|mfa|oath|otpauth|authenticator|two[ -]factor|multi[ -]factor"
    r"|zwei-?faktor|double facteur|dos factores|one[ -]time|einmal(?:code|passwort|kennwort)"
    r"|(?<![a-z])otp)"
)
_NAMED: Final = re.compile(_WORD, re.IGNORECASE)
_KEY: Final = re.compile(
    # On a page that shows a picture to scan as well.
    r"(?:setup|manual(?:ly)?|enter|security|scan|by hand|secret|this)[^\n]{0,40}?"
    r"(?:key|code|secret)[^\n]{0,24}:[ \t]{0,3}[\"'`*]{0,2}\Z"
    r"|(?:einrichtungs|authenticator-)schlüssel[^\n]{0,16}:[ ]{0,3}\Z"
    r"|(?:clé|clave|chave|chiave) (?:secr[eè]t[ao]?|de configura[a-zçã]+)[^\n]{0,16}:[ ]{0,3}\Z",
    re.IGNORECASE,
)
_ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_BEFORE: Final = 100
_AFTER: Final = 60
_BREAK: Final = re.compile(r"\n[ \t]*\n")

SEEDS_NEEDS: Final = (
    r"(?:[A-Z2-7]{4}[ -]?){3}[A-Z2-7]{4}|(?:[a-z2-7]{4}[ -]){3}[a-z2-7]{4}|\b[a-z2-7]{16}"
)


def find_seeds(text: str, name: str) -> Iterator[SecretPlace]:
    """Yield the values in base32 beside a word for one-time codes, or in a member with its name."""
    is_named = _NAMED.search(name) is not None or name.lower() == "seed"
    for match in _SEED.finditer(text):
        secret = match["secret"]
        is_made = any(map(str.isdigit, secret)) or is_scrambled(secret)
        if not is_made or not is_value(secret) or secret.upper() in _ALPHABET:
            # Words in capitals, and in groups of four letters.
            continue
        before = _BREAK.split(text[max(match.start() - _BEFORE, 0) : match.start()])[-1]
        after = text[match.end() : match.end() + _AFTER].partition("\n")[0]
        if (
            is_named
            or _NAMED.search(before)
            or _KEY.search(before)
            or (not secret.islower() and _NAMED.search(after))
        ):
            yield SecretPlace("totp-secret", *match.span("secret"))
