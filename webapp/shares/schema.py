"""The tables of shares.

Times are in whole unix seconds. The snapshot is in a separate table, so that a list of shares
does not read it.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)

from webapp.database import Schema

_VERSION_1: Final = MetaData()

Table(
    "shares",
    _VERSION_1,
    Column("id", Text, primary_key=True),
    # The SHA-256 of the token in the link; a draft has no link.
    Column("token", Text, unique=True),
    # Who made it, as the program knows them, and as the reader sees them.
    Column("owner", Text, nullable=False),
    Column("maker", Text, nullable=False),
    Column("completion", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("omitted", Text, nullable=False),
    Column("choices", Text, nullable=False),
    Column("rules", Integer, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("revoked", BigInteger),
    Column("view_limit", Integer),
    Column("views", Integer, nullable=False),
    Column("passphrase", Text),
    Column("tries", Integer, nullable=False),
    Column("tried", BigInteger, nullable=False),
    Index("shares_by_time", "created"),
    Index("shares_by_completion", "completion"),
)

Table(
    "share_snapshots",
    _VERSION_1,
    Column("share", ForeignKey("shares.id", ondelete="CASCADE"), primary_key=True),
    Column("body", LargeBinary, nullable=False),
)

Table(
    "share_openings",
    _VERSION_1,
    # The SHA-256 of the cookie that one opening got.
    Column("ticket", Text, primary_key=True),
    Column("share", ForeignKey("shares.id", ondelete="CASCADE"), nullable=False),
    Column("opened", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("agent", Text, nullable=False),
    Index("openings_by_share", "share", "opened"),
)


SCHEMA: Final = Schema(steps=(partial(_VERSION_1.create_all, checkfirst=False),), prefix="share_")
