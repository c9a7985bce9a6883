"""Sessions as rows of the database, so that they end on every process at once.

A session is known by the digest of a random token, which only the browser's cookie has. It rests
on a basis, a digest of the settings that its way in depends on (the password's hash, say), and
is valid while that is the newest basis that was ever in force: when a process starts with another
password, the sessions of the old one are over everywhere, and stay so if it is put back. The
browser of a session is named roughly, so that people recognize their own in a list.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, text

from webapp.access.reader import Reader
from webapp.database import DRIVER_ERRORS, DatabaseOpener
from webapp.redaction import get_logger

log = get_logger("readback")

_SEEN_SECONDS: Final = 60
"""The precision of the time at which a session was last used, or half of the time that it may be
unused; each step costs a write."""

_COLUMNS: Final = "digest, identity, name, administrator, way, started, seen, address, browser"
_VALID: Final = (
    "seen > :seen AND started > :started AND basis = (SELECT b.basis FROM access_bases b"
    " WHERE b.way = access_sessions.way ORDER BY b.since DESC, b.basis LIMIT 1)"
)
_FIND: Final = text(f"SELECT {_COLUMNS} FROM access_sessions WHERE digest = :digest AND {_VALID}")
_LIST: Final = text(
    f"SELECT {_COLUMNS} FROM access_sessions WHERE identity = :identity AND {_VALID}"
    " ORDER BY seen DESC, digest LIMIT 200"
)
_ADD: Final = text(
    f"INSERT INTO access_sessions ({_COLUMNS}, basis) VALUES (:digest, :identity, :name,"
    " :administrator, :way, :started, :seen, :address, :browser, :basis)"
)
_TOUCH: Final = text("UPDATE access_sessions SET seen = :now WHERE digest = :digest")
_END: Final = text("DELETE FROM access_sessions WHERE digest = :digest AND identity = :identity")
_END_ALL: Final = text("DELETE FROM access_sessions WHERE identity = :identity")
_END_WAY: Final = text("DELETE FROM access_sessions WHERE way = :way")
_END_OLD: Final = text("DELETE FROM access_sessions WHERE seen <= :seen OR started <= :started")
_NEWEST_BASIS: Final = text(
    "SELECT basis FROM access_bases WHERE way = :way ORDER BY since DESC, basis LIMIT 1"
)
_KNOWS_BASIS: Final = text("SELECT 1 FROM access_bases WHERE way = :way AND basis = :basis")
_FORGET_BASIS: Final = text("DELETE FROM access_bases WHERE way = :way AND basis = :basis")
_LAST_BASIS: Final = text("SELECT coalesce(max(since), 0) FROM access_bases WHERE way = :way")
_ADD_BASIS: Final = text(
    "INSERT INTO access_bases (way, basis, since) VALUES (:way, :basis, :since)"
)

# The first that is contained in the header; most browsers also say that they are others.
_BROWSERS: Final = {
    "Edg/": "Edge",
    "EdgA/": "Edge",
    "EdgiOS/": "Edge",
    "OPR/": "Opera",
    "Firefox/": "Firefox",
    "FxiOS/": "Firefox",
    "CriOS/": "Chrome",
    "Chrome/": "Chrome",
    "Safari/": "Safari",
    "curl/": "curl",
}
_SYSTEMS: Final = {
    "Android": "Android",
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Windows": "Windows",
    "Mac OS X": "macOS",
    "CrOS": "ChromeOS",
    "Linux": "Linux",
}


@dataclass(frozen=True, slots=True)
class Session:
    """A login in one browser. Times are in seconds since 1970."""

    key: str
    reader: Reader
    started: float
    seen: float
    address: str
    browser: str


class Sessions:
    """All sessions; safe for all threads of a process.

    `bases` has the basis of each way in that the settings of this process allow. `now` returns
    seconds since 1970. Every method raises one of `DATABASE_ERRORS` if the database fails.
    """

    def __init__(
        self,
        database: DatabaseOpener,
        bases: Mapping[str, str],
        *,
        idle: int,
        lifetime: int,
        now: Callable[[], float],
    ) -> None:
        self._database = database
        self._bases = bases
        self._idle = idle
        self._lifetime = lifetime
        self._now = now
        self._is_registered = False

    def start(self, reader: Reader, *, address: str, browser: str) -> str:
        """Start a session of `reader`, and return its token for the cookie."""
        self._register()
        token = secrets.token_urlsafe(32)
        now = self._milliseconds()
        row = {
            "digest": digest(token),
            "identity": reader.identity,
            "name": reader.name,
            "administrator": reader.administrator,
            "way": reader.way,
            "started": now,
            "seen": now,
            "address": address,
            "browser": browser,
            "basis": self._bases[reader.way],
        }
        with self._database.get().exclusive.begin() as connection:
            connection.execute(_END_OLD, self._oldest())
            connection.execute(_ADD, row)
        return token

    def find(self, token: str) -> Session | None:
        """Find the session of `token`, and note that it was used; None if it is over."""
        self._register()
        binds = {"digest": digest(token), **self._oldest()}
        found = next(iter(self._database.get().look_up(_FIND, binds)), None)
        if found is None or found.way not in self._bases:
            return None
        session = _read_session(found)
        now = self._milliseconds()
        if now - found.seen > min(_SEEN_SECONDS, self._idle // 2) * 1000:
            try:
                with self._database.get().exclusive.begin() as connection:
                    connection.execute(_TOUCH, {"digest": found.digest, "now": now})
            except DRIVER_ERRORS as error:
                # A database that is read-only for a while is no reason to log people out.
                log.warning(
                    "the use of a session could not be noted: %s", getattr(error, "orig", error)
                )
        return session

    def list_for(self, identity: str) -> list[Session]:
        """List the sessions of one identity, the last used first."""
        with self._database.get().reader.connect() as connection:
            rows = connection.execute(_LIST, {"identity": identity, **self._oldest()})
            return [_read_session(row) for row in rows]

    def end(self, key: str, *, identity: str) -> None:
        """End one session of `identity`; do nothing if it is not theirs."""
        with self._database.get().exclusive.begin() as connection:
            connection.execute(_END, {"digest": key, "identity": identity})

    def end_all(self, identity: str) -> None:
        """End all sessions of `identity`."""
        with self._database.get().exclusive.begin() as connection:
            connection.execute(_END_ALL, {"identity": identity})

    def is_newest(self, way: str) -> bool:
        """Return whether no other process has replaced the basis of `way` since this started."""
        self._register()
        with self._database.get().reader.connect() as connection:
            newest = connection.execute(_NEWEST_BASIS, {"way": way}).scalar()
        return newest == self._bases.get(way)

    def put_in_force(self) -> None:
        """Put the settings of this process in force, as its administrator intends."""
        self._register(again=True)

    def _register(self, *, again: bool = False) -> None:
        """Add the bases that no process has had before; they are the newest then.

        One that others have replaced is not put in force by a worker that is started `again`.
        """
        if self._is_registered and not again:
            return
        with self._database.get().exclusive.begin() as connection:
            for way, basis in self._bases.items():
                binds = {"way": way, "basis": basis}
                if connection.execute(_NEWEST_BASIS, {"way": way}).scalar() == basis:
                    continue
                if connection.execute(_KNOWS_BASIS, binds).first() is not None:
                    if not again:
                        continue
                    connection.execute(_FORGET_BASIS, binds)
                last = connection.execute(_LAST_BASIS, {"way": way}).scalar_one()
                since = max(self._milliseconds(), last + 1)
                connection.execute(_ADD_BASIS, binds | {"since": since})
                # If this one comes back later, the sessions of its first time do not.
                connection.execute(_END_WAY, {"way": way})
        self._is_registered = True

    def _oldest(self) -> dict[str, int]:
        now = self._milliseconds()
        return {"seen": now - self._idle * 1000, "started": now - self._lifetime * 1000}

    def _milliseconds(self) -> int:
        return int(self._now() * 1000)


def digest(token: str) -> str:
    """Hash a token, as the database stores it."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


def _read_session(row: Row[Any]) -> Session:
    reader = Reader(row.identity, row.name, bool(row.administrator), row.way, row.digest)
    return Session(
        row.digest, reader, row.started / 1000, row.seen / 1000, row.address, row.browser
    )


def describe_browser(user_agent: str, *, otherwise: str = "A browser") -> str:
    """Describe the browser that sent the header User-Agent, in words such as "Firefox on Linux".

    `otherwise` is the word for one that is not known.
    """
    browser = next((name for sign, name in _BROWSERS.items() if sign in user_agent), None)
    system = next((name for sign, name in _SYSTEMS.items() if sign in user_agent), None)
    browser = browser or otherwise
    return f"{browser} on {system}" if system else browser
