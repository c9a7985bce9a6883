"""Read the requests and responses of other APIs as those of the Chat Completions API.

Each API is a module with four functions: whether an object is its request or its response, and
the same in the members of chat completions. Members that those lack keep their names. Those with
streams of their own also have `join_stream`, which joins the pieces of one to its response.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from webapp.embedded.documents.other_apis import (
    anthropic,
    bedrock,
    cohere,
    completions,
    gemini,
    mistral,
    ollama,
    responses,
)
from webapp.exact_json import Object


@dataclass(frozen=True, slots=True)
class OtherApi:
    """One API; `asked` are the members that only its requests have.

    `write_request` returns JSON with `messages`, `write_response` JSON with `choices`.
    """

    name: str
    is_request: Callable[[Object], bool]
    is_response: Callable[[Object], bool]
    write_request: Callable[[Object], str]
    write_response: Callable[[Object], str]
    asked: frozenset[str]


APIS: Final = tuple(
    OtherApi(
        module.__name__.rpartition(".")[2],
        module.is_request,
        module.is_response,
        module.write_request,
        module.write_response,
        module.ASKED,
    )
    for module in (responses, gemini, bedrock, ollama, cohere, mistral, anthropic, completions)
)
"""The most telling first: the requests of Anthropic's API look most like those of others."""
