"""Read the value after a name: quoted, bare, to the end of its line, in an element or a header."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from webapp.redaction.rules.kinds import (
    FUNCTION_WORDS,
    SecretPlace,
    is_jumble,
    is_made,
    is_mixed,
    is_phrase,
    is_strong,
)
from webapp.redaction.rules.shapes import Shape, has_shape, is_term

_QUOTES: Final = ("'", '"')
_PROMPT: Final = 40
_OPENERS: Final = "\"'`“‘「«„"
STRING: Final = re.compile(
    r"(?:[bBrRuUfFNLq@$]{1,2})?(?:\"(?P<a>(?!\)(?:[<;,)\s]|\Z))(?:[^\"\\\n]|\\.){1,2000})(?:\"|\Z)"
    r"|'(?P<b>(?:[^'\\\n]|\\.){1,2000})(?:'|\Z)|`(?P<c>[^`\n]{1,2000})(?:`|\Z)"
    r"|[“„](?P<d>[^“”\n]{1,400})[”“]|[‘](?P<e>[^‘’\n]{1,400})’|「(?P<f>[^「」\n]{1,400})」"
    r"|%?[qQ]{1,2}(?:\{(?P<h>[^{}\n]{1,400})\}|\((?P<i>[^()\n]{1,400})\))"
    r"|«[ \u00a0]?(?P<g>[^«»\n]{1,400}?)[ \u00a0]?»)"
)
BARE: Final = re.compile(r"[^\s\"'`,;&()<>\[\]{}|“”「」«»\\]{1,4096}")
_DJANGO: Final = re.compile(
    # Not a query of several parameters.
    r"(?![^\s&]{0,50}&[A-Za-z_]{1,30}=)(?=[A-Za-z0-9]{0,30}[!@#$%^&*(_=+)-])"
    r"[A-Za-z0-9!@#$%^&*(_=+)-]{50}(?![A-Za-z0-9+/=])"
)
"""A value of a generator whose characters are also those around others."""
_PHRASE: Final = re.compile(
    r"(?<==)[a-z0-9]{1,12}(?:[ ][a-z0-9]{1,12}){2,11}(?=[ \t]*(?:\r?\n|\Z))"
)
"""Words of a generator, without quotes after a setting."""
_LINE: Final = re.compile(r"[^\s\\]{1,4096}(?=[ \t]*(?:[#;][^\n]*)?(?:\r?\n|\Z))")
SET_BEFORE: Final = re.compile(
    r"(?:\b(?:set|setx|setenv|put|add|env|arg|config)|-gx?|-x|-u)[ \t][\"']?/?"
    r"(?:[\w.-]{1,60}[/:]){0,8}\Z",
    re.IGNORECASE,
)
"""The beginning of a command that takes a name and its value as two words."""

_LINE_START: Final = re.compile(
    r"(?:^|\n|\r)[ \t]{0,40}(?:-[ ]|\+|export[ ]|set[ ]|SET[ ]|ENV[ ]|ARG[ ]"
    r"|-e[ ]|setx[ ]|\$env:|//)?\Z"
)
BRACED: Final = re.compile(r"=\{(?=[^{}\s]{3,200}\}[ ]?(?:;|\"|'|\Z))")
"""Before a value in braces, as ODBC writes those with signs."""
_ELLIPSIS: Final = re.compile(
    r"(?P<begin>[^…]{16,4096}?)(?:…|\.{3}|\[\.{3}\])[\[(<]?[A-Za-z. ]{0,20}[\])>]?\Z"
)
"""The end of a value whose rest was left out."""
_SHORTEST_CUT: Final = 16
"""The fewest characters of a header's value whose rest was left out."""
_STORED: Final = re.compile(r"\{(?:noop|plain|plaintext|clear|cleartext)\}", re.IGNORECASE)
"""Says how the password after it is stored."""
_CONNECTION: Final = re.compile(r";[ ]?[A-Za-z][A-Za-z _]{1,40}=")
_NEXT_FIELD: Final = re.compile("&[A-Za-z_]{1,30}=")
_CONTENT: Final = re.compile(r"[^<>\n]{1,2000}(?=\]\]>|\s*</)|[^\s<>]{5,2000}(?=<|[ \t]*\Z)")
_AFTER_WORD: Final = re.compile(
    r"[ \t]*(?:\r?\n|\Z|#|;|&|\"|'|[^\s=]{1,40}=|\\[nr]|(?<=[ ])--?[a-z])"
)
_NUMBER: Final = re.compile(r"[0-9]{6,12}(?=[.!]?(?:\s*\Z|[ \t]*\n|[.,!][ ]|[ ](?:and|und|but)\b))")
_IS_WORD: Final = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*\Z")
_ODD_CASE: Final = re.compile("[a-z](?:[A-Z]{1,2}[a-z]{1,2}){2,20}[A-Z]")
"""Capitals where words and names have none."""

_SCHEME: Final = re.compile(
    r"(?:bearer|basic|token|digest|negotiate|key|apikey|api-key|bot|splunk|ghost|jwt|oauth"
    r"|aws4-hmac-sha256|sso-key|genericapikey)(?:[ +]|%20){1,4}",
    re.IGNORECASE,
)
_PARAMETERS: Final = re.compile(
    r"(?!(?:bearer|basic|oauth|token)\b)[a-z][a-z0-9-]{2,24}[ ]{1,3}(?=[a-z_]{1,20}=\\{0,3}\")"
    r"|digest(?:[ +]|%20){1,4}",
    re.IGNORECASE,
)
_ID_OF_API: Final = re.compile(r"[A-Z]{2}[0-9a-f]{32}\Z")
_OTHER_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{2,24}[ ]{1,3}(?=[^\s]{16})")
_HEADER: Final = re.compile(r"[\"'`]{0,1}(?P<secret>[^\r\n\"'`\\]{4,4096})")
_REST_OF_LINE: Final = re.compile(r"[^\r\n]{8,4096}")
_CREDENTIALS: Final = re.compile(r"[\"'`]{0,1}(?P<secret>[^\r\n\"'`\\,;<>]{3,4096})")


class Start(NamedTuple):
    """Where a value can begin, and whether it is sure to be one.

    `is_content` is true for the content of an element, which may be closed by a tag.
    """

    at: int
    is_sure: bool
    is_content: bool = False


def read_value(text: str, begin: int, start: Start, kind: str, shape: Shape) -> SecretPlace | None:
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
    quote = text[at : at + 1]
    opening = text.rfind(quote, max(begin - _PROMPT, 0), at) if quote in _QUOTES else -1
    if (
        0 <= opening < begin
        and not text[at + 1 : at + 2].isalnum()
        and text[opening + 1].isalnum()
        and not text[max(opening - 1, 0) : opening].isalnum()
    ):
        # The end of a prompt, in which the name is.
        return None
    if text.startswith(("'''", '"""'), at):
        at += 2
    elif stored := _STORED.match(text, at):
        at = stored.end()
    quoted = STRING.match(text, at)
    if quoted is not None:
        return _check(text, *quoted.span(quoted.lastgroup or 0), kind, shape, True)
    if text[at : at + 1] in _OPENERS:
        return None
    is_line = is_sure and (
        _LINE_START.search(text, max(begin - 60, 0), begin) is not None
        or SET_BEFORE.search(text, max(begin - 80, 0), begin) is not None
    )
    whole = _LINE.match(text, at) if is_line else None
    phrase = _PHRASE.match(text, at) if is_line and shape is Shape.ANY else None
    if phrase is not None and FUNCTION_WORDS.isdisjoint(phrase[0].split()):
        return SecretPlace(kind, *phrase.span())
    if (
        whole is not None
        and not _CONNECTION.search(whole[0])
        and not _NEXT_FIELD.search(whole[0])
        and not whole[0].endswith((")", ",", "{", "[", ";", "("))
    ):
        return _check(text, *whole.span(), kind, shape, False)
    return _read_bare(text, at, kind, shape, is_sure)


def _read_bare(text: str, at: int, kind: str, shape: Shape, is_sure: bool) -> SecretPlace | None:
    """Read a value without quotes, unless it is a word of a sentence or a call."""
    generated = _DJANGO.match(text, at)
    if (
        generated is not None
        and is_mixed(generated[0])
        and has_shape(re.sub("[()&]", "-", generated[0]), shape, is_quoted=True)
    ):
        return SecretPlace(kind, *generated.span())
    bare = BARE.match(text, at)
    if bare is None:
        return None
    start, end = bare.span()
    end -= len(bare[0]) - len(bare[0].rstrip(".!?:*"))
    secret = text[start:end]
    if text[end : end + 1] in ("(", "[") and not _ELLIPSIS.match(bare[0]):
        return None
    if kind == "password" and is_phrase(secret):
        return _check(text, start, end, kind, shape, True)
    if (_IS_WORD.match(secret) and not (_ODD_CASE.search(secret) or is_jumble(secret))) and (
        not is_sure
        or (text[at - 1] != "=" and not _AFTER_WORD.match(text, end))
        or (text[at - 1] == " " and secret.count("-") == 1)
    ):
        return None
    is_number = kind == "password" and _NUMBER.match(text, at) is not None
    if not is_sure and not is_number and (not is_strong(secret) or is_term(secret)):
        return None
    if (
        not any(map(str.isalpha, secret))
        and shape is Shape.ANY
        and not is_number
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
    if (cut := _ELLIPSIS.match(secret)) and is_made(cut["begin"]):
        secret = cut["begin"]
        end = start + len(secret)
    # `sid` names the ids of some APIs as well.
    if kind == "session" and _ID_OF_API.match(secret):
        return None
    if has_shape(secret, shape, is_quoted=is_quoted):
        return SecretPlace(kind, start, end)
    return None


def _read_header(text: str, at: int, kind: str, shape: Shape) -> SecretPlace | None:
    match = (_HEADER if kind == "cookie" else _CREDENTIALS).match(text, at)
    if match is None:
        return None
    start, end = match.span("secret")
    if kind == "cookie":
        return _check(text, start, end, kind, shape, True)
    if described := _PARAMETERS.match(text, start):
        start = described.end()
        line = _REST_OF_LINE.match(text, start)
        return (
            None if line is None else SecretPlace(kind, start, start + len(line[0].rstrip("\"' ")))
        )
    scheme = _SCHEME.match(text, start)
    start = scheme.end() if scheme else start
    if scheme is None and (other := _OTHER_SCHEME.match(text, start)):
        start = other.end()
    value = BARE.match(text, start)
    if value is None or not (scheme or is_strong(value[0])):
        return None
    length = len(value[0].rstrip(".!?:"))
    if length < _SHORTEST_CUT and value[0].endswith("..."):
        # The beginning that many tokens share.
        return None
    return _check(text, start, start + length, kind, shape, False)
