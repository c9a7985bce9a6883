"""The reader of a request, and the two roles."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, Final, ParamSpec, TypeVar

from flask import abort, request

P = ParamSpec("P")
T = TypeVar("T")

READER: Final = "readback.reader"
"""The key of a `Reader` in the environment of a request."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who may read; `administrator` is one of the two roles.

    The `identity` is stable and unique, the `name` is for people to read. `way` is their way
    in: `local`, `open`, `password`, `openid` or `proxy`. `session` is the key of the session,
    if there is one.
    """

    identity: str
    name: str
    administrator: bool
    way: str
    session: str | None = None


LOCAL: Final = Reader("local", "this machine", True, "local")
"""The reader on the machine that Readback runs on."""
RETENTION: Final = Reader("retention", "retention", True, "retention")
"""READBACK_KEEP_DAYS, which deletes completions that are too old."""
SHELL: Final = Reader("shell", "shell", True, "shell")
"""Whoever runs a command on the store."""
ANYONE: Final = Reader("anyone", "anyone", False, "open")
"""Every reader, if READBACK_OPEN=1 lets in everyone."""


def find_reader() -> Reader | None:
    """Find the reader of this request, or None on the few pages that are open to all."""
    reader = request.environ.get(READER)
    assert reader is None or isinstance(reader, Reader)
    return reader


def current_reader() -> Reader:
    """Find the reader of this request. Abort with 401 if nobody is logged in."""
    return find_reader() or abort(401, "Log in to read this.")


def administrators_only(view: Callable[P, T]) -> Callable[P, T]:
    """Restrict `view` to administrators; other readers get a 403."""

    @wraps(view)
    def checked(*args: P.args, **kwargs: P.kwargs) -> T:
        if not current_reader().administrator:
            abort(403, "Only administrators may do this.")
        return view(*args, **kwargs)

    return checked


def known_readers_only(view: Callable[P, T]) -> Callable[P, T]:
    """Restrict `view` to readers who logged in or are on this machine; others get a 403.

    If READBACK_OPEN=1 lets in everyone, strangers read, but cost nobody money or space.
    """

    @wraps(view)
    def checked(*args: P.args, **kwargs: P.kwargs) -> T:
        if current_reader().way == ANYONE.way:
            abort(403, "Readers who are not logged in may not do this.")
        return view(*args, **kwargs)

    return checked


def is_administrator(admins: tuple[str, ...], name: str | None, claims: Mapping[str, Any]) -> bool:
    """Return whether READBACK_ADMINS has an address or name, or one of the claims.

    A claim that is true or a number is compared as JSON writes it.
    """
    if "everyone" in admins:
        return True
    if name and name.lower() in (one.lower() for one in admins if "=" not in one):
        return True
    for one in admins:
        claim, is_claim, wanted = one.partition("=")
        value = claims.get(claim)
        values = value if isinstance(value, list) else [value]
        if is_claim and wanted in [
            json.dumps(each) if isinstance(each, bool | int) else each for each in values
        ]:
            return True
    return False
