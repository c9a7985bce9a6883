"""Secrets that are known by the name before them: settings, members, flags, headers, sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from webapp.redaction.rules.kinds import (
    SPACE,
    is_random,
    is_strong,
    is_told,
    split_words,
)
from webapp.redaction.rules.names import Shape, classify, has_shape

_HINTS: Final = tuple(
    sorted(
        split_words(
            """
    pass pwd secret token key cred auth cookie sess sid pin cv otp sig jwt bearer mnemonic
    phrase kennwort senha contrase clave mdp hasl heslo parola wachtwoord lösen losen salasana
    jelszo jelszó sifre şifre hasło adgangskod parool geslo lozinka slaptažod
    lykilorð verifier puk connectionstring pw psw psk pepper saml xsrf csrf sas salt licen
    """
        )
    )
)
"""A name that precedes a secret contains one of them."""
_LETTER: Final = "A-Za-z0-9_À-ž"
_BEFORE: Final = re.compile(rf"[{_LETTER}.-]{{0,60}}\Z")
_NAME: Final = re.compile(rf"[{_LETTER}]{{1,80}}(?:[.-][{_LETTER}]{{1,60}}){{0,8}}")
_WORD_BEFORE: Final = re.compile(r"([A-Za-z]{2,20})[ ]\Z")
_SECOND_WORDS: Final = frozenset(("key", "token", "secret", "phrase", "string", "code", "cookie"))

_OPENERS: Final = "\"'`“‘「«„"
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
    r"(?:[A-Za-z_$][\w.$:]{0,60}?)?(?:env|environ|env_var|get|fetch|config|setting|settings"
    r"|default"
    r"|property|value|option|param|lookup|parameter|var)"
)
_FALLBACK: Final = re.compile(
    # The second operand, or the second argument, after the sign of an assignment.
    r"(?:[A-Za-z_$][\w.$:?!]{0,80}(?:\[[^\[\]\n]{1,60}\])?(?:\([^()\n]{0,80}\)){0,1}[!?]?"
    r"[ \t]{0,4}(?:\|\||\?\?|\?:|\bor\b)"
    rf"|{_READ}[?!]?\(\s{{0,9}}[\"'][^\"'\n]{{1,80}}[\"']\s{{0,4}},"
    rf"(?:\s{{0,9}}[a-z_]{{1,20}}\s{{0,2}}[=:])?"
    r"|[^\n;\"'?]{0,60}\benv[^\n;?]{0,80}\?[^\n;:]{0,80}:)"
    r"\s{0,20}(?=[bBrRuU]{0,2}[\"'`])",
    re.IGNORECASE,
)
_ASSIGNED: Final = re.compile(
    r"[\"'`\])*_»”]{0,4}(?:[ ]#?[0-9]{1,2}(?=:))?[ \t]{0,40}"
    r"(?::[ \t]{0,4}[A-Za-z_][\w.\[\]<>|]{0,40}"
    r"(?:[ \t]{1,4}=(?!=)|=(?=[\"'`]))"
    r"|=>|:=|\|\|=|\?\??=|={1,3}|:</[a-z]{1,9}>|:(?!:)|<-|：|＝|→|->)"
    r"[ \t]{0,40}[*_]{0,2}[ \t]{0,4}(?:!!(?:str|binary)[ ]{1,4})?"
    r"(?:new [A-Za-z]{1,30}\(|(?:Buffer\.from|[A-Za-z]{0,30})\((?=[bBrRuUfF]?[\"']))?"
)
_FLAG: Final = re.compile(r"[ =][ ]{0,3}")
_ELEMENT: Final = re.compile(
    r"(?:[ ][^<>\n]{0,200})?>\s{0,20}(?:<!\[CDATA\[)?"
    r"(?:<(?:value|string|plain)>\s{0,20})?",
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
_OF: Final = "for|of|to|on|in|für|pour|para|del|de|do|da|dla|til|till|för|voor|per|di|k|au"
_IS: Final = (
    "is|was|are|ist|es|est|c['’]est|lautet|war|set|changed"
    "|reset|è|é|je|jest|er|är|este|on|auf|heißt|heisst|luidt"
    "|(?:should|will|would|could|might|may) be|being|equals|remains|becomes|stays|says|reads"
    "|era|fue|será|était|sera|wäre|wird|bleibt|foi|byl[oa]?|było|oli|var|volt"
)
_SAID: Final = re.compile(
    r"[\"'`*_)]{0,3}(?:[ ]\([^()\n]{1,40}\))?"
    rf"(?:[ ](?:{_OF})[ ](?:[\w@/'` -]|\.(?![ ])){{1,40}}?)?"
    rf"(?:(?:[ ](?:{_IS})|['’](?:s|re))"
    r"(?:[ ](?:now|still|to|as|simply|just))?|[ ](?:was |has been |got )?(?:set |changed "
    r"|reset )?to|:)"
    r":?[ ]{1,3}[*_]{0,2}",
    re.IGNORECASE,
)
_SAID_OF: Final = re.compile(
    rf"[\"'`*_)]{{0,3}}[ ](?:{_OF})[ ][\w.@/' -]{{1,40}}?[ ]?(?:=|->|→|=>)[ ]{{1,3}}", re.IGNORECASE
)
# A question that is asked ends with a colon.
_CALLED: Final = re.compile(r"\(\s{0,4}(?=[\"'][^\"'\s]{2,200}[^\"'\s:?][\"'])")
_READER: Final = re.compile(r"(?:\w{1,40}\.)?(?:get|fetch|find|delete|lookup|prompt)_?[A-Za-z]")
"""Functions that take the name of a secret, and return it."""

_ATTRIBUTE: Final = re.compile(r"[\"'](?:[ ][^<>\n]{0,200})?>(?:\s{0,40}<value>)?")
_BARE_NEXT: Final = re.compile(r"[ ]{1,3}(?=[^\s\"'`]{16})")
_QUOTED_NEXT: Final = re.compile(r"\s{1,4}(?=['\"])")
_COLUMN: Final = re.compile(r"[`*\"']{0,3}[ \t]{0,60}\|[ \t]{0,60}")
_VALUE_NEXT: Final = re.compile(
    r"[\"']?[\s,;]{1,60}[\"']?(?:value|val|default|defaultValue|ParameterValue"
    r"|content)[\"']?\s{0,20}[:=]\s{0,20}",
    re.IGNORECASE,
)
_DEFAULT: Final = re.compile(
    # Of a variable, and of an output in JSON that is a part of a text.
    r"[\"']?\s{0,4}(?:\{[^{}]{0,300}?\bdefault\s{0,20}=|:\s{0,4}\{[^{}]{0,300}?\"value\"\s{0,4}:)\s{0,20}"
)

_STRING: Final = re.compile(
    r"(?:[bBrRuUfFNLq@$]{1,2})?(?:\"(?P<a>(?:[^\"\\\n]|\\.){1,2000})(?:\"|\Z)"
    r"|'(?P<b>(?:[^'\\\n]|\\.){1,2000})(?:'|\Z)|`(?P<c>[^`\n]{1,2000})(?:`|\Z)"
    r"|[“„](?P<d>[^“”\n]{1,400})[”“]|[‘](?P<e>[^‘’\n]{1,400})’|「(?P<f>[^「」\n]{1,400})」"
    r"|«[ \u00a0]?(?P<g>[^«»\n]{1,400}?)[ \u00a0]?»)"
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

_BARE: Final = re.compile(r"[^\s\"'`,;&()<>\[\]{}|“”「」«»\\]{1,4096}")
_LINE: Final = re.compile(r"[^\s\\]{1,4096}(?=[ \t]*(?:[#;][^\n]*)?(?:\r?\n|\Z))")
_SET_BEFORE: Final = re.compile(
    r"(?:\b(?:set|setx|setenv|put|add|env|arg|config)|-gx?|-x|-u)[ \t][\"']?/?"
    r"(?:[\w.-]{1,60}[/:]){0,8}\Z",
    re.IGNORECASE,
)
"""The beginning of a command that takes a name and its value as two words."""

_WORD_NEXT: Final = re.compile(r"[\"']?[ \t]{1,4}[\"']?(?P<word>[^\s\"'`]{3,200})")

_LINE_START: Final = re.compile(
    r"(?:^|\n|\r)[ \t]{0,40}(?:-[ ]|\+|export[ ]|set[ ]|SET[ ]|ENV[ ]|ARG[ ]"
    r"|-e[ ]|setx[ ]|\$env:|//)?\Z"
)
_CONNECTION: Final = re.compile(r";[ ]?[A-Za-z][A-Za-z _]{1,40}=")
_CONTENT: Final = re.compile(r"[^<>\n]{1,2000}(?=\]\]>|\s*</)|[^\s<>]{5,2000}(?=<|[ \t]*\Z)")
_AFTER_WORD: Final = re.compile(r"[ \t]*(?:\r?\n|\Z|#|;|&|\"|'|[^\s=]{1,40}=|\\[nr])")
_IS_WORD: Final = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*\Z")
_ODD_CASE: Final = re.compile("[a-z](?:[A-Z]{1,2}[a-z]{1,2}){2,20}[A-Z]")
"""Capitals where words and names have none."""

_SCHEME: Final = re.compile(
    r"(?:bearer|basic|token|digest|negotiate|key|apikey|api-key|bot|splunk|ghost|jwt|oauth"
    r"|aws4-hmac-sha256|sso-key|genericapikey)(?:[ +]|%20){1,4}",
    re.IGNORECASE,
)


class SecretPlace(NamedTuple):
    """The place of a secret, with its kind."""

    kind: str
    start: int
    end: int


_REST: Final = r"[\p{L}\p{N}_.-]*"
_AFTER: Final = (
    # Assigned, or in the next column of a table.
    r"(?:\[\w*\]|[\"'`\])*_»”]*)[ \t]*[:=|?<>→：＝-]"
    rf"|[^\n]* (?:{_OF}) [\p{{L}}\p{{N}}_.@/'` -]*(?:[:=→]|->)"
    r"|[\"'`*_)]* \([^()\n]*\):"
    rf"|[\"']?[{SPACE},;]*[\"']?(?:value|val|default|content)[\"']?[{SPACE}]*[:=]"
    rf"|[\"']?[{SPACE}]*\{{[^{{}}]*default[{SPACE}]*=|[\"'] *,[{SPACE}]*[\"']|[{SPACE}]+[\"']"
    rf"|[^\n]* (?:{_IS})[ :]|[ \t(,][ \t]*[^\s]|['’](?:s|re) |\([{SPACE}]*[\"']"
    rf"|</[A-Za-z]+>[{SPACE}]*<"
)
ANY_HINT: Final = "|".join(_HINTS)
NAMED_NEEDS: Final = (
    rf"(?i:(?:{ANY_HINT}){_REST}(?:{_AFTER})"
    # A flag and an element are known by the character before them.
    rf"|[-<:]{_REST}(?:{ANY_HINT}){_REST}(?: +[^\s]|[^<>\n]*>))"
)
"""An expression of RE2 that matches every text with a secret after its name."""


def find_named(text: str, lowered: str) -> Iterator[SecretPlace]:
    """Yield the secrets in `text` that follow a name."""
    ends: set[int] = set()
    for hint in _HINTS:
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


class _Start(NamedTuple):
    """Where a value can begin, and whether it is sure to be one.

    `is_content` is true for the content of an element, which may be closed by a tag.
    """

    at: int
    is_sure: bool
    is_content: bool = False


def _read(text: str, begin: int, end: int) -> Iterator[SecretPlace]:
    """Read the secret after the name from `begin` to `end`, which may be written in pieces."""
    name = text[begin:end]
    if name.lower() in _SECOND_WORDS:
        before = _WORD_BEFORE.search(text, max(begin - 21, 0), begin)
        if before is not None:
            name = f"{before[1]}_{name}"
    found = classify(name)
    # The name of a resource, as in `arn:aws:secretsmanager:eu-west-1:1:secret:prod`.
    if found is None or (
        text[begin - 1 : begin] == ":" and "arn:" in text[max(begin - 120, 0) : begin]
    ):
        return
    kind, shape = found
    for start in _iter_values(text, begin, end, shape):
        place = _read_value(text, begin, start, kind, shape)
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
    while is_literal and (match := _NEXT_PIECE.match(text, end)):
        end = match.end("secret")
        yield SecretPlace(place.kind, *match.span("secret"))


def _read_pieces(text: str, at: int, kind: str, shape: Shape) -> list[SecretPlace]:
    """Read literals that follow each other, and only together have the form of a secret."""
    first = _FIRST_PIECE.match(text, at)
    if first is None:
        return []
    places = [SecretPlace(kind, *first.span("secret"))]
    places += _iter_more(text, places[0])
    whole = "".join(text[place.start : place.end] for place in places)
    return places if len(places) > 1 and has_shape(whole, shape, is_quoted=True) else []


def _iter_values(text: str, begin: int, end: int, shape: Shape) -> Iterator[_Start]:
    """Yield the places where a value can begin."""
    before = text[max(begin - 2, 0) : begin]
    if match := _TYPED.match(text, end):
        yield _Start(match.end(), True)
    if match := _ASSIGNED.match(text, end):
        yield _Start(match.end(), True)
        if fallback := _FALLBACK.match(text, match.end()):
            yield _Start(fallback.end(), True)
    if match := _OTHERWISE.match(text, end):
        yield _Start(match.end(), True)
    word = _WORD_NEXT.match(text, end)
    if word and is_strong(word["word"]) and _SET_BEFORE.search(text, max(begin - 80, 0), begin):
        yield _Start(word.start("word"), True)
    if before.endswith("-") and (match := _FLAG.match(text, end)):
        yield _Start(match.end(), True)
    if before.endswith(("<", ":")) and (match := _ELEMENT.match(text, end)):
        yield _Start(match.end(), True, is_content=True)
    if before.endswith(("'", '"')) and (match := _ARGUMENT.match(text, end)):
        yield _Start(match.end(), True)
    if before.endswith(("'", '"')) and (match := _ATTRIBUTE.match(text, end)):
        yield _Start(match.end(), False, is_content=True)
    if (match := _CALLED.match(text, end)) and not _READER.match(text, begin):
        yield _Start(match.end(), False)
    if shape is Shape.CODE and (match := _BARE_NEXT.match(text, end)):
        bare = _BARE.match(text, match.end())
        if bare is not None and is_random(bare[0].rstrip(".!?:")):
            yield _Start(match.end(), False)
    if (match := _NEXT_WORD.match(text, end)) and is_told(match["word"]):
        yield _Start(match.start("word"), False)
    if match := _NEXT_ELEMENT.match(text, end):
        yield _Start(match.end(), True, is_content=True)
    if match := _VALUE_NEXT.match(text, end):
        yield _Start(match.end(), True)
    if match := _DEFAULT.match(text, end):
        yield _Start(match.end(), True)
    if match := _COLUMN.match(text, end):
        yield _Start(match.end(), False)
    if match := _SAID.match(text, end) or _SAID_OF.match(text, end):
        yield _Start(match.end(), False)
    if match := _QUOTED_NEXT.match(text, end):
        quoted = _STRING.match(text, match.end())
        if shape is Shape.ANY or (quoted and is_random(quoted[quoted.lastgroup or 0])):
            yield _Start(match.end(), False)


def _read_value(
    text: str, begin: int, start: _Start, kind: str, shape: Shape
) -> SecretPlace | None:
    """Read the value that begins at `start`, of a name that begins at `begin`."""
    at, is_sure = start.at, start.is_sure
    if start.is_content:
        content = _CONTENT.match(text, at)
        is_closed = content is not None and text.startswith("<", content.end())
        if content is None or not ((is_sure and is_closed) or is_strong(content[0])):
            return None
        return _check(text, *content.span(), kind, shape, True)
    if kind == "authorization" or kind == "cookie":
        return _read_header(text, at, kind, shape)
    if text.startswith(("'''", '"""'), at):
        at += 2
    quoted = _STRING.match(text, at)
    if quoted is not None:
        return _check(text, *quoted.span(quoted.lastgroup or 0), kind, shape, True)
    if text[at : at + 1] in _OPENERS:
        return None
    is_line = is_sure and (
        _LINE_START.search(text, max(begin - 60, 0), begin) is not None
        or _SET_BEFORE.search(text, max(begin - 80, 0), begin) is not None
    )
    whole = _LINE.match(text, at) if is_line else None
    if (
        whole is not None
        and not _CONNECTION.search(whole[0])
        and not whole[0].endswith((")", ",", "{", "[", ";", "("))
    ):
        return _check(text, *whole.span(), kind, shape, False)
    return _read_bare(text, at, kind, shape, is_sure)


def _read_bare(text: str, at: int, kind: str, shape: Shape, is_sure: bool) -> SecretPlace | None:
    """Read a value without quotes, unless it is a word of a sentence or a call."""
    bare = _BARE.match(text, at)
    if bare is None:
        return None
    start, end = bare.span()
    end -= len(bare[0]) - len(bare[0].rstrip(".!?:*"))
    secret = text[start:end]
    if text[end : end + 1] in ("(", "["):
        return None
    if (_IS_WORD.match(secret) and not _ODD_CASE.search(secret)) and (
        not is_sure
        or (text[at - 1] != "=" and not _AFTER_WORD.match(text, end))
        or (text[at - 1] == " " and secret.count("-") == 1)
    ):
        return None
    if not is_sure and not is_strong(secret):
        return None
    if (
        not any(map(str.isalpha, secret))
        and shape is Shape.ANY
        and not _AFTER_WORD.match(text, end)
    ):
        return None
    return _check(text, start, end, kind, shape, False)


def _check(
    text: str, start: int, end: int, kind: str, shape: Shape, is_quoted: bool
) -> SecretPlace | None:
    end -= len(text[start:end]) - len(text[start:end].rstrip(" "))
    secret = text[start:end]
    if kind == "authorization":
        scheme = _SCHEME.match(secret)
        start += scheme.end() if scheme else 0
        secret = text[start:end]
    # `sid` names the ids of some APIs as well.
    if kind == "session" and _ID_OF_API.match(secret):
        return None
    if has_shape(secret, shape, is_quoted=is_quoted):
        return SecretPlace(kind, start, end)
    return None


_ID_OF_API: Final = re.compile(r"[A-Z]{2}[0-9a-f]{32}\Z")
_OTHER_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{2,24}[ ]{1,3}(?=[^\s]{16})")
_HEADER: Final = re.compile(r"[\"'`]{0,1}(?P<secret>[^\r\n\"'`\\]{4,4096})")
_REST_OF_LINE: Final = re.compile(r"[^\r\n]{8,4096}")
_CREDENTIALS: Final = re.compile(r"[\"'`]{0,1}(?P<secret>[^\r\n\"'`\\,;<>]{3,4096})")


def _read_header(text: str, at: int, kind: str, shape: Shape) -> SecretPlace | None:
    match = (_HEADER if kind == "cookie" else _CREDENTIALS).match(text, at)
    if match is None:
        return None
    start, end = match.span("secret")
    if kind == "cookie":
        return _check(text, start, end, kind, shape, True)
    scheme = _SCHEME.match(text, start)
    start = scheme.end() if scheme else start
    if scheme is not None and scheme[0].lower().startswith("digest"):
        line = _REST_OF_LINE.match(text, start)
        return (
            None if line is None else SecretPlace(kind, start, start + len(line[0].rstrip("\"' ")))
        )
    if scheme is None and (other := _OTHER_SCHEME.match(text, start)):
        start = other.end()
    value = _BARE.match(text, start)
    if value is None or not (scheme or is_strong(value[0])):
        return None
    return _check(text, start, start + len(value[0].rstrip(".!?:")), kind, shape, False)
