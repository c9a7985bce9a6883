"""Database addresses without their passwords, also if they are malformed."""

from __future__ import annotations

import re
from typing import Final

_SCHEME: Final = re.compile(r"(?:sqlite|postgres(?:ql)?)(?:\+[a-z0-9]{1,40})?")
_USER: Final = re.compile(r"[A-Za-z0-9._%+-]{1,200}")
_PLACE: Final = re.compile(
    r"(?:[A-Za-z0-9.,_-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:/[A-Za-z0-9._%+-]*)?"
)
"""Host, port and database."""


def hide_password(address: str) -> str:
    """Strip password and parameters from the database's `address`, to show and to log it.

    Only parts of an unmistakable form are kept. A password may contain `@`, `/` and `?`, which
    should be escaped, so an address with several of them in doubt is cut to its scheme.
    """
    scheme, separator, rest = address.partition("://")
    if not separator or not _SCHEME.fullmatch(scheme):
        return "an address that cannot be read"
    if scheme.startswith("sqlite") and rest.startswith("/"):
        return f"{scheme}://{rest.partition('?')[0]}"
    user_info, at, place = rest.rpartition("@")
    if at and "?" in user_info:
        return f"{scheme}://…"
    place = place.partition("?")[0]
    user, colon, _ = user_info.partition(":")
    if not _PLACE.fullmatch(place) or (at and not _USER.fullmatch(user)):
        return f"{scheme}://…"
    shown = f"{user}{':***' if colon else ''}@" if at else ""
    return f"{scheme}://{shown}{place}"
