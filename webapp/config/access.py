"""The settings of access: the ways in, the administrators, sessions and the record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from webapp.config import parsers
from webapp.config.settings import setting

DAY: Final = 24 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessSettings:
    """Settings of the readers and the administrators."""

    password_hash: str | None = setting(
        "READBACK_PASSWORD_HASH",
        parsers.password_hash,
        default=None,
        help="Lets in everybody who knows the team's password; `readback password` makes the hash. "
        "Another hash ends all sessions that began with the old one.",
        is_secret=True,
    )
    oidc_issuer: str | None = setting(
        "READBACK_OIDC_ISSUER",
        parsers.url_without_query,
        default=None,
        help="Lets in people with an account at this OpenID Connect provider, such as "
        "https://accounts.google.com.",
    )
    oidc_client_id: str | None = setting(
        "READBACK_OIDC_CLIENT_ID",
        parsers.token,
        default=None,
        help="The id under which the provider knows Readback.",
    )
    oidc_client_secret: str | None = setting(
        "READBACK_OIDC_CLIENT_SECRET",
        parsers.token,
        default=None,
        help="The secret of that id. Sent only to the provider.",
        is_secret=True,
    )
    oidc_allowed: tuple[str, ...] = setting(
        "READBACK_OIDC_ALLOWED",
        parsers.people,
        default=(),
        help="Whose accounts are let in: domains and addresses, separated by commas, such as "
        "example.com, ann@other.example; the provider must have verified the address. "
        "`everyone` is for a provider that has only accounts of your team.",
    )
    proxy_user_header: str | None = setting(
        "READBACK_PROXY_USER_HEADER",
        parsers.header_name,
        default=None,
        help="Lets in the person that a proxy of READBACK_TRUSTED_PROXIES names in this header, "
        "such as X-Forwarded-User. The proxy must remove the header from requests of browsers.",
    )
    admins: tuple[str, ...] = setting(
        "READBACK_ADMINS",
        parsers.admins,
        default=(),
        help="Who sees the record and all shares, and may change and delete: addresses or names as "
        "the provider or proxy sends them, or CLAIM=VALUE of the provider, such as "
        "groups=readback-admins, separated by commas; `everyone` means all who are let in.",
    )
    session_idle: int = setting(
        "READBACK_SESSION_IDLE_SECONDS",
        parsers.whole(60, 365 * DAY),
        default=DAY,
        help="Seconds after which an unused session ends.",
    )
    session_lifetime: int = setting(
        "READBACK_SESSION_SECONDS",
        parsers.whole(60, 365 * DAY),
        default=14 * DAY,
        help="Seconds after which a session ends in any case.",
    )
    record_days: int = setting(
        "READBACK_RECORD_DAYS",
        parsers.whole(1, 36_500),
        default=365,
        help="Days for which the record of logins, shares, exports and deletions is kept.",
    )
    rate_limit_storage: str = setting(
        "RATELIMIT_STORAGE_URI",
        parsers.rate_limit_storage,
        default="memory://",
        help="Where wrong passwords are counted: in each process, or for all of them together in "
        "Redis or Valkey, as redis://HOST:6379; needs the extra `readback[redis]`.",
        is_secret=True,
    )

    @property
    def ways(self) -> tuple[str, ...]:
        """The ways in that are configured: `password`, `openid`, `proxy`."""
        ways = {
            "password": self.password_hash,
            "openid": self.oidc_issuer,
            "proxy": self.proxy_user_header,
        }
        return tuple(way for way, is_set in ways.items() if is_set)
