"""The two cookies: the token of a session, and the state of a login at a provider."""

from __future__ import annotations

from typing import Final

from flask import Flask, Request, Response, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin

# Browsers take a name with this prefix only over TLS, for this host and all of its paths.
_SECURE_PREFIX: Final = "__Host-"
_SESSION: Final = "readback"
_LOGIN: Final = "readback-login"


class LoginCookie(SecureCookieSessionInterface):
    """Flask's signed session, which is used only between the two steps of a login."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Open the session of a request; without the cookie, make no signer to read it with."""
        if self.get_cookie_name(app) not in request.cookies:
            return self.session_class()
        return super().open_session(app, request)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Save the session of a request that has used it; put no cookie together for others."""
        if session.accessed:
            super().save_session(app, session, response)

    def get_cookie_name(self, app: Flask) -> str:
        return _SECURE_PREFIX + _LOGIN if request.is_secure else _LOGIN

    def get_cookie_secure(self, app: Flask) -> bool:
        return request.is_secure

    def get_cookie_samesite(self, app: Flask) -> str:
        return "Lax"


def cookie_name(asked: Request) -> str:
    """Return the name of the session's cookie."""
    return _SECURE_PREFIX + _SESSION if asked.is_secure else _SESSION


def keep_session(response: Response, token: str, *, seconds: int) -> None:
    """Put the token of a session into the cookie of `response`."""
    response.set_cookie(
        cookie_name(request),
        token,
        max_age=seconds,
        secure=request.is_secure,
        httponly=True,
        samesite="Lax",
    )


def forget_session(response: Response) -> None:
    """Remove the cookie, and the pages in the browser's cache."""
    response.delete_cookie(
        cookie_name(request), secure=request.is_secure, httponly=True, samesite="Lax"
    )
    response.headers["Clear-Site-Data"] = '"cache"'
