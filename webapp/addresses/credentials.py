"""Find the passwords and keys in an address, and leave out its login."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qsl, unquote

_SECRET_PARAMETER: Final = re.compile(
    r"(?:key|token|secret|password|passwd|passphrase|credential|signature)s?$"
    r"|(?:^|[^a-z])(?:pass|pwd|auth|sig|code)$",
    re.IGNORECASE,
)
"""Names of parameters such as `password` of a database, `api-key` and `code` of a gateway."""
_LOGIN: Final = re.compile(r"(?<=//)[^/]*@|\b(?:user|password)=[^&]*")


def find_url_secrets(url: str) -> frozenset[str]:
    """Find the password and the keys in the query of a URL, as they are written and decoded."""
    _, _, rest = url.partition("://")
    address, _, query = rest.partition("?")
    # A password can hold a `?` as it is.
    found = {part.rpartition("@")[0].partition(":")[2] for part in (address, rest)}
    for pair in query.partition("#")[0].split("&"):
        name, _, value = pair.partition("=")
        if _SECRET_PARAMETER.search(unquote(name)):
            found |= {value, *(text for _, text in parse_qsl(pair))}
    return frozenset((found | {unquote(one) for one in found}) - {""})


def drop_login(url: str) -> str:
    """Leave out the user and the password of a URL, before its host or in its query."""
    return _LOGIN.sub("", url)
