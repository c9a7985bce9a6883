"""Read the settings once from the environment into one frozen value.

A value that does not parse stops the start with one line that names the variable and says which
values it takes. For every setting `X`, `X_FILE` names a file to read it from, so that secrets
can stay out of the environment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import Final

from webapp.addresses.hosts import is_loopback
from webapp.config import parsers
from webapp.config.access import AccessSettings
from webapp.config.checking import check_settings
from webapp.config.limits import MEBIBYTE, Budgets, Limits, ModelLimits
from webapp.config.parsers import LogFormat
from webapp.config.settings import (
    AddressError,
    ConfigError,
    Setting,
    list_settings,
    nested,
    read_secrets,
    read_settings,
    setting,
)

__all__ = [
    "CONVERSATION_KEYS",
    "MEBIBYTE",
    "OPENAI_BASE_URL",
    "SETTINGS",
    "AccessSettings",
    "AddressError",
    "Budgets",
    "Config",
    "ConfigError",
    "Limits",
    "LogFormat",
    "ModelLimits",
    "Setting",
]

OPENAI_BASE_URL: Final = "https://api.openai.com/v1"
CONVERSATION_KEYS: Final = ("session_id", "thread_id", "conversation_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Readback's settings, parsed. Times are in seconds, sizes in bytes.

    The repr leaves out keys and the addresses that may contain a password.
    """

    openai_api_key: str | None = setting(
        "OPENAI_API_KEY",
        parsers.token,
        default=None,
        help="The key of the server to read from. Sent to that server alone.",
        is_secret=True,
    )
    openai_base_url: str | None = setting(
        "OPENAI_BASE_URL",
        parsers.url,
        default=None,
        default_text=OPENAI_BASE_URL,
        help="The server to read from, if it is another OpenAI-compatible one. A query, such as "
        "`?api-version=…`, is sent with every request.",
        is_secret=True,
    )
    headers: tuple[tuple[str, str], ...] = setting(
        "READBACK_HEADERS",
        parsers.headers,
        default=(),
        help="Further headers for the server to read from, as `Name: value` lines or a JSON "
        "object. Sent to that server alone.",
        is_secret=True,
    )
    allows_plain_http: bool = setting(
        "READBACK_ALLOW_PLAIN_HTTP",
        parsers.flag,
        default=False,
        help="1 allows http:// to servers outside of this network too: everyone on the way can "
        "read the keys and the transcripts.",
    )
    openai_org_id: str | None = setting(
        "OPENAI_ORG_ID", parsers.token, default=None, help="Sent as `OpenAI-Organization`."
    )
    openai_project_id: str | None = setting(
        "OPENAI_PROJECT_ID", parsers.token, default=None, help="Sent as `OpenAI-Project`."
    )
    azure_openai_endpoint: str | None = setting(
        "AZURE_OPENAI_ENDPOINT",
        parsers.url_without_query,
        default=None,
        help="Azure OpenAI: the resource, such as https://RESOURCE.openai.azure.com.",
    )
    azure_openai_api_key: str | None = setting(
        "AZURE_OPENAI_API_KEY",
        parsers.token,
        default=None,
        help="Azure OpenAI: the key, sent as `api-key`.",
        is_secret=True,
    )
    openai_api_version: str | None = setting(
        "OPENAI_API_VERSION",
        parsers.token,
        default=None,
        help="Azure OpenAI: the version of the classic API; without it the v1 API is used.",
    )
    database_url: str | None = setting(
        "DATABASE_URL",
        parsers.database_url,
        default=None,
        default_text="a SQLite file in the user's data folder",
        help="The database of the embedded server: SQLite, or `postgresql+psycopg://…`.",
        is_secret=True,
    )
    replica_url: str | None = setting(
        "READBACK_READ_DATABASE_URL",
        parsers.replica_url,
        default=None,
        help="A replica of that database in PostgreSQL, which runs lists, searches and other reads "
        "of the embedded server as long as it has everything.",
        is_secret=True,
    )
    api_key: str | None = setting(
        "READBACK_API_KEY",
        parsers.token,
        default=None,
        help="The key that clients of the embedded server must send. Without one it answers at "
        "/v1 only if HOST is loopback.",
        is_secret=True,
    )
    model_url: str | None = setting(
        "READBACK_MODEL_URL",
        parsers.url,
        default=None,
        help="The model server: an OpenAI-compatible server that creates completions for the "
        "embedded one, such as http://127.0.0.1:11434/v1. All other requests under /v1 are "
        "passed on to it as well.",
        is_secret=True,
    )
    model_headers: tuple[tuple[str, str], ...] = setting(
        "READBACK_MODEL_HEADERS",
        parsers.headers,
        default=(),
        help="Further headers for the model server, as `Name: value` lines or a JSON object. "
        "Sent to that server alone.",
        is_secret=True,
    )
    model_api_key: str | None = setting(
        "READBACK_MODEL_API_KEY",
        parsers.token,
        default=None,
        help="The key of the model server. Sent to that server alone.",
        is_secret=True,
    )
    model_forwards_store: bool = setting(
        "READBACK_MODEL_FORWARDS_STORE",
        parsers.flag,
        default=False,
        help="1 also forwards `store` and `metadata` to the model server: most have no store, "
        "and some refuse a request that asks for one.",
    )
    stores_all: bool = setting(
        "READBACK_STORE_ALL",
        parsers.flag,
        default=False,
        help="1 also stores the completions of requests that do not say `store`; `store: false` "
        "is respected.",
    )
    spool_dir: str | None = setting(
        "READBACK_SPOOL_DIR",
        parsers.folder,
        default=None,
        help="The folder, best on another disk, that keeps answers with `store: true` while the "
        "database is down, full or read-only; each store needs its own. By default it is in the "
        "user's data folder.",
    )
    spool_bytes: int = setting(
        "READBACK_SPOOL_BYTES",
        parsers.whole(0, 1024 * 1024 * MEBIBYTE),
        default=1024 * MEBIBYTE,
        help="The bytes that folder may hold; answers beyond it are not stored. 0 keeps none.",
    )
    secret_key: str | None = setting(
        "SECRET_KEY",
        parsers.token,
        default=None,
        default_text="made at start",
        help="Signs the cookies of browsers.",
        is_secret=True,
    )
    host: str = setting("HOST", parsers.host, default="127.0.0.1", help="The address to listen on.")
    port: int = setting(
        "PORT", parsers.whole(1, 65535), default=8000, help="The port to listen on."
    )
    open: bool = setting(
        "READBACK_OPEN",
        parsers.flag,
        default=False,
        help="1 lets in everyone who reaches Readback, from other machines and through proxies "
        "too: they can read everything.",
    )
    access: AccessSettings = nested(AccessSettings)
    allowed_hosts: tuple[str, ...] = setting(
        "READBACK_ALLOWED_HOSTS",
        parsers.hosts,
        default=(),
        help="Host names that readers type, separated by commas; IP addresses and localhost "
        "always work.",
    )
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = setting(
        "READBACK_TRUSTED_PROXIES",
        parsers.networks,
        default=(),
        help="Addresses or networks of the proxies whose X-Forwarded-Proto, -Host, -For and "
        "-Prefix count, separated by commas.",
    )
    prefix: str = setting(
        "READBACK_PREFIX",
        parsers.prefix,
        default="",
        help="The path that a proxy serves Readback under, such as /readback.",
    )
    log_format: LogFormat = setting(
        "READBACK_LOG_FORMAT",
        parsers.log_format,
        default="text",
        help="The log on standard error: `text` has warnings and errors; `json` is one object a "
        "line, with one for each request. Neither has content of messages.",
    )
    metrics_port: int = setting(
        "READBACK_METRICS_PORT",
        parsers.whole(0, 65535),
        default=0,
        help="A port that answers `GET /metrics` for Prometheus, without a login and without "
        "content. 0 opens none.",
    )
    metrics_host: str = setting(
        "READBACK_METRICS_HOST",
        parsers.host,
        default="127.0.0.1",
        help="The address of that port.",
    )
    workers: int = setting(
        "READBACK_WORKERS", parsers.whole(1, 64), default=2, help="Server processes."
    )
    threads: int = setting(
        "READBACK_THREADS",
        parsers.whole(1, 512),
        default=64,
        help="Threads in each process for each kind of request (pages, streamed answers, creates, "
        "searches, logins, forms): so many requests of a kind can wait for other servers at once. "
        "Uploads, and pages and searches of the embedded server, which wait for no other "
        "server, have at most 4, and files of shares 8.",
    )
    transfer_timeout: float = setting(
        "READBACK_TRANSFER_TIMEOUT",
        parsers.seconds,
        default=300.0,
        help="Seconds in which a client must have sent its request, and have taken its answer.",
    )
    limits: Limits = nested(Limits)
    model_limits: ModelLimits = nested(ModelLimits)
    max_pages: int = setting(
        "READBACK_MAX_PAGES",
        parsers.whole(1, 1_000_000),
        default=10_000,
        help="Pages that Load all requests in one go; a link continues from there.",
    )
    whole_requests: int = setting(
        "READBACK_WHOLE_REQUESTS",
        parsers.whole(0, 1000),
        default=20,
        help="Requests of 100 messages that may be made to count a whole run: with the embedded "
        "server for each page, with others when a reader asks. 0 counts what a page shows.",
    )
    media_cache_bytes: int = setting(
        "READBACK_MEDIA_CACHE_BYTES",
        parsers.whole(0, 1024 * 1024 * MEBIBYTE),
        default=256 * MEBIBYTE,
        help="Bytes of images and sounds of recent pages that are kept for the browser to fetch.",
    )
    media_cache_seconds: int = setting(
        "READBACK_MEDIA_CACHE_SECONDS",
        parsers.whole(1, 31 * 24 * 3600),
        default=3600,
        help="Seconds for which they are kept after the server last sent them.",
    )
    message_cache_bytes: int = setting(
        "READBACK_MESSAGE_CACHE_BYTES",
        parsers.whole(0, 1024 * 1024 * MEBIBYTE),
        default=256 * MEBIBYTE,
        help="Bytes of the messages of whole runs that are kept on disk, so that their pages need "
        "one request; never those of the embedded server. 0 keeps none.",
    )
    message_cache_seconds: int = setting(
        "READBACK_MESSAGE_CACHE_SECONDS",
        parsers.whole(1, 31 * 24 * 3600),
        default=24 * 3600,
        help="Seconds for which they are kept.",
    )
    keep_days: int = setting(
        "READBACK_KEEP_DAYS",
        parsers.whole(0, 36_500),
        default=0,
        help="Days after which the embedded server deletes a completion, with its shares and all "
        "else kept of it, counted from when it was stored, unless it is pinned. 0 keeps "
        "completions.",
    )
    conversation_keys: tuple[str, ...] = setting(
        "READBACK_CONVERSATION_KEYS",
        parsers.names,
        default=CONVERSATION_KEYS,
        default_text=", ".join(CONVERSATION_KEYS),
        help="Metadata, separated by commas: completions of the embedded server with the same "
        "value of one of them belong to one conversation. It counts for what is stored from then "
        "on. `none` names none.",
    )
    upstream_days: int | None = setting(
        "READBACK_UPSTREAM_DAYS",
        parsers.whole(0, 36_500),
        default=None,
        default_text="30 for OpenAI and Azure",
        help="Days after its creation at which the server to read from deletes a completion: its "
        "pages say so, and offer to keep a copy. 0 is for a server that deletes none.",
    )
    allows_writes: bool = setting(
        "READBACK_WRITES",
        parsers.flag,
        default=False,
        help="1 lets administrators edit the metadata of completions and delete them, on the "
        "server that the pages read from, and import files in the browser. Whoever reads on this "
        "machine counts as one.",
    )
    max_upload_bytes: int = setting(
        "READBACK_MAX_UPLOAD_BYTES",
        parsers.whole(1024, 64 * 1024 * MEBIBYTE),
        default=256 * MEBIBYTE,
        help="The largest upload of files to import in the browser, in bytes, all files together. "
        "It waits in the folder for temporary files, twice for a moment.",
    )
    allows_shares: bool = setting(
        "READBACK_SHARES",
        parsers.flag,
        default=True,
        help="1 allows sharing; with 0 no share can be made, and no link of a share opens.",
    )
    share_days: int = setting(
        "READBACK_SHARE_DAYS",
        parsers.whole(1, 3650),
        default=30,
        help="Days that a share may last at the most.",
    )
    shares_need_passphrase: bool = setting(
        "READBACK_SHARE_PASSPHRASE",
        parsers.flag,
        default=False,
        help="1 demands a passphrase for every share.",
    )
    budgets: Budgets = nested(Budgets)
    proxy: str | None = setting(
        "READBACK_PROXY",
        parsers.proxy,
        default=None,
        help="A proxy for https requests to other servers; HTTP_PROXY is not read.",
        is_secret=True,
    )
    ca_bundle: str | None = setting(
        "READBACK_CA_BUNDLE",
        parsers.certificates,
        default=None,
        help="A PEM file of the certificate authorities to trust for other servers.",
    )

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Config:
        """Read the settings in `environ`. Raises `ConfigError`."""
        config = read_settings(cls, environ)
        check_settings(config)
        return config

    @property
    def is_loopback(self) -> bool:
        """Whether the server listens for this machine only."""
        return is_loopback(self.host)

    @property
    def uses_azure(self) -> bool:
        return self.azure_openai_endpoint is not None

    @property
    def uses_embedded(self) -> bool:
        """Whether Readback brings its own server: neither a key nor an address is set."""
        return not (self.openai_api_key or self.openai_base_url or self.uses_azure)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The keys, and the passwords in addresses, for the logs to leave out."""
        return tuple(read_secrets(self))


SETTINGS: Final = list_settings(Config)
