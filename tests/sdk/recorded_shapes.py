"""Where the real API departs from its published description: the shapes of its recorded answers.

Owns these departures as parts of an OpenAPI document, and laying them over the published one.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, Final

from tests.support.fake_upstream import Json

_TEXT: Final = {"type": "string"}
_TEXT_OR_NULL: Final = {"type": ["string", "null"]}
_NUMBER: Final = {"type": "number"}
_NULL: Final = {"type": "null"}


def _exactly(**properties: Any) -> Json:
    """An object with all of these members and no other."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _or_null(schema: Json) -> Json:
    return {"anyOf": [schema, _NULL]}


def _page_of(schema: Json) -> Json:
    """The ids of an empty page are null, which the published description does not allow."""
    return _exactly(
        object={"const": "list"},
        data={"type": "array", "items": schema},
        first_id=_TEXT_OR_NULL,
        last_id=_TEXT_OR_NULL,
        has_more={"type": "boolean"},
    )


_PART: Final = _exactly(
    type={"enum": ["text", "image_url", "input_audio", "file"]},
    text=_TEXT_OR_NULL,
    image_url=_or_null(_exactly(url=_TEXT, detail=_TEXT_OR_NULL)),
    input_audio=_or_null(_exactly(data=_TEXT, format=_TEXT)),
    file=_or_null(_exactly(file_data=_TEXT_OR_NULL, file_id=_TEXT_OR_NULL, filename=_TEXT_OR_NULL)),
)
_MESSAGE: Final = _exactly(
    id=_TEXT,
    role={"enum": ["user", "assistant", "tool", "system", "function", "developer"]},
    content=_TEXT_OR_NULL,
    content_parts=_or_null({"type": "array", "items": _PART}),
    name=_TEXT_OR_NULL,
)
_COUNT: Final = {"type": "integer", "minimum": 0}
_ANSWER: Final = _exactly(
    content=_TEXT_OR_NULL,
    role={"const": "assistant"},
    tool_calls={"$ref": "#/components/schemas/NullableToolCalls"},
    function_call=_NULL,
)
_CHOICE: Final = _exactly(
    index=_COUNT,
    message=_ANSWER,
    finish_reason={"enum": ["stop", "length", "tool_calls", "content_filter", "function_call"]},
    logprobs=_NULL,
)
_STORED: Final = _exactly(
    object={"const": "chat.completion"},
    id=_TEXT,
    model=_TEXT,
    created={"type": "integer"},
    request_id=_TEXT,
    tool_choice=_NULL,
    usage=_exactly(total_tokens=_COUNT, completion_tokens=_COUNT, prompt_tokens=_COUNT),
    seed={"type": "integer"},
    top_p=_NUMBER,
    temperature=_NUMBER,
    presence_penalty=_NUMBER,
    frequency_penalty=_NUMBER,
    system_fingerprint=_TEXT,
    input_user=_NULL,
    service_tier=_TEXT,
    tools=_or_null({"type": "array", "items": {"type": "object"}}),
    metadata={"type": "object", "additionalProperties": _TEXT},
    choices={"type": "array", "items": _CHOICE},
    response_format=_NULL,
)
_SCHEMAS: Final = {
    "ChatCompletionMessageList": _page_of(_MESSAGE),
    "ChatCompletionList": _page_of(_STORED),
    "CreateChatCompletionResponse": _STORED,
    "NullableToolCalls": _or_null({"$ref": "#/components/schemas/ChatCompletionMessageToolCalls"}),
}


def as_recorded(published: Json, *, ids: Sequence[str]) -> Json:
    """The published description with the recorded shapes, and ids that are some of `ids`."""
    document = copy.deepcopy(published)
    document["components"]["schemas"] |= copy.deepcopy(_SCHEMAS)
    for operations in document["paths"].values():
        for operation in operations.values():
            for parameter in operation.get("parameters", ()):
                _describe(parameter, list(ids))
    return document


def _describe(parameter: Json, ids: list[str]) -> None:
    """Recorded requests write the metadata filter in brackets, which is OpenAPI's `deepObject`."""
    match parameter["name"]:
        case "completion_id" | "after":
            parameter["schema"] = {"enum": ids}
        case "metadata":
            pairs = {"type": "object", "additionalProperties": _TEXT}
            parameter |= {"style": "deepObject", "explode": True, "schema": pairs}
