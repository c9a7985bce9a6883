"""The team's password: its hash, and a check with bounded cost."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from werkzeug.security import check_password_hash, generate_password_hash

MIN_LENGTH: Final = 10
MAX_LENGTH: Final = 1_000
_AT_ONCE: Final = 2
"""Checks at the same time in one process; each needs 32 MiB and a good part of a second."""

MAX_LOGINS: Final = 10
"""Logins at the same time in one process, those included that wait for a check. In an attack
all others would wait for a minute, and so would every form that needs their threads."""

_checks: Final = threading.BoundedSemaphore(_AT_ONCE)
_logins: Final = threading.BoundedSemaphore(MAX_LOGINS)


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
