"""Parse stored messages into values: content parts, tool calls, annotations, filter reports.

    piece           the base class of all kinds of content
    parts           texts, reasoning, calls and sources, one class a kind, each parsing its shape
    media_parts     likewise images, sounds and files
    native_parts    the parts of Bedrock, Gemini and the AI SDK, translated to those that are parsed
    translated      how such a part is written
    parsing         the parts and calls of a message
    reasoning       reasoning that is sent as a list, or twice
    think_tags      reasoning that is in the text of the answer, between tags
    citing          the sources that are listed beside a text
    filter_reports  the results of content filters and moderation
    quotations      the passages that the text blocks of Anthropic's API cite
    choices         the choices of a completion: answers with their finish reasons
    message         `Message`, which holds them all, and the positions of its texts

Every JSON value makes a `Message`; nothing raises because of content. A value of unknown type
or shape becomes an `Unknown` that keeps its exact JSON, so no field that a server sent is lost.
Shapes: the messages endpoint of the Chat Completions API, and the request messages that other
servers return.
"""

from webapp.messages.choices import Choice
from webapp.messages.citing import find_choice_messages
from webapp.messages.filter_reports import FilterReport, split_reports
from webapp.messages.media_parts import Audio, File, Image, InputAudio
from webapp.messages.message import BARE, ERROR_FLAGS, INPUT_KEYS, Message
from webapp.messages.parsing import parse_content
from webapp.messages.parts import (
    Annotation,
    Call,
    Part,
    Reasoning,
    RedactedReasoning,
    Refusal,
    Text,
    ToolCall,
    Unknown,
    UrlCitation,
    is_readable_list,
    name_part,
)
from webapp.messages.quotations import Quotation
from webapp.messages.reasoning import find_repeated
from webapp.messages.think_tags import Thought, split_reasoning

__all__ = [
    "BARE",
    "ERROR_FLAGS",
    "INPUT_KEYS",
    "Annotation",
    "Audio",
    "Call",
    "Choice",
    "File",
    "Image",
    "InputAudio",
    "Message",
    "Part",
    "Quotation",
    "Reasoning",
    "RedactedReasoning",
    "Refusal",
    "FilterReport",
    "Text",
    "Thought",
    "ToolCall",
    "Unknown",
    "UrlCitation",
    "find_choice_messages",
    "find_repeated",
    "is_readable_list",
    "name_part",
    "parse_content",
    "split_reasoning",
    "split_reports",
]
