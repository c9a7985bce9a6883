"""Suggest another base URL if nothing of an API is found at one."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

_VERSION_SEGMENT: Final = re.compile(r"/v[0-9]")
_DOUBLED_VERSION: Final = re.compile(r"(?P<version>/v[0-9][^/]*)(?P=version)$")
_PAGE: Final = re.compile(r"/(docs|redoc|openapi\.json|health|ping|metrics|ui|webui)$")
"""Pages of servers beside the API, whose address people copy."""
_PORT_OF_OLLAMA: Final = 11434
_KNOWN_PATHS: Final = {
    "api.deepinfra.com": "/v1/openai",
    "api.fireworks.ai": "/inference/v1",
    "api.groq.com": "/openai/v1",
    "api.perplexity.ai": "",
    "generativelanguage.googleapis.com": "/v1beta/openai",
    "openrouter.ai": "/api/v1",
}
_AZURE: Final = (
    ".openai.azure.com",
    ".cognitiveservices.azure.com",
    ".services.ai.azure.com",
)


def suggest_base_url(base_url: str, query: str = "", *, setting: str) -> str | None:
    """Suggest a value for `setting`, as a sentence; `base_url` has no slash at its end.

    Return None if the base URL has a version, or is the classic one of Azure, whose version is in
    the query.
    """
    parts = urlsplit(base_url)
    origin = f"{parts.scheme}://{parts.netloc}"
    host = (parts.hostname or "").lower()
    known = "/openai/v1" if host.endswith(_AZURE) else _KNOWN_PATHS.get(host)
    is_classic = parts.path.endswith("/openai") and "api-version" in query
    if known is not None and not is_classic:
        if parts.path == known:
            return None
        return f"The API of {host} is elsewhere: set {setting} to {origin}{known}."
    written = " and its query" if query else ""
    if doubled := _DOUBLED_VERSION.search(parts.path):
        right = base_url.removesuffix(doubled["version"])
        return f"The base URL has its version twice: set {setting} to {right}{written}."
    if _VERSION_SEGMENT.search(parts.path.lower()) or is_classic:
        return None
    is_ollama = parts.path == "/api" and (parts.port == _PORT_OF_OLLAMA or "ollama" in host)
    # Its own API is beside the one like OpenAI's.
    right = origin if is_ollama else f"{origin}{_PAGE.sub('', parts.path)}"
    return (
        f"The base URL has no /v1, under which most servers answer: set {setting} to "
        f"{right}/v1{written}."
    )
