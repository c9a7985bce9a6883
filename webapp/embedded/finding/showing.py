"""Show a completion that a search found: its question, and the words around each match."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, text

from webapp.completions import Completion
from webapp.embedded.documents.facts import METADATA_POSITION, read_answer
from webapp.embedded.documents.passages import Said, Scope
from webapp.embedded.documents.records import parse_stored, read_stored
from webapp.finding import Cursor, FoldedText, Found, Hit, cut_after, cut_before

_QUESTION: Final = 200

_COMPLETION: Final = text(
    "SELECT c.id, c.model, f.messages, f.total_tokens FROM completions AS c"
    " LEFT JOIN facts AS f ON f.completion = c.seq WHERE c.seq = :seq"
)
_FIRST: Final = text(
    "SELECT given_json FROM messages WHERE completion = :seq AND position < 4 AND is_large = 0"
    " ORDER BY position"
)
_MESSAGE: Final = text(
    "SELECT id, given_json FROM messages WHERE completion = :seq AND position = :position"
)
_ANSWERS: Final = text("SELECT wire_json FROM completions WHERE seq = :seq")
_METADATA: Final = text("SELECT key, value FROM metadata WHERE completion = :seq ORDER BY key")


def show_found(
    connection: Connection,
    key: Cursor,
    hits: Sequence[tuple[int, str]],
    terms: Sequence[str],
    *,
    count: int,
) -> Found:
    """Show a completion with `hits`, the positions and scopes of passages with the `terms`.

    `count` is the number of all of them.
    """
    row = connection.execute(_COMPLETION, {"seq": key.seq}).one()
    shown = (_show_hit(connection, key.seq, row.messages or 0, *hit, terms) for hit in hits)
    return Found(
        id=row.id,
        created=key.created,
        model=row.model,
        question=_read_question(connection, key.seq),
        messages=row.messages or 0,
        total_tokens=row.total_tokens,
        hits=tuple(hit for hit in shown if hit is not None),
        count=count,
    )


def _read_question(connection: Connection, seq: int) -> str:
    """Read the beginning of the user's question, or else of the first message."""
    said = [read_stored(source) for source in connection.execute(_FIRST, {"seq": seq}).scalars()]
    users = [one for one in said if one.role == "user"]
    words = next((" ".join(one.words) for one in (*users, *said) if any(one.words)), "")
    return words[:_QUESTION]


def _show_hit(
    connection: Connection,
    seq: int,
    messages: int,
    position: int,
    scope: str,
    terms: Sequence[str],
) -> Hit | None:
    """Cut out the words around the first match in a passage; None if it was deleted meanwhile."""
    if position == METADATA_POSITION:
        rows = connection.execute(_METADATA, {"seq": seq}).all()
        parts = [f"{row.key}: {row.value}" for row in rows]
        return _cut(scope, "", None, None, parts, terms)
    message_id = None
    if position < messages:
        row = connection.execute(_MESSAGE, {"seq": seq, "position": position}).one_or_none()
        if row is None:
            return None
        message_id, said = row.id, read_stored(row.given_json)
    else:
        completion = parse_stored(connection.execute(_ANSWERS, {"seq": seq}).scalar_one())
        choices = () if completion is None else Completion.from_json(completion).choices
        place = position - messages
        said = read_answer(choices[place]) if place < len(choices) else Said()
    parts = [*dict(said.iter_parts()).get(Scope(scope), ())]
    role = said.role or "assistant"
    return _cut(scope, role, position if message_id else None, message_id, parts, terms)


def _cut(
    scope: str,
    role: str,
    position: int | None,
    message_id: str | None,
    parts: Sequence[str],
    terms: Sequence[str],
) -> Hit | None:
    for part in parts:
        span = next(FoldedText(part).iter_spans(terms[0]), None)
        if span is not None:
            start, end = span
            return Hit(
                scope=scope,
                role=role,
                position=position,
                message_id=message_id,
                before=cut_before(part, start),
                match=part[start:end],
                after=cut_after(part, end),
            )
    return None
