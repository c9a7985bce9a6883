"""The formats of imported values, each of them a completion or a part of one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias

from webapp.exact_json import Object, parse


class ImportFormat(Enum):
    """A format of imported values; its value is its name in the singular and the plural."""

    COMPLETION = ("completion with messages", "completions with messages")
    FINE_TUNING = ("fine-tuning example", "fine-tuning examples")
    UNANSWERED = ("conversation without an answer", "conversations without an answer")
    LOGGED = ("logged request of LiteLLM", "logged requests of LiteLLM")
    TRACED = ("traced request", "traced requests")
    SPAN = ("span of OpenTelemetry", "spans of OpenTelemetry")
    RESPONSES = ("Responses API request", "Responses API requests")
    ANTHROPIC = ("Anthropic request", "Anthropic requests")
    GEMINI = ("Gemini request", "Gemini requests")
    BEDROCK = ("Bedrock Converse request", "Bedrock Converse requests")
    COHERE = ("Cohere request", "Cohere requests")
    MISTRAL = ("Mistral conversation", "Mistral conversations")
    COMPLETIONS = ("text completion", "text completions")
    OLLAMA = ("Ollama request", "Ollama requests")
    CHATGPT = ("branch of a ChatGPT conversation", "branches of ChatGPT conversations")
    OPEN_WEBUI = ("branch of an Open WebUI chat", "branches of Open WebUI chats")
    LIBRECHAT = ("branch of a LibreChat conversation", "branches of LibreChat conversations")
    CLAUDE = ("branch of a claude.ai conversation", "branches of claude.ai conversations")
    CLAUDE_CODE = ("line of a Claude Code session", "lines of Claude Code sessions")
    CODEX = ("line of a Codex session", "lines of Codex sessions")
    AI_STUDIO = ("Google AI Studio prompt", "Google AI Studio prompts")
    LM_STUDIO = ("version of an LM Studio conversation", "versions of LM Studio conversations")
    LANGCHAIN = ("list of LangChain messages", "lists of LangChain messages")
    AI_SDK = ("list of AI SDK messages", "lists of AI SDK messages")
    OASST = ("path of an OpenAssistant tree", "paths of OpenAssistant trees")
    OASST_MESSAGE = ("message of an OpenAssistant tree", "messages of OpenAssistant trees")
    SHAREGPT = ("ShareGPT conversation", "ShareGPT conversations")
    ALPACA = ("Alpaca row", "Alpaca rows")
    PROMPT = ("prompt with its completion", "prompts with their completions")
    PREFERENCE = ("preference pair", "preference pairs")
    COMPARED = ("prompt with several answers", "prompts with several answers")
    HAR = ("request of a HAR file", "requests of HAR files")
    INSPECT = ("sample of an Inspect log", "samples of Inspect logs")
    PROMPTFOO = ("result of promptfoo", "results of promptfoo")
    EXCHANGE = ("request with its response", "requests with their responses")
    BATCH_REQUEST = ("batch request", "batch requests")
    BATCH_RESPONSE = ("batch response", "batch responses")
    SAVED_COMPLETION = ("saved completion", "saved completions")
    SAVED_MESSAGES = ("saved page of messages", "saved pages of messages")
    SAVED_BOTH = ("saved completion with its messages", "saved completions with their messages")


FORMATS: Final = (
    "lines with `messages` and `choices`, as Readback exports them, fine-tuning examples, "
    "conversations without an answer, input and output files of the Batch API (together), requests "
    "with their responses, also of the Responses API and of Anthropic, Gemini, Bedrock, Cohere, "
    "Mistral and Ollama, text completions, HAR files, logs of LiteLLM and Inspect, results of "
    "promptfoo, traces as of Langfuse, spans of OpenTelemetry, OpenAssistant trees, ShareGPT "
    "conversations, Alpaca rows, prompts with their completions, prompts with several answers, "
    "preference pairs, chats of ChatGPT, claude.ai, Open WebUI, LibreChat, LM Studio and "
    "Google AI Studio, sessions of Claude Code and Codex, messages of LangChain and the Vercel "
    "AI SDK, and saved answers of "
    "the stored completions API"
)
"""All of them, in words that the command and the page show."""


class Role(Enum):
    """The role of a part in its completion."""

    REQUEST = "request"
    RESPONSE = "response"
    FAILURE = "failure"
    COMPLETION = "completion"
    MESSAGES = "messages"
    LINE = "line"


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole completion, as JSON with `messages` and `choices`."""

    format: ImportFormat
    json: Object


@dataclass(frozen=True, slots=True)
class Fragment:
    """A part of a completion; parts with the same `key` belong together.

    Those with an empty key belong together if they are in one file.

    `text` is JSON, or the reason in words if the role is `FAILURE`.
    """

    format: ImportFormat
    key: str
    role: Role
    text: str


WholeOrFragment: TypeAlias = Whole | Fragment


def parse_whole(format_: ImportFormat, text: str) -> Whole:
    """Parse the JSON of a whole completion."""
    json = parse(text)
    assert isinstance(json, Object)
    return Whole(format_, json)
