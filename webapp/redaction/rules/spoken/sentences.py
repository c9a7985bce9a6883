"""Secrets in sentences: after a user, before their name, changed to new ones, as halves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from webapp.redaction.rules.forms import ignoring_case, is_argument
from webapp.redaction.rules.kinds import (
    FUNCTION_WORDS,
    SPACE,
    Kind,
    SecretPlace,
    has_digit,
    is_digest,
    is_jumble,
    is_mixed,
    is_random,
    is_value,
    match_at,
)
from webapp.redaction.rules.shapes import CODE, NAMED_CODE, is_told

_PASSWORD: Final = (
    r"(?:pass(?:word|phrase|code|wd)?|\bpwd?\b|passwort|kennwort|mot de passe|mdp|contraseña"
    r"|contrasena|clave|parola d['’]ordine|palavra-passe"
    r"|senha|wachtwoord|parola|hasło|hasłem|lösenord(?:et)?|adgangskode(?:n)?|heslo)"
)
_NOUN: Final = (
    rf"(?:{_PASSWORD}|(?:api[- ]?)?(?:schlüssel|clé|llave|chave|chiave|sleutel|klucz|nyckel|ключ)"
    r"|jeton|токен|pin|secret|token|credential|(?:api|access|secret|license)[ -]?key)"
)
_USER: Final = (
    r"(?:user(?:name|[ ]?id)?|login|account|e-?mail|benutzer(?:name)?|nutzer(?:name)?|anmeldename"
    r"|konto|utilisateur|identifiant|compte|usuario|cuenta|utilizador|usuário|gebruiker|utente"
    r"|użytkownik)"
)
_QUOTES: Final = r"[\"'`“„«‘*(]{0,3}"
_SECRET: Final = r"(?P<secret>[^\s\"'`“”„«»,;()<>]{4,100})"

_PIPED: Final = re.compile(
    r"(?<![^\s(])[\"'](?P<secret>[^\"'\n|]{4,200})[\"'][ ]{0,4}\|[ ]{0,4}convertto-securestring",
    re.IGNORECASE,
)
_CODE_BEFORE: Final = re.compile(
    r"(?<![\w.,-])(?:G-)?(?P<secret>[0-9]{4,8}|[0-9]{3}[ -][0-9]{3}"
    r"|[0-9]{2}(?:[ -][0-9]{2}){2})[ ](?:is|ist|est|es"
    r"|é)[ ](?:your|the|my|ihr|dein|votre|ton|tu|su|o seu)(?:[ ][\w'’-]{1,20}){0,4}?[ -](?:code"
    r"|código|otp|passcode|pin|(?<=time )password)\b",
    re.IGNORECASE,
)
_CHANGE_IT: Final = re.compile(
    r"(?:change|switch|update|reset|rotate|set|turn)[ds]?[ ](?:it|this|that|mine|ours|one)[ ]"
    rf"(?:back[ ])?(?:from[ ]{_QUOTES}(?P<old>[^\s\"'`“”„«»,;()<>]{{5,100}})[\"'`”»]{{0,2}}[ ])?"
    rf"(?:in)?to[ ]{_QUOTES}{_SECRET}",
    re.IGNORECASE,
)
_CHANGED_FROM: Final = re.compile(
    rf"(?:rotat|chang|switch|updat|reset|mov|migrat|renew|swap|replac)[a-z]{{0,3}}[ ]"
    rf"(?:(?P<named>(?:[\w&'-]{{1,20}}[ ]){{0,5}}?(?:{_NOUN}|key|cookie)s?)[ ]"
    rf"(?:for[ ][\w.'-]{{1,30}}[ ])?(?:from[ ])?|from[ ])"
    rf"{_QUOTES}{_SECRET}[\"'`”»]{{0,2}}[ ](?:(?:in)?to|with|by)[ ]"
    rf"{_QUOTES}(?P<new>[^\s\"'`“”„«»,;()<>]{{4,100}})",
    re.IGNORECASE,
)
_CHANGED_HINTS: Final = ("chang", "switch", "updat", "reset", "rotat", "set", "turn")
_NOUN_REACH: Final = 300
_NOUN_SAID: Final = re.compile(rf"(?<!\w)(?:{_NOUN}s?|log[ -]?in)(?!\w)", re.IGNORECASE)
_PAIR: Final = re.compile(
    # Both of them said at once, in the order of their names.
    rf"(?:{_USER}|username)[ ]?(?:and|und|et|y|e|&|/|\+)[ ]?(?:the |das |le |la )?{_PASSWORD}"
    r"(?:[ ](?:are|is|sind|sont|son|ist))?[: ]{1,3}"
    rf"{_QUOTES}[^\s\"'`,;/|]{{2,60}}[\"'`]?(?:[ ]?[/|][ ]?|,?[ ](?:and|und|et|y|e)[ ]|,[ ]|:)"
    rf"{_QUOTES}(?P<secret>[^\s\"'`”»,;()<>]{{5,100}})"
    # Before the noun that names them.
    r"|(?<![^\s\"'`(])[\w.@-]{2,60}[ ]?/[ ](?P<first>[^\s\"'`”»,;()<>]{5,100})[\"'`]?[ ]"
    r"(?:to (?:log|sign|get) (?:in|on)|(?:are|is|sind)[ ](?:the|my|your|our|die|meine)[ ]"
    r"(?:[\w-]{1,16}[ ])?(?:log-?in|credentials?|creds|zugangsdaten|logindaten|account))\b"
    # The user in a line, and only the password in the next one.
    rf"|^[ \t>*-]{{0,8}}(?:{_USER})[ ]?[:=][ ]{{0,3}}[^\s:=]{{2,60}}[ \t]{{0,4}}\r?\n"
    r"[ \t>*-]{0,8}(?P<below>[^\s\"'`:=<>]{6,100})[ \t]{0,4}(?=\r?\n|\Z)",
    re.IGNORECASE | re.MULTILINE,
)
_ON_MACHINE: Final = re.compile(
    # A machine, a user of it, and the password.
    r"(?:\b[0-9]{1,3}(?:\.[0-9]{1,3}){3}|\b(?:server|host|box|machine|vm|rechner|servidor|serveur)\b"
    r"[^\n]{0,40}?)[,;:(/ ]{1,3}(?:user )?(?:root|admin|administrator|ubuntu|postgres|deploy|pi"
    rf"|ec2-user)(?:[,;][ ]|[ ]?[/|][ ]?|[ ][-–][ ]){_QUOTES}{_SECRET}",
    re.IGNORECASE,
)
_BELOW: Final = re.compile(
    rf"{_NOUN}[\"']?(?:(?:[ ][^\n:]{{0,60}})?[:?])?[ \t]{{0,3}}\r?\n(?:[ \t]{{0,8}}\r?\n)?"
    r"[ \t>*`]{0,8}(?:\w{1,16}: )?(?P<secret>[^\s\"'`<]{6,200})[`*]{0,2}[ \t]{0,8}(?=\r?\n|\Z|</)"
    rf"|{_NOUN}[ ][^\n:]{{2,60}}:[ ]{{1,3}}{_QUOTES}(?P<same>[^\s\"'`”»]{{6,200}})"
    r"[\"'`”»]?[ \t]{0,8}(?=\r?\n|\Z)",
    re.IGNORECASE,
)
"""Below the name, or at the end of its line."""

_NOUN_HINTS: Final = (
    *("schlüssel", "clé", "llave", "chave", "chiave", "sleutel", "klucz", "nyckel", "ключ"),
    *("jeton", "токен"),
    *("pass", "pw", "kennwort", "mot de", "mdp", "contrase", "clave", "senha", "wachtwoord"),
    *("parola", "palavra", "hasł", "lösenord", "adgangskode", "heslo", "pin", "secret", "token"),
    *("credential", "api", "access", "license"),
)
_CHANGES: Final = (
    *("rotat", "chang", "switch", "updat", "reset", "mov", "migrat", "renew", "swap", "replac"),
)
SENTENCES_NEEDS: Final = (
    rf"(?i:(?:{_USER}|username) ?(?:and|und|et|y|e|&|/|\+) ?(?:the |das |le |la )?{_PASSWORD}"
    r"|/ [^ ]+ (?:to (?:log|sign|get) |(?:are|is|sind) (?:the|my|your|our|die|meine) )"
    rf"|{_USER} ?[:=] *[^{SPACE}:=]+[ \t]*\r?\n"
    r"|\|[ ]*convertto-secure"
    r"|[,;:(/ ](?:root|admin|administrator|ubuntu|postgres|deploy|pi|ec2-user)"
    r"(?:[,;] | ?[/|]| [-–] ))"
)
APART_NEEDS: Final = (
    rf"(?i:{_NOUN}s?(?:[ ,:;(–—\r\n\"'.?!)]|$)"
    r"|log(?:ged|ging)?[ -]?(?:in|on)|sign(?:ed)? in|authenticat|unlock"
    r"|decrypt|anmelden|einloggen|connexion|connecter|[0-9]{2} (?:is|ist|est|es|é) "
    r"|(?:rotat|chang|switch|updat|reset|mov|migrat|renew|swap|replac)[a-z]{0,3} [^\n]*"
    r"(?:key|cookie)s? )"
)


def find_in_sentences(text: str) -> Iterator[SecretPlace]:
    """Yield the secrets after a user, and those that a command reads."""
    for match in _PIPED.finditer(text):
        yield from _check(text, *match.span("secret"))
    for match in _ON_MACHINE.finditer(text):
        if CODE.search(match["secret"]):
            yield from _check(text, *match.span("secret"))
    for match in _PAIR.finditer(text):
        group = match.lastgroup or "secret"
        if group != "below" or CODE.search(match[group]):
            yield from _check(text, *match.span(group))


def find_apart(text: str, lowered: str) -> Iterator[SecretPlace]:
    """Yield the secrets some words after their names, or after a verb, and codes before theirs."""
    for match in _CODE_BEFORE.finditer(text):
        yield SecretPlace("pin", *match.span("secret"))
    for match in match_at(_BELOW, text, lowered, _NOUN_HINTS):
        group = "same" if match["secret"] is None else "secret"
        secret = match[group].rstrip(".!?:")
        if is_told(secret) and (CODE.search(secret) or is_random(secret)):
            yield SecretPlace("password", match.start(group), match.start(group) + len(secret))
    for match in match_at(_CHANGE_IT, text, lowered, _CHANGED_HINTS, joiners=None):
        around = max(match.start() - _NOUN_REACH, 0), match.end() + _NOUN_REACH // 3
        if _NOUN_SAID.search(text, *around):
            for group in ("old", "secret"):
                secret = match[group] or ""
                if NAMED_CODE.match(secret) or CODE.search(secret) or is_jumble(secret):
                    yield from _check(text, *match.span(group))
    for match in match_at(_CHANGED_FROM, text, lowered, _CHANGES):
        before = max(match.start() - _NOUN_REACH // 3, 0), match.start()
        if match["named"] is None and _NOUN_SAID.search(text, *before) is None:
            continue
        for group in ("secret", "new"):
            if is_digest(match[group].rstrip(".!?:")) or is_argument(match[group]):
                yield from _check(text, *match.span(group))


def _check(text: str, start: int, end: int) -> Iterator[SecretPlace]:
    secret = text[start:end].rstrip(".!?:")
    if is_argument(secret) and is_told(secret):
        yield SecretPlace("password", start, start + len(secret))


_SURE: Final = re.compile(r"[!@#$%^&*+=]|[a-z][0-9][A-Za-z]|[A-Z][a-z]?[0-9][a-z]")
_ISSUE: Final = re.compile(r"[A-Z]+-[0-9]+\Z")


_PHRASE: Final = (
    r"phrase(?:[ ](?:for|of)[ ][\w'’ -]{1,40}?)?"
    r"(?:[ ](?:is|was|to|now|ist|lautet)|[\"']?:|[ ]?=){1,2}[ ]{0,3}"
)


def _is_user_password(secret: str) -> bool:
    """Return whether a word after a user is no scope, as in `admin:read_org2`, and no id."""
    return (
        secret.lower() != secret != secret.upper()
        or re.search(r"[!@#$%^&*+=?]", secret) is not None
    ) and re.search(r"[A-Za-z]{3}", secret) is not None


SENTENCES: Final[tuple[Kind, ...]] = (
    ignoring_case(
        "password",
        "p/w|pw - |pwd - |pass - |password - |passwort - |passcode - |kennwort - ",
        r"(?<![\w/])(?:p/w(?:[ ]?[:=-]|[ ]is)|[a-z]{2,9} -)[ ]{0,3}" + f"{_QUOTES}{_SECRET}",
        lambda secret: is_argument(secret) and is_told(secret),
    ),
    ignoring_case(
        "password",
        "cred|login|zugang|log in|log on|sign in|einlog|inlog|anmeld|identifiant|acceso|accesso",
        r"(?:creds|credentials|logins?|zugang(?:sdaten)?|log (?:in|on)|sign in|einloggen|anmelden"
        r"|inloggen|inloggegevens|credenciales|credenziali|credenciais|identifiants|acces{1,2}o)"
        r"(?: [\w.-]{1,30}){0,4}?"
        r"(?: are| is| sind| as| with| using| als| mit| met)?[: (]{1,3}[\"'`]?"
        r"[\w.@+-]{2,60}[\"'`]? ?[/|] ?[\"'`]?(?P<secret>[^\s\"'`,;/|()]{6,100})",
        lambda secret: is_argument(secret) and is_told(secret),
        r"(?:cred|login|zugang|log (?:in|on)|sign in|einlog|inlog|anmeld|identifiant|acces)"
        r"[^\n]* ?[/|] ?",
    ),
    ignoring_case(
        "password",
        "admin / |root / |administrator / |user / ",
        r"[a-z]{4,13} / [\"'`]?(?P<secret>[^\s\"'`,;:<>(){}\[\]|/]{6,64})",
        lambda secret: is_told(secret) and CODE.search(secret) is not None,
    ),
    # A network, and its password.
    ignoring_case(
        "password",
        "wifi|wi-fi|wlan|ssid",
        r"(?<!\w)(?:wi-?fi|wlan|ssid)(?:[- ](?:name|network|netz(?:werk)?))?"
        rf"(?:[ ]?[:=]|[ ]is|[ ]ist)[ ]{_QUOTES}[\w.-]{{2,32}}[\"'`”»]?"
        rf"(?:[ ]?[/|,;][ ]?|[ ][-–][ ])(?![0-9.]{{1,5}}[kmg]?(?:bit|b|hz)){_QUOTES}{_SECRET}",
        lambda secret: (
            len(secret) >= 8
            and is_told(secret)
            and (CODE.search(secret) or NAMED_CODE.match(secret)) is not None
        ),
        r"(?:wi-?fi|wlan|ssid)[^\n]*(?:[/|,;]| [-–] )",
    ),
    # After the user, without a noun of its own.
    ignoring_case(
        "password",
        "user|login|benutzer|nutzer|usuario|utilisateur|identifiant|utente|usuário",
        rf"(?<![\w-]){_USER}(?:[ ](?:is|ist|es|est|lautet)|:)?[ ]{_QUOTES}[\w.@-]{{2,40}}[\"'`”»]?"
        r"[,;.]?(?:[ ](?:and|und|y|et|e))?"
        r"[ ](?:and|und|it['’]?s|it is|das ist|es ist|c['’]est|es la|then|dann|with|mit|con|avec"
        r"|com)"
        rf"(?<=[a-z])[ ]{_QUOTES}{_SECRET}",
        lambda secret: is_told(secret.rstrip(".!?:*_")) and _SURE.search(secret) is not None,
        rf"{_USER}[^\n]*(?:and|und|y|et|e|it['’]?s|is|with|mit|con|avec|com|est|ist|then|dann) ",
    ),
    # After the address of an account.
    ignoring_case(
        "password",
        "@",
        r"@[\w-]{1,60}\.[\w.-]{2,60}[\"'`]?(?:[ ]?[/|][ ]?|[ ]+[-–—][ ]|,[ ])[\"'`]?"
        r"(?P<secret>[^\s\"'`”»,;()<>/|@]{8,64})(?![^\s\"'`.,;!?)])",
        lambda secret: is_told(secret.rstrip(".!?:")) and CODE.search(secret) is not None,
        r"@[\w-]+\.[\w.-]+[\"'`]?(?: ?[/|]|,| +[-–—]) ?[\"'`]?[^\s/|@]{8}",
    ),
    # A word with a number can be a room, a month or an issue unless the line ends with it.
    ignoring_case(
        "password",
        "@",
        r"@[\w-]{1,60}\.[\w.-]{2,60}[\"'`]?(?:[ ]?/[ ]?|[ ]+[-–—][ ])[\"'`]?"
        r"(?P<secret>[a-z][\w.!?-]{7,63})(?=[\"'`]?[ \t]*(?:\r?\n|\Z))",
        lambda secret: (
            is_told(secret) and NAMED_CODE.match(secret) is not None and not _ISSUE.match(secret)
        ),
        r"@[\w-]+\.[\w.-]+[\"'`]?(?: ?/| +[-–—]) ?[\"'`]?[a-z]",
    ),
    ignoring_case(
        "password",
        "wlan|wi-fi|wifi|wpa|fritz!box",
        r"[a-z0-9!-]{3,9}[^\n]{0,60}?(?:schlüssel|key|kennwort|passwort|password|code|clé|clave)"
        r"(?: (?:on|auf|under|unter|at) (?:the|der|dem) [\w ]{1,16}?)?"
        r"(?: is| ist| lautet| says| reads|:| est| es){0,2} {1,2}"
        r"(?P<secret>[0-9]{4}(?: [0-9]{4}){3,4}|[0-9]{16,32})(?![\w-])",
        lambda secret: len(set(secret)) > 3,
        r"(?:wlan|wi-?fi|wpa|fritz!box)[^\n]*[0-9]{4}",
    ),
    Kind(
        "password",
        ("uestion", "frage", "maiden name", "ädchenname", "security answer", "ecurity answer")
        + ("nswer to the security question", "nswer to my security question"),
        re.compile(
            r"(?:(?:maiden name|ädchenname)(?=[ ][A-ZÄÖÜ])|maiden name|ädchenname"
            r"|(?:(?<=ecurity q)|(?<=ecret q))uestion[^\n]{0,80}?[Aa]nswer"
            r"|(?<=icherheits)frage[^\n]{0,80}?Antwort|[a-z ]{5,30}(?:answer|question))"
            r"(?: (?:of|meiner|my|the|der|von) [\w ]{1,20}?)?"
            r"(?:[ ](?:is|was|ist|lautet)|:|(?<=n[ ]name)|(?<=enname))[ ]"
            r"[\"'“„]?(?P<secret>[A-ZÄÖÜ][\w.'’-]{1,24}"
            r"(?:[ ][\w.'’-]{1,24}){0,3})(?=[\"'”“,;!]|[.]?[ ]*(?:\r?\n|\Z)|[.] )"
        ),
        is_value,
    ),
    ignoring_case(
        "password",
        "phrase",
        _PHRASE + r"[\"“'`«](?P<secret>[a-z]{2,14}(?:[ -][a-z0-9]{2,14}){2,11})[\"”'`»]",
        lambda secret: True,
        r"phrase[^\n]*[ :=]+[\"“'`«][a-z]+[ -][a-z0-9]+[ -][a-z0-9]",
    ),
    ignoring_case(
        "password",
        "phrase",
        _PHRASE + r"(?P<secret>[a-z]{3,12}(?:[ ][a-z]{3,12}){3,11})(?=[.!?]?[ \t]*(?:\r?\n|\Z))",
        lambda secret: FUNCTION_WORDS.isdisjoint(secret.split()),
        r"phrase[^\n]*[ :=]+[a-z]+ [a-z]+ [a-z]+ [a-z]",
    ),
    ignoring_case(
        "password",
        "app password|app-password|app passwort|app-passwort|app-specific pass",
        r"app[- ](?:specific )?passwor[dt]s?(?:[^\n:]{0,20}[:=]| ist?)?[ ]{0,2}[\"'`]?"
        r"(?P<secret>[a-z]{4}(?:[ -][a-z]{4}){3})(?![a-z-])",
        lambda secret: FUNCTION_WORDS.isdisjoint(secret.split()),
    ),
    ignoring_case(
        "password",
        "community",
        r"community(?: string)?(?: is|:|=){0,2} [\"'`]{0,1}(?P<secret>[^\s\"'`,;]{6,60})",
        lambda secret: is_told(secret) and is_mixed(secret),
        "community(?: string| is|:|=)|snmp(?:-server)? community",
    ),
    # A user that every system has, and the password after a colon.
    ignoring_case(
        "password",
        "admin:|root:|user:|administrator:|postgres:|ubuntu:|guest:|sa:|ci:|bot:|svc:|jenkins:",
        r"(?<![\w:/@.-])(?:admin|root|user|administrator|postgres|ubuntu|guest|sa|ci|bot|svc"
        r"|jenkins):"
        r"(?P<secret>[^\s\"'`,;:<>(){}\[\]|/]{8,64})(?![:(\[])",
        lambda secret: has_digit(secret) and _is_user_password(secret),
    ),
)
