"""Write a transcript as one HTML file that opens offline, without script, with its media.

The file has a policy that lets it load nothing, so it can be opened safely wherever it came from.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from threading import BoundedSemaphore
from typing import Final, assert_never

from jinja2 import Environment

from webapp import exact_json
from webapp.exact_json import NotJson
from webapp.exports.exact import hash_json
from webapp.exports.transcript import Item, Transcript, iter_items, read_question
from webapp.formatting import replace_surrogates, size
from webapp.media import (
    InlineMedia,
    NotMedia,
    describe_format,
    extract_media,
    find_images,
    sanitize_file_name,
)
from webapp.messages import (
    Annotation,
    Audio,
    File,
    Image,
    InputAudio,
    Message,
    Part,
    Reasoning,
    RedactedReasoning,
    Refusal,
    Text,
    Thought,
    ToolCall,
    Unknown,
    UrlCitation,
    find_repeated,
    split_reasoning,
)
from webapp.notes import Note
from webapp.rendering import TextView, fold_reasoning, render_exact, render_markdown

_MAX_PARSED = 1_000_000
WRITTEN_AT_ONCE: Final = 1
"""Blocks that all threads write at once. It only computes: with more of them, pages would get a
smaller share of the interpreter, and no file would be ready sooner."""

_writing: Final = BoundedSemaphore(WRITTEN_AT_ONCE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A piece of a message as the file shows it; `label` is the line above it.

    `html` is a rendered text, `address` a `data:` URI with the file name `name`. `called` marks
    the arguments of a call and the results, which their author did not write as text.
    """

    kind: str
    label: str = ""
    code: str = ""
    html: str | None = None
    note: str | None = None
    address: str = ""
    name: str = ""
    called: bool = False
    sources: tuple[tuple[str | None, str, bool], ...] = ()


def iter_html(transcript: Transcript, env: Environment, sheet: str) -> Iterator[str]:
    """Yield the file in pieces; `env` has our templates, `sheet` is the style sheet.

    A whole transcript ends with the SHA-256 of its exact JSON, as `iter_json` writes it.
    """
    question, transcript = read_question(transcript)
    style = f"\n{sheet}\n"
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    start = env.get_template("exports/start.html")
    message = env.get_template("exports/message.html")
    yield start.render(transcript=transcript, question=question, digest=digest)
    yield f"<style>{style}</style>\n"
    yield env.get_template("exports/head.html").render(
        transcript=transcript, completion=transcript.completion, question=question
    )
    yield from _iter_notes(transcript.list_notes(), env)
    hashed = hashlib.sha256()
    if transcript.span.is_whole:
        transcript = replace(transcript, messages=hash_json(transcript, hashed))
    several = len(transcript.completion.choices) > 1
    for item in iter_items(transcript):
        blocks = _take_turns(_iter_blocks(item, transcript.completion.audio_format))
        # A piece at a time: the media of one message may have tens of megabytes.
        pieces = message.generate(item=item, blocks=blocks, several=several)
        yield from map(replace_surrogates, pieces)
        yield from _iter_notes(transcript.list_notes(item), env)
    whole = hashed.hexdigest() if transcript.span.is_whole else None
    yield env.get_template("exports/end.html").render(transcript=transcript, digest=whole)


def _iter_notes(notes: Sequence[Note], env: Environment) -> Iterator[str]:
    template = env.get_template("exports/note.html")
    yield from (template.render(note=note) for note in notes)


def _take_turns(blocks: Iterator[Block]) -> Iterator[Block]:
    while True:
        with _writing:
            block = next(blocks, None)
        if block is None:
            return
        yield block


def _iter_blocks(item: Item, spoken_as: str | None) -> Iterator[Block]:
    message = item.message
    anchor = f"m-{item.number}" if item.number is not None else f"answer-{item.place or 0}"
    own: Sequence[Part] = message.parts
    if item.results:
        theirs = {id(part) for result, _ in item.results for part in result.parts}
        own = [part for part in own if id(part) not in theirs]
    yield from _iter_parts(own, message, spoken_as, anchor)
    for result, called in item.results:
        if called is not None:
            yield Block(kind="result", label=f"Result of call {called.number}", code=called.name)
        else:
            yield Block(kind="result", label="Result", code=result.tool_call_id or "")
        for part in result.parts:
            if isinstance(part, Text):
                yield Block(kind="data", html=_write_data(part.text), called=True)
                yield from map(_embed, find_images(part.text))
            else:
                yield from _iter_other(part, spoken_as)
    for position, call in enumerate(message.calls, start=1):
        label = f"Call {item.number_call(position)}"
        if isinstance(call, ToolCall):
            arguments = "" if call.arguments is None else call.arguments
            yield Block(kind="call", label=label, code=call.name or "", html=_write_data(arguments))
        else:
            source = exact_json.indent(call.json)
            yield Block(kind="call", label=label, code=call.label, html=render_exact(source))
    if message.annotations:
        sources = tuple(map(_describe_source, message.annotations))
        yield Block(kind="sources", label="Sources", sources=sources)
    for member in message.also_sent:
        source = exact_json.indent(member.value)
        yield Block(kind="data", code=member.name.text, html=render_exact(source))


def _iter_parts(
    parts: Sequence[Part], message: Message, spoken_as: str | None, anchor: str
) -> Iterator[Block]:
    annotations = message.annotations if message.text_count == 1 else ()
    for at, part in enumerate(parts):
        match part:
            case Text(text=text):
                is_answer = message.is_of_model
                yield _write_text(
                    text,
                    f"{anchor}-{at}",
                    annotations=annotations,
                    is_answer=is_answer,
                    repeated=find_repeated(parts) if is_answer else None,
                )
                yield from map(_embed, find_images(text))
            case Refusal(text=text):
                yield replace(_write_text(text, f"{anchor}-{at}"), label="Refusal")
            case Reasoning(text=text):
                block = _write_text(text, f"{anchor}-{at}")
                yield replace(block, kind="reasoning", label="Reasoning")
            case RedactedReasoning():
                yield Block(kind="note", label="Reasoning, encrypted by the provider.")
            case Image() | InputAudio() | Audio() | File() | Unknown():
                yield from _iter_other(part, spoken_as)
            case _:
                assert_never(part)


def _iter_other(part: Part, spoken_as: str | None) -> Iterator[Block]:
    """Yield a picture, a sound or a file, or the JSON of anything else."""
    match part:
        case Image() | InputAudio() | Audio() | File():
            yield from _iter_media(part, spoken_as)
        case Unknown():
            yield _write_source(part, part.label)
        case Text() | Refusal() | Reasoning() | RedactedReasoning():
            yield _write_source(part, part.kind)
        case _:
            assert_never(part)


def _write_source(part: Part, label: str) -> Block:
    return Block(kind="data", code=label, html=render_exact(exact_json.indent(part.json)))


def _iter_media(part: Image | InputAudio | Audio | File, spoken_as: str | None) -> Iterator[Block]:
    media = extract_media(part, spoken_as)
    if media is not None:
        name = part.filename if isinstance(part, File) else None
        yield _embed(media, name)
    elif isinstance(part, Image | InputAudio | File) and part.url:
        noun = {"image": "Image", "file": "File"}.get(part.kind, "Sound")
        yield Block(kind="note", label=f"{noun} elsewhere, not in this file:", code=part.url)
    else:
        named = part.file_id if isinstance(part, File) else getattr(part, "id", None)
        yield Block(kind="note", label=f"{part.kind} without its data", code=named or "")
    if isinstance(part, Audio) and part.transcript:
        yield replace(_write_text(part.transcript, ""), label="Transcript")


def _embed(media: InlineMedia, name: str | None = None) -> Block:
    """Embed media as a `data:` URI of the type that its bytes are, never the declared one."""
    try:
        data = media.decode()
    except NotMedia as problem:
        return Block(kind="note", label=f"Media that cannot be read. {problem}")
    found = media.format
    extension = (found if media.is_headerless else media.sniffed).extension
    label = f"{describe_format(media)}, {size(len(data))}"
    return Block(
        kind=found.shown_as,
        label=label,
        code=name or "",
        address=f"data:{found.mimetype};base64,{base64.b64encode(data).decode()}",
        name=sanitize_file_name(name or "", otherwise=f"{media.digest[:8]}.{extension}"),
    )


def _write_text(
    text: str,
    anchor: str,
    *,
    annotations: Sequence[Annotation] = (),
    is_answer: bool = False,
    repeated: Thought | None = None,
) -> Block:
    """Write a text; in an answer, reasoning between tags is folded unless it is `repeated`."""

    def render(text: str, annotations: Sequence[Annotation] = ()) -> TextView:
        return render_markdown(text, annotations=annotations, anchor=anchor)

    thought = split_reasoning(text) if is_answer else None
    if thought:
        view = fold_reasoning(
            thought, render, text=text, annotations=annotations, is_shown=thought == repeated
        )
    else:
        view = render(text, annotations)
    return Block(kind="text", html=view.html, note=view.note)


def _write_data(text: str) -> str:
    """Write the text of arguments or of a result; JSON is indented, every lexeme as written."""
    if text.lstrip()[:1] in ("{", "[") and len(text) <= _MAX_PARSED:
        try:
            return render_exact(exact_json.indent(exact_json.parse(text)))
        except NotJson:
            pass
    return render_exact(text)


def _describe_source(annotation: Annotation) -> tuple[str | None, str, bool]:
    """Describe a source by title, address, and whether the address can be a link."""
    if not isinstance(annotation, UrlCitation):
        return None, annotation.json.source, False
    is_link = annotation.url.startswith(("https://", "http://"))
    return annotation.title, annotation.url or annotation.content, is_link
