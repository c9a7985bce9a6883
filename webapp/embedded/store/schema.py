"""The store's tables, and the steps from each version of them to the next.

Rows are in plain rowid tables: a page is one seek in an index, and the wire form, which every
answer needs, comes before the given text, which few need.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from functools import partial
from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.exc import DBAPIError

from webapp.database import Outage, Schema, find_outage
from webapp.embedded.documents.facts import FACTS_FORM

MAX_INLINE: Final = 64 * 1024
"""Characters of a stored JSON text that a page holds; larger ones are read one at a time."""

_VERSION_1: Final = MetaData()

Table(
    "completions",
    _VERSION_1,
    # A BIGINT and not SQLite's INTEGER PRIMARY KEY: that one is the rowid, which a comparison
    # of (created, seq) cannot seek by, and completions of one second would be read through.
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False, unique=True),
    Column("created", BigInteger, nullable=False),
    Column("model", Text),
    Column("digest", Text, nullable=False),
    Column("wire_json", Text, nullable=False),
    Column("given_json", Text, nullable=False),
    Index("completions_by_time", "created", "seq"),
    Index("completions_by_model", "model", "created", "seq"),
)

Table(
    "messages",
    _VERSION_1,
    Column("completion", ForeignKey("completions.seq", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("id", Text, nullable=False),
    Column("wire_json", Text, nullable=False),
    Column("given_json", Text, nullable=False),
    UniqueConstraint("completion", "id"),
)

Table(
    "metadata",
    _VERSION_1,
    Column("completion", ForeignKey("completions.seq", ondelete="CASCADE"), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
    Index("metadata_by_pair", "key", "value", "created", "completion"),
)


_PROGRESS: Final = (
    # The form of all rows, and the last row rebuilt in a newer one.
    "CREATE TABLE rebuilt (form INTEGER NOT NULL, seq BIGINT NOT NULL)",
    "INSERT INTO rebuilt (form, seq) VALUES (0, 0)",
)


def _execute(statements: Iterable[str], connection: Connection) -> None:
    for statement in statements:
        connection.execute(text(statement))


def _mark_large_texts(connection: Connection) -> None:
    """Mark the rows whose wire form a page does not hold.

    SQLite reads all of a text to find its length. It has 0 and 1 in the head of the row, so a
    page passes over large texts without reading them.
    """
    for table in ("completions", "messages"):
        connection.execute(
            text(f"ALTER TABLE {table} ADD COLUMN is_large INTEGER NOT NULL DEFAULT 0")
        )
        connection.execute(
            text(f"UPDATE {table} SET is_large = 1 WHERE length(wire_json) > {MAX_INLINE}")
        )


def mark_large(wire_json: str) -> int:
    """Compute the value of `is_large` for a row with this wire form."""
    return int(len(wire_json) > MAX_INLINE)


def _add_time_of_storing(connection: Connection) -> None:
    """Add when a completion was stored; for those that are there already, that is now."""
    connection.execute(text("ALTER TABLE completions ADD COLUMN stored BIGINT"))
    connection.execute(text("UPDATE completions SET stored = :now"), {"now": int(time.time())})


_FACTS: Final = (
    # One row for each completion; `conversation` is the least `seq` that its conversation ever had.
    # `parent` is the completion that it continues, by the first `parent_depth` of its `hashes`.
    "CREATE TABLE facts (completion BIGINT NOT NULL PRIMARY KEY"
    " REFERENCES completions (seq) ON DELETE CASCADE, created BIGINT NOT NULL,"
    " messages INTEGER NOT NULL, total_tokens INTEGER, prompt_tokens INTEGER,"
    " completion_tokens INTEGER, cached_tokens INTEGER, duration_ms INTEGER,"
    " first_token_ms INTEGER, conversation BIGINT NOT NULL, parent BIGINT,"
    " parent_depth INTEGER NOT NULL, depth INTEGER NOT NULL, opening BIGINT NOT NULL,"
    " system BIGINT NOT NULL, hashes {bytes} NOT NULL)",
    # All columns that the list shows, filters and counts, in one index that is read in order.
    "CREATE INDEX facts_by_time ON facts (created, completion, messages, total_tokens,"
    " prompt_tokens, completion_tokens, duration_ms, first_token_ms)",
    "CREATE INDEX facts_by_messages ON facts (messages, created, completion)",
    "CREATE INDEX facts_by_tokens ON facts (total_tokens, created, completion)",
    "CREATE INDEX facts_by_duration ON facts (duration_ms, created, completion)",
    "CREATE INDEX facts_by_conversation ON facts (conversation, created, completion)",
    "CREATE INDEX facts_by_opening ON facts (opening, depth, parent_depth)",
    # The digests of a completion's input (`is_answer` 0), and of that with each of its answers.
    "CREATE TABLE ends (completion BIGINT NOT NULL REFERENCES completions (seq) ON DELETE CASCADE,"
    " hash BIGINT NOT NULL, is_answer INTEGER NOT NULL, created BIGINT NOT NULL,"
    " PRIMARY KEY (completion, hash, is_answer))",
    "CREATE INDEX ends_by_hash ON ends (hash, created, completion, is_answer)",
    "CREATE TABLE tags (completion BIGINT NOT NULL REFERENCES completions (seq) ON DELETE CASCADE,"
    " tag TEXT NOT NULL, created BIGINT NOT NULL, PRIMARY KEY (completion, tag))",
    "CREATE INDEX tags_by_tag ON tags (tag, created, completion)",
    "CREATE TABLE passages (id {identity}, completion BIGINT NOT NULL"
    " REFERENCES completions (seq) ON DELETE CASCADE, position INTEGER NOT NULL,"
    " scope TEXT NOT NULL{is_indexed}, text TEXT NOT NULL)",
    "CREATE INDEX passages_by_completion ON passages (completion, position)",
    # All completions up to `filled` have facts; in SQLite all passages up to `indexed` are in the
    # index of trigrams.
    "CREATE TABLE derived (filled BIGINT NOT NULL, indexed BIGINT NOT NULL)",
    "INSERT INTO derived (filled, indexed) VALUES (0, 0)",
)
_TYPES: Final = {
    "sqlite": {
        "bytes": "BLOB",
        "identity": "INTEGER PRIMARY KEY AUTOINCREMENT",
        "is_indexed": "",
    },
    "postgresql": {
        "bytes": "BYTEA",
        "identity": "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
        "is_indexed": ", is_indexed BOOLEAN NOT NULL DEFAULT false",
    },
}
_SEQUENCE: Final = (
    "CREATE SEQUENCE completions_seq",
    "SELECT setval('completions_seq', (SELECT coalesce(max(seq), 0) + 1 FROM completions), false)",
)


_TRIGRAMS: Final = {
    # Holds no texts, only which passage has which trigrams.
    "sqlite": (
        "CREATE VIRTUAL TABLE passages_trigrams USING fts5 (text, content = 'passages',"
        " content_rowid = 'id', tokenize = 'trigram case_sensitive 1', detail = 'none',"
        " columnsize = 0)",
        "CREATE TRIGGER passages_deleted AFTER DELETE ON passages"
        " WHEN old.id <= (SELECT indexed FROM derived) BEGIN"
        " INSERT INTO passages_trigrams (passages_trigrams, rowid, text)"
        " VALUES ('delete', old.id, old.text); END",
    ),
    "postgresql": (
        "CREATE EXTENSION IF NOT EXISTS pg_trgm",
        "CREATE INDEX passages_trigrams ON passages USING gin (text gin_trgm_ops) WHERE is_indexed",
        "CREATE INDEX passages_unindexed ON passages (id) WHERE NOT is_indexed",
    ),
}


def _add_facts(connection: Connection) -> None:
    """Add the tables derived for lists, searches and conversations.

    They are filled later, in batches, while the store is in use. PostgreSQL gets a sequence of
    `seq`, because its writers do not wait for each other.
    """
    dialect = connection.dialect.name
    _execute((statement.format(**_TYPES[dialect]) for statement in _FACTS), connection)
    if dialect == "postgresql":
        _execute(_SEQUENCE, connection)


def _add_trigrams(connection: Connection) -> None:
    """Add the index of trigrams, empty, if the database supports it.

    Without it, every search reads all passages.
    """
    _execute_if_supported(connection, _TRIGRAMS[connection.dialect.name])


def _execute_if_supported(connection: Connection, statements: Iterable[str]) -> None:
    """Execute all statements, or none if the database does not support one of them.

    Raises the `DBAPIError` of a full disk or of a lock: it supports them another time.
    """
    try:
        with connection.begin_nested():
            _execute(statements, connection)
    except DBAPIError as error:
        if find_outage(error) in (Outage.FULL, Outage.LOCKED, Outage.CANCELLED):
            raise


_CHECKS: Final = (
    # Completions whose findings are yet to be stored; see `webapp.embedded.finding.checking`. Those
    # of an older store are put in later.
    # `turn` counts how often one was queued meanwhile, `leased` is until when a process has it.
    "CREATE TABLE unchecked (completion BIGINT NOT NULL PRIMARY KEY"
    " REFERENCES completions (seq) ON DELETE CASCADE, turn INTEGER NOT NULL,"
    " leased BIGINT NOT NULL)",
    # The version of the rules by which all were checked; to check by newer ones, all completions
    # up to `queued` are in the queue.
    "CREATE TABLE checking (rules INTEGER NOT NULL, queued BIGINT NOT NULL)",
    "INSERT INTO checking (rules, queued) VALUES (0, 0)",
)


_SMALLER: Final = (
    # PostgreSQL keeps 24 bytes beside each row and as many in each index, so that rows of single
    # passages take several times their texts.
    "CREATE TABLE passage_groups (completion BIGINT NOT NULL,"
    " is_indexed BOOLEAN NOT NULL DEFAULT false, scope TEXT NOT NULL,"
    " positions INTEGER[] NOT NULL, text TEXT NOT NULL)",
    "INSERT INTO passage_groups (completion, scope, positions, text)"
    " SELECT completion, scope, array_agg(position ORDER BY position),"
    " string_agg(translate(text, chr(29), chr(65533)), chr(29) ORDER BY position)"
    " FROM (SELECT *, sum(length(text)) OVER (PARTITION BY completion, scope ORDER BY position)"
    " / 65536 AS part FROM passages WHERE text <> '') AS p GROUP BY completion, scope, part"
    " ORDER BY completion",
    "DROP TABLE passages",
    "ALTER TABLE passage_groups ADD FOREIGN KEY (completion) REFERENCES completions (seq)"
    " ON DELETE CASCADE",
    "CREATE INDEX passage_groups_by_completion ON passage_groups (completion)",
    "CREATE INDEX passage_groups_unindexed ON passage_groups (completion) WHERE NOT is_indexed",
    "CREATE VIEW passages AS SELECT g.completion, g.positions[p.number] AS position, g.scope,"
    " p.text, g.text AS group_text FROM passage_groups AS g,"
    " unnest(string_to_array(g.text, chr(29))) WITH ORDINALITY AS p (text, number)",
    # Nothing seeks the hash of a known completion.
    "ALTER TABLE ends DROP CONSTRAINT ends_pkey",
    "CREATE INDEX ends_by_completion ON ends (completion)",
)
_GROUP_TRIGRAMS: Final = (
    "CREATE INDEX passages_trigrams ON passage_groups USING gin (text gin_trgm_ops)"
    " WHERE is_indexed"
)

_COMPRESSED: Final = (
    ("completions", "wire_json"),
    ("completions", "given_json"),
    ("messages", "wire_json"),
    ("messages", "given_json"),
    ("passage_groups", "text"),
)


def _save_space(connection: Connection) -> None:
    """Group the passages in PostgreSQL, narrow an index, and compress new texts at less cost.

    The passages are indexed again later, while the store is in use.
    """
    if connection.dialect.name != "postgresql":
        return
    _execute(_SMALLER, connection)
    _execute_if_supported(connection, [_GROUP_TRIGRAMS])
    _compress_cheaply(connection, _COMPRESSED)


def _compress_cheaply(connection: Connection, columns: Iterable[tuple[str, str]]) -> None:
    """Compress new texts of these columns of tables by lz4, if the database supports it.

    PostgreSQL may be older than 14, or built without it. Stored texts can be read anyway.
    """
    _execute_if_supported(
        connection,
        [f"ALTER TABLE {table} ALTER COLUMN {name} SET COMPRESSION lz4" for table, name in columns],
    )


def _add_form_of_facts(connection: Connection) -> None:
    """Add the form of all facts, and the last completion whose facts have a newer one."""
    for column in ("form INTEGER", "refreshed BIGINT"):
        connection.execute(text(f"ALTER TABLE derived ADD COLUMN {column} NOT NULL DEFAULT 0"))
    # Those that are yet to be filled have no older form.
    has_none = "NOT EXISTS (SELECT 1 FROM facts)"
    connection.execute(text(f"UPDATE derived SET form = {FACTS_FORM} WHERE {has_none}"))


def _group_passages(connection: Connection) -> None:
    """Let a row hold several passages in SQLite, too; older rows are grouped with new facts."""
    if connection.dialect.name == "sqlite":
        added = "ALTER TABLE passages ADD COLUMN further TEXT NOT NULL DEFAULT ''"
        connection.execute(text(added))


_QUEUED: Final = (
    # A row that is marked as indexed would be copied, so rows are moved instead: the dead ones are
    # in a small table then, which a vacuum empties. Those that wait in `passage_groups` are marked
    # later, while the store is in use.
    "CREATE TABLE unindexed_passages (completion BIGINT NOT NULL"
    " REFERENCES completions (seq) ON DELETE CASCADE, scope TEXT NOT NULL,"
    " positions INTEGER[] NOT NULL, text TEXT NOT NULL)",
    "CREATE INDEX unindexed_passages_by_completion ON unindexed_passages (completion)",
    "ALTER TABLE passage_groups ALTER COLUMN is_indexed SET DEFAULT true",
    "CREATE OR REPLACE VIEW passages AS SELECT g.completion, g.positions[p.number] AS position,"
    " g.scope, p.text, g.text AS group_text"
    " FROM (SELECT completion, scope, positions, text FROM passage_groups UNION ALL"
    " SELECT completion, scope, positions, text FROM unindexed_passages) AS g,"
    " unnest(string_to_array(g.text, chr(29))) WITH ORDINALITY AS p (text, number)",
)


def _queue_passages(connection: Connection) -> None:
    """Let passages wait for the index in a table of their own in PostgreSQL."""
    if connection.dialect.name == "postgresql":
        _execute(_QUEUED, connection)
        _compress_cheaply(connection, [("unindexed_passages", "text")])


_FIRST_ENDS: Final = (
    # PostgreSQL keeps 24 bytes beside each row and as many in each of its indexes: nearly all
    # completions have an input and an answer. Rows of `ends` become these columns with new facts.
    "ALTER TABLE facts ADD COLUMN input BIGINT",
    "ALTER TABLE facts ADD COLUMN answer BIGINT",
    "CREATE INDEX facts_by_input ON facts (input, created, completion) WHERE input IS NOT NULL",
    "CREATE INDEX facts_by_answer ON facts (answer, created, completion) WHERE answer IS NOT NULL",
)
_NARROWER: Final = (
    # Nothing relies on the key, and few tags of one completion are read at once.
    "CREATE INDEX tags_by_completion ON tags (completion)",
    # The counts of the newest are read from the rows nearly as fast.
    "ALTER INDEX facts_by_time RENAME TO facts_by_time_and_counts",
    "CREATE INDEX facts_by_time ON facts (created, completion)",
    "DROP INDEX facts_by_time_and_counts",
    "ALTER TABLE tags DROP CONSTRAINT tags_pkey",
    # PostgreSQL compresses the texts of rows of 2 kB and more, so each has a padding that takes
    # some bytes compressed. The texts stay compressed when they are moved on without it.
    "ALTER TABLE unindexed_passages ALTER COLUMN positions SET STORAGE MAIN,"
    " ALTER COLUMN text SET STORAGE MAIN,"
    " ADD COLUMN padding TEXT NOT NULL DEFAULT repeat(' ', 2048)",
    "ALTER TABLE unindexed_passages ALTER COLUMN padding SET STORAGE MAIN,"
    " SET (toast_tuple_target = 128)",
    # An array may have the positions of the first passages only: the further ones follow each
    # other, those of an empty one from 0 on.
    "CREATE OR REPLACE VIEW passages AS SELECT g.completion, CAST(coalesce(g.positions[p.number],"
    " coalesce(g.positions[cardinality(g.positions)], -1) + p.number - cardinality(g.positions))"
    " AS INTEGER) AS position, g.scope, p.text, g.text AS group_text"
    " FROM (SELECT completion, scope, positions, text FROM passage_groups UNION ALL"
    " SELECT completion, scope, positions, text FROM unindexed_passages) AS g,"
    " unnest(string_to_array(g.text, chr(29))) WITH ORDINALITY AS p (text, number)",
)


def _save_more_space(connection: Connection) -> None:
    """Move the first digests of completions into facts; in PostgreSQL, compress short texts too."""
    if connection.dialect.name == "postgresql":
        _execute(_NARROWER, connection)
        _compress_cheaply(connection, [("unindexed_passages", "padding")])
    _execute(_FIRST_ENDS, connection)


SCHEMA: Final = Schema(
    steps=(
        partial(_VERSION_1.create_all, checkfirst=False),
        partial(_execute, _PROGRESS),
        _mark_large_texts,
        _add_time_of_storing,
        _add_facts,
        _add_trigrams,
        partial(_execute, _CHECKS),
        _save_space,
        _add_form_of_facts,
        _group_passages,
        _queue_passages,
        _save_more_space,
    )
)
