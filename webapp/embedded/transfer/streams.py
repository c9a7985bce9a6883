"""Join the pieces of a streamed answer that were saved one after the other.

They are server-sent events, lines of JSON, or an array, of any API that is read.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from webapp.embedded.documents.api_json import join_lines
from webapp.embedded.documents.other_apis import anthropic, bedrock, gemini, ollama
from webapp.embedded.recording.answers import DONE, parse_answer
from webapp.embedded.transfer.splitting import Document
from webapp.exact_json import NotJson, Object, Value, parse

_JOINS: Final[tuple[Callable[[Sequence[Value]], str | None], ...]] = (
    gemini.join_stream,
    anthropic.join_stream,
    bedrock.join_stream,
    ollama.join_stream,
)
_LINE_END: Final = re.compile("\r\n|\n|\r")
_FIELD: Final = re.compile(rb"[ \t]*(data|event|id|retry|):[ \t]?")
_DONE_LINE: Final = re.compile(rb"data:[ \t]*\[DONE\]")
_PIECE: Final = re.compile(
    rb'\{[^{}]{0,400}?"object"\s*:\s*"chat\.completion\.chunk"'
    rb'|\{\s*"type"\s*:\s*"(?:response\.|message_|content_block_)'
    rb'|\{\s*"(?:message(?:Start|Stop)|contentBlock(?:Start|Delta|Stop))"\s*:'
)
_CHOICES_FIRST: Final = re.compile(rb'\{\s*"choices"\s*:')
_CHUNK: Final = re.compile(rb'(?<!\\)"object"\s*:\s*"chat\.completion\.chunk"')
_FURTHER: Final = re.compile(
    rb'\{\s*"(?:type"\s*:\s*"(?:ping|error)"|error"\s*:|[A-Za-z]+Exception"\s*:'
    rb'|metadata"\s*:\s*\{\s*"(?:usage|metrics)"\s*:)'
)
"""Forms that are pieces only after others."""

_BEGINS: Final = re.compile(
    rb'\{\s*"(?:type"\s*:\s*"(?:message_start|response\.created)"|messageStart"\s*:)'
)
_ENDS: Final = re.compile(
    rb'\{\s*"type"\s*:\s*"(?:message_stop|response\.(?:completed|incomplete|failed))"'
)
_CREATED: Final = b'"created_at"'
_IS_DONE: Final = re.compile(rb'(?<!\\)"done"\s*:\s*(true|false)')
_EARLY_ID: Final = re.compile(rb'\{[^{}\[\]]*?(?<!\\)"id"\s*:\s*"([^"\\]*)"')
"""An id before all inner objects, which have ids of their own."""
_LAST_EVENT: Final = re.compile(r'\{\s*"type"\s*:\s*"response\.(?:completed|incomplete|failed)"')
_BEGINNING: Final = 500
_MAX_PIECE: Final = 64 * 1024
_MAX_WAITING: Final = 100
"""Lines without JSON that wait for the first piece of a stream."""


def join_streams(documents: Iterable[Document], max_bytes: int) -> Iterator[Document]:
    """Yield the documents, with the events or lines of a stream as one array.

    Lines that belong to no stream are yielded as they are.
    """
    run = _Run(max_bytes)
    for document in documents:
        text = document.text.strip()
        field = _FIELD.match(text)
        data = text[field.end() :].strip() if field and field[1] == b"data" else text
        is_json = data.startswith(b"{")
        is_further = run.has_pieces and _FURTHER.match(data) is not None
        is_piece = is_json and (data is not text or is_further or _is_piece(data))
        if document.problem or not (is_piece or field or not text):
            # It is not held beside the document while that is read.
            text = data = b""
            yield from run.end()
            yield document
            continue
        if is_piece and run.is_left_by(data):
            yield from run.end()
        run.add(document, data if is_piece else None)
        is_end = is_piece and (_ENDS.match(data) is not None or _find_done(data) == b"true")
        if is_end or data == DONE or run.waits_in_vain:
            yield from run.end()
    yield from run.end()


class _Run:
    """Lines that follow each other and may be those of one stream.

    Once they are, only the pieces are kept: a file can have millions of blank lines after one.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._begin()

    def _begin(self) -> None:
        self._documents: list[Document] = []
        self._is_stream = False
        self._joined = io.BytesIO()
        self._length = 0
        self._size = 0
        self._id: str | None = None

    @property
    def has_pieces(self) -> bool:
        return self._length > 0

    @property
    def waits_in_vain(self) -> bool:
        """Whether too much came without a piece of a stream, or only a blank line."""
        waits = len(self._documents)
        is_blank = waits == 1 and not self._documents[0].text.strip()
        return waits > _MAX_WAITING or (is_blank and not self.has_pieces)

    def add(self, document: Document, piece: bytes | None) -> None:
        """Add a line; `piece` is the JSON in it, None if it has none."""
        self._size += document.size
        if not self._is_stream:
            self._documents.append(document)
        if piece is None:
            return
        is_bare = self._documents[0].text.lstrip().startswith(b"{")
        self._is_stream = self.has_pieces or not is_bare
        self._id = _find_id(piece) or self._id
        self._length += len(piece) + 1
        if self._length > self._max_bytes:
            self._joined = io.BytesIO()
        else:
            self._joined.write(b",%b" % piece)

    def is_left_by(self, piece: bytes) -> bool:
        """Return whether `piece` is the first one of the next stream."""
        found = _find_id(piece)
        is_other = found is not None and self._id is not None and found != self._id
        return self.has_pieces and (_BEGINS.match(piece) is not None or is_other)

    def end(self) -> Iterator[Document]:
        """Yield the stream as one document, or its lines if it is none; begin again."""
        documents, joined, size = self._documents, self._joined, self._size
        is_stream, is_too_long = self._is_stream, self._length > self._max_bytes
        self._begin()
        if is_too_long:
            limit = self._max_bytes // (1024 * 1024)
            problem = f"it is one streamed answer of more than {limit} MB"
            yield replace(documents[0], size=size, text=b"", problem=problem)
        elif is_stream:
            joined.write(b"]")
            joined.seek(0)
            joined.write(b"[")
            yield replace(documents[0], size=size, text=joined.getvalue())
        else:
            yield from (
                replace(one, text=b"") if _DONE_LINE.fullmatch(one.text.strip()) else one
                for one in documents
            )


def _is_piece(line: bytes) -> bool:
    """Return whether a line of JSON looks like a piece of a stream."""
    if _PIECE.match(line) is not None or _find_done(line) is not None:
        return True
    is_short = len(line) <= _MAX_PIECE
    # Azure and llama.cpp write the names in the order of the alphabet.
    return is_short and bool(_CHOICES_FIRST.match(line)) and _CHUNK.search(line) is not None


def _find_done(line: bytes) -> bytes | None:
    """Find whether a line of Ollama's says that it is the last one; None if it is none."""
    if len(line) > _MAX_PIECE or _CREATED not in line[:_BEGINNING]:
        return None
    found = _IS_DONE.search(line)
    return found[1] if found else None


def _find_id(piece: bytes) -> str | None:
    """Find the id of the answer that a chunk is of; events have none, or those of items."""
    if b'"type"' in piece[:20]:
        return None
    if early := _EARLY_ID.match(piece[:_BEGINNING]):
        return early[1].decode(errors="replace")
    if len(piece) > _MAX_PIECE or b'"id"' not in piece:
        return None
    try:
        chunk = parse(piece.decode())
    except (NotJson, UnicodeDecodeError):
        return None
    return chunk.text("id") if isinstance(chunk, Object) else None


def assemble_stream(text: str) -> Value | None:
    """Assemble the chunks or events in `text` to an answer; return None if it is another text."""
    if not text.lstrip().startswith(("data:", "event:", "id:", "retry:", ":", "{")):
        return None
    lines = [line.removeprefix("data:").strip() for line in _LINE_END.split(text)]
    for line in reversed(lines):
        if _LAST_EVENT.match(line):
            try:
                event = parse(line)
            except NotJson:
                return None
            return event.object("response") if isinstance(event, Object) else None
    try:
        values = [parse(line) for line in lines if line.startswith("{")]
    except NotJson:
        values = []
    joined = _join_others(values) if len(values) > 1 else None
    return _parse_answer(text) if joined is None else parse(joined)


def join_pieces(values: Sequence[Value]) -> str | None:
    """Join the pieces of one streamed answer; return None if `values` are something else."""
    objects = [one for one in values if isinstance(one, Object)]
    if len(objects) < len(values) or not objects:
        return None
    if joined := _join_others(objects):
        return joined
    *_, last = objects
    if all((one.text("type") or "").startswith("response.") for one in objects):
        response = last.object("response")
        return None if response is None else response.source
    if not any(map(_is_chunk, objects)):
        return None
    if not all(_is_chunk(one) or one.get("choices") is None for one in objects):
        return None
    if len({one.text("id") for one in objects if one.text("id")}) > 1:
        return None
    answer = _parse_answer("\n".join(f"data: {join_lines(one.source)}" for one in objects))
    if answer is None or (isinstance(answer, Object) and answer.text("id")):
        return None if answer is None else answer.source
    return f'{answer.source[:-1]},"messages":[]}}'


def _join_others(values: Sequence[Value]) -> str | None:
    joined = (join(values) for join in _JOINS)
    return next((one for one in joined if one is not None), None)


def _is_chunk(value: Object) -> bool:
    if value.text("object") == "chat.completion.chunk":
        return True
    choices = value.items("choices")
    return bool(choices) and all(
        isinstance(one, Object) and one.object("delta") is not None for one in choices or ()
    )


def _parse_answer(text: str) -> Value | None:
    answer = parse_answer(text.encode("utf-8", "surrogatepass"))
    if answer.json is None or answer.problem is None:
        return answer.json
    given = {"reason": answer.problem} | ({"received": answer.received} if answer.received else {})
    return parse(f'{answer.json.source[:-1]},"incomplete":{json.dumps(given)}}}')
