"""Shares: frozen, redacted snapshots of transcripts, each with its own link.

    snapshot  the shared part of a transcript, as one JSON document
    texts     a snapshot as plain text
    schema    the tables
    policy    the administrator's limits
    store     shares in a database: drafted, published, opened, counted, revoked
    recent    the latest snapshots, so that a draft is not searched at each view

Knows nothing of HTTP. A share is a draft until it is published: its maker sees the very
snapshot that readers will see. Only the redacted form is stored, and only digests of the links and
cookies that open it.
"""

from webapp.shares.policy import Policy
from webapp.shares.recent import RecentSnapshots
from webapp.shares.schema import SCHEMA
from webapp.shares.snapshot import (
    SHARED_ID,
    ShareChoices,
    Snapshot,
    TooLarge,
    find_new,
    make_snapshot,
)
from webapp.shares.store import OPENING_SECONDS, Share, ShareStore, Terms, Tried
from webapp.shares.texts import write_text

__all__ = [
    "OPENING_SECONDS",
    "SCHEMA",
    "SHARED_ID",
    "ShareChoices",
    "Policy",
    "RecentSnapshots",
    "Share",
    "ShareStore",
    "Snapshot",
    "Terms",
    "TooLarge",
    "Tried",
    "find_new",
    "make_snapshot",
    "write_text",
]
