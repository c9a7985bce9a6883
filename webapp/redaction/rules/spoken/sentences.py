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
    is_told,
    is_value,
    match_at,
    split_words,
)
from webapp.redaction.rules.names import OF_DATA, OF_IDS

_PASSWORD: Final = (
    r"(?:pass(?:word|phrase|code|wd)?|\bpwd?\b|passwort|kennwort|mot de passe|mdp|contraseña"
    r"|contrasena|clave"
    r"|parola d['’]ordine|palavra-passe"
    r"|senha|wachtwoord|parola|hasło|hasłem|lösenord(?:et)?|adgangskode(?:n)?|heslo)"
)
_NOUN: Final = (
    rf"(?:{_PASSWORD}|(?:api[- ]?)?(?:schlüssel|clé|llave|chave|chiave|sleutel|klucz|nyckel|ключ)"
    r"|jeton|токен|pin|secret|token|credential|(?:api|access|secret|license)[ -]?key)"
)
_USER: Final = (
    r"(?:user(?:name|[ ]?id)?|login|account|e-?mail|benutzer(?:name)?|nutzer(?:name)?"
    r"|anmeldename|konto"
    r"|utilisateur|identifiant|compte|usuario|cuenta|utilizador|usuário|gebruiker|utente"
    r"|użytkownik)"
)
_QUOTES: Final = r"[\"'`“„«‘*(]{0,3}"
_SECRET: Final = r"(?P<secret>[^\s\"'`“”„«»,;()<>]{4,100})"

_AS: Final = r"(?:as|for (?:its|my|your|his|her|our|their)|als|comme|como|come|jako|som)"
_IS: Final = r"(?:is|was|are|ist|war|est|es|era|é|è|is)"
_SWAPPED: Final = re.compile(
    rf"(?<![^\s\"'`“„«‘*(]){_SECRET}[\"'`”»“’*)]{{0,3}},?[ \t]{{1,3}}"
    rf"(?:\(?(?:that['’]?s|this is|it['’]?s|das ist|c['’]est)[ ](?:the|my|your|our|das|le)"
    rf"(?:[ ][\w-]{{1,12}}){{0,2}}?|{_AS}(?:[ ]\w{{1,12}}){{0,2}}?"
    r"|\((?:the|my|your|our|das|mein|le|mon|la|el|mi|o|il)(?:[ ][\w-]{1,12}){0,2}?"
    rf"|{_IS}[ ](?:the|my|your|our|its|his|her|das|dein|mein"
    rf"|ihr|unser|le|la|el|o|a|il"
    rf"|mon|ton|votre|mi|tu|su)(?:[ ][\w-]{{1,12}}){{0,2}}?)[ ]{_NOUN}s?\b"
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
_PLAIN: Final = r"[^\W\d_]{1,16}(?:['’][^\W\d_]{1,8})?"
_GAP: Final = r"[ ,:;(–—]{1,3}"
_CODED: Final = (
    r"(?P<secret>(?=[^\s]{0,60}(?:[0-9]|[!@#$%^&*+=?][^\s]|(?-i:[a-z][A-Z])))"
    r"[^\s\"'`“”„«»,;()<>]{8,100})"
)
_APART: Final = re.compile(
    rf"(?:{_NOUN})s?(?P<words>(?:{_GAP}{_PLAIN}){{0,6}}?){_GAP}{_QUOTES}{_CODED}",
    re.IGNORECASE,
)
_ENTERED: Final = re.compile(
    r"(?:log(?:ged|ging)?[ -]?(?:in|into|on)|login|sign(?:ed)?[ ]in|authenticat[a-z]{1,4}"
    r"|unlock(?:s|ed)?|decrypt(?:s|ed)?|anmelden|einloggen|connexion|connecter)\b"
    rf"(?P<words>(?:{_GAP}[^\s,;:()]{{1,40}}){{0,5}}?[ ](?:with|using|via|by|mit|avec|con|com)"
    r"(?:[ ][^\s,;:()]{2,60}[ ](?:and|und|et|y|e|/))?"
    rf"(?:[ ](?:the|my|this|token|key|secret|password|pass|pw)){{0,3}}):?[ ]{_QUOTES}{_CODED}",
    re.IGNORECASE,
)
_CODE_BEFORE: Final = re.compile(
    r"(?<![\w.,-])(?:G-)?(?P<secret>[0-9]{4,8}|[0-9]{3}[ -][0-9]{3})[ ](?:is|ist|est|es"
    r"|é)[ ](?:your|the|my|ihr|dein"
    r"|votre|ton|tu|su|o seu)(?:[ ][\w'’-]{1,20}){0,4}?[ -](?:code|código|otp|passcode|pin"
    r"|(?<=time )password)\b",
    re.IGNORECASE,
)
_CHANGED: Final = re.compile(
    rf"[\"'`”]{{0,2}}(?:[ ](?:to|into|with|nach|auf|zu|in|à|a|en|por|par|→|->)"
    r"|[,;.]?[ ](?:and[ ]|but[ ])?(?:(?:it['’]?s|it[ ]is|is|that['’]s)[ ])?now"
    r"(?:[ ](?:it['’]?s|it[ ]is))?"
    r"|[,;.]?[ ](?:and[ ]|but[ ])?(?:the[ ])?new[ ](?:one|password|token|key)[ ](?:is|will[ ]be))"
    rf"[ ]{_QUOTES}{_CODED}",
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
_NOUN_REACH: Final = 300
_NOUN_SAID: Final = re.compile(rf"(?<!\w){_NOUN}s?(?!\w)", re.IGNORECASE)
_ASKED: Final = re.compile(
    rf"(?:enter(?:ed)?|typed?|used?|tr(?:y|ied)|pasted?|gib|tippe|entrez|saisir|probé)[ ]{_QUOTES}"
    rf"{_CODED}[\"'`”»]?[ ](?:when|if|as|for|at|in|to|but|and|wenn|als|quand|comme)\b"
    rf"[^\n.]{{0,40}}\b{_NOUN}\b",
    re.IGNORECASE,
)
_PAIR: Final = re.compile(
    # Both of them said at once, in the order of their names.
    rf"(?:{_USER}|username)[ ]?(?:and|und|et|y|e|&|/|\+)[ ]?(?:the |das |le |la )?{_PASSWORD}"
    r"(?:[ ](?:are|is|sind|sont|son|ist))?[: ]{1,3}"
    rf"{_QUOTES}[^\s\"'`,;/|]{{2,60}}[\"'`]?(?:[ ]?[/|][ ]?|,?[ ](?:and|und|et|y|e)[ ]|,[ ]|:)"
    rf"{_QUOTES}(?P<secret>[^\s\"'`”»,;()<>]{{5,100}})"
    # Before the noun that names them.
    r"|(?<![^\s\"'`(])[\w.@-]{2,60}[ ]?/[ ](?P<first>[^\s\"'`”»,;()<>]{5,100})[\"'`]?[ ]"
    r"(?:are|is|sind)[ ](?:the|my|your|our|die|meine)[ ](?:[\w-]{1,16}[ ])?"
    r"(?:log-?in|credentials?|creds|zugangsdaten|logindaten|account)\b"
    # The user in a line, and only the password in the next one.
    rf"|^[ \t>*-]{{0,8}}(?:{_USER})[ ]?[:=][ ]{{0,3}}[^\s:=]{{2,60}}[ \t]{{0,4}}\r?\n"
    r"[ \t>*-]{0,8}(?P<below>[^\s\"'`:=<>]{6,100})[ \t]{0,4}(?=\r?\n|\Z)",
    re.IGNORECASE | re.MULTILINE,
)
_ASK_HINTS: Final = (
    *("enter", "type", "use", "try", "tried", "paste", "gib", "tippe", "entrez", "saisir", "probé"),
)
_BELOW: Final = re.compile(
    rf"{_NOUN}[\"']?(?:(?:[ ][^\n:]{{0,60}})?[:?])?[ \t]{{0,3}}\r?\n(?:[ \t]{{0,8}}\r?\n)?"
    r"[ \t>*`]{0,8}(?:\w{1,16}: )?(?P<secret>[^\s\"'`]{6,200})[`*]{0,2}[ \t]{0,8}(?=\r?\n|\Z)"
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
_VERB_HINTS: Final = (
    *("log", "sign", "authenticat", "unlock", "decrypt", "anmelden", "einloggen", "connexion"),
    "connecter",
)
_CHANGES: Final = (
    *("rotat", "chang", "switch", "updat", "reset", "mov", "migrat", "renew", "swap", "replac"),
)
_LINKS: Final = split_words(
    "is was be been now still here again just currently simply as ist war lautet est était era es"
    " had has been c'est c’est är er é è jest je este oli var luidt heißt to on était sera"
    " foi fue set mea meu mi mon ma moja moje mein meine dein deine il tuo mio min mitt votre ton"
)
"""Words after the name of a secret, before one that is a word with a number."""

SENTENCES_NEEDS: Final = (
    rf"(?i:[ \t]\(?(?:that['’]?s|this is|it['’]?s|das ist|c['’]est|{_AS}|{_IS})"
    rf" (?:[\p{{L}}\p{{N}}_-]+ ){{0,3}}{_NOUN}"
    rf"|[ ]\((?:the|my|your|our|das|mein|le|mon|la|el|mi|o|il) "
    rf"(?:[\p{{L}}\p{{N}}_-]+ ){{0,2}}{_NOUN}"
    rf"|(?:{_USER}|username) ?(?:and|und|et|y|e|&|/|\+) ?(?:the |das |le |la )?{_PASSWORD}"
    r"|/ [^ ]+ (?:are|is|sind) (?:the|my|your|our|die|meine) "
    rf"|{_USER} ?[:=] *[^{SPACE}:=]+[ \t]*\r?\n"
    rf"|\|[ ]*convertto-secure|{_PASSWORD} +[^\s]*(?:[0-9!@#$%^&*+=?]|(?-i:[a-z][A-Z])))"
)
APART_NEEDS: Final = (
    rf"(?i:{_NOUN}s?(?:[ ,:;(–—\r\n\"'.?!)]|$)"
    r"|log(?:ged|ging)?[ -]?(?:in|on)|sign(?:ed)? in|authenticat|unlock"
    r"|decrypt|anmelden|einloggen|connexion|connecter|[0-9]{3} (?:is|ist|est|es|é) "
    r"|(?:rotat|chang|switch|updat|reset|mov|migrat|renew|swap|replac)[a-z]{0,3} [^\n]*"
    r"(?:key|cookie)s? )"
)


def find_in_sentences(text: str) -> Iterator[SecretPlace]:
    """Yield the secrets before their names, as in `use … as the password`, or after a user."""
    for match in _SWAPPED.finditer(text):
        group = "secret" if match["piped"] is None else "piped"
        yield from _check(text, *match.span(group))
    for match in _PAIR.finditer(text):
        group = match.lastgroup or "secret"
        if group != "below" or _CODE.search(match[group]):
            yield from _check(text, *match.span(group))
    for match in _NAMED.finditer(text):
        if _BEFORE.search(text, max(match.start() - 100, 0), match.start()):
            yield from _check(text, *match.span("secret"))


def find_apart(text: str, lowered: str) -> Iterator[SecretPlace]:
    """Yield the secrets some words after their names, or after a verb, and codes before theirs."""
    for match in _CODE_BEFORE.finditer(text):
        yield SecretPlace("pin", *match.span("secret"))
    for match in match_at(_ASKED, text, lowered, _ASK_HINTS):
        yield from _check(text, *match.span("secret"))
    for match in match_at(_BELOW, text, lowered, _NOUN_HINTS):
        group = "same" if match["secret"] is None else "secret"
        secret = match[group].rstrip(".!?:")
        if is_told(secret) and (_CODE.search(secret) or is_random(secret)):
            yield SecretPlace("password", match.start(group), match.start(group) + len(secret))
    for match in _CHANGE_IT.finditer(text):
        around = max(match.start() - _NOUN_REACH, 0), match.end() + _NOUN_REACH // 3
        if _NOUN_SAID.search(text, *around):
            for group in ("old", "secret"):
                secret = match[group] or ""
                if _NAMED_CODE.match(secret) or _CODE.search(secret) or is_jumble(secret):
                    yield from _check(text, *match.span(group))
    for match in match_at(_CHANGED_FROM, text, lowered, _CHANGES):
        before = max(match.start() - _NOUN_REACH // 3, 0), match.start()
        if match["named"] is None and _NOUN_SAID.search(text, *before) is None:
            continue
        for group in ("secret", "new"):
            if is_digest(match[group].rstrip(".!?:")) or is_argument(match[group]):
                yield from _check(text, *match.span(group))
    for pattern, hints in ((_APART, _NOUN_HINTS), (_ENTERED, _VERB_HINTS)):
        for match in match_at(pattern, text, lowered, hints, joiners="_"):
            secret = match["secret"].rstrip(".!?:")
            if _is_apart(match["words"], secret):
                yield SecretPlace(
                    "password", match.start("secret"), match.start("secret") + len(secret)
                )
                # The old one, and then the new one.
                changed = _CHANGED.match(text, match.end("secret"))
                if changed is not None:
                    yield from _check(text, *changed.span("secret"))


def _check(text: str, start: int, end: int) -> Iterator[SecretPlace]:
    secret = text[start:end].rstrip(".!?:")
    if is_argument(secret) and is_told(secret):
        yield SecretPlace("password", start, start + len(secret))


_CODE: Final = re.compile(
    r"[!@#$%^&*+=]|[a-z][0-9][A-Za-z]|[A-Z][a-z]?[0-9][a-z]|[0-9][A-Z][a-z]|[a-z][0-9]{1,4}[A-Z]"
)
_AS_USER: Final = re.compile(
    r"\b(?:(?:as|als|como|comme|come)[ ][^\s]{2,40}[ ]"
    r"|(?:is|ist|est|es)[ ](?:root|admin|administrator|sa|postgres|ubuntu)[ ])",
    re.IGNORECASE,
)
_NAMED_CODE: Final = re.compile(r"[A-Za-z]{3,}(?:[-_.][A-Za-z]{3,})*[-_.]?[0-9]{2,4}[!?]?\Z")


def _is_apart(words: str, secret: str) -> bool:
    """Decide whether a word some words after the name of a secret is one."""
    if len(secret) < 8 or not is_argument(secret) or not is_told(secret):
        return False
    named = words.lower().strip(" ,:;(–—").split()
    if (is_digest(secret) or _PREFIXED_ID.match(secret)) and not _NO_SECRETS.isdisjoint(named):
        return False
    if _CODE.search(secret) and not re.fullmatch(r"[A-Za-z0-9]+(?:[/+][A-Za-z0-9]+)+", secret):
        return True
    if _AS_USER.search(words) and _NAMED_CODE.match(secret):
        return True
    is_called = _LINKS.issuperset(named) or named[-1] in _SAYS_IT
    return is_called and (_NAMED_CODE.match(secret) is not None or is_jumble(secret))


_SAYS_IT: Final = frozenset(("is", "was", "ist", "war", "lautet", "est", "était", "es", "era"))
_PREFIXED_ID: Final = re.compile(r"[a-z]{2,9}[_-][A-Za-z0-9]{14,}\Z")
_NO_SECRETS: Final = OF_DATA | OF_IDS | {"per"}

_PHRASE: Final = (
    r"phrase(?:[ ](?:for|of)[ ][\w'’ -]{1,40}?)?"
    r"(?:[ ](?:is|was|to|now|ist|lautet)|[\"']?:|[ ]?=){1,2}[ ]{0,3}"
)


def _is_user_password(secret: str) -> bool:
    """Return whether a word after a user is no scope, as in `admin:read_org2`, and no id."""
    return (
        secret.lower() != secret or re.search(r"[!@#$%^&*+=?]", secret) is not None
    ) and re.search(r"[A-Za-z]{3}", secret) is not None


SENTENCES: Final[tuple[Kind, ...]] = (
    ignoring_case(
        "password",
        "mot de passe",
        r"mot de passe(?:[ ](?:du|de|des|pour|d'|la|le|les|l'|est|au|temporaire|initial"
        r"|[a-zà-ÿ'’-]{2,16})){0,5}?"
        rf"\s{{0,2}}(?:est|:|=)\s{{0,2}}:?\s{{0,2}}{_QUOTES}{_SECRET}",
        lambda secret: is_argument(secret) and is_told(secret),
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
        "password",
        "p/w|pw - |pwd - |pass - |password - |passwort - |passcode - |kennwort - ",
        r"(?<![\w/])(?:p/w(?:[ ]?[:=-]|[ ]is)|[a-z]{2,9} -)[ ]{0,3}" + f"{_QUOTES}{_SECRET}",
        lambda secret: is_argument(secret) and is_told(secret),
    ),
    ignoring_case(
        "password",
        "wpa",
        r"wpa[23]?(?:[- ](?:psk|personal))?[ -](?:key|psk|passphrase|code|schlüssel)"
        rf"(?:[ ](?:is|ist|est|es)|[ ]?[:=]){{1,2}}[ ]{{0,3}}{_QUOTES}{_SECRET}",
        lambda secret: is_argument(secret) and is_told(secret),
        "wpa[23]?[^\n]*(?:key|psk|passphrase|code|schlüssel)",
    ),
    ignoring_case(
        "password",
        "creds|credentials|login|zugang",
        r"(?:creds|credentials|logins?|zugang(?:sdaten)?)(?: (?:for|to|of|on|für) [\w.-]{1,30})?"
        r"(?: are| is| sind)?[: (]{1,3}[\"'`]?"
        r"[\w.@+-]{2,60}[\"'`]? ?[/|] ?[\"'`]?(?P<secret>[^\s\"'`,;/|()]{6,100})",
        lambda secret: is_argument(secret) and is_told(secret),
        r"(?:creds|credentials|logins?|zugang)[^\n]* ?[/|] ?",
    ),
    ignoring_case(
        "password",
        "admin / |root / |administrator / |user / ",
        r"[a-z]{4,13} / [\"'`]?(?P<secret>[^\s\"'`,;:<>(){}\[\]|/]{6,64})",
        lambda secret: is_told(secret) and _CODE.search(secret) is not None,
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
            r"(?:maiden name|ädchenname|(?:(?<=ecurity q)|(?<=ecret q))uestion[^\n]{0,80}?[Aa]nswer"
            r"|(?<=icherheits)frage[^\n]{0,80}?Antwort|[a-z ]{5,30}(?:answer|question))"
            r"(?: (?:of|meiner|my|the) [\w ]{1,20}?)?(?:[ ](?:is|was|ist|lautet)|:)[ ]"
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
        "community",
        r"community(?: string)?(?: is|:|=){0,2} [\"'`]{0,1}(?P<secret>[^\s\"'`,;]{6,60})",
        lambda secret: is_told(secret) and is_mixed(secret),
        "community(?: string| is|:|=)|snmp(?:-server)? community",
    ),
    # A user that every system has, and the password after a colon.
    ignoring_case(
        "password",
        "admin:|root:|user:|administrator:|postgres:|ubuntu:|guest:|sa:",
        r"(?<![\w:/@.-])(?:admin|root|user|administrator|postgres|ubuntu|guest|sa):"
        r"(?P<secret>[^\s\"'`,;:<>(){}\[\]|/]{8,64})(?![:(\[])",
        lambda secret: has_digit(secret) and _is_user_password(secret),
    ),
    ignoring_case(
        "password",
        "app password|app-password|app-specific|app passwort|app-passwort",
        r"app[- ](?:specific )?passwor[dt]s?[^\n:]{0,20}[:=] ?[\"'`]?"
        r"(?P<secret>[a-z]{4}(?:[ -][a-z]{4}){3})(?![a-z])",
        lambda secret: len(set(secret)) > 6,
    ),
)
