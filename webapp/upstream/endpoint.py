"""The server's address, credentials and fixed parameters, and the paths below its base URL.

A key travels only encrypted or within this network, unless the caller allows otherwise, and is
revealed only when a request is made. Paths are built only from ids that can be ids.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import quote, urlencode, urlsplit

from webapp.addresses.hosts import is_on_this_network
from webapp.config import OPENAI_BASE_URL
from webapp.http import find_secrets
from webapp.ids import is_valid_id
from webapp.redaction import mask
from webapp.upstream.errors import InvalidId

_BASE_URL = re.compile(
    r"""(?P<scheme>https?)://
    (?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+(?:%25[A-Za-z0-9._-]+)?\])(?P<port>:[0-9]{1,5})?
    (?P<path>(?:/(?!\.\.?(?:/|$))[A-Za-z0-9._~%:@+-]*)*)""",
    re.VERBOSE,
)
_QUERY = re.compile(r"[\x21\x22\x24-\x7e]*")
_ACCOUNT: Final = frozenset({"openai-organization", "openai-project"})
_MIN_MASKED: Final = 6
"""Characters of an organization or project; a shorter one may be part of any word."""
_VISIBLE_ASCII = re.compile(r"[\x21-\x7e]+")

COMPLETIONS: Final = "/chat/completions"


class Secret:
    """A text that is shown as `***` wherever it is printed; `reveal()` returns it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One server: its base URL without a slash at the end, headers and query of every request.

    A query in the base URL is moved to `query`, as it was written. `allows_plain_http` allows
    http:// to servers outside of this network. Raises `ValueError`, with a message of one line
    without secrets, if it cannot be one.
    """

    base_url: str
    headers: tuple[tuple[str, Secret], ...] = ()
    query: str = field(default="", repr=False)
    secrets: tuple[Secret, ...] = ()
    allows_plain_http: bool = False

    def __post_init__(self) -> None:
        base_url, _, query = self.base_url.strip().partition("?")
        if not _QUERY.fullmatch(query):
            raise ValueError("The query of the base URL contains characters that cannot be sent")
        checked = _check_base_url(base_url, allows_plain_http=self.allows_plain_http)
        secrets = (*self.secrets, *map(Secret, find_secrets(query=query)))
        object.__setattr__(self, "base_url", checked)
        object.__setattr__(self, "query", "&".join(filter(None, (query, self.query))))
        object.__setattr__(self, "secrets", secrets)

    @classmethod
    def openai(
        cls,
        base_url: str = OPENAI_BASE_URL,
        *,
        api_key: str | None = None,
        organization: str | None = None,
        project: str | None = None,
        allows_plain_http: bool = False,
    ) -> Endpoint:
        """Build the endpoint of a server with OpenAI's API, which takes the key as bearer token."""
        key = _check_header(api_key, "API key")
        headers = {
            "Authorization": f"Bearer {key}" if key else None,
            "OpenAI-Organization": _check_header(organization, "organization"),
            "OpenAI-Project": _check_header(project, "project"),
        }
        return cls(
            base_url,
            _wrap_headers(headers),
            secrets=(Secret(key),) if key else (),
            allows_plain_http=allows_plain_http,
        )

    @classmethod
    def azure(
        cls,
        endpoint: str,
        api_key: str,
        *,
        api_version: str | None = None,
        allows_plain_http: bool = False,
    ) -> Endpoint:
        """Build that of an Azure OpenAI resource: v1, or the classic form with an `api_version`.

        `endpoint` is the resource's address, such as `https://NAME.openai.azure.com`.
        """
        root = endpoint.strip().rstrip("/").removesuffix("/openai/v1").removesuffix("/openai")
        key = _check_header(api_key, "API key")
        if key is None:
            raise ValueError("Azure needs an API key")
        if "?" in root:
            raise ValueError("The base URL of Azure must not have a query")
        return cls(
            f"{root}/openai" if api_version else f"{root}/openai/v1",
            _wrap_headers({"api-key": key}),
            f"api-version={quote(api_version, safe='')}" if api_version else "",
            secrets=(Secret(key),),
            allows_plain_http=allows_plain_http,
        )

    def with_headers(self, headers: Sequence[tuple[str, str]]) -> Endpoint:
        """Add further headers, which replace those of the same name."""
        added = tuple((name, Secret(value)) for name, value in headers)
        names = {name.lower() for name, _ in added}
        kept = tuple(pair for pair in self.headers if pair[0].lower() not in names)
        secrets = (*self.secrets, *map(Secret, find_secrets(headers)))
        return replace(self, headers=kept + added, secrets=secrets)

    @property
    def host(self) -> str:
        """The server's name as a reader knows it, with the port if it has one."""
        return urlsplit(self.base_url).netloc

    def reveal_headers(self) -> dict[str, str]:
        """Reveal the headers as they must be sent."""
        return {name: value.reveal() for name, value in self.headers}

    def redact(self, text: str) -> str:
        """Redact the credentials of this endpoint in `text`, and those of others."""
        known = [secret.reveal() for secret in self.secrets]
        for name, value in self.headers:
            if name.lower() in _ACCOUNT and len(value.reveal()) >= _MIN_MASKED:
                known.append(value.reveal())
        return mask(text, known=known)


def _wrap_headers(headers: dict[str, str | None]) -> tuple[tuple[str, Secret], ...]:
    return tuple((name, Secret(value)) for name, value in headers.items() if value)


def _check_header(value: str | None, what: str) -> str | None:
    """Strip outer spaces from `value`; None if blank. Raises `ValueError` if it is unfit.

    Checked here since an HTTP library would quote a key it cannot send in its error.
    """
    text = (value or "").strip()
    if not text:
        return None
    if not _VISIBLE_ASCII.fullmatch(text):
        raise ValueError(f"The {what} contains characters that cannot be sent in a header")
    return text


def _check_base_url(base_url: str, *, allows_plain_http: bool) -> str:
    text = base_url.strip().rstrip("/")
    if "@" in text.partition("://")[2].partition("/")[0]:
        raise ValueError("The base URL must not contain a user name or password")
    if "#" in text:
        raise ValueError("The base URL must not have a fragment")
    match = _BASE_URL.fullmatch(text)
    if match is None or int((match["port"] or ":0")[1:]) > 65535:
        raise ValueError(f"Not a base URL such as {OPENAI_BASE_URL}: {text[:200]!r}")
    is_plain = match["scheme"] == "http" and not is_on_this_network(match["host"])
    if is_plain and not allows_plain_http:
        raise ValueError(
            f"The base URL must be https:// ({match['host']} is not on this network, and plain "
            "http:// would show the API key to everyone on the way; READBACK_ALLOW_PLAIN_HTTP=1 "
            "allows it)"
        )
    return text


def completion_path(completion_id: str) -> str:
    """Build the path of one completion. Raises `InvalidId`."""
    return f"{COMPLETIONS}/{quote(check_id(completion_id), safe='')}"


def build_page_query(
    *,
    after: str | None,
    limit: int | None,
    order: str | None,
    model: str | None = None,
    metadata: Mapping[str, str] | None = None,
    own: Mapping[str, str] | None = None,
) -> str:
    """Build the query of a list request, without blanks. Raises `InvalidId` for the cursor.

    Metadata filters are `metadata[key]=value` with the brackets encoded, as the official
    clients send them. `own` are parameters that our own server alone knows.
    """
    pairs = {
        "after": check_id(after) if after else None,
        "limit": None if limit is None else str(limit),
        "order": order,
        "model": model,
    } | dict(own or {})
    filters = {f"metadata[{key}]": value for key, value in (metadata or {}).items() if key}
    return encode_query((name, value) for name, value in (pairs | filters).items() if value)


def encode_query(pairs: Iterable[tuple[str, str]]) -> str:
    """Encode `pairs` as a query string; a lone surrogate is sent as it is."""
    return urlencode(list(pairs), quote_via=quote, safe="", errors="surrogatepass")


def check_id(text: str) -> str:
    """Check that `text` can be an id or a cursor, and return it. Raises `InvalidId`."""
    if not is_valid_id(text):
        raise InvalidId("This is not an id that a completion or message can have.")
    return text
