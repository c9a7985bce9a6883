"""Build the SQL of pages of messages, and of texts by their place.

A page is one seek in an index, at any depth and in both directions. Every page continues after a
cursor. The first one has one too, before all possible rows, so that one statement serves all.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from sqlalchemy import TextClause, bindparam, text

from webapp.embedded.store.pages import Order
from webapp.embedded.store.schema import MAX_INLINE

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
COMPLETION_IDS: Final = text("SELECT seq, id FROM completions WHERE seq IN :seqs").bindparams(
    bindparam("seqs", expanding=True)
)
COMPLETION_CURSOR: Final = text("SELECT created, seq FROM completions WHERE id = :after")
MESSAGE_CURSOR: Final = text(
    "SELECT position FROM messages WHERE completion = :completion AND id = :after"
)


@cache
def select_messages(order: Order, *, as_given: bool = False) -> TextClause:
    """Build the query for a page of one completion's messages.

    Its columns are id, position and wire_json, `as_given` given_json, NULL if a text is large. It
    binds `completion` (the completion's seq), `position` and `rows`.
    """
    column = _select_small_given() if as_given else _select_small()
    return text(
        f"SELECT id, position, {column} FROM messages"
        f" WHERE completion = :completion AND position {_DIRECTION[order]} :position"
        f" ORDER BY position {order} LIMIT :rows"
    )


@cache
def select_first_messages(order: Order, *, as_given: bool = False) -> TextClause:
    """Build the query for the first page of the messages of the completion `id`.

    Its columns are those of `select_messages`, and completion. It binds `id` and `rows`.
    """
    column = _select_small_given("m.") if as_given else _select_small("m.")
    return text(
        f"SELECT m.id, m.position, m.completion, {column}"
        " FROM completions AS c CROSS JOIN messages AS m"
        f" WHERE c.id = :id AND m.completion = c.seq ORDER BY m.position {order} LIMIT :rows"
    )


def _select_small(table: str = "") -> str:
    """Select the column wire_json without the texts that are read one at a time."""
    return f"CASE {table}is_large WHEN 0 THEN {table}wire_json END AS wire_json"


def _select_small_given(table: str = "") -> str:
    """Select the column given_json without large texts; white space can make it the larger one."""
    return (
        f"CASE WHEN {table}is_large = 0 AND length({table}given_json) <= {MAX_INLINE}"
        f" THEN {table}given_json END AS given_json"
    )


@cache
def select_completions(*, as_given: bool = False) -> TextClause:
    """Build the query for some completions by `seqs`, in any order.

    Its columns are id, position (the completion's seq) and wire_json, `as_given` also given_json,
    each NULL if a text is large.
    """
    given = f", {_select_small_given()}" if as_given else ""
    return text(
        f"SELECT id, seq AS position, {_select_small()}{given} FROM completions WHERE seq IN :seqs"
    ).bindparams(bindparam("seqs", expanding=True))
