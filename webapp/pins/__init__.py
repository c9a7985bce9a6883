"""Pinned completions: first in the list for all readers of this Readback, and kept.

Each pin is of the server that its completion is read from. Times are stored in milliseconds
since 1970.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from functools import partial
from typing import Final

from sqlalchemy import BigInteger, Column, MetaData, Table, Text, text

from webapp.database import DATABASE_ERRORS, DatabaseOpener, Schema
from webapp.redaction import get_logger

log = get_logger("readback")

MAX_PINNED: Final = 100
"""Pins of one server; all of them are above the list."""
OWN_STORE: Final = "store"
"""The place of completions in the store of this Readback."""

_VERSION_1: Final = MetaData()

Table(
    "pins",
    _VERSION_1,
    # The server that the completion is read from; see `name_place`.
    Column("place", Text, primary_key=True),
    Column("completion", Text, primary_key=True),
    Column("pinned", BigInteger, nullable=False),
)

SCHEMA: Final = Schema(steps=(partial(_VERSION_1.create_all, checkfirst=False),), prefix="pin_")

_LIST: Final = text("SELECT completion FROM pins WHERE place = :place ORDER BY pinned DESC")
_LIST_ALL: Final = text("SELECT completion FROM pins")
_FIND: Final = text("SELECT 1 FROM pins WHERE place = :place AND completion = :completion")
_COUNT: Final = text("SELECT count(*) FROM pins WHERE place = :place")
_ADD: Final = text(
    "INSERT INTO pins (place, completion, pinned) VALUES (:place, :completion, :pinned)"
)
_REMOVE: Final = text("DELETE FROM pins WHERE place = :place AND completion = :completion")

__all__ = ["MAX_PINNED", "OWN_STORE", "SCHEMA", "Pins", "name_place"]


def name_place(base_url: str) -> str:
    """Name the place of completions on another server, without showing its address."""
    return hashlib.sha256(base_url.encode("utf-8", "surrogatepass")).hexdigest()[:16]


class Pins:
    """The pins of one `place`. `now` returns unix seconds.

    Changes raise `StoreError` or an error of the database. A page can do without pins, so reading
    them raises nothing: while the database is down, nothing is pinned.
    """

    def __init__(
        self,
        database: DatabaseOpener,
        place: str = OWN_STORE,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._place = place
        self._now = now

    def add(self, completion_id: str) -> bool:
        """Pin a completion, if it is not; return False if there are too many pins."""
        values = {"place": self._place, "completion": completion_id}
        with self._database.get().exclusive.begin() as connection:
            if connection.execute(_FIND, values).scalar() is not None:
                return True
            if connection.execute(_COUNT, values).scalar_one() >= MAX_PINNED:
                return False
            connection.execute(_ADD, {**values, "pinned": int(self._now() * 1000)})
        return True

    def remove(self, completion_id: str) -> bool:
        """Unpin a completion; return whether it was pinned."""
        values = {"place": self._place, "completion": completion_id}
        with self._database.get().exclusive.begin() as connection:
            return connection.execute(_REMOVE, values).rowcount > 0

    def list(self) -> list[str]:
        """List the ids of the pinned completions, the latest pin first."""
        try:
            rows = self._database.get().look_up(_LIST, {"place": self._place})
            return [row.completion for row in rows]
        except DATABASE_ERRORS as error:
            log.warning("pins cannot be looked up: %s", type(error).__name__)
            return []

    def list_everywhere(self) -> frozenset[str]:
        """List the ids pinned at any place, whose copies in the store are kept too.

        Raises `StoreError` or an error of the database.
        """
        with self._database.get().reader.connect() as connection:
            return frozenset(connection.execute(_LIST_ALL).scalars())
