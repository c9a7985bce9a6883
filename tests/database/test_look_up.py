"""Rows of one short query, in both databases: which of them are seen, and how it fails."""

from __future__ import annotations

from contextlib import closing

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tools.store_rows import rows
from webapp.database import open_database

QUERY = text("SELECT id, count(*), max(size) AS largest FROM tests WHERE id = :id GROUP BY id")


def test_each_look_up_sees_what_others_have_committed(url: str) -> None:
    with closing(open_database(url)) as database:
        with pytest.raises(DBAPIError, match="tests"):
            database.look_up(QUERY, {"id": "a"})
        rows(url, "CREATE TABLE tests (id TEXT, size INTEGER)")
        before = database.look_up(QUERY, {"id": "a"})
        rows(url, "INSERT INTO tests VALUES ('a', 1), ('a', 7), ('b', 9)")
        after = database.look_up(QUERY, {"id": "a"})
        nothing = database.look_up(QUERY, {"id": "a\0"})

    assert (list(before), list(nothing)) == ([], [])
    (row,) = after
    assert tuple(row) == ("a", 2, 7)
    assert (row.id, row.largest) == ("a", 7)
