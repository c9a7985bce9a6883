"""Shares: frozen, redacted snapshots of transcripts, each behind a link of its own.

    snapshot  what of a transcript is shared, as one JSON document
    texts     a snapshot as plain text
    schema    the tables
    policy    what the administrator allows
    store     shares in a database: drafted, published, opened, counted, revoked

Knows nothing of HTTP. A share is a draft until it is published: its maker looks at the very
snapshot that will be stored. Only the redacted form is stored, and only digests of what opens it.
"""

from webapp.shares.policy import Policy
from webapp.shares.snapshot import (
    SHARED_ID,
    Choices,
    Snapshot,
    TooLarge,
    find_new,
    make_snapshot,
)
from webapp.shares.store import DRAFT_SECONDS, OPENING_SECONDS, Share, ShareStore, Terms, Tried
from webapp.shares.texts import write_text

__all__ = [
    "DRAFT_SECONDS",
    "OPENING_SECONDS",
    "SHARED_ID",
    "Choices",
    "Policy",
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
