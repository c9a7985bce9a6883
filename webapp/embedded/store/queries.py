"""The SQL of pages: each is one seek in an index, at any depth and in both directions.

Owns the statements and the cursor values a list starts with; runs nothing.

Every page continues after a cursor. The first page has one too, before everything there can
be, so that one statement serves all. Lists of completions are sorted by (created, seq): by
time, and by insertion where times are equal.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from sqlalchemy import TextClause, text

from webapp.embedded.store.pages import Order

_FARTHEST: Final = 2**63 - 1
_DIRECTION: Final = {"asc": ">", "desc": "<"}

START: Final = {"asc": -_FARTHEST, "desc": _FARTHEST}
"""By order, a value that comes before all others of a sort column."""

COMPLETION_CURSOR: Final = text("SELECT created, seq FROM completions WHERE id = :after")
MESSAGE_CURSOR: Final = text(
    "SELECT position FROM messages WHERE completion = :completion AND id = :after"
)


@cache
def completions_page(order: Order, *, by_model: bool, pairs: int) -> TextClause:
    """A page of completions (id, wire_json) with `pairs` metadata filters.

    Binds `created`, `seq`, `rows`; `model` if by model; `key0`, `value0` and so on for pairs.
    """
    return text(_page("c.id, c.wire_json", order, by_model, pairs))


@cache
def completion_keys(*, by_model: bool, pairs: int) -> TextClause:
    """A page, oldest first, of keys (id, created, seq) in place of completions.

    Binds what `completions_page` does.
    """
    return text(_page("c.id, c.created, c.seq", "asc", by_model, pairs))


@cache
def messages_page(order: Order) -> TextClause:
    """A page of one completion's messages (id, wire_json).

    Binds `completion` (its seq), `position` and `rows`.
    """
    return text(
        "SELECT id, wire_json FROM messages"
        f" WHERE completion = :completion AND position {_DIRECTION[order]} :position"
        f" ORDER BY position {order} LIMIT :rows"
    )


def _page(columns: str, order: Order, by_model: bool, pairs: int) -> str:
    if pairs:
        return _filtered_page(columns, order, by_model, pairs)
    model = "c.model = :model AND " if by_model else ""
    return (
        f"SELECT {columns} FROM completions AS c"
        f" WHERE {model}(c.created, c.seq) {_DIRECTION[order]} (:created, :seq)"
        f" ORDER BY c.created {order}, c.seq {order} LIMIT :rows"
    )


def _filtered_page(columns: str, order: Order, by_model: bool, pairs: int) -> str:
    """The first pair gives the rows in their order, the others and the model pass or refuse.

    The join is written CROSS, with its condition in WHERE, because SQLite never reorders it.
    """
    also = ["c.model = :model"] if by_model else []
    also += [
        "EXISTS (SELECT 1 FROM metadata AS other WHERE other.completion = m.completion"
        f" AND other.key = :key{at} AND other.value = :value{at})"
        for at in range(1, pairs)
    ]
    return (
        f"SELECT {columns} FROM metadata AS m CROSS JOIN completions AS c"
        " WHERE m.key = :key0 AND m.value = :value0"
        f" AND (m.created, m.completion) {_DIRECTION[order]} (:created, :seq)"
        f" AND c.seq = m.completion{''.join(f' AND {one}' for one in also)}"
        f" ORDER BY m.created {order}, m.completion {order} LIMIT :rows"
    )
