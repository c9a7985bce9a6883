"""Secrets that are planted, and look-alikes that must stay; made anew for each run of the tests.

No secret is written here: each is put together from a prefix and random characters of a fixed
seed.
"""

from __future__ import annotations

import base64
import contextlib
import json
import random
import string
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple
from urllib.parse import quote

_CHANCE: Final = random.Random(20)
_LETTERS: Final = string.ascii_letters + string.digits
_HEX: Final = "0123456789abcdef"


class Planted(NamedTuple):
    """A secret of a kind in a text; `place` says where a value holds the text."""

    kind: str
    place: str
    secret: str
    value: Any


def _pick(length: int, of: str = _LETTERS) -> str:
    """Return random characters with a digit and a letter of each case, as generators make them."""
    while True:
        text = "".join(_CHANCE.choices(of, k=length))
        if of != _LETTERS or (
            any(map(str.isdigit, text))
            and any(map(str.isupper, text))
            and any(map(str.islower, text))
        ):
            return text


def _upper(length: int) -> str:
    return _pick(length, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")


def _card() -> str:
    digits = "4" + _pick(14, string.digits)
    doubled = [int(one) * (2 - at % 2) for at, one in enumerate(digits)]
    return digits + str(-sum(one - 9 * (one > 9) for one in doubled) % 10)


def _iban() -> str:
    account = _pick(18, string.digits)
    check = 98 - int(account + "131400") % 97
    return f"DE{check:02}{account}"


def _pem() -> str:
    lines = [_pick(64) for _ in range(6)]
    return "\n".join(
        ["-----BEGIN RSA " + "PRIVATE KEY-----", *lines, "-----END RSA " + "PRIVATE KEY-----"]
    )


def _jwt() -> str:
    parts = ({"alg": "HS256", "typ": "JWT"}, {"sub": _pick(10), "iat": 1})
    encoded = [
        base64.urlsafe_b64encode(json.dumps(one).encode()).decode().rstrip("=") for one in parts
    ]
    return ".".join([*encoded, _pick(43)])


_PREFIXES: Final = {
    "openai": ("sk-" + "proj-", 48),
    "anthropic": ("sk-" + "ant-api03-", 60),
    "openrouter": ("sk-" + "or-v1-", 64),
    "groq": ("gsk" + "_", 52),
    "hugging face": ("hf" + "_", 34),
    "replicate": ("r8" + "_", 37),
    "github": ("ghp" + "_", 36),
    "github, fine-grained": ("github" + "_pat_", 60),
    "gitlab": ("glpat" + "-", 20),
    "npm": ("npm" + "_", 36),
    "pypi": ("pypi" + "-", 80),
    "docker": ("dckr" + "_pat_", 27),
    "vault": ("hvs" + ".", 40),
    "google": ("AIza" + "Sy", 33),
    "google secret": ("GOCSPX" + "-", 28),
    "slack": ("xoxb" + "-123456789012-", 24),
    "sendgrid": ("SG" + ".abcdefgh12345678ijkl90.", 43),
    "stripe": ("sk" + "_live_", 24),
    "webhook": ("whsec" + "_", 32),
    "digitalocean": ("dop" + "_v1_", 64),
    "linear": ("lin" + "_api_", 40),
    "notion": ("ntn" + "_", 46),
    "figma": ("figd" + "_", 40),
    "grafana": ("glsa" + "_", 41),
    "sentry": ("sntrys" + "_", 60),
    "supabase": ("sbp" + "_", 40),
    "planetscale": ("pscale" + "_pw_", 43),
    "netlify": ("nfp" + "_", 36),
    "tailscale": ("tskey" + "-auth-", 30),
    "databricks": ("dapi", 0),
}


def _email() -> str:
    names = (_pick(7, string.ascii_lowercase) for _ in range(3))
    return "{}.{}@mail-{}.com".format(*names)


def _prefixed(prefix: str, length: int) -> Callable[[], str]:
    return lambda: prefix + (_pick(length) if length else _pick(32, _HEX))


_BARE: Final[dict[str, Callable[[], str]]] = {
    **{kind: _prefixed(prefix, length) for kind, (prefix, length) in _PREFIXES.items()},
    "aws id": lambda: "AKIA" + _upper(16),
    "telegram": lambda: _pick(10, "123456789") + ":AA" + _pick(33),
    "jwt": _jwt,
    "private key": _pem,
    "e-mail": _email,
    "card": _card,
    "iban": _iban,
    "phone": lambda: "+49 30 " + _pick(8, "23456789"),
}
"""Secrets that are known wherever they stand."""


def _password() -> str:
    return _pick(12) + _CHANCE.choice("!#%*+-_?^~") + _pick(4)


_IN_CONTEXT: Final[dict[str, Callable[[str], str]]] = {
    "setting": lambda one: f"DB_PASSWORD={one}\nDEBUG=1",
    "yaml": lambda one: f"database:\n  user: app\n  password: {one}\n",
    "flag": lambda one: f"tool login --user app --password {one} --verbose",
    "python": lambda one: f'client = Client(user="app", password="{one}")',
    "member": lambda one: json.dumps({"user": "app", "clientSecret": one}),
    "url": lambda one: f"postgres://app:{one.replace('?', 'x').replace('#', 'x')}@db.acme.io/app",
    "bearer": lambda one: f"curl -H 'Authorization: Bearer {one}' https://api.acme.io",
    "basic": lambda one: "Authorization: Basic " + base64.b64encode(f"app:{one}".encode()).decode(),
    "cookie": lambda one: f"Cookie: theme=dark; sessionid={one}",
    "header": lambda one: f"x-api-key: {one}",
    "connection": lambda one: f"Server=db;Database=app;User Id=sa;Password={one};Encrypt=True",
    "sql": lambda one: f"CREATE USER app IDENTIFIED BY '{one}';",
    "sentence": lambda one: f"The password is {one} and it works.",
    "xml": lambda one: f"<server><password>{one}</password></server>",
    "netrc": lambda one: f"machine acme.io login app password {one}",
}
"""Passwords that are known by what is around them."""


def _iter_secrets() -> Iterator[tuple[str, str, str]]:
    """Yield a kind, a secret and a text with it."""
    for kind, make in _BARE.items():
        secret = make()
        yield kind, secret, f"It is {secret} as agreed"
    for kind, write in _IN_CONTEXT.items():
        one = _password()
        text = write(one)
        if kind == "basic":
            yield kind, text.rpartition(" ")[2], text
        elif kind == "url":
            yield kind, text.split(":")[2].partition("@")[0], text
        else:
            yield kind, one, text


def _split(text: str) -> list[str]:
    return [text[at : at + 7] for at in range(0, len(text), 7)]


def _tokens(text: str) -> dict[str, Any]:
    content = [
        {"token": one, "logprob": -0.1, "bytes": list(one.encode()), "top_logprobs": []}
        for one in _split(text)
    ]
    return {"choices": [{"message": {"content": text}, "logprobs": {"content": content}}]}


_PLACES: Final[dict[str, Callable[[str, str], Any]]] = {
    "content": lambda text, _: {"messages": [{"role": "user", "content": text}]},
    "json in json": lambda text, _: {"arguments": json.dumps({"a": [json.dumps({"b": text})]})},
    "escaped and cut": lambda text, _: {"content": json.dumps({"a": text, "b": "x"})[:-5]},
    "tokens": lambda text, _: _tokens(text),
    "stream": lambda text, _: [
        {"choices": [{"index": 0, "delta": {"content": one}}]} for one in _split(text)
    ],
    "percent": lambda text, secret: {"content": text, "title": f"?q={quote(secret, safe='')}&x=1"},
    "base64": lambda text, _: {"file_data": base64.b64encode(text.encode()).decode()},
    "repeated": lambda text, secret: [text, f"so ({secret}) again", {"name": secret}, {secret: 1}],
    "bytes": lambda text, _: {"bytes": list(text.encode())},
}


def plant() -> Iterator[Planted]:
    """Yield every secret in every place."""
    for place, build in _PLACES.items():
        for kind, secret, text in _iter_secrets():
            yield Planted(kind, place, secret, build(text, secret))


def find_left(value: Any, secret: str) -> bool:
    """Return whether a piece of 12 characters of `secret` is in `value`, in any form."""
    shown = json.dumps(value, ensure_ascii=False)
    pieces = [secret[at : at + 12] for at in range(0, max(len(secret) - 11, 1), 6)]
    joined = "".join(_iter_texts(value))
    return any(
        form in shown or form in joined
        for piece in pieces
        for form in (piece, quote(piece, safe=""), json.dumps(piece)[1:-1])
    )


def _iter_texts(value: Any) -> Iterator[str]:
    """Yield all texts one after the other, with those in base64 decoded and bytes as text."""
    if isinstance(value, str):
        yield value
        with contextlib.suppress(ValueError):
            yield base64.b64decode(value, validate=True).decode()
    elif isinstance(value, dict):
        for one in value.values():
            yield from _iter_texts(one)
    elif isinstance(value, list):
        if value and all(isinstance(one, int) and 0 <= one < 256 for one in value):
            yield bytes(value).decode("utf-8", "replace")
        for one in value:
            yield from _iter_texts(one)
