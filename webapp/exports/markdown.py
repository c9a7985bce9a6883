"""Write a transcript as Markdown, each text so that it is read as it was alone.

The texts of people and models are Markdown already and are copied, unless they would change how
the rest is read: an open code block, a definition of a link, raw HTML. Those, and all that is
no Markdown, are in code blocks with fences longer than any inside.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final, assert_never

from webapp import exact_json
from webapp.exact_json import NotJson
from webapp.exports.transcript import Called, Item, Transcript, iter_items
from webapp.formatting import LONE_SURROGATES, moment, size
from webapp.media import InlineMedia, describe_format, extract_media
from webapp.messages import (
    Annotation,
    Audio,
    File,
    Image,
    InputAudio,
    Message,
    Part,
    Quotation,
    Reasoning,
    RedactedReasoning,
    Refusal,
    Text,
    ToolCall,
    Unknown,
    UrlCitation,
)
from webapp.notes import Note
from webapp.rendering import describe_blank, stands_alone

_TICKS: Final = re.compile("`+")
_SPECIAL: Final = re.compile(r"([\\`*_{}\[\]<>()#+\-.!|~&$^:=\"'@])")
_LINK: Final = re.compile(r"https?://[^\s<>\x00-\x20\\]{1,2000}")
_SPACES: Final = re.compile(r"\s+")
_MAX_PARSED: Final = 1_000_000


def iter_markdown(transcript: Transcript) -> Iterator[str]:
    """Yield the transcript in pieces: a head if it is whole, then one message after another."""
    completion = transcript.completion
    if transcript.span.is_whole:
        yield from _iter_head(transcript)
    several = len(completion.choices) > 1
    for item in iter_items(transcript):
        yield f"## {_write_title(item, several=several)}\n\n"
        for block in _iter_blocks(item, completion.audio_format):
            yield LONE_SURROGATES.sub("\ufffd", block).rstrip("\r\n") + "\n\n"
        yield from map(_write_note, transcript.list_notes(item))
    if transcript.broken_off:
        reason = LONE_SURROGATES.sub("\ufffd", escape(transcript.broken_off))
        yield f"**The answer is not complete.** {reason}\n\n"


def _iter_head(transcript: Transcript) -> Iterator[str]:
    completion = transcript.completion
    yield f"# Completion {code(transcript.id)}\n\n"
    facts = []
    if completion.model:
        facts.append(f"Model: {code(completion.model)}")
    if completion.created is not None:
        facts.append(f"Created: {moment(completion.created)}")
    for reason in completion.finish_reasons:
        facts.append(f"Finish reason: {code(reason)}")
    usage = completion.usage
    if usage and usage.prompt_tokens is not None and usage.completion_tokens is not None:
        facts.append(f"Tokens: {usage.prompt_tokens:,} in, {usage.completion_tokens:,} out")
    for member in completion.metadata:
        value = exact_json.indent(member.value)
        value = member.value.text if isinstance(member.value, exact_json.String) else value
        facts.append(f"Metadata: {code(member.name.text)} = {code(value)}")
    if transcript.is_redacted:
        facts.append("Secrets and personal data are masked.")
    yield "".join(f"- {LONE_SURROGATES.sub(chr(0xFFFD), fact)}\n" for fact in facts)
    yield "\n" if facts else ""
    yield from map(_write_note, transcript.list_notes())


def _write_note(note: Note) -> str:
    """Write a note as a quotation, which none of its lines can end."""
    head = f"**Note on {note.place} by {escape(note.name)}, {moment(note.created)}**"
    lines = (f"> {escape(line)}" for line in note.text.split("\n"))
    return LONE_SURROGATES.sub("\ufffd", "\n".join((f"> {head}", ">", *lines))) + "\n\n"


def _write_title(item: Item, *, several: bool) -> str:
    """Write the heading of a message: `3. assistant`, `4. tool: result of 3.1 shell`."""
    message = item.message
    if item.choice is not None:
        reason = item.choice.finish_reason
        title = f"Answer {(item.place or 0) + 1}" if several else "Answer"
        return title + (f" ({code(reason)})" if reason not in (None, "", "stop") else "")
    number = "" if item.number is None else f"{item.number}. "
    title = f"{number}{escape(message.role or 'no role')}"
    if message.name:
        title += f" {code(message.name)}"
    if len(item.results) == 1:
        title += _describe_call(item.results[0][0], item.results[0][1])
    return title


def _describe_call(result: Message, called: Called | None) -> str:
    if called is not None:
        return f": result of call {called.number} {code(called.name)}"
    return f": result of {code(result.tool_call_id)}" if result.tool_call_id else ": result"


def _iter_blocks(item: Item, spoken_as: str | None) -> Iterator[str]:
    """Yield the blocks of a message: its parts, its calls, its sources, and all else as JSON."""
    message = item.message
    theirs = {id(part) for result, _ in item.results for part in result.parts}
    own = [part for part in message.parts if id(part) not in theirs]
    if len(item.results) > 1 or (item.results and own):
        yield from _iter_parts(own, spoken_as)
        for result, called in item.results:
            yield f"### Result{_describe_call(result, called).removeprefix(': result')}"
            yield from _iter_parts(result.parts, spoken_as, is_result=True)
    else:
        is_result = message.is_tool_result or bool(item.results)
        yield from _iter_parts(message.parts, spoken_as, is_result=is_result)
    for position, call in enumerate(message.calls, start=1):
        heading = f"### Call {item.number_call(position)}:"
        if isinstance(call, ToolCall):
            own_id = f" ({code(call.id)})" if call.id else ""
            yield f"{heading} {code(call.name or 'no name')}{own_id}"
            if call.arguments is not None:
                yield fence_result(call.arguments)
        else:
            yield f"{heading} {code(call.label)}"
            yield fence(exact_json.indent(call.json), "json")
    if message.annotations:
        yield "Sources:"
        yield "\n".join(
            f"{at}. {_write_source(one)}" for at, one in enumerate(message.annotations, start=1)
        )
    for member in message.also_sent:
        yield f"{code(member.name.text)}:"
        yield fence(exact_json.indent(member.value), "json")
    if message.is_empty:
        yield "*No content: the message is empty.*"


def _iter_parts(
    parts: Sequence[Part], spoken_as: str | None, *, is_result: bool = False
) -> Iterator[str]:
    for part in parts:
        match part:
            case Text(text=text) if blank := describe_blank(text):
                yield f"*{blank}*"
            case Text(text=text):
                yield fence_result(text) if is_result else isolate(text)
                if part.quotations:
                    yield "Cited:"
                    listed = enumerate(map(_write_quotation, part.quotations), start=1)
                    yield "\n".join(f"{at}. {written}" for at, written in listed)
            case Refusal(text=text):
                yield "*Refusal:*"
                yield isolate(text)
            case Reasoning(text=text):
                yield "*Reasoning:*"
                yield isolate(text)
            case RedactedReasoning():
                yield "*Reasoning, encrypted by the provider.*"
            case Image() | InputAudio() | Audio() | File():
                yield _describe_media(part, extract_media(part, spoken_as))
                if isinstance(part, Audio) and part.transcript:
                    yield isolate(part.transcript)
            case Unknown():
                yield f"{code(part.label)}:"
                yield fence(exact_json.indent(part.json), "json")
            case _:
                assert_never(part)


def isolate(text: str) -> str:
    """Put a Markdown text in a code block, unless it stands alone."""
    return text if stands_alone(text) else fence(text, "markdown")


def fence_result(text: str) -> str:
    """Put a text that is not Markdown in a code block, marked as JSON if it is that."""
    is_json = False
    if text.lstrip()[:1] in ("{", "[") and len(text) <= _MAX_PARSED:
        try:
            exact_json.parse(text)
            is_json = True
        except NotJson:
            pass
    return fence(text, "json" if is_json else "")


def fence(text: str, language: str) -> str:
    """Put `text` in a code block whose fence is longer than any inside."""
    longest = max((len(ticks) for ticks in _TICKS.findall(text)), default=0)
    ticks = "`" * max(3, longest + 1)
    return f"{ticks}{language}\n{text}\n{ticks}"


def code(text: str) -> str:
    """Write words as code within a line."""
    line = _SPACES.sub(" ", text)
    longest = max((len(ticks) for ticks in _TICKS.findall(line)), default=0)
    ticks = "`" * (longest + 1)
    # A space at both ends is dropped by the reader; it keeps a backtick from the fence.
    space = " " if line[:1] in ("`", " ") or line[-1:] in ("`", " ") or not line else ""
    return f"{ticks}{space}{line}{space}{ticks}" if line.strip() else "(blank)"


def escape(text: str) -> str:
    """Escape words for one line, so that nothing in them has a meaning in Markdown."""
    return _SPECIAL.sub(r"\\\1", _SPACES.sub(" ", text))


def _describe_media(part: Image | InputAudio | Audio | File, media: InlineMedia | None) -> str:
    """Describe a picture, sound or file by kind and name; its bytes are in the JSON."""
    kind = {"image": "Image", "file": "File"}.get(part.kind, "Audio")
    facts = []
    if isinstance(part, File):
        facts += [code(name) for name in (part.filename, part.file_id) if name]
    if media is None and isinstance(part, Image | InputAudio | File) and (url := part.url):
        facts.append(f"<{url}>" if _LINK.fullmatch(url) else code(url))
    elif isinstance(part, Audio) and part.id:
        facts.append(code(part.id))
    if media is not None:
        facts.append(escape(describe_format(media)))
        if media.image_size:
            facts.append("{} × {} pixels".format(*media.image_size))
        if media.problem is None:
            facts.append(size(media.size))
    return f"*{kind}:* {', '.join(facts) or 'no data'}"


def _write_quotation(quotation: Quotation) -> str:
    """Write the source, the place in it, and the words quoted from it, on one line."""
    url = quotation.url
    address = f"<{url}>" if _LINK.fullmatch(url) else code(url) if url else ""
    facts = [escape(quotation.title or ""), address, quotation.place]
    if quotation.quote:
        facts.append(f"“{escape(' '.join(quotation.quote.split()))}”")
    return ", ".join(filter(None, facts))


def _write_source(annotation: Annotation) -> str:
    if not isinstance(annotation, UrlCitation):
        return code(annotation.json.source)
    url = annotation.url
    if not url:
        facts = (annotation.title or "untitled", " ".join(annotation.content.split()))
        return ": ".join(escape(fact) for fact in facts if fact)
    address = f"<{url}>" if _LINK.fullmatch(url) else code(url)
    return f"{escape(annotation.title)}: {address}" if annotation.title else address
