"""Check answers: cut, filtered, empty, with leaked markup, or not in the requested form."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from webapp.analysis.checks.rules import Found, quote, rule
from webapp.analysis.checks.subject import Subject, join_texts
from webapp.exact_json import NotJson, Object, find_extension, parse
from webapp.exact_json.lexemes import STRINGS
from webapp.messages import Audio, Reasoning, Refusal, split_reasoning
from webapp.transcript import Entry

_FENCED: Final = re.compile(
    r"(```|~~~).*?(?:\1|\Z)|`[^`\n]{1,400}`"
    # Indented code, unless it is the end, which a leaked token is, too.
    r"|(?:\A|\n[ \t]*\n)(?:(?: {4}|\t)[ \t]*[^\s][^\n]*\n)+(?!\s*\Z)",
    re.DOTALL,
)
_QUOTES: Final = frozenset("\"'\u2018\u2019\u201c\u201d\u201e\u00ab\u00bb\u2039\u203a\u300c\u300d")
_TOOL_CODE: Final = re.compile(r"```tool_code\s(.*?)(?:```|\Z)", re.DOTALL)
_CALLED: Final = re.compile(r"\b([A-Za-z_][\w-]{0,63})\(")
_CALL_MEMBERS: Final = frozenset({"type", "id", "name", "function", "parameters", "arguments"})
_CALL_MARKUP: Final = re.compile(
    r"<tool_call>|<invoke name=|<\|tool_calls?(?:_begin|_section_begin)?\|>|<function=\w|"
    r"<｜tool▁calls?▁begin｜>|\[TOOL_CALLS\]|<\|python_tag\|>|<function_calls>"
)
_TEMPLATE_TOKEN: Final = re.compile(
    r"<\|(?:im_start|im_end|eot_id|eom_id|start_header_id|end_header_id|endoftext|end_of_text|"
    r"end|assistant|user|system|return|channel|message)\|>|<(?:start|end)_of_turn>|\[/?INST\]|"
    r"<eos>|</s>|<｜end▁of▁sentence｜>"
)
_WHITE_SPACE: Final = re.compile(r"\s{64,}")
_INDENTATION: Final = re.compile(r"\r?\n[ \t]{1,256}")
_MAX_JSON: Final = 1024 * 1024
_MAX_SHARE: Final = 0.9


@rule(
    "cut-length",
    "warning",
    "The answer stopped at the token limit",
    "Raise the token limit of the request, or ask the model to go on.",
)
def find_cut(subject: Subject) -> Iterator[Found]:
    for entry in _iter_cut(subject):
        if not _is_eaten(subject, entry):
            yield Found(entry, "The answer stopped at the token limit.")


@rule(
    "reasoning-ate-budget",
    "error",
    "Reasoning used up all tokens",
    "Raise the token limit of the request, or lower the reasoning effort.",
)
def find_eaten(subject: Subject) -> Iterator[Found]:
    for entry in _iter_cut(subject):
        if _is_eaten(subject, entry):
            yield Found(
                entry,
                "Reasoning used up all tokens and left none for the answer; raise the limit.",
            )


@rule(
    "filtered",
    "error",
    "A content filter cut the answer",
    "The provider withheld text; a retry may be cut as well.",
)
def find_filtered(subject: Subject) -> Iterator[Found]:
    for entry in subject.outputs:
        names = list(_iter_filtered(entry))
        is_cut = entry.choice is not None and entry.choice.was_filtered
        if names or is_cut:
            which = f" (category {', '.join(map(quote, names))})" if names else ""
            yield Found(entry, f"The content filter of the provider cut the answer{which}.")


@rule(
    "refusal",
    "remark",
    "The model refused",
    "The words of the refusal are the answer, in `refusal` or in `content`.",
)
def find_refusals(subject: Subject) -> Iterator[Found]:
    for entry in subject.outputs:
        has_refusal = any(
            isinstance(part, Refusal) and part.text.strip() for part in entry.message.parts
        )
        if has_refusal or (entry.choice and entry.choice.was_refused):
            yield Found(entry, "The model refused.")


@rule(
    "broken-off",
    "error",
    "The answer broke off",
    "The stream ended, or the server reported an error, before the answer was whole.",
)
def find_broken(subject: Subject) -> Iterator[Found]:
    if subject.completion is not None and subject.completion.broken_off:
        place = subject.outputs[0] if subject.outputs else None
        yield Found(place, f"The answer broke off: {quote(subject.completion.broken_off, 120)}.")


@rule(
    "answer-empty",
    "warning",
    "Nothing was answered",
    "There is no text, call, refusal or sound.",
)
def find_empty(subject: Subject) -> Iterator[Found]:
    for entry in subject.outputs:
        is_filtered = (entry.choice and entry.choice.was_filtered) or any(_iter_filtered(entry))
        is_refused = entry.choice is not None and entry.choice.was_refused
        is_explained = _is_eaten(subject, entry) or is_filtered or is_refused
        if _is_empty(entry) and not is_explained:
            yield Found(entry, "Nothing was answered: no text, call, refusal or sound.")
    if subject.completion is not None and not subject.completion.choices:
        yield Found(None, "The completion has no choices, so nothing was answered.")


@rule(
    "white-space-runaway",
    "warning",
    "The answer ran into white space",
    "JSON mode without the word JSON in a message does that, up to the token limit.",
)
def find_runaway(subject: Subject) -> Iterator[Found]:
    is_json = subject.response_type in ("json_object", "json_schema")
    for entry in subject.outputs:
        texts = [(join_texts(entry.message), is_json)]
        for call in entry.calls:
            texts.append((getattr(call.call, "arguments", None) or "", True))
        longest = 0
        for text, holds_json in texts:
            for run in _WHITE_SPACE.finditer(text):
                if run.end() == len(text):
                    longest = max(longest, len(run[0]))
            # Within a string, and in the indentation of a line, white space is meant.
            for run in _WHITE_SPACE.finditer(STRINGS.sub('""', text) if holds_json else ""):
                if not _INDENTATION.fullmatch(run[0]):
                    longest = max(longest, len(run[0]))
        if longest:
            yield Found(
                entry,
                f"{longest:,} characters of white space in a row; the model ran on until it was "
                "stopped.",
            )


@rule(
    "markup-leak",
    "warning",
    "A tool call came as text",
    "The server did not recognize the markup of the call, so nothing was run.",
)
def find_leaked_calls(subject: Subject) -> Iterator[Found]:
    for entry in subject.outputs:
        found = _find_leaked(_CALL_MARKUP, entry, subject) or _find_bare_call(entry, subject)
        if found and not entry.calls:
            yield Found(entry, f"A tool call came as text ({quote(found)}), so nothing ran.")


@rule(
    "special-token",
    "warning",
    "A token of the chat template is in the answer",
    "The server's stop token is wrong, or the server does not remove it.",
)
def find_special_tokens(subject: Subject) -> Iterator[Found]:
    for entry in subject.outputs:
        found = _find_leaked(_TEMPLATE_TOKEN, entry, subject)
        if found:
            yield Found(entry, f"{quote(found)} is a token of the chat template.")


@rule(
    "think-leak",
    "remark",
    "Reasoning is inside the text of the answer",
    "The server has no parser for the reasoning of this model.",
)
def find_leaked_reasoning(subject: Subject) -> Iterator[Found]:
    for entry in subject.outputs:
        if split_reasoning(join_texts(entry.message)) is not None:
            yield Found(entry, "The text of the answer begins with its reasoning.")


@rule(
    "finish-mismatch",
    "warning",
    "The finish reason does not fit the answer",
    "Agents that wait for a call hang, and those that look at the reason alone drop the call.",
)
def find_mismatches(subject: Subject) -> Iterator[Found]:
    # After a call that the request demanded by name, OpenAI says `stop`.
    is_forced = any(subject.read_demand(one)[0] for one in ("tool_choice", "function_call"))
    for entry in subject.outputs:
        reason = entry.choice.finish_reason if entry.choice else None
        if reason in ("tool_calls", "function_call") and not entry.calls:
            yield Found(entry, f"The finish reason is `{reason}`, and there is no call.")
        elif reason == "stop" and entry.calls and not is_forced:
            yield Found(
                entry,
                "The finish reason is `stop`, and there are calls; agents that look at it alone "
                "drop them.",
                "remark",
            )


@rule(
    "finish-missing",
    "remark",
    "The server sent no finish reason",
    "The stream may have broken; strict clients refuse null.",
)
def find_missing_reasons(subject: Subject) -> Iterator[Found]:
    for entry in subject.outputs:
        if entry.choice is not None and entry.choice.finish_reason is None:
            yield Found(entry, "The server sent no finish reason; the stream may have broken.")


@rule(
    "json-word",
    "warning",
    "JSON mode is on, and no message says JSON",
    "OpenAI refuses such a request; other servers run into white space.",
)
def find_missing_word(subject: Subject) -> Iterator[Found]:
    if subject.response_type != "json_object" or not subject.is_whole or not subject.entries:
        return
    if not any("json" in entry.message.json.source.lower() for entry in subject.entries):
        yield Found(None, "`json_object` was requested, and no message has the word JSON.")


@rule(
    "output-not-json",
    "warning",
    "The answer is not the JSON that was requested",
    "Clients that parse it fail.",
)
def find_not_json(subject: Subject) -> Iterator[Found]:
    if subject.response_type not in ("json_object", "json_schema"):
        return
    for entry in subject.outputs:
        text = join_texts(entry.message).strip()
        # Beside calls, a text is no answer yet.
        if not text or len(text) > _MAX_JSON or entry.calls:
            continue
        try:
            value = parse(text)
        except NotJson as problem:
            yield Found(entry, f"`{subject.response_type}` was requested: {problem}.")
            continue
        if extension := find_extension(text):
            yield Found(entry, f"`{subject.response_type}` was requested: {extension}.")
        if subject.response_type == "json_object" and not isinstance(value, Object):
            yield Found(entry, f"`json_object` was requested, and the answer is {quote(text, 30)}.")


@rule(
    "output-schema",
    "warning",
    "The answer does not fit the schema of `response_format`",
    "Clients that validate refuse it.",
)
def find_misfits(subject: Subject) -> Iterator[Found]:
    expected = subject.response_schema
    if expected is None:
        return
    # The validator takes a fifth of a second to load; most completions need none.
    from webapp.analysis.checks.schemas import NotChecked, Schema, Steps

    for entry in subject.outputs:
        text = join_texts(entry.message).strip()
        if not text or len(text) > _MAX_JSON or entry.calls:
            continue
        try:
            fault = Schema(expected, Steps()).find_mismatch(parse(text))
        except NotJson:
            continue
        except NotChecked as problem:
            yield Found(
                entry, f"The schema of `response_format` was not applied: {problem}.", "remark"
            )
            continue
        if fault is not None:
            yield Found(entry, f"The answer does not fit `response_format`: {fault}.")


@rule(
    "usage-sum",
    "remark",
    "The token counts do not add up",
    "Some servers leave the reasoning or the cached tokens out of the total.",
)
def find_wrong_sums(subject: Subject) -> Iterator[Found]:
    usage = subject.completion.usage if subject.completion else None
    if usage is None or None in (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens):
        return
    total = (usage.prompt_tokens or 0) + (usage.completion_tokens or 0)
    if total != usage.total_tokens:
        yield Found(
            None,
            f"`total_tokens` is {usage.total_tokens:,}; prompt and completion add up to {total:,}.",
        )


def _find_leaked(markup: re.Pattern[str], entry: Entry, subject: Subject) -> str | None:
    """Return the first markup outside code in an answer, unless somebody else wrote it before.

    An answer about markup quotes it from the question or from the result of a tool.
    """
    text = _FENCED.sub("", join_texts(entry.message))
    bare = (match[0] for match in markup.finditer(text) if not _is_quoted(text, match))
    for found in dict.fromkeys(bare):
        # `<s>` and `</s>` are the HTML of struck-out text, too.
        if found == "</s>" and "<s>" in text:
            continue
        others = (one.message for one in subject.entries if one.message.role != "assistant")
        if not any(found in join_texts(message) for message in others):
            return found
    return None


def _is_quoted(text: str, found: re.Match[str]) -> bool:
    start, end = found.span()
    return start > 0 and end < len(text) and {text[start - 1], text[end]} <= _QUOTES


def _find_bare_call(entry: Entry, subject: Subject) -> str | None:
    """Return the name of an offered tool if the answer is nothing but its call, as Llama writes it.

    Gemma writes it as code of a language of its own.
    """
    text = join_texts(entry.message).strip()
    if len(text) > _MAX_JSON or not subject.tools:
        return None
    names = {tool.name for tool in subject.tools}
    if code := _TOOL_CODE.match(text):
        return next((name for name in _CALLED.findall(code[1]) if name in names), None)
    try:
        call = parse(text) if text[:1] == "{" else None
    except NotJson:
        return None
    if not isinstance(call, Object) or not _CALL_MEMBERS.issuperset(call.names()):
        return None
    takes = call.object("parameters") or call.object("arguments")
    name = call.text("name") or call.text("function")
    return name if takes is not None and name in names else None


def _iter_cut(subject: Subject) -> Iterator[Entry]:
    """Yield the answers that reached a limit of tokens."""
    for entry in subject.outputs:
        if entry.choice is not None and entry.choice.reached_limit:
            yield entry


def _iter_filtered(entry: Entry) -> Iterator[str]:
    """Yield the categories for which a content filter withheld the answer."""
    for report in entry.choice.reports if entry.choice else ():
        for result in report.results:
            yield from (finding.name for finding in result.found if finding.filtered)


def _is_empty(entry: Entry) -> bool:
    """Return whether an answer is empty, or has only reasoning."""
    for part in entry.message.parts:
        if isinstance(part, Audio):
            return False
        text = getattr(part, "text", None) or part.json.source
        if not isinstance(part, Reasoning) and text.strip():
            return False
    return not entry.message.calls


def _is_eaten(subject: Subject, entry: Entry) -> bool:
    """Return whether an answer stopped at the limit with only reasoning."""
    if entry.choice is None or not entry.choice.reached_limit or not _is_empty(entry):
        return False
    usage = subject.completion.usage if subject.completion else None
    thought = usage.detail("reasoning_tokens") if usage else None
    if thought and usage and usage.completion_tokens:
        return thought >= _MAX_SHARE * usage.completion_tokens
    return any(isinstance(part, Reasoning) for part in entry.message.parts)
