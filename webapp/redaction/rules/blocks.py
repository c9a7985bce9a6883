"""Secrets below their names, in block scalars of YAML or on the next line, or below a command."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Final

from webapp.redaction.rules.context import ANY_HINT
from webapp.redaction.rules.kinds import (
    SecretPlace,
    is_phrase,
    is_random,
    is_strong,
    is_value,
    match_at,
)
from webapp.redaction.rules.names import classify
from webapp.redaction.rules.shapes import Shape, has_shape, is_told

_MAX_LINES: Final = 50
_HEAD: Final = re.compile(
    r"^[ \t]{0,60}(?:(?:-|\*|#{1,6})[ ])?[*_\"'`]{0,3}"
    r"(?P<name>[^\W\d][\w. -]{1,60})[\"'`]?[*_]{0,3}(?:[ ]?=[ ]?<<[-~]?[\"']?\w{2,20}[\"']?|:"
    r"[*_]{0,3}(?P<block>[ \t]{1,4}(?:![^\s]{1,40}[ ])?[|>][+-]?[0-9]?[+-]?)?)"
    r"[ \t]{0,20}(?:#[^\n]{0,200})?\r?\n",
    re.MULTILINE,
)
_LINE: Final = re.compile(
    r"(?P<indent>[ \t]*)[\"'`*]{0,3}(?P<secret>[^\s\"'`*]{3,4096})[\"'`*]{0,3}[ \t]*\r?$", re.M
)
_STATEMENT: Final = re.compile(r"[-#<(\[{]|[\w.-]{1,60}[:=]|[^\s]*[(){};,=]|https?:", re.IGNORECASE)

_REPLY: Final = re.compile(
    # The names and values of a hash, as Redis prints them.
    r"^[ \t]{0,9}(?:[0-9]{1,4}\)[ ]){1,4}\"(?P<name>[^\"\n]{2,60})\"[ \t]{0,4}\r?\n"
    r"[ \t]{0,9}[0-9]{1,4}\)[ ]\"(?P<secret>[^\"\n]{3,4096})\"",
    re.MULTILINE,
)

BLOCKS_NEEDS: Final = (
    rf"(?i:[0-9]\) \"[^\"\n]*(?:{ANY_HINT})[^\"\n]*\"[ \t]*\r?\n"
    rf"|(?:{ANY_HINT})\w*[\"'\])]*[ \t]*\r?\n(?:=> |out\[|')"
    rf"|(?:{ANY_HINT})[\p{{L}}\p{{N}}_. -]*[\"'`]?[*_]*= ?<<"
    rf"|(?:{ANY_HINT}|(?:recovery|backup|scratch)[ -]code)[\p{{L}}\p{{N}}_. -]*[\"'`]?[*_]*:"
    rf"[*_]*[ \t]*(?:![^\s]+ )?[|>]?[+-]?[0-9]?[+-]?[ \t]*(?:#[^\n]*)?[\r]?\n)"
)

_CODES_HEAD: Final = re.compile(
    r"(?:(?:recovery|backup|scratch|emergency|wiederherstellungs|ersatz|notfall)[ -]?"
    r"(?:codes?|schlüssel)|(?:codes?|códigos?|codici) d[ei] (?:secours|récupération|respaldo"
    r"|recuperación|emergencia|recuperação|recupero|emergenza|backup))[^\n]{0,60}\n",
    re.IGNORECASE,
)
_CODE_LINE: Final = re.compile(
    r"[ \t>*|`-]{0,8}(?:[0-9]{1,2}[.)][ \t])?[`*]{0,2}"
    r"(?P<secret>[A-Za-z0-9]{4,12}(?:[ -][A-Za-z0-9]{4,12}){0,4})[`*]{0,2}[ \t|]*"
    r"(?:\r?\n|\Z|(?=[\"'&<]))"
)
_BLANK_LINE: Final = re.compile(r"[ \t`>-]*\r?\n")

USERS_NEEDS: Final = r"\bchpasswd\b[^\n]*\n"
CODES_NEEDS: Final = (
    r"(?i:(?:recovery|backup|scratch|emergency|wiederherstellungs|ersatz|notfall|de secours"
    r"|de respaldo)[ -]?(?:codes?|schlüssel)|(?:codes?|códigos?|codici) d[ei] )"
)


_CODES_HINTS: Final = (
    *("recovery", "backup", "scratch", "emergency", "wiederherstellungs", "ersatz", "notfall"),
    *("code de", "codes de", "code di", "codes di", "código", "codici d"),
)
_RECOVERY: Final = (
    r"(?:(?:recovery|backup|scratch|emergency) codes?|(?:wiederherstellungs|ersatz|notfall"
    r"|backup-?)codes?|(?:codes?|códigos?|codici) (?:de|di)"
    r" (?:secours|récupération|respaldo|recuperación"
    r"|emergencia|recuperação|backup|recupero|emergenza))"
)
_ONE_CODE: Final = r"[\"'`]?[A-Za-z0-9]{4,12}(?:-[A-Za-z0-9]{4,12}){0,4}[\"'`]?"
_CODES_OF_DIGITS: Final = re.compile(
    rf"{_RECOVERY}(?:[ ](?:are|is|sind|ist|sont|son|sono))?[ ]?[:=]?[ \t]{{1,3}}"
    r"[\"'`]?(?P<codes>[0-9]{4}[ -][0-9]{4}(?:(?:,[ ]?|;[ ]?)[0-9]{4}[ -][0-9]{4}){0,19})(?![0-9])",
    re.IGNORECASE,
)
_CODES_IN_LINE: Final = re.compile(
    rf"{_RECOVERY}(?:[ ](?:are|is|sind|ist|sont|son|sono))?[ ]?[:=]?[ \t]{{1,3}}"
    rf"(?P<codes>{_ONE_CODE}(?:(?:,[ ]?|[ ]{{1,2}}|;[ ]?)(?:(?:and|und|et|y|e)[ ])?"
    rf"{_ONE_CODE}){{0,19}})",
    re.IGNORECASE,
)


def find_codes(text: str, lowered: str) -> Iterator[SecretPlace]:
    """Yield the codes in the line of a head that calls them codes of recovery, and below it."""
    for match in match_at(_CODES_IN_LINE, text, lowered, _CODES_HINTS, joiners=None):
        for code in re.finditer(r"[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*", match["codes"]):
            if len(code[0]) >= 6 and any(map(str.isdigit, code[0])):
                start = match.start("codes")
                yield SecretPlace("recovery-code", start + code.start(), start + code.end())
    for match in match_at(_CODES_OF_DIGITS, text, lowered, _CODES_HINTS, joiners=None):
        for code in re.finditer("[0-9]{4}[ -][0-9]{4}", match["codes"]):
            start = match.start("codes")
            yield SecretPlace("recovery-code", start + code.start(), start + code.end())
    for head in match_at(_CODES_HEAD, text, lowered, _CODES_HINTS, joiners=None):
        at = head.end()
        for _ in range(_MAX_LINES):
            line = _CODE_LINE.match(text, at)
            if line is not None:
                if not re.search("[0-9-]", line["secret"]):
                    break
                yield SecretPlace("recovery-code", *line.span("secret"))
            else:
                line = _BLANK_LINE.match(text, at)
                if line is None:
                    break
            at = line.end()


_USERS_HEAD: Final = re.compile(r"\bchpasswd\b[^\n]{0,60}\n")
_USER_LINE: Final = re.compile(
    r"[ \t-]{0,20}[\"']?[A-Za-z_][\w.-]{0,31}\\?:(?P<secret>[^\s:\"'][^\s\"']{3,100})[\"']?[ \t]*"
    r"(?:\r?\n|\Z)"
)
_OTHER_LINE: Final = re.compile(
    r"[ \t]{0,20}(?:-[ ])?(?:(?:expire|list|users|type)[ ]?:[^\n]{0,20}|#[^\n]{0,200})?\r?\n"
)


def find_users(text: str) -> Iterator[SecretPlace]:
    """Yield the passwords after the users in the lines below `chpasswd`."""
    for head in _USERS_HEAD.finditer(text):
        at = head.end()
        for _ in range(_MAX_LINES):
            line = _USER_LINE.match(text, at)
            if line is not None and is_value(line["secret"]) and line["secret"] != "R":
                yield SecretPlace("password", *line.span("secret"))
            line = line or _OTHER_LINE.match(text, at)
            if line is None or line.end() == len(text):
                break
            at = line.end()


_EVALUATED: Final = re.compile(
    # A name in a console, and its value.
    r"^(?:[^\n]{0,40}[>$#:»*][ ])?[\w.:$\[\]\"'() -]{0,120}?"
    r"(?P<name>[A-Za-z_]\w{2,60})[\"'\])]{0,4}"
    r"[ \t]{0,4}\r?\n(?:=>[ ]|Out\[[0-9]{1,4}\]:[ ]|'(?=[^'\n]{3,400}'[ ]*(?:\r?\n|\Z)))"
    r"[bu]?[\"']?(?P<secret>[^\"'\n]{3,4096})[\"']",
    re.MULTILINE,
)


def find_in_blocks(text: str) -> Iterator[SecretPlace]:
    """Yield the secrets in the lines below their names, also of numbered lines."""
    for match in itertools.chain(_REPLY.finditer(text), _EVALUATED.finditer(text)):
        known = classify(match["name"])
        if known is not None and has_shape(match["secret"], known[1], is_quoted=True):
            yield SecretPlace(known[0], *match.span("secret"))
    for match in _HEAD.finditer(text):
        known = classify(match["name"].strip().replace(" ", "_"))
        if known is None or known[1] in (Shape.COOKIE, Shape.DIGITS):
            continue
        kind, shape = known
        if match["block"] is None:
            line = _LINE.match(text, match.end())
            if (
                line is not None
                and is_strong(line["secret"])
                and not _STATEMENT.match(line["secret"])
                and has_shape(line["secret"], shape, is_quoted=False)
            ):
                yield SecretPlace(kind, *line.span("secret"))
            continue
        yield from _read_block(text, match.end(), kind, shape)


def _read_block(text: str, start: int, kind: str, shape: Shape) -> Iterator[SecretPlace]:
    """Yield the lines of a block scalar that hold no sentence."""
    indent = ""
    for _ in range(_MAX_LINES):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        line = text[start:end]
        if line.strip():
            spaces = line[: len(line) - len(line.lstrip())]
            indent = indent or spaces
            if not indent or not line.startswith(indent):
                return
            secret = line.strip()
            is_phrased = shape is Shape.ANY and is_phrase(secret.replace(" ", "-"))
            if is_phrased or (
                not re.search(r"\s", secret) and has_shape(secret, shape, is_quoted=True)
            ):
                begin = start + len(spaces)
                yield SecretPlace(kind, begin, begin + len(secret))
        if end == len(text):
            return
        start = end + 1


# The line below a command that names or makes a secret.

_MAKERS: Final = (
    r"pwgen|pwqgen|mkpasswd|makepasswd|apg|xkcdpass|openssl[ ]rand|openssl[ ]passwd"
    r"|secrets\.token_|wg[ ](?:genkey|genpsk)|generate[-_ ](?:key|secret|password|token)"
    r"|print-(?:access|identity|refresh)-token|get-session-token|auth[ ]token|create[ ]token"
    r"|get-login-password|initial-password|reset-password"
)
_COMMAND: Final = re.compile(
    r"(?:[$#>%❯»][ \t]{1,3}|^(?=(?:cat|kubectl|vault|op|pass|bw|keyring|aws|gcloud|az|terraform"
    r"|printenv) ))"
    r"(?P<command>[^\n]{3,400})\r?\n"
    r"[ \t|]{0,8}(?P<secret>[^\s\"'`<]{6,4096})(?:[ \t]*\r?$|[\"'`<])",
    re.MULTILINE,
)
_MAKER: Final = re.compile(rf"(?<![\w-])(?:{_MAKERS})")
_NAME: Final = re.compile(r"[A-Za-z][\w-]{2,60}")
_KEY_FILE: Final = re.compile(r"([A-Za-z]\w{2,40})\.key\b")
_NO_SECRET: Final = re.compile(
    r"[^\s]*[/\\][^\s]*[/\\.]|[^\s:]{1,80}:[0-9]{1,6}(?::|\Z)|[^\s]*[(){};]"
)

PRINTED_NEEDS: Final = (
    r"(?:[$#>%❯»][ \t]+(?:sudo )?|(?m:^))(?:cat|echo|printenv|op|pass|vault|bao|kubectl|oc|aws"
    r"|gcloud|az|security|bw|terraform|tofu|pulumi|heroku|gh|glab|fly|doppler|infisical|consul"
    r"|etcdctl|jq|yq|grep|gpg|age|sops|docker|podman|python3?|node|ruby|php|openssl|pwgen|pwqgen"
    r"|mkpasswd|makepasswd|apg|xkcdpass|wg|head|tail|cut|awk|sed|env|argocd|helm|flask|rails"
    r"|secret-tool|keyring|get|show)[ \t]"
)
"""An expression of RE2 that matches every text with a command whose output can be a secret."""


def find_printed(text: str) -> Iterator[SecretPlace]:
    """Yield the words that are alone in the line below a command about a secret."""
    for match in _COMMAND.finditer(text):
        secret = match["secret"]
        if _NO_SECRET.match(secret) and not is_random(secret):
            continue
        if _MAKER.search(match["command"]):
            if is_told(secret) or is_random(secret):
                yield SecretPlace("secret", *match.span("secret"))
            continue
        command = _KEY_FILE.sub(r"\1_key", match["command"])
        for name in reversed(_NAME.findall(command)):
            kind, shape = classify(name) or ("", Shape.COOKIE)
            if shape is not Shape.COOKIE:
                if is_told(secret) and has_shape(secret, shape, is_quoted=True):
                    yield SecretPlace(kind, *match.span("secret"))
                break
