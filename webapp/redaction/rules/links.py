"""Links that grant access by themselves, and the codes in their paths and queries."""

from __future__ import annotations

import re
from typing import Final

from webapp.redaction.rules.forms import ignoring_case
from webapp.redaction.rules.kinds import SPACE, Kind, is_random, is_value

_GRANTS: Final = (
    "reset|verif|confirm|invit|join|magic|activat|unsubscribe|onboard|accept|signin|auth|key|token"
    "|secret"
)
_ENTRIES: Final = (
    "invite/|invites/|invitation/|join/|login/|signin/|sign-in/|magic/|reset/|activate/|redeem/"
    "|claim/|register/|guest/|share/"
)
_CODED: Final = "otp/|code/|passcode/|verify/|2fa/|mfa/|confirm/|totp/|sms/"
_SIDES: Final = re.compile("[a-z]+|[A-Z]+|[0-9]+")
_SPOKEN: Final = re.compile(
    # A word, a step of several, a version, and a year.
    r"(?=[a-z]{4})[a-z]{1,2}[aeiouy]|(?=[A-Z]{4})[A-Z]{1,2}[AEIOUY]|[0-9]of[0-9]|\A[vV][0-9]"
    "|20[12][0-9]"
)
_OF_CODE: Final = r"(?:blob|tree|raw|blame|commits?|compare)/"
"""Segments before the digest of a commit."""
_OF_NO_SECRET: Final = (
    r"(?:client_?id|app_?id|utm_[a-z]+|(?:redirect|return|callback)[a-z_]*|next|continue|url|uri"
    r"|lang|locale|scope|grant_type|response_type|ref|source|campaign|category|slug|title|name"
    r"|page|q|query|search|sort|filter|view|tab)="
)
"""Names of parameters whose values are words."""

_OF_WORDS: Final = re.compile(
    # Names in several words, and addresses of accounts, which all can read.
    r"(?:\A|[_-])[a-z]{3,}[_-][a-z]{3,}(?=[_-]|\Z)|\A0x[0-9a-f]{40}\Z",
    re.IGNORECASE,
)


def _is_grant(secret: str) -> bool:
    """Return whether a segment or a parameter is made by a generator, and is no name."""
    return is_random(secret) and _OF_WORDS.search(secret) is None


def _is_code(secret: str) -> bool:
    """Return whether a segment is made by a generator, and is no word with a number or a digest."""
    sides = len(_SIDES.findall(secret))
    return (
        is_value(secret)
        and not _SPOKEN.search(secret)
        and any(map(str.isdigit, secret))
        and any(map(str.isalpha, secret))
        and sides >= 4
        and sides * 5 >= len(secret) * 2
    )


LINKS: Final[tuple[Kind, ...]] = (
    ignoring_case(
        "link",
        _GRANTS,
        # Not the version of a secret in a vault.
        rf"(?<=[/._-])(?<!vault\.azure\.net/)(?:{_GRANTS})[a-z_-]{{0,20}}(?:/(?!{_OF_CODE})[a-z_-]{{1,20}}){{0,3}}/"
        r"(?P<secret>[a-z0-9_-]{20,400}(?:/[a-z0-9_-]{16,200}){0,2})(?![a-z0-9./])",
        lambda secret: _is_grant(secret) or re.fullmatch("[0-9a-f-]{32,}", secret) is not None,
        rf"(?:{_GRANTS})[a-z_/-]*/[a-z0-9_-]{{20}}",
    ),
    # A parameter of any name, of a page for one reader.
    ignoring_case(
        "link",
        _GRANTS,
        rf"(?<=[/._-])(?:{_GRANTS})[a-z_-]{{0,20}}(?:/[a-z_-]{{1,20}}){{0,3}}/?"
        r"\?(?:[a-z_]{1,20}=[^\s&#\"'<>]{0,60}&){0,4}"
        rf"(?!{_OF_NO_SECRET})[a-z_]{{1,20}}=(?P<secret>[a-z0-9_-]{{20,400}})"
        r"(?![a-z0-9./])",
        _is_grant,
        rf"(?:{_GRANTS})[a-z_/-]*\?[^{SPACE}#\"'<>]{{20}}",
    ),
    ignoring_case(
        "link",
        _ENTRIES,
        rf"(?<=/)(?:{_ENTRIES})(?P<secret>[a-z0-9]{{6,19}})(?![\w./-])",
        _is_code,
        rf"/(?:{_ENTRIES})[a-z0-9]{{6}}",
    ),
    ignoring_case(
        "pin",
        _CODED,
        rf"(?<=/)(?:{_CODED})(?P<secret>[0-9]{{6,8}})(?![\w./-])",
        lambda secret: len(set(secret)) >= 3 and not re.match("(?:19|20)[0-9]{2}[01]", secret),
        rf"/(?:{_CODED})[0-9]{{6}}",
    ),
    # Pages where somebody is logged in at once, checks of jobs, and files that were shared.
    ignoring_case(
        "link",
        "slack.com/z-app-|hc-ping.com/|sharepoint.com/:|1drv.ms/",
        r"(?:slack\.com/z-app-[0-9]{4,20}-|hc-ping\.com/|sharepoint\.com/:[^\s?\"']{1,120}/"
        r"|1drv\.ms/[a-z]/[cs]/[0-9a-f]{1,20}/)"
        r"(?P<secret>[a-z0-9_-]{20,200}(?:\?e=[a-z0-9]{4,12})?)",
        lambda secret: len(set(secret)) >= 8,
    ),
    # Groups whose members see each other's telephone numbers.
    ignoring_case(
        "link",
        "chat.whatsapp.com/|t.me/+|t.me/joinchat/|signal.group/#",
        r"(?:chat\.whatsapp\.com/(?:invite/)?|t\.me/(?:\+|joinchat/)|signal\.group/#)"
        r"(?P<secret>[\w-]{14,120})",
        lambda secret: len(set(secret)) >= 8,
    ),
)
