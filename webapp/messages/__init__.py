"""Messages as values: one stored message, its content parts and what else it carries.

    parts       one class a kind of content, tool calls, annotations, and `Unknown`
    shapes      the API's JSON read as those
    message     `Message`, which holds them

Every JSON value makes a `Message`; nothing here raises on content. What is not understood,
because its type is unknown or its shape is not the documented one, becomes an `Unknown` that
keeps its exact JSON, so that no field a server sent is lost. Shapes: the messages endpoint of
the Chat Completions API, and the request messages other servers give back.
"""

from webapp.messages.message import INPUT_KEYS, Message
from webapp.messages.parts import (
    Annotation,
    Audio,
    Call,
    File,
    Image,
    InputAudio,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    Unknown,
    UrlCitation,
)

__all__ = [
    "INPUT_KEYS",
    "Annotation",
    "Audio",
    "Call",
    "File",
    "Image",
    "InputAudio",
    "Message",
    "Part",
    "Reasoning",
    "Refusal",
    "Text",
    "ToolCall",
    "Unknown",
    "UrlCitation",
]
