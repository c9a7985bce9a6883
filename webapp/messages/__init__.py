"""Messages as values: one stored message, its content parts and what else it carries.

    parts           one class a kind of content, tool calls, annotations, and `Unknown`
    content         what a message says, read as parts
    content_parts   one element of a content list
    calls           tool calls
    annotations     what is cited
    findings        what content filters and moderation report
    message         `Message`, which holds them
    texts           the texts of a message, each with its place

Every JSON value makes a `Message`; nothing here raises on content. What is not understood,
because its type is unknown or its shape is not the documented one, becomes an `Unknown` that
keeps its exact JSON, so that no field a server sent is lost. Shapes: the messages endpoint of
the Chat Completions API, and the request messages other servers give back.
"""

from webapp.messages.content import parse_content
from webapp.messages.findings import Finding, Findings, Report, split_reports
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
    RedactedReasoning,
    Refusal,
    Text,
    ToolCall,
    Unknown,
    UrlCitation,
    is_readable_list,
)

__all__ = [
    "INPUT_KEYS",
    "Annotation",
    "Audio",
    "Call",
    "File",
    "Finding",
    "Findings",
    "Image",
    "InputAudio",
    "Message",
    "Part",
    "Reasoning",
    "RedactedReasoning",
    "Refusal",
    "Report",
    "Text",
    "ToolCall",
    "Unknown",
    "UrlCitation",
    "is_readable_list",
    "parse_content",
    "split_reports",
]
