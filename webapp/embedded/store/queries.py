"""Build the SQL of pages: each is one seek in an index, at any depth and in both directions.

Every page continues after a cursor. The first page has one too, before all possible rows, so
that one statement serves all pages. Lists of completions are sorted by (created, seq): by time,
and by insertion if times are equal.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Final

from sqlalchemy import TextClause, text

from webapp.embedded.documents.records import index_text
from webapp.embedded.store.pages import Order

_FARTHEST: Final = 2**63 - 1
_DIRECTION: Final = {"asc": ">", "desc": "<"}

START: Final = {"asc": -_FARTHEST, "desc": _FARTHEST}
"""By order, a value that sorts before all others."""

COMPLETION_GIVEN: Final = text(
    "SELECT id, wire_json, given_json FROM completions WHERE seq = :position"
)
MESSAGE_GIVEN: Final = text(
    "SELECT id, given_json FROM messages WHERE completion = :completion AND position = :position"
)
COMPLETION_TEXT: Final = text("SELECT wire_json FROM completions WHERE seq = :position")
MESSAGE_TEXT: Final = text(
    "SELECT wire_json FROM messages WHERE completion = :completion AND position = :position"
)
COMPLETION_CURSOR: Final = text("SELECT created, seq FROM completions WHERE id = :after")
MESSAGE_CURSOR: Final = text(
    "SELECT position FROM messages WHERE completion = :completion AND id = :after"
)


@cache
def select_completions(
    order: Order, *, by_model: bool, pairs: int, folds: bool = False
) -> TextClause:
    """Return the query for a page of completions with `pairs` metadata filters.

    If it `folds`, it leaves out those that a later one of their conversation follows, if that
    passes the filters too.

    Its columns are id, position (the completion's seq) and wire_json, NULL if that is large. It
    binds `created`, `seq`, `rows` and the names that `bind_filters` returns.
    """
    return text(
        _select_page(
            f"c.id, c.seq AS position, {_select_small('c.')}",
            order,
            by_model,
            pairs,
            where=_is_last(by_model, pairs) if folds else "",
        )
    )


@cache
def select_completion_keys(*, by_model: bool, pairs: int) -> TextClause:
    """Return the same query for keys (id, created, seq), oldest first."""
    return text(_select_page("c.id, c.created, c.seq", "asc", by_model, pairs))


@cache
def select_messages(order: Order) -> TextClause:
    """Return the query for a page of one completion's messages.

    Its columns are id, position and wire_json, NULL if that is large. It binds `completion`
    (the completion's seq), `position` and `rows`.
    """
    return text(
        f"SELECT id, position, {_select_small()} FROM messages"
        f" WHERE completion = :completion AND position {_DIRECTION[order]} :position"
        f" ORDER BY position {order} LIMIT :rows"
    )


def _select_small(table: str = "") -> str:
    """Return the column wire_json without the texts that are read one at a time."""
    return f"CASE {table}is_large WHEN 0 THEN {table}wire_json END AS wire_json"


def bind_filters(model: str | None, metadata: Sequence[tuple[str, str]]) -> dict[str, object]:
    """Return the values of the filters: `model` unless None; `key0`, `value0` and so on."""
    binds: dict[str, object] = {} if model is None else {"model": index_text(model)}
    for at, (key, value) in enumerate(metadata):
        binds |= {f"key{at}": index_text(key), f"value{at}": index_text(value)}
    return binds


def _is_last(by_model: bool, pairs: int) -> str:
    """Return the condition that no later completion of the conversation passes the filters.

    A completion whose facts are yet to be derived is one of its own.
    """
    model = " AND l.model = :model" if by_model else ""
    others = "".join(
        " AND EXISTS (SELECT 1 FROM metadata AS o WHERE o.completion = g.completion"
        f" AND o.key = :key{at} AND o.value = :value{at})"
        for at in range(pairs)
    )
    return (
        " AND NOT EXISTS (SELECT 1 FROM facts AS f CROSS JOIN facts AS g"
        f"{' CROSS JOIN completions AS l' if by_model else ''} WHERE f.completion = c.seq"
        " AND g.conversation = f.conversation"
        " AND (g.created, g.completion) > (f.created, f.completion)"
        f"{' AND l.seq = g.completion' if by_model else ''}{model}{others})"
    )


def _select_page(columns: str, order: Order, by_model: bool, pairs: int, *, where: str = "") -> str:
    """Return a page's query; with metadata filters, the first pair's index yields the rows.

    The other pairs and the model then only filter them. The join is written as CROSS JOIN with
    its condition in WHERE because SQLite never reorders such a join.
    """
    direction = _DIRECTION[order]
    model = "c.model = :model AND " if by_model else ""
    if not pairs:
        return (
            f"SELECT {columns} FROM completions AS c"
            f" WHERE {model}(c.created, c.seq) {direction} (:created, :seq){where}"
            f" ORDER BY c.created {order}, c.seq {order} LIMIT :rows"
        )
    others = "".join(
        " AND EXISTS (SELECT 1 FROM metadata AS other WHERE other.completion = m.completion"
        f" AND other.key = :key{at} AND other.value = :value{at})"
        for at in range(1, pairs)
    )
    return (
        f"SELECT {columns} FROM metadata AS m CROSS JOIN completions AS c"
        " WHERE m.key = :key0 AND m.value = :value0"
        f" AND (m.created, m.completion) {direction} (:created, :seq)"
        f" AND {model}c.seq = m.completion{others}{where}"
        f" ORDER BY m.created {order}, m.completion {order} LIMIT :rows"
    )
