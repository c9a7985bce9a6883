"""Detect the format of a JSON value by its shape: a whole completion, or a part of one.

Reads no files and stores nothing. `exchanges` detects requests with their
responses, `saved` answers of the stored completions API.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, TypeAlias

from webapp.embedded.documents.chats.ai_sdk import from_ai_sdk, is_ai_sdk, is_ai_sdk_message
from webapp.embedded.documents.chats.ai_studio import from_ai_studio, is_ai_studio_prompt
from webapp.embedded.documents.chats.chatgpt import from_chatgpt, is_chatgpt_conversation
from webapp.embedded.documents.chats.claude import from_claude, is_claude_conversation
from webapp.embedded.documents.chats.claude_code import is_claude_code_line
from webapp.embedded.documents.chats.codex import is_codex_line
from webapp.embedded.documents.chats.langchain import (
    from_langchain,
    is_langchain,
    is_langchain_message,
)
from webapp.embedded.documents.chats.librechat import from_librechat, is_librechat_conversation
from webapp.embedded.documents.chats.lm_studio import from_lm_studio, is_lm_studio_conversation
from webapp.embedded.documents.chats.oasst import (
    from_oasst_tree,
    is_oasst_message,
    is_oasst_tree,
)
from webapp.embedded.documents.chats.open_webui import from_open_webui, is_open_webui_chat
from webapp.embedded.documents.datasets.messages import is_other_role, is_turn
from webapp.embedded.documents.datasets.rows import (
    TURNS,
    find_answers,
    find_compared,
    find_prompt,
    from_alpaca,
    from_answers,
    from_compared,
    from_pairs,
    from_preference,
    from_prompt,
    from_sharegpt,
    is_pair,
)
from webapp.embedded.documents.from_evaluations import (
    from_result,
    from_sample,
    list_results,
    list_samples,
)
from webapp.embedded.documents.from_files import copy_members, from_fine_tuning, list_choices
from webapp.embedded.documents.from_logs import break_off, is_other_response
from webapp.embedded.documents.from_spans import from_span
from webapp.embedded.documents.records import NotACompletion
from webapp.embedded.documents.reported_errors import find_reported_error
from webapp.embedded.documents.span_exports import list_spans
from webapp.embedded.limits import MAX_IMPORTED_VALUES
from webapp.embedded.transfer.archives import detect_har
from webapp.embedded.transfer.exchanges import (
    detect_batch_request,
    detect_batch_response,
    detect_exchange,
    detect_logged,
    detect_other_api,
    detect_traced,
)
from webapp.embedded.transfer.pieces import (
    Fragment,
    ImportFormat,
    Role,
    WholeOrFragment,
    parse_whole,
)
from webapp.embedded.transfer.saved import (
    detect_completion,
    detect_page,
    detect_saved_both,
    detect_saved_completion,
)
from webapp.embedded.transfer.streams import join_pieces
from webapp.exact_json import Array, NotJson, Null, Object, String, Value, parse, write_object

_Detector: TypeAlias = Callable[[Object], "Iterable[WholeOrFragment] | None"]

_CHATS: Final[
    tuple[tuple[Callable[[Object], bool], Callable[[Object], Iterable[str]], ImportFormat], ...]
] = (
    (is_chatgpt_conversation, from_chatgpt, ImportFormat.CHATGPT),
    (is_open_webui_chat, from_open_webui, ImportFormat.OPEN_WEBUI),
    (is_librechat_conversation, from_librechat, ImportFormat.LIBRECHAT),
    (is_claude_conversation, from_claude, ImportFormat.CLAUDE),
    (is_ai_studio_prompt, from_ai_studio, ImportFormat.AI_STUDIO),
    (is_lm_studio_conversation, from_lm_studio, ImportFormat.LM_STUDIO),
    (is_langchain, from_langchain, ImportFormat.LANGCHAIN),
    (is_ai_sdk, from_ai_sdk, ImportFormat.AI_SDK),
    (is_oasst_tree, from_oasst_tree, ImportFormat.OASST),
)
_WRAPPERS: Final = ("conversations", "chats")
_SESSIONS: Final = (
    (is_claude_code_line, ImportFormat.CLAUDE_CODE),
    (is_codex_line, ImportFormat.CODEX),
)
_PREFERENCES: Final = (
    ("chosen", "rejected"),
    ("preferred_output", "non_preferred_output"),
    ("chosen_response", "rejected_response"),
    ("accepted", "rejected"),
    ("preferred", "rejected"),
    ("preferred", "dispreferred"),
    ("better_response", "worse_response"),
    ("response_j", "response_k"),
)


def detect(value: Value) -> Iterable[WholeOrFragment]:
    """Detect the format of `value`, and return the pieces that it holds.

    Raise `NotACompletion` if its format is unknown, or while iterating if a piece is bad.
    """
    if not isinstance(value, Object):
        raise NotACompletion("it is not a JSON object")
    value = list_choices(_parse_messages(value))
    if value.text("object") == "chat.completion.chunk":
        raise NotACompletion("it is a chunk of a streamed answer, and not the whole answer")
    for detector in _DETECTORS:
        pieces = detector(value)
        if pieces is not None:
            return pieces
    error = value.get("error")
    if error is not None and not isinstance(error, Null):
        raise NotACompletion("it is an error and not a completion")
    if value.items("messages") is None:
        raise NotACompletion("it has no `messages` list")
    raise NotACompletion("it has no `choices` list, and its messages are none")


def _parse_messages(value: Object) -> Object:
    """Parse messages that are written as a text, as exports of tables have them."""
    text = value.text("messages")
    if text is None or value.get("response") is not None or not text.lstrip().startswith("["):
        return value
    try:
        messages = parse(text, max_values=MAX_IMPORTED_VALUES)
    except NotJson:
        return value
    rest = copy_members(one for one in value.members if one.name.text != "messages")
    parsed = parse(write_object([*rest, f'"messages":{messages.source}']))
    assert isinstance(parsed, Object)
    return parsed


def join_array(value: Value) -> Value:
    """Wrap an array of messages as their conversation, and join the pieces of a streamed answer.

    Return other values unchanged.
    """
    if not isinstance(value, Array) or not value.items:
        return value
    is_list = all(map(_is_message, value.items)) or all(map(is_langchain_message, value.items))
    if is_list or all(map(_has_role, value.items)) and any(map(is_ai_sdk_message, value.items)):
        return parse(f'{{"messages":{value.source}}}')
    streamed = join_pieces(value.items)
    return value if streamed is None else parse(streamed)


def _has_role(value: Value) -> bool:
    return isinstance(value, Object) and value.text("role") is not None


def _is_message(value: Value) -> bool:
    if not isinstance(value, Object) or not _has_role(value):
        return False
    names = {"content", "tool_calls", "function_call"}
    return not names.isdisjoint(value.names()) and value.get("choices") is None


def _detect_chat(value: Object) -> Iterable[WholeOrFragment] | None:
    """Detect a conversation of a program: each of its branches is a completion."""
    for is_chat, read, format_ in _CHATS:
        if is_chat(value):
            return (parse_whole(format_, text) for text in read(value))
    return None


def _detect_chats(value: Object) -> Iterable[WholeOrFragment] | None:
    """Detect an export that has the conversations of a program beside other members."""
    for name in _WRAPPERS:
        chats = [one for one in value.items(name) or () if isinstance(one, Object)]
        if chats and len(chats) == len(value.items(name) or ()):
            read = [_detect_chat(one) for one in chats]
            if None not in read:
                return (piece for pieces in read for piece in pieces or ())
    return None


def _detect_session_line(value: Object) -> list[WholeOrFragment] | None:
    """Detect a line of an agent's session or of a tree, which is joined with its others."""
    for is_line, format_ in _SESSIONS:
        if is_line(value):
            return [Fragment(format_, "", Role.LINE, value.source)]
    if is_oasst_message(value):
        key = value.text("message_tree_id") or ""
        return [Fragment(ImportFormat.OASST_MESSAGE, key, Role.LINE, value.source)]
    return None


def _detect_evaluation(value: Object) -> Iterable[WholeOrFragment] | None:
    """Detect a log of Inspect or an output of promptfoo: each sample or result is a completion."""
    if samples := list_samples(value):
        return (parse_whole(ImportFormat.INSPECT, from_sample(one, value)) for one in samples)
    if results := list_results(value):
        return (parse_whole(ImportFormat.PROMPTFOO, from_result(one, value)) for one in results)
    return None


def _detect_spans(value: Object) -> list[WholeOrFragment] | None:
    """Detect spans of OpenTelemetry, each with messages a completion; others are left out."""
    spans = list_spans(value)
    texts = [text for span in spans if (text := from_span(span))]
    if spans and spans[0] is not value and not texts:
        raise NotACompletion("none of its spans has messages")
    return [parse_whole(ImportFormat.SPAN, text) for text in texts] or None


def _detect_row(value: Object) -> list[WholeOrFragment] | None:
    """Detect an instruction with its output, or a prompt with one completion or several."""
    if value.text("instruction") and (value.text("output") or value.text("response")):
        return [parse_whole(ImportFormat.ALPACA, from_alpaca(value))]
    if is_other_response(value):
        return None
    if several := find_answers(value):
        return [parse_whole(ImportFormat.COMPARED, from_answers(value, *several))]
    names = find_prompt(value)
    return [parse_whole(ImportFormat.PROMPT, from_prompt(value, *names))] if names else None


def _detect_sharegpt(value: Object) -> list[WholeOrFragment] | None:
    for name in TURNS:
        turns = value.items(name)
        if turns and all(map(is_pair, turns)):
            return [parse_whole(ImportFormat.SHAREGPT, from_pairs(value, name))]
        has_own_role = any(
            isinstance(turn, Object) and is_other_role(turn.text("role") or "")
            for turn in turns or ()
        )
        speakers = ("from", "role") if name != "messages" or has_own_role else ("from",)
        if turns and all(is_turn(turn, speakers=speakers) for turn in turns):
            return [parse_whole(ImportFormat.SHAREGPT, from_sharegpt(value, name))]
    return None


def _detect_preference(value: Object) -> list[WholeOrFragment] | None:
    for names in _PREFERENCES:
        if all(isinstance(value.get(name), String | Array | Object) for name in names):
            return [parse_whole(ImportFormat.PREFERENCE, from_preference(value, *names))]
    compared = find_compared(value)
    if compared is not None:
        return [parse_whole(ImportFormat.COMPARED, from_compared(value, compared))]
    return None


def _detect_fine_tuning(value: Object) -> list[WholeOrFragment] | None:
    messages = value.items("messages")
    if not messages or not isinstance(messages[-1], Object):
        return None
    if messages[-1].text("role") != "assistant":
        return None
    return [parse_whole(ImportFormat.FINE_TUNING, from_fine_tuning(value))]


def _detect_unanswered(value: Object) -> list[WholeOrFragment] | None:
    """Detect a conversation whose last message is not an answer, such as one that waits for one."""
    messages = value.items("messages")
    if not messages or not isinstance(value.get("choices"), Null | None):
        return None
    if not all(isinstance(message, Object) and message.text("role") for message in messages):
        return None
    text = break_off(value, find_reported_error(value))
    return [parse_whole(ImportFormat.UNANSWERED, text)]


# The first that fits decides, so those that ask for much come before those that take much:
# - a whole completion before all that read its `messages` or its `choices` alone;
# - lines of sessions, which are known by their names, before all that have a message;
# - batches, known by the key of a line, before exchanges, which have no key to be joined by;
# - a preference before rows and lists of messages, which it may have beside its two answers;
# - logged requests, and ShareGPT whose turns may be called `messages`, before fine-tuning;
# - traces before other APIs, whose requests have an `input` too, but no output of any shape;
# - a saved completion before an object that has one under some name;
# - a conversation without an answer at the end, since any messages are one.
_DETECTORS: Final[tuple[_Detector, ...]] = (
    detect_completion,
    _detect_session_line,
    detect_har,
    _detect_evaluation,
    detect_batch_request,
    detect_batch_response,
    detect_exchange,
    detect_page,
    _detect_chat,
    _detect_chats,
    _detect_preference,
    detect_logged,
    _detect_sharegpt,
    detect_traced,
    _detect_spans,
    _detect_row,
    detect_other_api,
    _detect_fine_tuning,
    detect_saved_completion,
    detect_saved_both,
    _detect_unanswered,
)
