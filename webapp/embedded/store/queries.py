"""Build the SQL of pages of messages, and of texts by their place.

A page is one seek in an index, at any depth and in both directions. Every page continues after a
cursor. The first one has one too, before all possible rows, so that one statement serves all.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from sqlalchemy import TextClause, bindparam, text

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
COMPLETIONS: Final = text(
    "SELECT id, seq AS position, CASE is_large WHEN 0 THEN wire_json END AS wire_json"
    " FROM completions WHERE seq IN :seqs"
).bindparams(bindparam("seqs", expanding=True))
"""The rows of some completions, in any order; wire_json is NULL if it is large."""
COMPLETION_IDS: Final = text("SELECT seq, id FROM completions WHERE seq IN :seqs").bindparams(
    bindparam("seqs", expanding=True)
)
COMPLETION_CURSOR: Final = text("SELECT created, seq FROM completions WHERE id = :after")
MESSAGE_CURSOR: Final = text(
    "SELECT position FROM messages WHERE completion = :completion AND id = :after"
)


@cache
def select_messages(order: Order) -> TextClause:
    """Return the query for a page of one completion's messages.

    Its columns are id, position and wire_json, NULL if that is large. It binds `completion`
    (the completion's seq), `position` and `rows`.
    """
    return text(
        "SELECT id, position, CASE is_large WHEN 0 THEN wire_json END AS wire_json FROM messages"
        f" WHERE completion = :completion AND position {_DIRECTION[order]} :position"
        f" ORDER BY position {order} LIMIT :rows"
    )
