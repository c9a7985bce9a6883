"""Find and leave out passwords and keys in addresses, and recognize names of such values."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qsl, unquote

_SECRET_NAME: Final = re.compile(
    r"(?:key|token|secret|password|passwd|passphrase|credential|signature|cookie"
    r"|authori[sz]ation)s?(?![a-z])|(?<![a-z])(?:pass|pwd|auth|sig|bearer|jwt|session)(?![a-z])",
    re.IGNORECASE,
)
_LOGIN: Final = re.compile(r"(?<=//)[^/]*@|\b(?:user|password)=[^&]*")
_SCHEME: Final = re.compile(r"(?:sqlite|postgres(?:ql)?)(?:\+[a-z0-9]{1,40})?")
_USER: Final = re.compile(r"[A-Za-z0-9._%+-]{1,200}")
_PLACE: Final = re.compile(
    r"(?:[A-Za-z0-9.,_-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:/[A-Za-z0-9._%+-]*)?"
)
"""Host, port and database."""


def is_secret_name(name: str) -> bool:
    """Return whether a header or a parameter of this name has a secret, as `api-key` has."""
    return _SECRET_NAME.search(name) is not None


def is_secret_parameter(name: str) -> bool:
    """Return the same of a parameter, where `code` is the key of a gateway."""
    return is_secret_name(name) or name.casefold() == "code"


def find_url_secrets(url: str) -> frozenset[str]:
    """Find the password and the keys in the query of a URL, as they are written and decoded."""
    _, _, rest = url.partition("://")
    address, _, query = rest.partition("?")
    # A password can hold a `?` as it is.
    found = {part.rpartition("@")[0].partition(":")[2] for part in (address, rest)}
    for pair in query.partition("#")[0].split("&"):
        name, _, value = pair.partition("=")
        if is_secret_parameter(unquote(name)):
            found |= {value, *(text for _, text in parse_qsl(pair))}
    return frozenset((found | {unquote(one) for one in found}) - {""})


def drop_login(url: str) -> str:
    """Leave out the user and the password of a URL, before its host or in its query."""
    return _LOGIN.sub("", url)


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
