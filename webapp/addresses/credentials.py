"""Find the passwords and keys in an address, and decide which names have such values."""

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
