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

COMPLETION_SEQ: Final = text("SELECT seq FROM completions WHERE id = :id")
COMPLETION_GIVEN: Final = text(
    "SELECT id, wire_json, given_json FROM completions WHERE seq = :position"
)
MESSAGE_GIVEN: Final = text(
    "SELECT id, given_json FROM messages WHERE completion = :completion AND position = :position"
)
MESSAGES_GIVEN: Final = text(
    "SELECT given_json FROM messages WHERE completion = :completion ORDER BY position"
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
def select_messages(order: Order, *, continues: bool = False, as_given: bool = False) -> TextClause:
    """Build the query for a page of the messages of one completion.

    Its columns are id, position, completion (the completion's seq) and wire_json, `as_given`
    given_json, NULL if a text is large. It binds `id` (the completion's), `rows`, and if the page
    `continues` another `after` (the id of a message). If there is no such completion or message,
    there are no rows.
    """
    column = _select_small_given() if as_given else _select_small()
    # Values, not rows of a join: PostgreSQL would sort the rest of the transcript for each page.
    completion = "(SELECT seq FROM completions WHERE id = :id)"
    after = f"(SELECT position FROM messages WHERE completion = {completion} AND id = :after)"
    return text(
        f"SELECT id, position, completion, {column} FROM messages WHERE completion = {completion}"
        + (f" AND position {_DIRECTION[order]} {after}" if continues else "")
        + f" ORDER BY position {order} LIMIT :rows"
    )


def _select_small() -> str:
    """Select the column wire_json without the texts that are read one at a time."""
    return "CASE is_large WHEN 0 THEN wire_json END AS wire_json"


def _select_small_given() -> str:
    """Select the column given_json without large texts; white space can make it the larger one."""
    return (
        f"CASE WHEN is_large = 0 AND length(given_json) <= {MAX_INLINE}"
        " THEN given_json END AS given_json"
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
