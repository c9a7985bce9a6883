"""Secrets in sentences: after a user, before their name, as halves, as codes of digits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from webapp.redaction.rules.context import Place, is_strong
from webapp.redaction.rules.forms import ignoring_case, is_argument
from webapp.redaction.rules.kinds import Kind, has_digit

_PASSWORD: Final = (
    r"(?:pass(?:word|phrase|code|wd)?|pwd|passwort|kennwort|mot de passe|mdp|contraseña"
    r"|contrasena|clave"
    r"|senha|wachtwoord|parola|hasło|hasłem|lösenord(?:et)?|adgangskode(?:n)?|heslo)"
)
_NOUN: Final = rf"(?:{_PASSWORD}|pin|secret|token|credential|(?:api|access|secret|license)[ -]?key)"
_USER: Final = (
    r"(?:user(?:name|[ ]?id)?|login|account|e-?mail|benutzer(?:name)?|nutzer(?:name)?"
    r"|anmeldename|konto"
    r"|utilisateur|identifiant|compte|usuario|cuenta|utilizador|usuário|gebruiker|utente"
    r"|użytkownik)"
)
_QUOTES: Final = r"[\"'`“„«‘*(]{0,3}"
_SECRET: Final = r"(?P<secret>[^\s\"'`“”„«»,;()<>]{4,100})"

_TECHNICAL: Final = re.compile(
    r"(?:sha|md|argon|pbkdf|oauth|aes|rsa|base|utf|v|http|id|php|win|java|scram|bcrypt|scrypt"
    r"|python|node"
    r"|gpt|llama|claude|qwen|tls|ssl|hs|rs|es|ed|ipv|web|ecma|es|h|x)[-_.]?[0-9]",
    re.IGNORECASE,
)
_AS: Final = r"(?:as|for (?:its|my|your|his|her|our|their)|als|comme|como|come|jako|som)"
_IS: Final = r"(?:is|was|ist|war|est|es|era|é|è|is)"
_SWAPPED: Final = re.compile(
    rf"(?<![^\s\"'`“„«‘*(]){_SECRET}[\"'`”»“’*)]{{0,3}},?[ \t]{{1,3}}"
    rf"(?:{_AS}(?:[ ]\w{{1,12}}){{0,2}}?|{_IS}[ ](?:the|my|your|our|its|his|her|das|dein|mein"
    rf"|ihr|unser|le|la|el|o|a|il"
    rf"|mon|ton|votre|mi|tu|su)(?:[ ][\w-]{{1,12}}){{0,2}}?)[ ]{_NOUN}\b"
    r"(?![ -](?:polic|field|hash|reset|length|input|manager|check|valid|column|prompt|store))"
    r"|(?<![^\s(])[\"'](?P<piped>[^\"'\n|]{4,200})[\"'][ ]{0,4}\|"
    r"[ ]{0,4}convertto-securestring",
    re.IGNORECASE,
)
_NAMED: Final = re.compile(rf"(?<![\w-]){_PASSWORD}[ ]{{1,3}}{_QUOTES}{_SECRET}", re.IGNORECASE)
_BEFORE: Final = re.compile(
    rf"(?:\b{_USER}[ :]{{1,3}}[\"'`]?[^\s\"'`,;]{{1,64}}[\"'`]?[ ,;/]{{1,3}}(?:and|und|et|y|e"
    rf"|en|i|with|con|mit)?"
    r"|\b(?:with|using|mit|avec|con|com|met|via))(?:[ ]?(?:the|dem|das|le|la|el|a|het|my|your"
    r"|its))?[ ]{0,2}\Z",
    re.IGNORECASE,
)
SENTENCES_NEEDS: Final = (
    rf"(?i:[ \t](?:{_AS}|{_IS}) (?:[\p{{L}}\p{{N}}_-]+ ){{0,3}}{_NOUN}"
    rf"|\|[ ]*convertto-secure|{_PASSWORD} +[^\s]*[0-9!@#$%^&*+=?])"
)


def find_in_sentences(text: str) -> Iterator[Place]:
    """Yield the secrets before their names, as in `use … as the password`, or after a user."""
    for match in _SWAPPED.finditer(text):
        group = "secret" if match["piped"] is None else "piped"
        yield from _check(text, *match.span(group))
    for match in _NAMED.finditer(text):
        if _BEFORE.search(text, max(match.start() - 100, 0), match.start()):
            yield from _check(text, *match.span("secret"))


def _check(text: str, start: int, end: int) -> Iterator[Place]:
    secret = text[start:end].rstrip(".!?:")
    if is_argument(secret) and _is_told(secret):
        yield Place("password", start, start + len(secret))


def _is_told(secret: str) -> bool:
    """Return whether a word beside the name of a secret is no other word or term."""
    return (
        is_strong(secret)
        and (has_digit(secret) or re.search(r"[!@#$%^&*+=?]", secret) is not None)
        and not _TECHNICAL.match(secret)
        and not re.search(
            r"[(){}\[\]<>|\\]|://|\A[\w./-]+\.[a-z]{1,5}\Z|\A[/.~]|\A[\w.-]+=|\A--?[a-z]", secret
        )
    )


_CODES: Final = (
    "verification code|security code|access code|door code|entry code|gate code|alarm code"
    "|unlock code"
    "|confirmation code|authentication code|login code|backup code|recovery code|one-time code"
    "|sign-in code|safe code|2fa code|mfa code|bestätigungscode|sicherheitscode|zugangscode"
    "|türcode"
    "|code de vérification|code d'accès|code secret|código de verificación|código de acceso"
)
_FOR: Final = r"(?:[ ](?:for|of|to|für|zu|de|du|del)[ ][\w '-]{1,30}?)?"
_SAYS: Final = r"(?:[ ](?:is|was|ist|lautet|est|es|are|è|é|jest|er|är)|:|[ ]?=)"
_CLOSES: Final = (
    r"(?=[.!?]?(?:\s*\Z|[\"'`)*\n]|[,;:]|[.!?]\s|[ ](?:and|und|et|y|or|for|für|to"
    r"|bitte|please|if|when|now)\b)|[ ][-–—(])"
)

SENTENCES: Final[tuple[Kind, ...]] = (
    ignoring_case(
        "password",
        "mot de passe",
        r"mot de passe(?:[ ](?:du|de|des|pour|d'|la|le|les|l'|est|au|temporaire|initial"
        r"|[a-zà-ÿ'’-]{2,16})){0,5}?"
        rf"\s{{0,2}}(?:est|:|=)\s{{0,2}}:?\s{{0,2}}{_QUOTES}{_SECRET}",
        lambda secret: is_argument(secret) and _is_told(secret),
    ),
    ignoring_case(
        "password",
        " half of | part of | hälfte | moitié ",
        r"[ ](?:half|part|hälfte|moitié)(?:[ ](?:of|des|der|du|de la|vom))?"
        rf"(?:[ ]\w{{1,12}}){{0,2}}?[ ]{_NOUN}"
        rf"[ ](?:is|was|ist|lautet|est)[ ]{{1,2}}{_QUOTES}{_SECRET}",
        lambda secret: is_argument(secret) and re.search(r"[^\w.,:'’]|\d", secret) is not None,
    ),
    ignoring_case(
        "pin",
        "pin|otp|" + _CODES,
        rf"(?<![\w-])(?:(?:pin|otp)(?:[ -](?:code|number|nummer))?{_FOR}{_SAYS}|"
        rf"(?:{_CODES}){_FOR}(?:{_SAYS})?)"
        rf"[ ]{{1,2}}{_QUOTES}"
        rf"(?P<secret>[0-9]{{4,8}}|[0-9]{{3}}[ -][0-9]{{3}}){_CLOSES}",
        lambda secret: len(set(secret)) > 1,
    ),
)
