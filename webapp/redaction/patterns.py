r"""The kinds of secrets, each a pattern that needs time linear in the text.

A pattern begins with a fixed text (`hints`) that starts a token, and either has bounded
repetitions or fails only before its unbounded one. A group `secret`, if there is one, is the
part to mask. A secret never includes a quote or a backslash, so that JSON stays JSON; only
private keys include the `\n` between their lines.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_START: Final = (
    r"(?:(?<![A-Za-z0-9_-])|(?<=%[0-9A-Fa-f]{2})|(?<=\\[abfnrtv])|(?<=\\u[0-9A-Fa-f]{4})"
    r"|(?<=\\x[0-9A-Fa-f]{2})|(?<=\[[0-9]m)|(?<=\[[0-9]{2}m)|(?<=;[0-9]m)|(?<=;[0-9]{2}m))"
)
"""The start of a token: after no part of a word, except one that ends an escape sequence.

A hyphen counts as such a part: else `sk-sk-sk-…` would begin a token at every third character.
"""

_ELISION: Final = r"(?:\*{2,4096}|\.{3}|…|•{2,4096}|\[\.{3}\])"
_PLACEHOLDER: Final = re.compile(
    r"your|example|placeholder|changeme|redacted|masked|x{6}|\*{3}\Z|\A[$<{%]|\Aos\.", re.IGNORECASE
)
_WORDS: Final = frozenset(
    [
        *("bool", "boolean", "bytes", "false", "float", "int", "integer", "none", "null"),
        *("number", "optional", "required", "secret", "str", "string", "true", "undefined"),
    ]
)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of secret; a match is one only if `accepts` returns true for the secret part."""

    name: str
    hints: tuple[str, ...]
    pattern: re.Pattern[str]
    accepts: Callable[[str], bool]
    ignores_case: bool = False
    """Whether the pattern and the hints, all in lower case, are for the text in lower case."""


def is_no_placeholder(secret: str) -> bool:
    """Return whether `secret` is neither a variable nor an example of documentation."""
    return len(set(secret)) >= 4 and _PLACEHOLDER.search(secret) is None


def is_value(secret: str) -> bool:
    """Return whether `secret` can be the value of a password: no type, variable or call."""
    return secret.lower() not in _WORDS and _PLACEHOLDER.search(secret) is None


def _has_digit(secret: str) -> bool:
    return is_value(secret) and any(character.isdigit() for character in secret)


def _is_shortened(secret: str) -> bool:
    """Return whether a shortened key shows some of it, and is not `sk-...your-key-here`."""
    shown = re.sub(rf"sk-(?:proj-|svcacct-|admin-|ant-)?|org-|proj_|{_ELISION}", "", secret)
    return len(shown) >= 2 and not re.search("your|here|xxx|example", shown, re.IGNORECASE)


def _token(name: str, hint: str, rest: str, *more: str) -> Kind:
    """Return the kind of tokens that begin with a vendor's prefix."""
    prefix = "|".join(map(re.escape, (hint, *more)))
    return Kind(name, (hint, *more), re.compile(f"{_START}(?:{prefix}){rest}"), is_no_placeholder)


def _named(name: str, names: str, rest: str, accepts: Callable[[str], bool] = is_value) -> Kind:
    """Return the kind of values that follow one of `names`, which is searched in lower case."""
    hints = tuple(names.split())
    any_of = "|".join(sorted(map(re.escape, hints), key=len, reverse=True))
    return Kind(name, hints, re.compile(f"(?:{any_of}){rest}"), accepts, ignores_case=True)


_QUOTES: Final = r"[\"'`\\]{0,6}+"
_ASSIGNED: Final = rf"{_QUOTES}\s{{0,4}}(?:=>?|:)\s{{0,4}}{_QUOTES}"
_VALUE: Final = r"(?P<secret>[^\s\"'`\\,;&()<>\[\]{}]{3,4096}+)(?!\()"
_MIXED: Final = r"(?=[a-z_-]{0,40}[A-Z0-9])"
"""A key has a digit or a capital soon; the class names that look like one have not."""

_LINE_BREAK: Final = r"(?:[ \t]*+(?:\r?\n|\\{1,4}r\\{1,4}n|\\{1,4}[nr])|[ \t]++|(?!))"
_KEY_BLOCK: Final = (
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
    rf"(?:{_LINE_BREAK}++(?:[A-Za-z-]{{1,30}}: [^\r\n\\\"]{{1,200}}"
    r"|[A-Za-z0-9+/=]{16,}+|[A-Za-z0-9+/=]++(?=[ \t]*+(?:[\r\n\\\"']|\Z|-----)))|(?!))*+"
    rf"(?:{_LINE_BREAK}*+-----END [A-Z0-9 ]{{0,40}}PRIVATE KEY(?: BLOCK)?-----)?"
)

KINDS: Final[tuple[Kind, ...]] = (
    Kind("private-key", ("-----BEGIN ",), re.compile(_KEY_BLOCK), lambda _: True),
    # Keys of model servers.
    _token("api-key", "sk-", rf"{_MIXED}[A-Za-z0-9_-]{{16,}}+"),
    Kind(
        "api-key",
        ("sk-", "org-", "proj_"),
        re.compile(
            rf"{_START}(?:sk-|org-|proj_)[A-Za-z0-9_-]{{0,64}}{_ELISION}[A-Za-z0-9_-]{{0,64}}"
        ),
        _is_shortened,
    ),
    _token("api-key", "sess-", r"[A-Za-z0-9]{30,}+"),
    _token("organization", "org-", rf"{_MIXED}[A-Za-z0-9]{{16,}}+"),
    _token("project", "proj_", rf"{_MIXED}[A-Za-z0-9]{{16,}}+"),
    _token("api-key", "gsk_", r"[A-Za-z0-9]{30,}+"),
    _token("api-key", "xai-", r"[A-Za-z0-9]{30,}+", "pplx-", "csk-"),
    _token("api-key", "nvapi-", r"[A-Za-z0-9_-]{30,}+", "tvly-", "tgp_v1_"),
    _token("api-key", "hf_", r"[A-Za-z0-9]{24,}+", "r8_"),
    _token("api-key", "pk-lf-", r"[0-9a-f-]{20,}+", "sk-lf-"),
    # Keys of other services.
    _token("github-token", "ghp_", r"[A-Za-z0-9]{20,}+", "gho_", "ghu_", "ghs_", "ghr_"),
    _token("github-token", "github_pat_", r"[A-Za-z0-9_]{20,}+"),
    _token("gitlab-token", "glpat-", r"[A-Za-z0-9_.-]{16,}+", "gldt-", "glrt-", "glptt-", "glcbt-"),
    _token("slack-token", "xox", r"[abeoprs]-[A-Za-z0-9-]{10,}+"),
    _token("slack-token", "xapp-", r"[A-Za-z0-9-]{20,}+"),
    Kind(
        "slack-webhook",
        ("hooks.slack.com/",),
        re.compile(r"hooks\.slack\.com/[a-z]{1,20}/(?P<secret>[A-Za-z0-9/+_-]{20,}+)"),
        is_no_placeholder,
    ),
    _token("aws-key-id", "AKIA", r"[A-Z2-7]{16}(?![A-Za-z0-9])", "ASIA"),
    _token("google-key", "AIza", r"[A-Za-z0-9_-]{30,}+"),
    _token("google-token", "ya29.", r"[A-Za-z0-9_.-]{20,}+"),
    _token("google-secret", "GOCSPX-", r"[A-Za-z0-9_-]{20,}+"),
    _token("stripe-key", "sk_", r"(?:live|test)_[A-Za-z0-9]{10,}+", "rk_", "pk_"),
    _token("webhook-secret", "whsec_", r"[A-Za-z0-9+/=]{16,}+"),
    _token("sendgrid-key", "SG.", r"[A-Za-z0-9_-]{16,64}\.[A-Za-z0-9_-]{16,}+"),
    _token("npm-token", "npm_", r"[A-Za-z0-9]{30,}+"),
    _token("pypi-token", "pypi-", r"[A-Za-z0-9_-]{40,}+"),
    _token("vendor-token", "dop_v1_", r"[A-Za-z0-9]{30,}+", "lin_api_", "shpat_", "dapi", "ntn_"),
    Kind(
        "jwt",
        ("eyJ",),
        re.compile(
            rf"{_START}"
            r"eyJ[A-Za-z0-9_-]{8,}+(?:\.[A-Za-z0-9_-]*+){1,4}"
        ),
        is_no_placeholder,
    ),
    # Values of headers, parameters and settings.
    _named(
        "authorization",
        "authorization",
        rf"{_ASSIGNED}(?:(?:bearer|basic|token|digest|negotiate|key|apikey)(?:[ +]|%20)|(?!))?+"
        rf"{_QUOTES}{_VALUE}",
    ),
    _named("bearer-token", "bearer", rf"(?:\s|%20|\+){{1,4}}{_QUOTES}{_VALUE}", _has_digit),
    _named("basic-credentials", "basic", r" {1,4}(?P<secret>[A-Za-z0-9+/]{8,}+={0,2})", _has_digit),
    _named("cookie", "cookie", r"[\"'\\]{0,6}: {0,4}[\"'\\]{0,6}(?P<secret>[^\r\n\"'\\]{4,4096})"),
    _named(
        "api-key",
        "key",
        r" (?:provided|given|received|sent)?(?: is)?: ?[\"'`]?(?P<secret>[^\s\"'`\\,;]{1,4096}+)",
    ),
    _named("password", "password passwd passphrase pwd", rf"{_ASSIGNED}{_VALUE}"),
    _named(
        "secret",
        "api_key api-key apikey x-api-key access_key access-key accesskey secret_key secretkey"
        " client_secret client-secret clientsecret access_token access-token accesstoken"
        " refresh_token auth_token id_token private_key subscription-key accountkey"
        " sharedaccesskey sharedaccesssignature secretaccesskey secret_access_key",
        rf"{_ASSIGNED}{_VALUE}",
        _has_digit,
    ),
    Kind(
        "parameter",
        ("=",),
        re.compile(
            r"[?&;](?:amp;)?(?:[a-z_-]{0,20}(?:token|signature|credential)|sig|key|code|auth|secret)="
            r"(?P<secret>[^\s\"'`\\&#<>]{6,4096}+)"
        ),
        is_value,
        ignores_case=True,
    ),
    Kind(
        "password",
        ("://",),
        re.compile(
            r"://[^\s/?#\"'`\\<>@:]{0,200}:(?![0-9]{1,5}/)"
            # To the last @, since a password may contain one; // begins the next address.
            r"(?P<secret>(?:[^\s\"'`\\<>/]|/(?!/)){1,400})@"
        ),
        lambda secret: secret not in ("***",),
    ),
    Kind(
        "user-info",
        ("://",),
        re.compile(r"://(?=[^\s/@]{0,200}[0-9])(?P<secret>[^\s/?#\"'`\\<>@:]{16,400})@"),
        is_no_placeholder,
    ),
)
