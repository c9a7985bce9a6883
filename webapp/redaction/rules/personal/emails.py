"""E-mail addresses, also written out in words or hidden from programs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from webapp.redaction.rules.kinds import SecretPlace, split_words

_LOCAL: Final = re.compile(
    r"(?:[A-Za-z0-9_.+'%-]{1,64}|[^\W\d_]{1,64}|\"[^\"\s@\\]{1,30}(?:[ .][^\"\s@\\]{1,30})?\")\Z"
)
_DOMAIN: Final = re.compile(
    r"@((?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}[^\W\d_]{2,24})(?![\w@-]|\.[^\W_])"
)
_NO_ENDINGS: Final = split_words(
    """
    png jpg jpeg gif svg webp ico pdf css js mjs ts tsx jsx json html htm xml yml yaml md txt
    py rb go rs java c h cpp sh lock toml whl zip gz tar service timer socket target mount
    slice local internal lan localdomain cluster example invalid test localhost
    """
)
_EXAMPLES: Final = (
    "example.com",
    "example.org",
    "example.net",
    "domain.com",
    "email.com",
    "test.com",
)
_OF_GITHUB: Final = "users.noreply.github.com"
_NETWORKS: Final = frozenset(("local", "internal", "lan", "localdomain"))
_FULL_NAME: Final = re.compile(r"[^\W\d_]{2,20}\.[^\W\d_]{2,20}\Z")
"""Of a person in a network; other users there are programs."""
_ROLES: Final = split_words(
    """
    user username you your name email mail me test foo bar baz admin info support noreply
    no-reply donotreply do-not-reply hello contact example sales security help git postmaster
    webmaster abuse press privacy billing root bot notifications users someone somebody anyone
    your-email your.email youremail your_email user1 user2 alice bob sender recipient from to
    hostmaster mailer-daemon feedback team jobs careers legal office service customer
    customerservice customer-service
    """
)
_REMOTE_PATH: Final = re.compile(r":(?:[~/]|[A-Za-z0-9_.-]{1,60}/)")
"""The rest of a path on another machine, as in `host.example:/srv`."""


def _find_emails(text: str, name: str) -> Iterator[SecretPlace]:
    for match in _DOMAIN.finditer(text):
        local = _LOCAL.search(text, max(match.start() - 64, 0), match.start())
        if local is None:
            continue
        start = local.start() + len(local[0]) - len(local[0].lstrip(".%+'-_"))
        before, user, domain = (
            text[start - 1 : start],
            text[start : match.start()],
            match[1].lower(),
        )
        if not user or before in ("/", ":", "=") and _is_address(text, start):
            continue
        ending = domain.rpartition(".")[2]
        is_of_network = ending in _NETWORKS and _FULL_NAME.match(user) is not None
        if (ending in _NO_ENDINGS and not is_of_network) or _REMOTE_PATH.match(text, match.end()):
            continue
        role = user.lower().partition("+")[0]
        if role in ("git", "hg", "svn", "noreply", "no-reply") or (
            role in _ROLES and (domain.endswith(_EXAMPLES) or role not in ("alice", "bob"))
        ):
            continue
        if domain == _OF_GITHUB and user.endswith("bot"):
            continue
        yield SecretPlace("email", start, match.end())


def _is_address(text: str, start: int) -> bool:
    """Return whether the word at `start` is the user of a URL."""
    _, scheme, rest = text[max(start - 80, 0) : start].rpartition(" ")[2].rpartition("://")
    return bool(scheme) and "?" not in rest


_OF_WORDS: Final = r"[A-Za-z0-9](?<![A-Za-z0-9_.+-].)[A-Za-z0-9_.+-]{1,63}"
_AT: Final = r"(?:at|ät|ett|arroba|chiocciola|kukac|małpa|apestaartje|a|æt|@)"
_DOT: Final = r"(?:dot|punkt|point|punto|ponto|piste|kropka|\.)"
_HOSTS: Final = r"com|org|net|edu|gov|io|dev|de|fr|uk|eu|ch|nl|es|pl|se|dk|fi|jp|cn|br|ca|au"
_WRITTEN_OUT: Final = (
    # The sign or the dots between brackets.
    re.compile(
        _OF_WORDS + rf"[ ]?[\[({{<][ ]?{_AT}[ ]?[\])}}>][ ]?[A-Za-z0-9-]{{1,63}}"
        rf"(?:(?:\.|[ ]?[\[({{<][ ]?{_DOT}[ ]?[\])}}>][ ]?|[ ]{_DOT}[ ])"
        r"(?P<end>[A-Za-z0-9-]{2,63})){1,4}",
        re.IGNORECASE,
    ),
    re.compile(
        _OF_WORDS + rf"[ ]?@[ ]?[A-Za-z0-9-]{{1,63}}(?:[ ]?[\[({{<][ ]?{_DOT}[ ]?[\])}}>][ ]?"
        r"(?P<end>[A-Za-z0-9-]{2,63})){1,4}",
        re.IGNORECASE,
    ),
    # Words alone are those of sentences, which have no `dot` after them.
    re.compile(
        _OF_WORDS + r"[ ](?:at|ät|arroba)[ ][A-Za-z0-9-]{1,63}"
        r"(?:[ ](?:dot|punkt|punto|ponto)[ ][A-Za-z0-9-]{1,63}){0,3}"
        rf"[ ](?:dot|punkt|punto|ponto)[ ](?P<end>{_HOSTS})\b",
        re.IGNORECASE,
    ),
    # With spaces around the sign, after a name of two parts.
    re.compile(
        r"[A-Za-z0-9](?<![A-Za-z0-9_.+-].)[A-Za-z0-9-]{0,30}[._+][A-Za-z0-9_.+-]{1,40}"
        r"[ ]{1,2}@[ ]{1,2}"
        rf"(?:[A-Za-z0-9-]{{1,63}}\.){{1,3}}(?P<end>{_HOSTS})\b"
    ),
    # The address of a wallet in India.
    re.compile(
        _OF_WORDS + r"@(?P<end>ok(?:hdfcbank|axis|icici|sbi)|ybl|ibl|axl|paytm|upi)(?![\w.@-])"
    ),
    # The sign in an element of its own, which hides it from programs.
    re.compile(
        _OF_WORDS + r"<[a-z]{1,8}(?:[ ][^<>]{0,60})?>[ ]?@[ ]?</[a-z]{1,8}>"
        r"(?:[A-Za-z0-9-]{1,63}\.){1,4}(?P<end>[A-Za-z]{2,24})"
    ),
)


def _find_written_out(text: str, name: str) -> Iterator[SecretPlace]:
    for pattern in _WRITTEN_OUT:
        for match in pattern.finditer(text):
            ending = match["end"].lower()
            if ending.isalpha() and ending not in _NO_ENDINGS:
                yield SecretPlace("email", *match.span())


EMAILS: Final[tuple[tuple[str, Callable[[str, str], Iterator[SecretPlace]]], ...]] = (
    (r"@[^\s@.]+\.[^\s@.]", _find_emails),
    (
        rf"(?i:[\[({{<] ?{_AT} ?[\])}}>]|@ ?[a-z0-9-]+ ?[\[({{<] ?{_DOT} ?[\])}}>]"
        r"|[a-z0-9] (?:at|ät|arroba) [a-z0-9-]+ (?:dot|punkt|punto|ponto) "
        r"|[._+][a-z0-9_.+-]+  ?@  ?[a-z0-9-]+\.|@(?:ok[ahis]|[yi]bl|axl|paytm|upi)|> ?@ ?</)",
        _find_written_out,
    ),
)
"""Expressions of RE2, each with the function that finds its kind in a text that matches."""
