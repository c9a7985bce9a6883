"""Log in with an account at an OpenID Connect provider.

ProviderError    the login cannot go on; the message is for the reader
  ProviderDown   the provider does not answer, or answers with something else
  LoginFailed    the answer is stale, foreign or refused; another try may succeed
  NotAllowed     the account is not one of the team's
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from threading import BoundedSemaphore
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.flask_client import FlaskIntegration, FlaskOAuth2App
from authlib.integrations.requests_client import OAuth2Session
from flask import request, session
from joserfc.errors import JoseError
from urllib3.exceptions import HTTPError

from webapp.access.reader import Reader, is_administrator
from webapp.config import AccessSettings
from webapp.http.deadline import Deadline
from webapp.http.transport import DeadlineAdapter, read_deadline
from webapp.redaction import get_logger

log = get_logger("readback")

NAME: Final = "provider"
_SECONDS: Final = 10
_LOADING_AT_ONCE: Final = 2
"""Requests that wait for the addresses of the provider; pages that log out are among them."""
_LOGINS_AT_ONCE: Final = 8
"""Requests of a process that wait for the provider to confirm an account."""
_MAX_BYTES: Final = 1024 * 1024
_ADDRESS: Final = re.compile(r"[^\s@,;:<>()\"]+@[^\s@,;:<>()\"]+")
"""One address, and nothing that could be read as several."""
_STATE: Final = f"_state_{NAME}_"
_MAX_STATES: Final = 3
"""Logins begun in one browser at once; each takes 500 bytes of a cookie that may have 4,096."""
_MAX_WANTED: Final = 500
"""Characters of an address to return to; after a login without one, the list is shown."""


class ProviderError(Exception):
    """The login cannot go on; the message is for the reader."""

    status = 400


class ProviderDown(ProviderError):
    status = 502

    def __init__(self) -> None:
        super().__init__("The login provider cannot be reached now. Try again in a moment.")


class LoginFailed(ProviderError):
    def __init__(self) -> None:
        super().__init__("This login was not finished, or was begun too long ago. Try again.")


class NotAllowed(ProviderError):
    status = 403

    def __init__(self) -> None:
        super().__init__("This account may not read here. Ask the administrator of this Readback.")


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """The reader who has logged in, and the address they wanted to read."""

    reader: Reader
    wanted: str


class _Session(OAuth2Session):  # type: ignore[misc]
    """A session that takes nothing from the environment and follows no redirect.

    An answer that is not whole in `_SECONDS`, or has more than `_MAX_BYTES`, is an error.
    """

    def __init__(self, *args: Any, proxy: str | None, ca_bundle: str | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.trust_env = False
        self.proxies = {"https": proxy} if proxy else {}
        self.verify = ca_bundle or True
        for scheme in ("https://", "http://"):
            self.mount(scheme, DeadlineAdapter(pool_connections=1, pool_maxsize=1))

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        with read_deadline(Deadline.after(_SECONDS), read_timeout=_SECONDS):
            response: requests.Response = super().send(request, **kwargs | {"stream": True})
        try:
            body = response.raw.read(_MAX_BYTES + 1, decode_content=True)
        except HTTPError as error:
            raise requests.ConnectionError(error) from error
        finally:
            response.raw.close()
        if len(body) > _MAX_BYTES:
            raise requests.ConnectionError("the answer is too large")
        response.raw = BytesIO(body)
        return response

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


class _Client(FlaskOAuth2App):  # type: ignore[misc]
    client_cls = _Session


class Provider:
    """The configured provider. Its addresses are fetched at the first login, and then kept.

    Few requests wait for it at once. Others are asked at once to try again: if it does not answer,
    each would hold a thread.
    """

    def __init__(
        self, settings: AccessSettings, *, proxy: str | None, ca_bundle: str | None
    ) -> None:
        assert settings.oidc_issuer is not None
        self._settings = settings
        self._issuer = settings.oidc_issuer
        self._loading = BoundedSemaphore(_LOADING_AT_ONCE)
        self._confirming = BoundedSemaphore(_LOGINS_AT_ONCE)
        self._loaded: object = None
        self._client = _Client(
            FlaskIntegration(NAME),
            name=NAME,
            client_id=settings.oidc_client_id,
            client_secret=settings.oidc_client_secret,
            server_metadata_url=f"{self._issuer.rstrip('/')}/.well-known/openid-configuration",
            client_kwargs={
                "scope": "openid email profile",
                "code_challenge_method": "S256",
                "default_timeout": _SECONDS,
                "proxy": proxy,
                "ca_bundle": ca_bundle,
            },
        )

    @property
    def host(self) -> str:
        return urlsplit(self._issuer).netloc

    def begin(self, redirect_uri: str, wanted: str) -> str:
        """Start a login: keep its state in a cookie, and return the address to redirect to.

        Raises `ProviderDown`.
        """
        self._load_metadata()
        begun = self._client.create_authorization_url(redirect_uri)
        states = sorted(
            (key for key in session if key.startswith(_STATE)), key=lambda key: session[key]["exp"]
        )
        for key in states[: max(0, len(states) - _MAX_STATES + 1)]:
            session.pop(key)
        url: str = begun.pop("url")
        kept = wanted if len(wanted) <= _MAX_WANTED else ""
        self._client.save_authorize_data(redirect_uri=redirect_uri, wanted=kept, **begun)
        return url

    def finish(self) -> LoggedIn:
        """Complete a login: read the account from the request of the provider's redirect.

        Raises `ProviderError`.
        """
        self._load_metadata()
        data = self._client.framework.get_state_data(session, request.args.get("state"))
        wanted = data.get("wanted", "") if isinstance(data, dict) else ""
        if (
            request.args.get("iss", self._client.server_metadata["issuer"])
            != (self._client.server_metadata["issuer"])
        ):
            raise LoginFailed
        try:
            with self._take_turn(self._confirming):
                token = self._client.authorize_access_token()
                claims = self._read_claims(token)
        except requests.HTTPError as error:
            # The provider answered, and refused the code.
            raise self._note(LoginFailed(), error) from error
        except requests.RequestException as error:
            raise self._note(ProviderDown(), error) from error
        except (AuthlibBaseError, JoseError, KeyError, TypeError, ValueError) as error:
            raise self._note(LoginFailed(), error) from error
        if not is_allowed(claims, self._settings.oidc_allowed):
            raise NotAllowed
        address = find_verified_address(claims)
        name = address or claims.get("name") or claims.get("preferred_username") or claims["sub"]
        reader = Reader(
            identity=f"{self._client.server_metadata['issuer']} {claims['sub']}",
            name=str(name),
            administrator=is_administrator(self._settings.admins, address, claims),
            way="openid",
        )
        return LoggedIn(reader, wanted)

    def find_logout_url(self, return_to: str) -> str | None:
        """Find the address that logs out at the provider; None if it offers none, or is down."""
        try:
            self._load_metadata()
        except ProviderDown:
            return None
        if "end_session_endpoint" not in self._client.server_metadata:
            return None
        made = self._client.create_logout_url(
            post_logout_redirect_uri=return_to, client_id=self._settings.oidc_client_id
        )
        url: str = made["url"]
        return url if urlsplit(url).scheme in ("http", "https") else None

    def _load_metadata(self) -> None:
        if self._client.server_metadata is self._loaded:
            return
        try:
            with self._take_turn(self._loading):
                metadata = self._client.load_server_metadata()
        except (requests.RequestException, TypeError, ValueError) as error:
            # Another request may have fetched them meanwhile, and they stay.
            raise self._note(ProviderDown(), error) from error
        try:
            issuer = metadata["issuer"]
            if issuer.rstrip("/") != self._issuer.rstrip("/"):
                raise ValueError("the provider calls itself by another name")
            if urlsplit(metadata["authorization_endpoint"]).scheme not in ("http", "https"):
                raise ValueError("the provider has no address to log in at")
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            self._client.server_metadata = {}
            raise self._note(ProviderDown(), error) from error
        self._loaded = metadata

    @contextmanager
    def _take_turn(self, turns: BoundedSemaphore) -> Iterator[None]:
        """Hold one of `turns`. Raises `ProviderDown` at once if all are taken."""
        if not turns.acquire(blocking=False):
            log.warning("a login at %s was refused: too many wait for it", self.host)
            raise ProviderDown
        try:
            yield
        finally:
            turns.release()

    def _read_claims(self, token: Mapping[str, Any]) -> dict[str, Any]:
        """Read the claims of the ID token, with those that only the user info has."""
        claims = dict(token["userinfo"])
        if not isinstance(claims["sub"], str) or not claims["sub"]:
            raise ValueError("the account has no id")
        if "userinfo_endpoint" in self._client.server_metadata:
            more = self._client.userinfo(token=token)
            if more["sub"] != claims["sub"]:
                raise ValueError("the user info is of another account")
            claims = merge_claims(claims, more)
        return claims

    def _note(self, problem: ProviderError, cause: Exception) -> ProviderError:
        """Log the cause of a failed login, and return `problem`, which has no details."""
        code = getattr(cause, "error", None) or type(cause).__name__
        log.warning("a login at %s failed: %.200r", self.host, code)
        return problem


def merge_claims(token: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """Merge the claims of an ID token with those that only the user info has.

    An address is verified only by claims that name it.
    """
    merged = {**more, **token}
    naming = [one for one in (token, more) if one.get("email") == merged.get("email")]
    verified = [one["email_verified"] for one in naming if "email_verified" in one]
    return merged | {"email_verified": verified[0] if verified else False}


def find_verified_address(claims: Mapping[str, Any]) -> str | None:
    """Find the account's address in lower case, if the provider has verified it."""
    address = claims.get("email")
    if claims.get("email_verified") not in (True, "true") or not isinstance(address, str):
        return None
    address = address.strip().lower()
    return address if _ADDRESS.fullmatch(address) else None


def is_allowed(claims: Mapping[str, Any], allowed: tuple[str, ...]) -> bool:
    """Return whether an account is one of those in READBACK_OIDC_ALLOWED.

    The domain of an address comes after its last @.
    """
    if "everyone" in allowed:
        return True
    address = find_verified_address(claims)
    if address is None:
        return False
    return address in allowed or address.rpartition("@")[2] in allowed
