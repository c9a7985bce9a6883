"""The server that a snippet sends its request to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

OPENAI: Final = "https://api.openai.com/v1"


@dataclass(frozen=True, slots=True)
class Server:
    """An address without credentials, and the form in which the server wants its key.

    Without a `base_url` a snippet takes OPENAI_BASE_URL, or OpenAI, as the official clients do.
    `api_version` is the query that the classic API of Azure needs. `keyed_by_header` means that
    the key goes into the header `api-key`, and not into a bearer token. `is_own` means that this
    Readback is the server, at the address that the reader typed.
    """

    base_url: str | None = None
    api_version: str | None = None
    keyed_by_header: bool = False
    is_own: bool = False
