"""Build the API's addresses below the base URL, only from ids that can be ids."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import quote, urlencode

from webapp.ids import is_valid_id
from webapp.upstream.errors import InvalidId

COMPLETIONS: Final = "/chat/completions"


def completion_path(completion_id: str) -> str:
    """Return the path of one completion. Raises `InvalidId`."""
    return f"{COMPLETIONS}/{quote(_check_id(completion_id), safe='')}"


def messages_path(completion_id: str) -> str:
    """Return the path of a completion's messages. Raises `InvalidId`."""
    return f"{completion_path(completion_id)}/messages"


def build_page_query(
    *,
    after: str | None,
    limit: int | None,
    order: str | None,
    model: str | None = None,
    metadata: Mapping[str, str] | None = None,
) -> str:
    """Return the query of a list request, without blanks. Raises `InvalidId` for the cursor.

    Metadata filters are `metadata[key]=value` with the brackets encoded, as the official
    clients send them.
    """
    pairs = {
        "after": _check_id(after) if after else None,
        "limit": None if limit is None else str(limit),
        "order": order,
        "model": model,
    }
    filters = {f"metadata[{key}]": value for key, value in (metadata or {}).items() if key}
    return encode_query((name, value) for name, value in (pairs | filters).items() if value)


def encode_query(pairs: Iterable[tuple[str, str]]) -> str:
    """Return `pairs` as a query string; a lone surrogate is sent as it is."""
    return urlencode(list(pairs), quote_via=quote, safe="", errors="surrogatepass")


def _check_id(text: str) -> str:
    if not is_valid_id(text):
        raise InvalidId("This is not an id that a completion or message can have.")
    return text
