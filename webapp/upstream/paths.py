"""The API's addresses below the base URL, made only from ids that can be ids.

Owns the allow-list for ids and cursors: what is outside it could leave its place in the URL
(`..`, `?`, `%2e%2e`), and no known server makes such ids.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import quote, urlencode

from webapp.upstream.errors import InvalidId

COMPLETIONS: Final = "/chat/completions"

_ID = re.compile(r"[A-Za-z0-9._:~-]{1,256}")


def is_valid_id(text: str) -> bool:
    """Whether `text` can be an id or a cursor: 1 to 256 of the allowed characters."""
    return _ID.fullmatch(text) is not None and text not in (".", "..")


def checked_id(text: str) -> str:
    """`text` when it can be an id or a cursor. Raises `InvalidId`."""
    if not is_valid_id(text):
        raise InvalidId("This is not an id that a completion or message can have.")
    return text


def completion(completion_id: str) -> str:
    """The path of one completion. Raises `InvalidId`."""
    return f"{COMPLETIONS}/{quote(checked_id(completion_id), safe='')}"


def messages(completion_id: str) -> str:
    """The path of a completion's messages. Raises `InvalidId`."""
    return f"{completion(completion_id)}/messages"


def page_query(
    *,
    after: str | None,
    limit: int | None,
    order: str | None,
    model: str | None = None,
    metadata: Mapping[str, str] | None = None,
) -> str:
    """The query of a list call, without what is blank. Raises `InvalidId` for the cursor.

    Metadata filters are `metadata[key]=value` with the brackets encoded, as the official
    clients send them.
    """
    pairs = {
        "after": checked_id(after) if after else None,
        "limit": None if limit is None else str(limit),
        "order": order,
        "model": model,
    }
    filters = {f"metadata[{key}]": value for key, value in (metadata or {}).items() if key}
    return encoded((name, value) for name, value in (pairs | filters).items() if value)


def encoded(pairs: Iterable[tuple[str, str]]) -> str:
    """`pairs` as a query string; a lone surrogate goes out as it is, for the server to judge."""
    return urlencode(list(pairs), quote_via=quote, safe="", errors="surrogatepass")
