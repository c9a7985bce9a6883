"""Read conversations: their requests, and where the prompts of two of them part."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from itertools import zip_longest
from typing import Final

from sqlalchemy import Connection, TextClause, text

from webapp.conversations import Conversation, PromptDifference, StoredRequest
from webapp.database import Database
from webapp.embedded.documents.api_json import strip_whitespace
from webapp.embedded.documents.passages import Said
from webapp.embedded.documents.records import index_text, parse_stored, read_stored
from webapp.embedded.store.linking.clearing import count_cleared, has_same_frame
from webapp.embedded.store.queries import COMPLETION_SEQ, MESSAGES_GIVEN
from webapp.exact_json import Object

MAX_REQUESTS: Final = 1000
"""Of one conversation, the first ones; a page of more is of no use to anybody."""
_MAX_WORD: Final = 60
_MAX_CLEARED: Final = 1000
"""Messages whose results were cleared that are counted."""

_NUMBER: Final = text(
    "SELECT conversation FROM facts WHERE completion = (SELECT seq FROM completions WHERE id = :id)"
)
_TOTAL: Final = text("SELECT count(*) FROM facts WHERE conversation = :conversation")
# The depths do not count the messages of the system. Those that the parent had come before its end;
# any more are new, whichever they are.
_INHERITED: Final = (
    "(f.parent_depth + CASE WHEN f.messages - f.depth < q.messages - q.depth"
    " THEN f.messages - f.depth ELSE q.messages - q.depth END)"
)
_REQUESTS: Final = text(
    "SELECT c.id, f.created, c.model, f.messages, f.depth, f.total_tokens, f.prompt_tokens,"
    f" f.cached_tokens, f.duration_ms, p.id AS parent, {_INHERITED} AS inherited,"
    " substr(f.hashes, 8 * f.depth - 7, 8) AS digest, m.id AS after,"
    # The last eight bytes of the digests that it would have in common with its parent.
    " substr(f.hashes, 8 * q.depth - 7, 8) AS known, substr(q.hashes, 8 * q.depth - 7, 8) AS all_of"
    " FROM facts AS f JOIN completions AS c ON c.seq = f.completion"
    " LEFT JOIN completions AS p ON p.seq = f.parent"
    " LEFT JOIN facts AS q ON q.completion = f.parent"
    " LEFT JOIN messages AS m ON m.completion = f.completion"
    f" AND m.position = {_INHERITED} - 1"
    " WHERE f.conversation = :conversation ORDER BY f.created, f.completion LIMIT :rows"
)
_REASONS: Final = text(
    "SELECT c.id, t.tag FROM (SELECT completion, created FROM facts"
    " WHERE conversation = :conversation ORDER BY created, completion LIMIT :rows) AS f"
    " JOIN tags AS t ON t.completion = f.completion"
    " JOIN completions AS c ON c.seq = f.completion"
    " WHERE t.tag LIKE 'finish:%' ORDER BY f.created, f.completion, t.tag"
)
_LATEST: Final = text(
    "SELECT c.id FROM (SELECT conversation, min(completion) AS seq, max(created) AS latest"
    " FROM facts GROUP BY conversation HAVING count(*) >= :least"
    " ORDER BY latest DESC, conversation DESC LIMIT :rows) AS found"
    " JOIN completions AS c ON c.seq = found.seq ORDER BY latest DESC, conversation DESC"
)


def read_conversation(
    connection: Connection, completion_id: str, *, most: int
) -> Conversation | None:
    """Read the conversation of a completion, or None if there is no such completion.

    It has at most the first `most` requests.
    """
    number = connection.execute(_NUMBER, {"id": index_text(completion_id)}).scalar()
    return None if number is None else _read_requests(connection, number, most)


def read_continued(
    database: Database, completion_ids: Sequence[str], *, most: int
) -> dict[str, Conversation]:
    """Read the conversations of more than one request, by those of the ids that are in one.

    Nearly all completions are alone, which one query finds without a transaction.
    """
    ids = {index_text(one): one for one in completion_ids}
    query = _select_numbers(len(ids))
    binds = {f"id{at}": one for at, one in enumerate(ids)}
    if not ids or not database.read_rows(query, binds):
        return {}

    def read(connection: Connection) -> dict[str, Conversation]:
        rows = connection.execute(query, binds).all()
        return {ids[row.id]: _read_requests(connection, row.conversation, most) for row in rows}

    return database.read(read)


@cache
def _select_numbers(count: int) -> TextClause:
    """Build the query for the conversations of `count` ids, which it binds as `id0`, `id1` etc."""
    ids = ", ".join(f":id{at}" for at in range(count))
    return text(
        "SELECT c.id, f.conversation FROM completions AS c JOIN facts AS f ON f.completion = c.seq"
        f" WHERE c.id IN ({ids}) AND EXISTS (SELECT 1 FROM facts AS o"
        " WHERE o.conversation = f.conversation AND o.completion <> f.completion)"
    )


def _read_requests(connection: Connection, number: int, most: int) -> Conversation:
    binds = {"conversation": number, "rows": most}
    rows = connection.execute(_REQUESTS, binds).all()
    total = len(rows)
    if total == most:
        total = connection.execute(_TOTAL, binds).scalar_one()
    reasons: defaultdict[str, tuple[str, ...]] = defaultdict(tuple)
    for row in connection.execute(_REASONS, binds):
        reasons[row.id] += (row.tag.removeprefix("finish:"),)
    requests = (
        StoredRequest(
            id=row.id,
            created=row.created,
            messages=row.messages,
            depth=row.depth,
            inherited=row.inherited or 0,
            digest=int.from_bytes(row.digest or b"", "big", signed=True),
            model=row.model,
            reasons=reasons[row.id],
            total_tokens=row.total_tokens,
            prompt_tokens=row.prompt_tokens,
            cached_tokens=row.cached_tokens,
            duration_ms=row.duration_ms,
            parent=row.parent,
            after=row.after,
            repeats=row.known is not None and bytes(row.known) == bytes(row.all_of),
        )
        for row in rows
    )
    return Conversation(tuple(requests), total)


def list_conversations(connection: Connection, *, limit: int, least: int) -> list[str]:
    """List the id of a completion of each conversation of `least` requests, the latest first."""
    return list(connection.execute(_LATEST, {"rows": limit, "least": least}).scalars())


def find_prompt_difference(
    connection: Connection, earlier: str, later: str, *, beyond_system: bool
) -> PromptDifference | None:
    """Find where the messages of two completions part; None if one is not stored.

    If `beyond_system`, messages of the system at the same place count as the same.
    """
    ids = (index_text(earlier), index_text(later))
    seqs = [connection.execute(COMPLETION_SEQ, {"id": one}).scalar() for one in ids]
    if seqs[0] is None or seqs[1] is None:
        return None
    options = {"yield_per": 10}
    texts = [
        connection.execute(MESSAGES_GIVEN, {"completion": seq}, execution_options=options).scalars()
        for seq in seqs
    ]
    same = total = 0
    found: tuple[int, str, str | None] | None = None
    cleared: list[tuple[Said, Said]] = []
    may_be_cleared = True
    for at, (before, after) in enumerate(zip_longest(*texts)):
        total += len(after or "")
        if before is None or not may_be_cleared:
            continue
        if before == after or _drop_id(before) == _drop_id(after):
            # The earlier one can be longer, by an id or white space.
            same += len(after or "") if found is None else 0
            continue
        old, new = read_stored(before), read_stored(after or "")
        if beyond_system and old.is_system and new.is_system:
            continue
        found = found or (at, before, after)
        may_be_cleared = len(cleared) < _MAX_CLEARED and has_same_frame(old, new)
        cleared += [(old, new)] if may_be_cleared else []
    share = same / total if total else 1.0
    if found is None:
        return PromptDifference(share)
    count = count_cleared([old for old, _ in cleared], [new for _, new in cleared])
    return replace(_describe(*found, same=same, total=total), cleared=count or 0)


def _drop_id(given: str | None) -> str | None:
    """Drop the id and the white space of a message, to compare it with another's."""
    value = None if given is None else parse_stored(given)
    if not isinstance(value, Object):
        return given
    members = (
        f"{member.name.source}:{strip_whitespace(member.value.source)}"
        for member in value.members
        if member.name.text != "id"
    )
    return ",".join(members)


def _describe(
    at: int, before: str, after: str | None, *, same: int, total: int
) -> PromptDifference:
    old = read_stored(before)
    new = Said() if after is None else read_stored(after)
    a, b = "\n".join(old.words), "\n".join(new.words)
    role = new.role if after is not None else old.role
    former_role = old.role if old.role != role else ""
    if after is None or a == b:
        return PromptDifference(same / total if total else 1.0, at, role, former_role)
    start = next(
        (place for place, (x, y) in enumerate(zip(a, b, strict=False)) if x != y),
        min(len(a), len(b)),
    )
    share = min(1.0, (same + start) / total) if total else 1.0
    further = _cut_words(b, start)
    return PromptDifference(
        share,
        at,
        role,
        former_role,
        start + 1,
        before=_take_word(_cut_words(a, start)),
        after=_take_word(further),
        further=further,
    )


def _cut_words(words: str, at: int) -> str:
    """Cut out the word around a place and those after it, or the beginning of the text after it."""
    start = max(words.rfind(blank, 0, at) for blank in " \n\t") + 1
    start = max(start, at - _MAX_WORD // 2)
    return words[start : start + _MAX_WORD].strip()


def _take_word(words: str) -> str:
    return words.split(maxsplit=1)[0] if words else ""
