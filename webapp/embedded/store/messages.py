"""Read pages of the input messages of a completion, and keep those that were read last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from operator import attrgetter
from sys import getsizeof
from typing import Any, Final

from sqlalchemy import Connection, TextClause, text

from webapp.database import Database
from webapp.embedded.documents.api_json import Extended, extend_given_message
from webapp.embedded.documents.records import index_text
from webapp.embedded.store.pages import JsonPage, PageRequest, UnknownCursor, build_page
from webapp.embedded.store.queries import (
    COMPLETION_SEQ,
    MESSAGE_CURSOR,
    MESSAGE_GIVEN,
    MESSAGE_TEXT,
    select_messages,
)
from webapp.recent import RecentValues

_STATE: Final = text("SELECT seq, digest FROM completions WHERE id = :id")
"""The digest is that of its messages too: in SQLite, `seq` may be that of one deleted since."""

_MAX_BYTES: Final = 8 * 1024 * 1024
_OVERHEAD: Final = 1_000
"""Bytes of a kept page besides its texts and ids."""

read_wire_json: Final = attrgetter("wire_json")


class RecentPages:
    """The pages of messages that clients of the API read last, from one database."""

    def __init__(self) -> None:
        self._kept = RecentValues[tuple[str, PageRequest], tuple[Any, JsonPage]](_MAX_BYTES)

    def read(self, database: Database, completion_id: str, page: PageRequest) -> JsonPage | None:
        """Return a page in the API's form as `read_messages`, unless it is kept and still true."""
        # Before the messages: those of a completion that replaces it now are read again next time.
        state = next(iter(database.look_up(_STATE, {"id": index_text(completion_id)})), None)
        kept = self._kept.get((completion_id, page))
        if kept is not None and kept[0] == state:
            return kept[1]
        read = read_messages(database, completion_id, page)
        if state is not None and read is not None and not read.is_large:
            size = _OVERHEAD + sum(map(getsizeof, (*read.ids, *read.data)))
            self._kept.keep((completion_id, page), (state, read), size)
        return read


def read_messages(
    database: Database, completion_id: str, page: PageRequest, *, as_given: bool = False
) -> JsonPage | None:
    """Read a page of a completion's input messages; None if there is no completion.

    Raise `UnknownCursor` if `page.after` is not the id of one of its messages.
    """
    statement = select_messages(page.order, continues=page.after is not None, as_given=as_given)
    binds: dict[str, object] = {
        "id": index_text(completion_id),
        "after": index_text(page.after or ""),
        "rows": page.limit + 1,
    }
    rows: Sequence[Any] | None = database.read_rows(statement, binds)
    if not rows:
        rows = database.read(partial(_explain_no_rows, statement, binds, page))
    if rows is None:
        return None
    binds = {"completion": rows[0].completion if rows else None}
    read = partial(read_row, database, MESSAGE_GIVEN if as_given else MESSAGE_TEXT, binds)
    return build_page(rows, page, read, write=_write_given if as_given else read_wire_json)


def _explain_no_rows(
    statement: TextClause, binds: Mapping[str, object], page: PageRequest, connection: Connection
) -> Sequence[Any] | None:
    """Return None if there is no completion. Raise `UnknownCursor` if it has no such message."""
    seq = connection.execute(COMPLETION_SEQ, binds).scalar()
    if seq is None:
        return None
    place = connection.execute(MESSAGE_CURSOR, {**binds, "completion": seq}).scalar()
    if page.after is not None and place is None:
        raise UnknownCursor(page.after)
    # The completion may have been stored since.
    return connection.execute(statement, binds).all()


def read_row(
    database: Database, statement: TextClause, binds: Mapping[str, object], position: int
) -> Any:
    """Read one row, with its large text; None if it was deleted."""
    place = {**binds, "position": position}
    return database.read(lambda connection: connection.execute(statement, place).one_or_none())


def _write_given(row: Any) -> str | Extended | None:
    return None if row.given_json is None else extend_given_message(row.given_json, row.id)
