"""The forms of the values of names and nouns: chosen by people, or written by a generator."""

from __future__ import annotations

import re
from enum import Enum
from itertools import islice
from typing import Final

from webapp.redaction.rules.kinds import (
    has_digit,
    is_jumble,
    is_made,
    is_mixed,
    is_no_placeholder,
    is_random,
    is_strong,
    is_value,
)


class Shape(Enum):
    """The form that a value needs to be a secret; the surer its name, the looser the form."""

    ANY = "any value that is no example"
    CODE = "with a digit, or mixed"
    RANDOM = "made by a generator"
    SETTING = "made by a generator, or a UUID"
    MADE = "made by a generator, and by nobody else"
    DIGITS = "a short number"
    COOKIE = "pairs of a name and a value"


_SENTENCE: Final = re.compile(
    r"\A[^\W\d_]+(?:['’-][^\W\d_]+){0,3}(?:[ ][^\W\d_]+(?:['’-][^\W\d_]+){0,3})+[.?!:…]?\Z"
)
_APP_PASSWORD: Final = re.compile("[a-z]{4}(?: [a-z]{4}){3}")
_IDENTIFIER: Final = re.compile(r"[A-Za-z_$][\w$]*(?:(?:\.|->|::)[A-Za-z_$][\w$]*)*\Z")
_PATH: Final = re.compile(r"(?:~|\.{1,2})?(?:/[\w.-]+){2,40}/?\Z|/[a-z]{2,12}\Z")
"""The path of a file, as of the working directory, whose name is that of passwords as well."""

_MONTH: Final = re.compile(r"(?:0?[1-9]|1[0-2])[ ]?[/-][ ]?(?:20)?[0-9]{2}")
"""To which a card is valid."""
_UUID: Final = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\Z", re.IGNORECASE)
_QUESTION: Final = re.compile(r":[ ]?\Z|(?:\A|\s)[^\W\d_]+\?[ ]?\Z|\A[A-Z][a-z]+ (?:your|the|a) ")
"""The end of the prompt that a program prints before it reads a password."""

_TERM: Final = re.compile(
    "(?:oauth|base|sha|md|ec|utf|aes|http|argon|web|arg|param|(?<![A-Za-z])(?:s|v|k|i|x|p|h|b|d|r|id))"
    "[0-9]{1,4}",
    re.IGNORECASE,
)
_DIGIT_INSIDE: Final = re.compile(r"[0-9][A-Za-z]|[0-9]{3}|[a-z][A-Z]{1,2}[0-9]")
"""Digits where names of variables have none."""

_MOST: Final = 4096
_MEMBER: Final = re.compile(r"[A-Za-z_$][\w.$]*\[[:\"'][\w-]+[\"']?\]")
_PAIR: Final = re.compile(r"([^\s=;,]{1,100})=([^\s;,]{4,4096})")
_MOST_PAIRS: Final = 40
"""As many are hardly choices alone, and are not looked at one by one."""

_ATTRIBUTES: Final = frozenset(("path", "domain", "expires", "max-age", "samesite", "priority"))
_LOGIN: Final = re.compile("sess|sid|auth|token|login|csrf|xsrf|jwt|remember", re.IGNORECASE)
_NAMES: Final = re.compile(
    r"pass|pwd|secret|token|key|cred|auth|param|input|field|arg|value|conf|env|prompt|user", re.I
)


def has_shape(secret: str, shape: Shape, *, is_quoted: bool) -> bool:
    """Return whether a value can be the secret that its name promises.

    In code a value without quotes is mostly a variable.
    """
    if not 3 <= len(secret) <= _MOST or not is_value(secret):
        return False
    if shape is Shape.DIGITS:
        is_date = _MONTH.fullmatch(secret) is not None
        return is_date or (secret.isdigit() and 3 <= len(secret) <= 8)
    if shape is Shape.COOKIE:
        pairs = list(islice(_PAIR.finditer(secret), _MOST_PAIRS))
        return len(pairs) == _MOST_PAIRS or any(_is_credential(*pair.groups()) for pair in pairs)
    # A member of a collection.
    if not is_quoted and _MEMBER.match(secret):
        return False
    if not is_quoted and _IDENTIFIER.match(secret) and _is_code_name(secret, shape):
        return False
    if shape is Shape.ANY:
        if _PATH.match(secret):
            return False
        if _APP_PASSWORD.fullmatch(secret):
            return True
        is_question = _QUESTION.search(secret) and not is_mixed(secret)
        return _SENTENCE.match(secret) is None and not is_question
    if re.search(r"\s", secret):
        return False
    if shape is Shape.CODE:
        return _may_be_in_code(secret, is_quoted=is_quoted)
    if shape is Shape.MADE:
        return is_made(secret) and _UUID.match(secret) is None
    return is_random(secret) and (shape is Shape.SETTING or _UUID.match(secret) is None)


def _may_be_in_code(secret: str, *, is_quoted: bool) -> bool:
    # The name of a setting, the second of two.
    secret = re.sub(r"(?<=[A-Z])_[0-9]\Z", "", secret)
    if len(secret) < 6 or not is_no_placeholder(secret):
        return False
    if is_mixed(secret) or (secret.isdigit() and len(secret) >= 8):
        return True
    if not is_quoted or len(secret) < 8:
        return False
    return re.search(r"[^A-Za-z_.:/ -]", secret) is not None or (
        len(secret) >= 12 and secret.isalnum()
    )


def _is_credential(name: str, value: str) -> bool:
    """Return whether a pair of a cookie is no choice of a reader, as `lang=en`."""
    return (
        name.lower() not in _ATTRIBUTES
        and is_value(value)
        and (
            _LOGIN.search(name) is not None
            or (len(value) >= 6 and is_mixed(value))
            or len(value) >= 16
        )
    )


def _is_code_name(secret: str, shape: Shape) -> bool:
    """Return whether an identifier is rather a variable than a secret."""
    if _DIGIT_INSIDE.search(_TERM.sub("", secret)):
        return False
    if re.search(r"\.|->|::", secret):
        return True
    capitals = sum(map(str.isupper, secret)) / len(secret)
    if is_random(secret) and (any(map(str.isdigit, secret)) or 0.3 <= capitals <= 0.7):
        return False
    if is_jumble(secret.replace("_", "")):
        return False
    if _NAMES.search(secret):
        return True
    return not any(map(str.isdigit, secret)) and (shape is not Shape.ANY or "_" in secret)


CODE: Final = re.compile(
    r"[!@#$%^&*+=]|[a-zß-ÿа-я][0-9]{1,4}[A-Za-z]|[A-ZÀ-ÞА-Я][a-zß-ÿа-я]?[0-9][a-z]|[0-9][A-Z][a-z]"
)
"""Signs and changes between letters and digits that words with numbers do not have."""
NAMED_CODE: Final = re.compile(r"[^\W\d_]{3,}(?:[-_.][^\W\d_]{3,})*[-_.]?[0-9]{2,4}[!?]?\Z")
"""Words with a number at the end, as people choose them."""

_TECHNICAL: Final = re.compile(
    r"(?:sha|md|argon|pbkdf|oauth|aes|rsa|base|utf|v|http|id|php|win|java|scram|bcrypt|scrypt"
    r"|python|node|gpt|llama|claude|qwen|tls|ssl|hs|rs|es|ed|ipv|web|ecma|es|h|x|cve|rfc|iso"
    r"|py|ubuntu|debian|k)[-_.]?[0-9]{1,6}[a-z]{0,5}[0-9]{0,2}(?![A-Za-z0-9!@#$%^&*+=?])",
    re.IGNORECASE,
)


_NO_SECRET: Final = re.compile(
    # The name of a function, and a product with its way to log in.
    "(?=.*(?:pass|token|key|secret|auth))[a-z]+[a-z0-9]*(?:_[a-z0-9]+){2,}"
    "|[A-Za-z]{2,}(?:2FA|MFA|TOTP|OTP|SSO2?|365|OAuth2?|OIDC|SAML2?|FIDO2|U2F|LDAPv?3?)"
    # A notice of a weakness.
    "|GHSA(?:-[a-z0-9]{4}){3}"
    # The head of every token of JSON, and a system with the name of its release.
    "|eyJhbGciOi[A-Za-z0-9]{0,30}"
    "|(?:Debian|Ubuntu|Fedora|CentOS|Alpine|RHEL|Rocky|SLES|Windows|macOS)[0-9]{1,4}[A-Za-z]*"
    # The name of a class about a protocol.
    "|(?:[A-Z][a-z]+)*(?:OAuth[12]|SAML[12]|FIDO2|Base(?:32|58|64)|SHA(?:1|256|512)|MD5|HS256|RS256"
    "|Ed25519|X509|Argon2(?:id)?|PBKDF2|HTTP[123]|IPv[46]|UTF8|Python3|Node[0-9]{2}|Web3|S3|Ec2|K8s"
    "|I18n)(?:[A-Z][a-z]+)+"
)


def is_term(secret: str) -> bool:
    """Return whether a word is an ordinary term with a number, as `base32`."""
    return len(secret) < 24 and _TECHNICAL.match(secret) is not None


def strip_sentence(text: str, after: str = "") -> str:
    """Strip the end of a sentence off a word, with the two characters `after` it.

    `!` is the word's own before another sign, and where the sentence goes on.
    """
    stripped = text.rstrip(".:")
    goes_on = stripped != text or re.match("[,;)]| [a-zà-ÿ]", after) is not None
    return stripped if goes_on and stripped[-1:] in ("!", "?") else text.rstrip(".!?:")


def is_told(secret: str) -> bool:
    """Return whether a word beside the name of a secret is a secret, not an ordinary term."""
    return (
        is_strong(secret)
        and is_value(secret)
        and (
            has_digit(secret)
            or re.search(r"[!@#$%^&*+=?]", secret) is not None
            or is_jumble(secret)
        )
        and not is_term(secret)
        and not _NO_SECRET.fullmatch(secret)
        and not re.search(
            r"[(){}\[\]<>|\\]|://|\Av?[0-9]{1,4}(?:\.[0-9]{1,4}){1,3}(?:[-+][\w.]{1,20})*\Z|\A[\w./-]+\.[a-z]{1,5}\Z|\A[/.~]|\A[A-Za-z_.:-]+=|\A--?[a-z]"
            r"|\A[\w.+-]+@(?:[\w-]+\.[\w.-]+|localhost)\Z|\A[^:]{1,60}:[0-9]{1,6}\Z|\A[0-9]{1,2}:[0-9]{2}(?![A-Za-z0-9])|\A[a-z][a-z.-]{2,40}/[a-z][a-z./-]{2,40}",
            secret,
        )
    )
