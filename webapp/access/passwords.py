"""The team's password: its hash, a check with bounded cost, and a limit on guesses.

Attempts are counted before they are checked, so that many at once do not slip through together.
Guesses are slowed down without locking out those who know the password.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from werkzeug.security import check_password_hash, generate_password_hash

from webapp.config import ConfigError
from webapp.redaction import get_logger

if TYPE_CHECKING:
    from limits import RateLimitItem
    from limits.strategies import RateLimiter


MIN_LENGTH: Final = 10
MAX_LENGTH: Final = 1_000
_AT_ONCE: Final = 2
"""Checks at the same time in one process; each needs 32 MiB and a good part of a second."""

MAX_LOGINS: Final = 10
"""Logins at the same time in one process, those included that wait for a check. In an attack
all others would wait for a minute, and so would every form that needs their threads."""

_checks: Final = threading.BoundedSemaphore(_AT_ONCE)
_logins: Final = threading.BoundedSemaphore(MAX_LOGINS)

log = get_logger("readback")


class TooManyLogins(Exception):
    """So many others log in that this login must be tried again."""


def hash_password(password: str) -> str:
    """Hash a password, with a new salt each time, for READBACK_PASSWORD_HASH.

    Raises `ValueError` with a sentence if the password is too short or too long.
    """
    if len(password) < MIN_LENGTH:
        raise ValueError(f"The password must have at least {MIN_LENGTH} characters.")
    if len(password) > MAX_LENGTH:
        raise ValueError(f"The password may have at most {MAX_LENGTH:,} characters.")
    return generate_password_hash(password, method="scrypt")


@contextmanager
def take_place() -> Iterator[None]:
    """Hold one of the places of logins. Raises `TooManyLogins` if there is none."""
    if not _logins.acquire(blocking=False):
        raise TooManyLogins
    try:
        yield
    finally:
        _logins.release()


def check_password(hashed: str, password: str) -> bool:
    """Return whether `hashed` was made from `password`; may wait for other checks to end."""
    if len(password) > MAX_LENGTH:
        return False
    with _checks:
        return check_password_hash(hashed, password)


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many attempts one source gets, in the words of the `limits` library.

    After `many` attempts of one source, or `ceiling` failures of all sources together, a source
    is limited to `slow` until these have expired. That slows guesses, and nobody waits for an
    attempt longer than `slow` lasts: a whole team may have the address of a proxy.
    """

    each: str
    many: str
    ceiling: str
    slow: str


PASSWORDS: Final = Allowance("5/minute", "30/hour", "60/minute", "1/minute")


class Attempts:
    """Counts attempts in `storage_uri`; safe for all threads.

    If Redis does not answer, this process counts by itself until it does.
    """

    def __init__(self, storage_uri: str) -> None:
        # Imported here, since most installations have no password.
        from limits import parse
        from limits.errors import StorageError
        from limits.storage import MemoryStorage, storage_from_string
        from limits.strategies import FixedWindowRateLimiter

        self._parse = parse
        self._storage_error = StorageError
        self._own = FixedWindowRateLimiter(MemoryStorage())
        self._shared = self._own
        if not storage_uri.startswith("memory:"):
            try:
                import redis  # noqa: F401
            except ImportError as error:
                raise ConfigError(
                    "RATELIMIT_STORAGE_URI needs the driver of Redis: pip install 'readback[redis]'"
                ) from error
            storage = storage_from_string(
                storage_uri,
                wrap_exceptions=True,
                socket_connect_timeout=2,
                socket_timeout=2,
            )
            self._shared = FixedWindowRateLimiter(storage)

    def begin(self, allowance: Allowance, name: str, source: str) -> int:
        """Count an attempt of `source` at `name`; return 0, or the seconds it has to wait."""
        try:
            return self._begin(self._shared, allowance, name, source)
        except self._storage_error as error:
            cause = type(error.storage_error).__name__
            log.warning("RATELIMIT_STORAGE_URI failed, so this process counts alone: %s", cause)
            return self._begin(self._own, allowance, name, source)

    def fail(self, allowance: Allowance, name: str) -> None:
        """Count a failure towards the ceiling of all sources together."""
        ceiling = self._parse(allowance.ceiling)
        try:
            self._shared.hit(ceiling, name, "all")
        except self._storage_error:
            self._own.hit(ceiling, name, "all")

    def succeed(self, allowance: Allowance, name: str, source: str) -> None:
        """Forget the attempts of `source`, which knew the password."""
        for limiter in {self._shared, self._own}:
            try:
                for limit in (allowance.each, allowance.many, allowance.slow):
                    limiter.clear(self._parse(limit), name, source)
            except self._storage_error:
                continue

    def _begin(self, limiter: RateLimiter, allowance: Allowance, name: str, source: str) -> int:
        each, many, ceiling, slow = map(
            self._parse, (allowance.each, allowance.many, allowance.ceiling, allowance.slow)
        )
        if not limiter.hit(each, name, source):
            return _find_wait(limiter, each, name, source)
        is_slowed = not limiter.hit(many, name, source) or not limiter.test(ceiling, name, "all")
        if is_slowed and not limiter.hit(slow, name, source):
            return _find_wait(limiter, slow, name, source)
        return 0


def _find_wait(limiter: RateLimiter, limit: RateLimitItem, *name: str) -> int:
    reset = limiter.get_window_stats(limit, *name).reset_time
    return max(1, round(reset - time.time()))
