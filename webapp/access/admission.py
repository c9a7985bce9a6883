"""Admit readers: identify the reader of a request, and refuse all others.

The guard runs before every route, unknown ones included. Only the endpoints of `OPEN_ENDPOINTS`
answer without a reader.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import urlsplit

from flask import Flask, Request, abort, current_app, redirect, request, url_for
from flask.typing import ResponseReturnValue

from webapp.access.cookies import cookie_name
from webapp.access.passwords import Attempts
from webapp.access.reader import ANYONE, LOCAL, READER, Reader, is_administrator
from webapp.access.record import Event, Record
from webapp.access.sessions import Sessions
from webapp.addresses.forwarding import CLIENT, Proxies
from webapp.addresses.hosts import is_local_request
from webapp.config import AccessSettings, Config
from webapp.database import DATABASE_ERRORS, DatabaseOpener
from webapp.fragments import render_notice, wants_fragment
from webapp.redaction import get_logger

if TYPE_CHECKING:
    from webapp.access.openid import Provider

log = get_logger("readback")

OPEN_ENDPOINTS: Final = frozenset(
    {
        "health.show",
        "health.show_readiness",
        "links.open_share",
        "links.show",
        "login.begin_openid",
        "login.finish_openid",
        "login.log_in",
        "login.logged_out",
        "login.show",
        "static_files.show",
    }
)
"""The routes that answer without a session; those of shares show only the snapshot."""

_EXTENSION: Final = "readback_access"


class Access:
    """Who may read this Readback; one a process. `now` returns seconds since 1970."""

    def __init__(
        self, config: Config, database: DatabaseOpener, *, now: Callable[[], float]
    ) -> None:
        self.settings: Final = config.access
        self.proxies: Final = Proxies(config.trusted_proxies, config.prefix)
        self.is_open: Final = config.open
        self._is_loopback = config.is_loopback
        self._proxy, self._ca_bundle = config.proxy, config.ca_bundle
        self.sessions: Final = Sessions(
            database,
            digest_bases(config.access),
            idle=config.access.session_idle,
            lifetime=config.access.session_lifetime,
            now=now,
        )
        self.record: Final = Record(database, days=config.access.record_days, now=now)
        if self.settings.password_hash:
            self._open_attempts()
        if self.is_open:
            log.warning("READBACK_OPEN=1: everyone who reaches Readback can read everything")

    def install(self, app: Flask) -> None:
        """Put the guard before every route of `app`."""
        self.attach(app)
        app.before_request(self._guard)

    def attach(self, app: Flask) -> None:
        """Let the views of `app` record, whose requests have all passed the guard before."""
        app.extensions[_EXTENSION] = self

    @cached_property
    def attempts(self) -> Attempts:
        """The counts of wrong passwords and passphrases."""
        return Attempts(self.settings.rate_limit_storage)

    def _open_attempts(self) -> None:
        """Open the counts now, so that a missing driver is reported at the start."""
        _ = self.attempts

    @cached_property
    def provider(self) -> Provider | None:
        """The OpenID Connect provider, if one is configured."""
        if self.settings.oidc_issuer is None:
            return None
        from webapp.access.openid import Provider

        return Provider(self.settings, proxy=self._proxy, ca_bundle=self._ca_bundle)

    def is_local(self, environ: Mapping[str, Any]) -> bool:
        """Return whether a request comes from this machine's own browser or client.

        If a proxy authenticates, no request of its own is local, even without forwarding headers.
        """
        is_proxied = self.settings.proxy_user_header and self.proxies.trusts(
            environ.get("REMOTE_ADDR", "")
        )
        return self._is_loopback and not is_proxied and is_local_request(cast(Any, environ))

    def identify(self, asked: Request) -> Reader | None:
        """Find the reader of a request, or None. Raises the errors of `Sessions.find`."""
        if self.is_local(asked.environ):
            return LOCAL
        if self.is_open:
            return ANYONE
        if self.settings.proxy_user_header:
            reader = self._read_proxy_header(asked)
            if reader is not None:
                return reader
        token = asked.cookies.get(cookie_name(asked))
        session = self.sessions.find(token) if token else None
        return session.reader if session else None

    def _read_proxy_header(self, asked: Request) -> Reader | None:
        """Read the reader that a trusted proxy names; None if it names none, or several."""
        header = self.settings.proxy_user_header or ""
        names = asked.headers.getlist(header)
        if not self.proxies.trusts(asked.remote_addr or "") or len(names) != 1:
            return None
        name = names[0].strip()
        if not name or "," in name or not name.isprintable():
            return None
        return Reader(
            identity=f"proxy {name}",
            name=name,
            administrator=is_administrator(self.settings.admins, name, {}),
            way="proxy",
        )

    def _guard(self) -> ResponseReturnValue | None:
        if request.endpoint in OPEN_ENDPOINTS:
            return None
        try:
            reader = self.identify(request)
        except DATABASE_ERRORS as error:
            log.error("a session could not be checked: %s", type(error).__name__)
            abort(503, "Readback cannot check your login now. Try again in a moment.")
        if reader is None:
            return self._refuse()
        request.environ[READER] = reader
        return None

    def _refuse(self) -> ResponseReturnValue:
        """Answer a request without a reader: redirect pages to the login, refuse the rest."""
        if request.path.startswith("/v1/"):
            # The API has its own key, and does not exist without one.
            abort(404)
        if not self.settings.ways:
            log.warning(
                "a request through a proxy, or for another host name, was refused: no setting lets "
                "anybody read from elsewhere"
            )
            abort(403, "This Readback can only be read on the machine that it runs on.")
        if not self.settings.password_hash and not self.settings.oidc_issuer:
            abort(403, "Open Readback through its proxy, which logs you in.")
        if wants_fragment():
            return render_notice("access/_notice.html", status=401)
        destination = request.headers.get("Sec-Fetch-Dest", "document")
        if request.method not in ("GET", "HEAD") or destination != "document":
            abort(401, "Log in to read this.")
        wanted = f"{request.script_root}{request.full_path.removesuffix('?')}"
        return redirect(url_for("login.show", next=wanted), 303)


def access() -> Access:
    """Return the `Access` of the current application."""
    found = current_app.extensions[_EXTENSION]
    assert isinstance(found, Access)
    return found


def client_address() -> str:
    """Return the client's address of this request, as trusted proxies report it."""
    address: str = request.environ.get(CLIENT) or request.remote_addr or ""
    return address


def record_event(event: Event, *, completion: str | None = None, **details: str | int) -> None:
    """Record an action of this request's reader, without any content."""
    access().record.add(
        event,
        request.environ.get(READER),
        address=client_address(),
        completion=completion,
        **details,
    )


def digest_bases(settings: AccessSettings) -> dict[str, str]:
    """Compute the basis of each way in: the digest of the settings that its sessions depend on."""
    rests_on = {
        "password": (settings.password_hash, settings.admins),
        "openid": (
            settings.oidc_issuer,
            settings.oidc_client_id,
            settings.oidc_allowed,
            settings.admins,
        ),
    }
    return {
        way: hashlib.sha256(json.dumps(values).encode()).hexdigest()
        for way, values in rests_on.items()
        if values[0] is not None
    }


def find_own_path(wanted: str) -> str | None:
    """Check that `wanted` is a path of this Readback, and return it; None if it is not.

    Browsers read `//host` and `/\\host` as another site, and skip tabs and newlines.
    """
    root = f"{request.script_root}/"
    try:
        parts = urlsplit(wanted)
    except ValueError:
        return None
    is_path = wanted.startswith(root) and not wanted[1:].startswith(("/", "\\"))
    is_plain = wanted.isprintable() and not parts.scheme and not parts.netloc
    # A browser that reads `/.//host` as `//host` would leave this site as well.
    is_straight = "\\" not in parts.path and "//" not in parts.path
    return wanted if is_path and is_plain and is_straight else None
