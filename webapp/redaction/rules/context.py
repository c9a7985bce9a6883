"""Secrets that are known by the name before them: settings, members, flags, headers, sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from webapp.redaction.prefilter import find_hints
from webapp.redaction.rules.kinds import (
    SPACE,
    SecretPlace,
    is_random,
    is_strong,
    match_at,
    split_words,
)
from webapp.redaction.rules.names import OF_FINGERPRINTS, classify
from webapp.redaction.rules.shapes import Shape, has_shape, is_told
from webapp.redaction.rules.values import BARE, BRACED, SET_BEFORE, STRING, Start, read_value

_HINTS: Final = tuple(
    sorted(
        split_words(
            """
    pass pwd secret token key cred auth cookie sess sid pin cv otp sig jwt bearer mnemonic
    phrase kennwort senha contrase clave mdp hasl heslo parola wachtwoord lösen losen salasana
    jelszo jelszó sifre şifre hasło adgangskod parool geslo lozinka slaptažod
    lykilorð verifier puk connectionstring pw psw psk pepper saml xsrf csrf sas salt licen
    ationcode ation_code recoverycode recovery_code backupcode backup_code
    schlüssel schluessel sleutel nyckel clé clef cle_ llave chave chiave klucz anahtar ключ секрет
    cardexp card_exp geheim segred segret jeton токен парол _pat signature
    securityanswer security_answer securitycode security_code accesscode access_code devicecode
    device_code alarm_code alarmcode door_code doorcode gate_code gatecode lock_code lockcode
    mfa 2fa
    """
        )
    )
)
"""A name that precedes a secret contains one of them."""
_ASCII_HINTS: Final = tuple(filter(str.isascii, _HINTS))
_LETTER: Final = "A-Za-z0-9_À-žЀ-ӿ"
_BEFORE: Final = re.compile(rf"[{_LETTER}.-]{{0,60}}\Z")
_NAME: Final = re.compile(rf"[{_LETTER}]{{1,80}}(?:[.-][{_LETTER}]{{1,60}}){{0,8}}")
_WORD_BEFORE: Final = re.compile(r"([A-Za-z]{2,20})[ ]\Z")
_SECOND_WORDS: Final = frozenset(
    ("passe", "key", "token", "secret", "phrase", "string", "code", "cookie")
)

_TYPE: Final = (
    r"(?:(?:const|mut|static|in|unsafe)[ ]){0,2}[*\[\]]{0,4}"
    r"(?:\w{1,30}(?:\.|::)){0,3}(?:string|str|char|byte|u8|text|n?varchar|ansistring|qstring"
    r"|nsstring|cstring|wstring|secretstr|securestring|object|any|var|auto|interface\{\})"
    r"(?:\([0-9a-z]{1,9}\))?[*?\[\]]{0,4}"
)
_TYPED: Final = re.compile(
    # The type before the value: of TypeScript, Swift, Rust; of Go, SQL and Basic; of C; of C#.
    r"(?::[ \t]{0,4}(?:&(?:'static[ ])?)?[A-Za-z_\[][\w.:\[\]<>|&'? ]{0,60}?"
    rf"|[ \t]{{1,4}}(?:as[ ])?{_TYPE}|\[[A-Z0-9_a-z]{{0,20}}\]"
    r"|[ \t]{0,4}\{[ \t]{0,4}get;[^{}\n]{0,40}\})"
    r"[ \t]{0,4}:?=(?!=)\s{0,20}(?=[bBrRL@$]{0,2}[\"'`])",
    re.IGNORECASE,
)
_OTHERWISE: Final = re.compile(
    # After a name that is read from somewhere, as in `os.environ["X"] or "…"`.
    r"[\"'`\])}!?]{0,4}[ \t]{0,4}(?:\|\||\?\?|\?:|\bor\b|//)\s{0,20}(?=[bBrRuU]{0,2}[\"'`])"
)
_READ: Final = (
    r"(?:[A-Za-z_$][\w.$:]{0,60}?)?(?:env|environ|env_var|get|fetch|config|setting|settings|default"
    r"|property|value|option|param|lookup|parameter|var)"
)
_FALLBACK: Final = re.compile(
    # The second operand, or the second argument, after the sign of an assignment.
    r"(?:[A-Za-z_$][\w.$:?!]{0,80}(?:\[[^\[\]\n]{1,60}\])?(?:\([^()\n]{0,80}\)){0,1}[!?]?"
    r"[ \t]{0,4}(?:\|\||\?\?|\?:|\bor\b)"
    rf"|{_READ}[?!]?\(\s{{0,9}}[\"'][^\"'\n]{{1,80}}[\"']\s{{0,4}},"
    rf"(?:\s{{0,9}}[a-z_]{{1,20}}\s{{0,2}}[=:])?"
    r"|[^\n;\"'?]{0,60}\benv[^\n;?]{0,80}\?[^\n;:]{0,80}:)\s{0,20}(?=[bBrRuU]{0,2}[\"'`])",
    re.IGNORECASE,
)
_ASSIGNED: Final = re.compile(
    r"[\"'`\])*_»”]{0,4}(?:[ ]#?[0-9]{1,2}(?=:))?[ \t]{0,40}"
    r"(?::[ \t]{0,4}[A-Za-z_][\w.\[\]<>|]{0,40}(?:[ \t]{1,4}=(?!=)|=(?=[\"'`]))"
    r"|=>|:=|\|\|=|\?\??=|={1,3}|:</[a-z]{1,9}>|:(?![:?])|<-|：|＝|→|->)"
    r"[ \t]{0,40}[*_]{0,2}[ \t]{0,4}"
    # Tags of YAML, and the types that PHP prints.
    r"(?:!!(?:str|binary)[ ]{1,4}|\s{0,40}string(?:\([0-9]{1,5}\))?[ ](?=[\"']))?"
    r"(?:new [A-Za-z]{1,30}\(|(?:Buffer\.from|[A-Z][A-Za-z]{1,20}::[a-z_]{2,12}"
    r"|\[\](?:byte|rune)|[A-Za-z]{0,30})\((?=[bBrRuUfF]?[\"'`]))?"
    # A list; messages about a field are in one as well.
    r"(?:\[\s{0,20}(?=[\"'][^\s\"']{1,4096}[\"']))?"
)
_FLAG: Final = re.compile(r"[ =][ ]{0,3}")
_ELEMENT: Final = re.compile(
    r"(?:[ ][^<>\n]{0,200})?>\s{0,20}(?:<!\[CDATA\[)?(?:<(?:value|string|plain)>\s{0,20})?",
    re.IGNORECASE,
)
_NEXT_ELEMENT: Final = re.compile(
    r"</[a-z]{1,12}>\s{0,20}<(?:string|value|val|text|td|dd|data|code)(?:[ ][^<>\n]{0,100})?>",
    re.IGNORECASE,
)
_NEXT_WORD: Final = re.compile(
    # Of a command or a setting, in the next column, after a number that says how it is encrypted.
    r"(?:[ \t]{1,60}(?:[0-9][ ])?|,[ ]?)(?P<word>[^\s,\"'`<|}]{5,200})"
    r"(?=[ \t]*(?:\r?\n|\Z|[<|'\"`}])|\t|(?<=[^ ])[ ]{2}|,[^\s])"
)
_ARGUMENT: Final = re.compile(
    # The name of the next member is none.
    r"[\"'][ ]{0,3},\s{0,20}(?=[\"'])(?![\"'][\w.-]{1,60}[\"']\s{0,4}:)"
)
_OF: Final = (
    "for|of|to|on|in|at|from|für|fürs|vom|von|des|der|zum|zur|am|im|pour|du|de|des|au|para|del|do|da|dla"
    "|til|till|för|hos|på|voor|van|per|di|della|k|от|для|к"
)
_IS: Final = (
    "is|was|are|used to be|has been|ist|es|est|c['’]est|lautet|war|set|changed"
    "|reset|è|é|je|jest|er|är|este|on|auf|heißt|heisst|luidt"
    "|(?:should|will|would|could|might|may) be|being|equals|remains|becomes|stays|says|reads"
    "|era|fue|será|était|sera|wäre|wird|bleibt|foi|byl[oa]?|było|oli|var|volt"
)
_SAID: Final = re.compile(
    r"(?:\(s\))?[\"'`*_)]{0,3}(?:[ ]\([^()\n]{1,40}\))?"
    r"(?:[ ](?:correct[aeo]?|corrett?[ao]|nueva|nova|nuova|actual|atual|temporal|temporaire"
    r"|provisoire|nuevo|nouveau|nouvelle|novo|nuovo|provvisori[ao]|temporane[ao]|temporária|tijdelijke?|tymczasowe|tillfälligt?|midlertidig"
    r"|provisória|initiale?|inicial|anterior))?"
    rf"(?:[ ](?:{_OF})[ ](?:[\w@/'` -]|\.(?![ ])){{1,40}}?)?"
    r"(?:[ ](?:was |is |has been |had been |got )?(?:set |changed |reset |updated |rotated )?to"
    rf"|(?:[ ](?:{_IS})|['’](?:s|re))(?:[ ](?:now|still|to|as|simply|just"
    r"|actually|currently|übrigens|jetzt|aktuell|maintenant|ahora|agora))?|[ \u00a0]?:|[ ]=)"
    r":?[ ]{1,3}[*_]{0,2}",
    re.IGNORECASE,
)
_SAID_OF: Final = re.compile(
    rf"[\"'`*_)]{{0,3}}[ ](?:{_OF})[ ][\w.@/'% -]{{1,40}}?[ ]?(?:=|->|→|=>)[ ]{{1,3}}",
    re.IGNORECASE,
)
# A question that is asked ends with a colon.
_CALLED: Final = re.compile(r"\(\s{0,4}(?=[\"'][^\"'\s]{2,200}[^\"'\s:?][\"'])")
_READER: Final = re.compile(r"(?:\w{1,40}\.)?(?:get|fetch|find|delete|lookup|prompt)_?[A-Za-z]")
"""Functions that take the name of a secret, and return it."""

_ATTRIBUTE: Final = re.compile(r"[\"'](?:[ ][^<>\n]{0,200})?>(?:\s{0,40}<value>)?(?:<!\[CDATA\[)?")
_BARE_NEXT: Final = re.compile(r"[ ]{1,3}(?=[^\s\"'`]{16})")
_QUOTED_NEXT: Final = re.compile(r"\s{1,4}(?=['\"])")
_RESOURCE: Final = re.compile(r"\b[au]rn:[^\s]{0,120}\Z")
_GOES_ON: Final = re.compile(
    r"[ ](?:not found|already|created|deleted|configured|is forbidden|does not exist)\b"
)
"""Is after the name of a resource."""
_COLUMN: Final = re.compile(r"[`*\"']{0,3}[ \t]{0,60}\|[ \t]{0,60}")
_SECOND_NAME: Final = re.compile(
    r"^[ \t]{0,40}(?:(?:let|const|var|val|my)[ ])?[(\[]?(?:[$]?[A-Za-z_]\w{0,60},[ ]?){1,7}[$]?\Z",
    re.MULTILINE,
)
_FIRST_VALUE: Final = re.compile(
    r"[\])]?[ ]?:?=[ ]?[(\[]?[bru]?[\"'][^\"'\n]{0,400}[\"'],[ ]?[bru]?[\"']"
)
"""The value of the first of several names, after them."""
_TEMPLATE: Final = re.compile(r"\{\{[^{}\n]*\Z")
"""Before a name in a template, whose value goes through filters after `|`."""
_VALUE_NEXT: Final = re.compile(
    r"[\"']?[\s,;]{1,60}[\"']?(?:value|val|default|defaultValue|ParameterValue"
    r"|content)[\"']?\s{0,20}[:=]\s{0,20}",
    re.IGNORECASE,
)
_VALUE_BEFORE: Final = re.compile(
    r"(?:value|val|content)[\"'`]?\s{0,9}(?:=>?|:)\s{0,9}(?P<quote>[\"']?)"
    r"(?P<secret>(?<=[\"'])[^\"'\n]{3,2000}(?=(?P=quote))|(?<![\"'])[^\s\"'<>{},;]{3,400})"
    r"(?P=quote)[\s,;]{1,60}(?:where\s{1,9})?[\"'`]?\w{0,30}?(?:name|key)[\"'`]?\s{0,9}(?:=>?|:)"
    r"\s{0,9}[\"']?(?P<name>[\w.:-]{2,80})",
    re.IGNORECASE,
)
"""A value with its name after it, as in `value="…" name="apiKey"`."""
_DEFAULT: Final = re.compile(
    # Of a variable, and of an output in JSON that is a part of a text.
    r"[\"']?\s{0,4}(?:\{[^{}]{0,300}?\bdefault\s{0,20}="
    r"|:\s{0,4}\{[^{}]{0,300}?\"value\"\s{0,4}:)\s{0,20}"
)

_PIECE: Final = (
    r"[bBrRuU]{0,2}(?P<quote>[\"'])(?P<secret>[^\"'\\\n]{1,400})"
    r"(?=(?P=quote)(?![\"']{0,1}\s{0,9}:))"
)
_FIRST_PIECE: Final = re.compile(r"\(?\s{0,40}" + _PIECE)
_NEXT_PIECE: Final = re.compile(
    r"[\"'][ \t]{0,20}(?:\\?\r?\n\s{0,80})?(?:(?:\+|\.\.?|&)\s{0,40})?" + _PIECE
)
"""A literal directly after another one, which the language joins, or after the sign that does."""
_NEXT_ITEM: Final = re.compile(r"[\"']\s{0,20},\s{0,20}" + _PIECE)

_WORD_NEXT: Final = re.compile(r"[\"']?[ \t]{1,4}[\"']?(?P<word>[^\s\"'`]{3,200})")

_REST: Final = r"[\p{L}\p{N}_.-]*"
_AFTER: Final = (
    # Assigned, or in the next column of a table.
    r"(?:\[\w*\]|[\"'`\])*_»”]*)[ \t]*[:=|?<>→：＝-]"
    rf"|[^\n]* (?:{_OF}) [\p{{L}}\p{{N}}_.@/'`% -]*(?:[:=→]|->)"
    r"|[\"'`*_)]* \([^()\n]*\):"
    rf"|[\"']?[{SPACE},;]*[\"']?(?:value|val|default|content)[\"']?[{SPACE}]*[:=]"
    rf"|[\"']?[{SPACE}]*\{{[^{{}}]*default[{SPACE}]*=|[\"'] *,[{SPACE}]*[\"']|[{SPACE}]+[\"']"
    rf"|[^\n]* (?:{_IS})[ :]|[ \t(,][ \t]*[^\s]|['’](?:s|re) |\([{SPACE}]*[\"']"
    rf"|</[A-Za-z]+>[{SPACE}]*<"
)
ANY_HINT: Final = "|".join(_HINTS)
VALUES_NEEDS: Final = (
    rf"(?i:(?:name|key)[\"'`]?[{SPACE}]*(?:=>?|:)[{SPACE}]*[\"']?[\w.:-]*(?:{ANY_HINT}))"
)
"""An expression of RE2 that matches every text with a secret before its name."""
NAMED_NEEDS: Final = (
    rf"(?i:(?:{ANY_HINT}){_REST}(?:{_AFTER})"
    # A flag and an element are known by the character before them.
    rf"|[-<:]{_REST}(?:{ANY_HINT}){_REST}(?: +[^\s]|[^<>\n]*>))"
)
"""An expression of RE2 that matches every text with a secret after its name."""


def find_named(text: str, lowered: str) -> Iterator[SecretPlace]:
    """Yield the secrets in `text` that follow a name."""
    ends: set[int] = set()
    for hint in find_hints(lowered, _ASCII_HINTS if text.isascii() else _HINTS):
        at = lowered.find(hint)
        while at >= 0:
            begin = at - len(_BEFORE.search(text, max(at - 60, 0), at)[0])  # type: ignore[index]
            while text[begin] in ".-":
                begin += 1
            match = _NAME.match(text, begin)
            end = max(match.end() if match else 0, at + len(hint))
            if match is not None and end not in ends:
                ends.add(end)
                for place in _read(text, begin, match.end()):
                    yield place
                    # A part of a secret is not a name.
                    end = max(end, place.end)
            at = lowered.find(hint, end)


def find_values(text: str, lowered: str) -> Iterator[SecretPlace]:
    """Yield the secrets in `text` whose names follow them."""
    for match in match_at(_VALUE_BEFORE, text, lowered, ("val", "content"), joiners=None):
        known = classify(match["name"])
        if known is not None and has_shape(match["secret"], known[1], is_quoted=True):
            yield SecretPlace(known[0], *match.span("secret"))


def _read(text: str, begin: int, end: int) -> Iterator[SecretPlace]:
    """Read the secret after the name from `begin` to `end`, which may be written in pieces."""
    name = text[begin:end]
    if name.lower() in _SECOND_WORDS:
        before = _WORD_BEFORE.search(text, max(begin - 21, 0), begin)
        if before is not None:
            if name == "key" and before[1].lower() in OF_FINGERPRINTS:
                return
            name = f"{before[1]}_{name}"
    found = classify(name)
    # The name of a resource, as in `arn:aws:secretsmanager:eu-west-1:1:secret:prod`.
    if found is None or (
        text[begin - 1 : begin] == ":" and _RESOURCE.search(text, max(begin - 120, 0), begin)
    ):
        return
    if _FIRST_VALUE.match(text, end) and _SECOND_NAME.search(text, max(begin - 200, 0), begin):
        return
    kind, shape = found
    for start in _iter_values(text, begin, end, shape):
        place = read_value(text, begin, start, kind, shape)
        if place is not None:
            yield place
            yield from _iter_more(text, place)
            return
        if start.is_sure and (pieces := _read_pieces(text, start.at, kind, shape)):
            yield from pieces
            return


def _iter_more(text: str, place: SecretPlace) -> Iterator[SecretPlace]:
    """Yield the literals that continue the one at `place`."""
    end = place.end
    is_literal = place.start > 0 and text[place.start - 1] == text[end : end + 1]
    following = _NEXT_ITEM if _is_listed(text, place.start - 1) else _NEXT_PIECE
    while is_literal and (match := following.match(text, end)):
        end = match.end("secret")
        yield SecretPlace(place.kind, *match.span("secret"))


def _is_listed(text: str, at: int) -> bool:
    """Return whether the literal at a place is the first item of a list."""
    return text[max(at - 21, 0) : at].rstrip().endswith("[")


def _read_pieces(text: str, at: int, kind: str, shape: Shape) -> list[SecretPlace]:
    """Read literals that follow each other, and only together have the form of a secret."""
    first = None if _is_listed(text, at) else _FIRST_PIECE.match(text, at)
    if first is None:
        return []
    places = [SecretPlace(kind, *first.span("secret"))]
    places += _iter_more(text, places[0])
    whole = "".join(text[place.start : place.end] for place in places)
    return places if len(places) > 1 and has_shape(whole, shape, is_quoted=True) else []


def _iter_values(text: str, begin: int, end: int, shape: Shape) -> Iterator[Start]:
    """Yield the places where a value can begin."""
    before = text[max(begin - 2, 0) : begin]
    if match := _TYPED.match(text, end):
        yield Start(match.end(), True)
    if match := _ASSIGNED.match(text, end):
        yield Start(match.end(), True)
        if fallback := _FALLBACK.match(text, match.end()):
            yield Start(fallback.end(), True)
    if match := _OTHERWISE.match(text, end):
        yield Start(match.end(), True)
    if match := BRACED.match(text, end):
        yield Start(match.end(), False)
    word = _WORD_NEXT.match(text, end)
    if word and is_strong(word["word"]) and SET_BEFORE.search(text, max(begin - 80, 0), begin):
        yield Start(word.start("word"), True)
    if before.endswith("-") and (match := _FLAG.match(text, end)):
        yield Start(match.end(), True)
    if before.endswith(("<", ":")) and (match := _ELEMENT.match(text, end)):
        yield Start(match.end(), True, is_content=True)
    if before.endswith(("'", '"', "'#", '"#')) and (match := _ARGUMENT.match(text, end)):
        yield Start(match.end(), True)
    if before.endswith(("'", '"')) and (match := _ATTRIBUTE.match(text, end)):
        yield Start(match.end(), False, is_content=True)
    if (match := _CALLED.match(text, end)) and not _READER.match(text, begin):
        yield Start(match.end(), False)
    if shape is Shape.CODE and (match := _BARE_NEXT.match(text, end)):
        bare = BARE.match(text, match.end())
        if bare is not None and is_random(bare[0].rstrip(".!?:")):
            yield Start(match.end(), False)
    if (match := _NEXT_WORD.match(text, end)) and is_told(match["word"]):
        yield Start(match.start("word"), False)
    if match := _NEXT_ELEMENT.match(text, end):
        yield Start(match.end(), True, is_content=True)
    for pattern in (_VALUE_NEXT, _DEFAULT):
        if match := pattern.match(text, end):
            yield Start(match.end(), True)
    match = _COLUMN.match(text, end)
    if match and not _TEMPLATE.search(text, max(begin - 80, 0), begin):
        yield Start(match.end(), False)
    if match := _SAID.match(text, end) or _SAID_OF.match(text, end):
        yield Start(match.end(), False)
    match = _QUOTED_NEXT.match(text, end)
    if match and (shape is Shape.ANY or _is_key_quoted(text, match.end())):
        yield Start(match.end(), False)


def _is_key_quoted(text: str, at: int) -> bool:
    """Return whether a string of random characters begins there, and nothing goes on after it."""
    quoted = STRING.match(text, at)
    if quoted is None or not is_random(quoted[quoted.lastgroup or 0]):
        return False
    return not _GOES_ON.match(text, quoted.end())
