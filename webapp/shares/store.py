"""Keep shares in a database: drafted, published, opened, counted and revoked.

Every decision that two processes could take at once is one conditional statement, so that a view
limit holds however many readers open a link at the same moment.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from sqlalchemy import Connection, Row, text
from werkzeug.security import check_password_hash, generate_password_hash

from webapp.database import Database, DatabaseOpener
from webapp.shares.snapshot import ShareChoices, Snapshot

DRAFT_SECONDS: Final = 3600
OPENING_SECONDS: Final = 3600
_KEPT_SECONDS: Final = 30 * 86400
"""How long the list remembers a share that has ended."""
_SWEEP_SECONDS: Final = 60

_FREE_TRIES: Final = 5
_TRY_SECONDS: Final = 60
_CALM_SECONDS: Final = 600
"""Five passphrases may be tried at once, then one a minute until none is tried for ten minutes."""

_COLUMNS: Final = (
    "id, token, owner, maker, completion, title, omitted, choices, rules, created, expires,"
    " revoked, view_limit, views, passphrase"
)
# Reading the row of a share that cannot be opened would take longer than finding none.
_BY_TOKEN: Final = text(
    f"SELECT {_COLUMNS} FROM shares WHERE token = :token AND revoked IS NULL AND expires > :now"
    " AND (view_limit IS NULL OR views < view_limit OR EXISTS (SELECT 1 FROM share_openings"
    " WHERE ticket = :ticket AND share = shares.id AND until > :now))"
)
_BY_ID: Final = text(f"SELECT {_COLUMNS} FROM shares WHERE id = :id")
_PUBLISHED: Final = (
    f"SELECT {_COLUMNS} FROM shares WHERE token IS NOT NULL"
    " AND (:all = 1 OR owner = :owner) AND (:completion = '' OR completion = :completion)"
)
_LIST: Final = text(f"{_PUBLISHED} ORDER BY created DESC, id LIMIT :most")
_LIST_OPEN: Final = text(
    f"{_PUBLISHED} AND revoked IS NULL AND expires > :now ORDER BY created DESC, id"
)
_ADD: Final = text(
    "INSERT INTO shares (id, owner, maker, completion, title, omitted, choices, rules, created,"
    " expires, views, tries, tried) VALUES (:id, :owner, '', :completion, :title, :omitted,"
    " :choices, :rules, :now, :expires, 0, 0, 0)"
)
_ADD_SNAPSHOT: Final = text("INSERT INTO share_snapshots (share, body) VALUES (:id, :body)")
_SNAPSHOT: Final = text("SELECT body FROM share_snapshots WHERE share = :id")
_REPLACE_DRAFT: Final = text(
    "UPDATE shares SET title = :title, omitted = :omitted, choices = :choices, rules = :rules"
    " WHERE id = :id AND token IS NULL"
)
_REPLACE_SNAPSHOT: Final = text("UPDATE share_snapshots SET body = :body WHERE share = :id")
_PUBLISH: Final = text(
    "UPDATE shares SET token = :token, maker = :maker, created = :now, expires = :expires,"
    " view_limit = :view_limit, passphrase = :passphrase"
    " WHERE id = :id AND token IS NULL AND expires > :now"
)
_RENEW: Final = text(
    "UPDATE shares SET token = :token, tries = 0"
    " WHERE id = :id AND token IS NOT NULL AND revoked IS NULL AND expires > :now"
)
_TAKE_VIEW: Final = text(
    "UPDATE shares SET views = views + 1 WHERE id = :id AND token = :token AND revoked IS NULL"
    " AND expires > :now AND (view_limit IS NULL OR views < view_limit)"
)
_TAKE_TRY: Final = text(
    "UPDATE shares SET tried = :now, tries = CASE WHEN tried <= :calm THEN 1 ELSE tries + 1 END"
    f" WHERE id = :id AND (tried <= :before OR tries < {_FREE_TRIES})"
)
_FORGET_TRIES: Final = text("UPDATE shares SET tries = 0, tried = 0 WHERE id = :id")
_ADD_OPENING: Final = text(
    "INSERT INTO share_openings (ticket, share, opened, until, agent)"
    " VALUES (:ticket, :id, :now, :until, :agent)"
)
_TICKET: Final = text(
    "SELECT 1 FROM share_openings WHERE ticket = :ticket AND share = :id AND until > :now"
)
_OPENINGS: Final = text(
    "SELECT opened, agent FROM share_openings WHERE share = :id ORDER BY opened DESC LIMIT :most"
)
_CLOSE_OPENINGS: Final = text("UPDATE share_openings SET until = 0 WHERE share = :id")
_REVOKE: Final = text(
    "UPDATE shares SET revoked = :now WHERE id = :id AND revoked IS NULL AND expires > :now"
)
_DROP_SNAPSHOT: Final = text("DELETE FROM share_snapshots WHERE share = :id")
_DROP_DRAFTS: Final = text("DELETE FROM shares WHERE completion = :completion AND token IS NULL")
_DROP_TITLES: Final = text(
    "UPDATE shares SET title = :title WHERE completion = :completion"
    " AND (revoked IS NOT NULL OR expires <= :now)"
)
_SET_RULES: Final = text("UPDATE shares SET rules = :rules WHERE id = :id")
_SWEEP: Final = (
    text("DELETE FROM shares WHERE token IS NULL AND expires <= :now"),
    text("DELETE FROM shares WHERE expires <= :long_ago OR revoked <= :long_ago"),
    text(
        "DELETE FROM share_snapshots WHERE share IN"
        " (SELECT id FROM shares WHERE expires <= :now OR revoked IS NOT NULL)"
    ),
)
_DELETED: Final = "A deleted transcript"
"""The title of an ended share whose completion was deleted."""
MAX_LISTED: Final = 1000
MAX_OPENINGS: Final = 100
"""Of a share, that are listed for its maker."""


class Tried(Enum):
    """The outcome of a passphrase."""

    RIGHT = "right"
    WRONG = "wrong"
    TOO_SOON = "too soon"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The terms of a published share; `seconds` is its lifetime."""

    maker: str
    seconds: int
    view_limit: int | None = None
    passphrase: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A share without its snapshot. `owner` may revoke it; `maker` is the name that readers see."""

    id: str
    owner: str
    maker: str
    completion: str
    title: str
    omitted: str
    choices: ShareChoices
    rules: int
    created: int
    expires: int
    revoked: int | None
    view_limit: int | None
    views: int
    passphrase: str | None
    is_draft: bool

    @property
    def is_counted(self) -> bool:
        """Whether a reader sees a cover first, and each opening is a view."""
        return self.view_limit is not None or self.passphrase is not None

    @property
    def is_used_up(self) -> bool:
        return self.view_limit is not None and self.views >= self.view_limit

    def has_ended(self, now: float) -> bool:
        return self.revoked is not None or self.expires <= now

    @classmethod
    def from_row(cls, row: Row[Any]) -> Share:
        values = dict(row._mapping)
        token = values.pop("token")
        choices = ShareChoices.from_json(json.loads(values.pop("choices")))
        return cls(**values, choices=choices, is_draft=token is None)


class ShareStore:
    """The shares in a database, which is opened on first use.

    Safe to share between threads, and the database between processes. Raises `StoreError` while
    it cannot be opened. `now` returns the time in unix seconds.
    """

    def __init__(self, database: DatabaseOpener, *, now: Callable[[], float] = time.time) -> None:
        self._opener = database
        self._now = now
        self._next_sweep = 0.0

    def now(self) -> int:
        return int(self._now())

    def add_draft(self, owner: str, completion: str, snapshot: Snapshot) -> str:
        """Store a draft that lasts for an hour; return its id."""
        self.sweep()
        share_id = secrets.token_hex(8)
        values = self._describe(share_id, snapshot)
        values |= {"owner": owner, "completion": completion, "expires": self.now() + DRAFT_SECONDS}
        with self._database.exclusive.begin() as connection:
            connection.execute(_ADD, values)
            connection.execute(_ADD_SNAPSHOT, {"id": share_id, "body": _pack(snapshot.text)})
        return share_id

    def replace_draft(self, share_id: str, snapshot: Snapshot) -> bool:
        """Replace the snapshot of a draft; return False if the share is not a draft any more."""
        with self._database.exclusive.begin() as connection:
            replaced = connection.execute(_REPLACE_DRAFT, self._describe(share_id, snapshot))
            if replaced.rowcount != 1:
                return False
            body = _pack(snapshot.text)
            connection.execute(_REPLACE_SNAPSHOT, {"id": share_id, "body": body})
        return True

    def publish(self, share_id: str, terms: Terms) -> str | None:
        """Give a draft its link, and return the token of the link, which is stored nowhere.

        Returns None if the share is not a draft any more.
        """
        token = make_token()
        values = {
            "id": share_id,
            "token": _digest(token),
            "maker": terms.maker,
            "now": self.now(),
            "expires": self.now() + terms.seconds,
            "view_limit": terms.view_limit,
            "passphrase": generate_password_hash(terms.passphrase) if terms.passphrase else None,
        }
        with self._database.exclusive.begin() as connection:
            return token if connection.execute(_PUBLISH, values).rowcount == 1 else None

    def renew_token(self, share_id: str) -> str | None:
        """Replace the link of a share that has not ended; return the new token."""
        token = make_token()
        values = {"id": share_id, "token": _digest(token), "now": self.now()}
        with self._database.exclusive.begin() as connection:
            if connection.execute(_RENEW, values).rowcount != 1:
                return None
            connection.execute(_CLOSE_OPENINGS, values)
        return token

    def find(self, share_id: str) -> Share | None:
        """Find a share or a draft by its id."""
        with self._database.reader.connect() as connection:
            return _to_share(connection.execute(_BY_ID, {"id": share_id}).one_or_none())

    def find_open(self, token: str, ticket: str = "") -> Share | None:
        """Find the share of a link, None if there is none or it has ended.

        A share without a view left is found by the ticket of an opening.
        """
        with self._database.reader.connect() as connection:
            values = {"token": _digest(token), "ticket": _digest(ticket), "now": self.now()}
            return _to_share(connection.execute(_BY_TOKEN, values).one_or_none())

    def read_snapshot(self, share_id: str) -> str | None:
        """Read the document of a share or a draft; None once it has ended."""
        with self._database.reader.connect() as connection:
            body = connection.execute(_SNAPSHOT, {"id": share_id}).scalar()
        return None if body is None else zlib.decompress(body).decode("utf-8", "surrogatepass")

    def take_view(self, share: Share, token: str, *, agent: str) -> str | None:
        """Count one view, and return the ticket to it; None if there is no view left.

        Nothing else counts views, so the limit is exact.
        """
        ticket = make_token()
        values = {
            "id": share.id,
            "token": _digest(token),
            "now": self.now(),
            "ticket": _digest(ticket),
            "until": self.now() + OPENING_SECONDS,
            "agent": agent,
        }
        with self._database.exclusive.begin() as connection:
            if connection.execute(_TAKE_VIEW, values).rowcount != 1:
                return None
            connection.execute(_ADD_OPENING, values)
        return ticket

    def has_ticket(self, share: Share, ticket: str) -> bool:
        """Return whether `ticket` belongs to an opening of this share within the last hour."""
        values = {"id": share.id, "ticket": _digest(ticket), "now": self.now()}
        with self._database.reader.connect() as connection:
            return connection.execute(_TICKET, values).scalar() is not None

    def try_passphrase(self, share: Share, passphrase: str) -> Tried:
        """Check a passphrase, unless too many were tried just now.

        A try counts before it is checked, so that tries side by side count as well.
        """
        if share.passphrase is None:
            return Tried.RIGHT
        now = self.now()
        values = {
            "id": share.id,
            "now": now,
            "before": now - _TRY_SECONDS,
            "calm": now - _CALM_SECONDS,
        }
        with self._database.exclusive.begin() as connection:
            if connection.execute(_TAKE_TRY, values).rowcount != 1:
                return Tried.TOO_SOON
        if not check_password_hash(share.passphrase, passphrase):
            return Tried.WRONG
        with self._database.exclusive.begin() as connection:
            connection.execute(_FORGET_TRIES, values)
        return Tried.RIGHT

    def list_shares(self, owner: str | None = None, *, completion: str = "") -> list[Share]:
        """List the newest `MAX_LISTED` shares of `owner`, or of all owners, without drafts."""
        self.sweep()
        values = _choose(owner, completion) | {"most": MAX_LISTED}
        with self._database.reader.connect() as connection:
            return [Share.from_row(row) for row in connection.execute(_LIST, values)]

    def list_openings(self, share_id: str) -> list[tuple[int, str]]:
        """List the times and programs of a share's openings, the latest first."""
        with self._database.reader.connect() as connection:
            rows = connection.execute(_OPENINGS, {"id": share_id, "most": MAX_OPENINGS})
            return [(row.opened, row.agent) for row in rows]

    def revoke(self, share_id: str) -> bool:
        """End a share at once, and delete its snapshot; return False if it has ended already."""
        with self._database.exclusive.begin() as connection:
            return self._revoke(connection, share_id)

    def revoke_all(self, owner: str | None = None, *, completion: str = "") -> list[Share]:
        """End the shares of `owner`, or of all owners, of one completion if named; return them.

        Without an `owner`, drafts of that completion are deleted as well.
        """
        values = _choose(owner, completion) | {"now": self.now()}
        with self._database.exclusive.begin() as connection:
            if completion and owner is None:
                connection.execute(_DROP_DRAFTS, {"completion": completion})
            found = [Share.from_row(row) for row in connection.execute(_LIST_OPEN, values)]
            return [one for one in found if self._revoke(connection, one.id)]

    def forget(self, completion: str, *, revokes: bool = True) -> list[Share]:
        """Delete the drafts of a deleted completion, and its words in the list of ended shares.

        End its shares if this `revokes` them, and return those.
        """
        revoked = self.revoke_all(completion=completion) if revokes else []
        values = {"completion": completion, "now": self.now(), "title": _DELETED}
        with self._database.exclusive.begin() as connection:
            connection.execute(_DROP_DRAFTS, values)
            connection.execute(_DROP_TITLES, values)
        return revoked

    def note_rules(self, share_id: str, rules: int) -> None:
        """Remember that a snapshot was checked by this version of the rules."""
        with self._database.exclusive.begin() as connection:
            connection.execute(_SET_RULES, {"id": share_id, "rules": rules})

    def sweep(self) -> None:
        """Delete drafts and snapshots that have ended, at most once a minute."""
        now = self.now()
        if now < self._next_sweep:
            return
        self._next_sweep = now + _SWEEP_SECONDS
        with self._database.exclusive.begin() as connection:
            for statement in _SWEEP:
                connection.execute(statement, {"now": now, "long_ago": now - _KEPT_SECONDS})

    @property
    def _database(self) -> Database:
        return self._opener.get()

    def _describe(self, share_id: str, snapshot: Snapshot) -> dict[str, Any]:
        return {
            "id": share_id,
            "now": self.now(),
            "title": snapshot.title,
            "omitted": snapshot.omitted,
            "choices": json.dumps(snapshot.choices.to_json()),
            "rules": snapshot.rules,
        }

    def _revoke(self, connection: Connection, share_id: str) -> bool:
        values: Mapping[str, Any] = {"id": share_id, "now": self.now()}
        if connection.execute(_REVOKE, values).rowcount != 1:
            return False
        connection.execute(_DROP_SNAPSHOT, values)
        connection.execute(_CLOSE_OPENINGS, values)
        return True


def _choose(owner: str | None, completion: str) -> dict[str, Any]:
    return {"all": int(owner is None), "owner": owner or "", "completion": completion}


def make_token() -> str:
    """Make 192 random bits in the characters of a URL."""
    return secrets.token_urlsafe(24)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _pack(document: str) -> bytes:
    return zlib.compress(document.encode("utf-8", "surrogatepass"), 6)


def _to_share(row: Row[Any] | None) -> Share | None:
    return None if row is None else Share.from_row(row)
