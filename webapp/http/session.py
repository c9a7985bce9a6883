"""Open sessions that take nothing from the environment and keep nothing between requests.

Find the secrets that their requests carry, so that no answer can repeat them to others.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from functools import lru_cache
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from webapp.addresses.credentials import is_secret_name, is_secret_parameter
from webapp.monitoring.metrics import count_upstream
from webapp.monitoring.request_ids import SENT_AS, find_request_id

_TOKEN: Final = re.compile(r"(?=[^0-9]*[0-9])(?=[^A-Za-z]*[A-Za-z])[A-Za-z0-9_\-+/=.~]{20,}")
"""A word with letters and digits that is no address, as long as keys are."""
_BODILESS: Final = ("GET", "HEAD")
_SHORTEST_SECRET: Final = 8
"""Characters; a shorter value would be redacted out of common words."""


def open_session(
    adapter: BaseAdapter,
    *,
    counted_as: str,
    proxy: str | None = None,
    ca_bundle: str | None = None,
) -> requests.Session:
    """Open a session over `adapter`, for many threads at once.

    `counted_as` names the server in the metrics. The session reads no proxy, key or certificate
    from the environment, keeps no cookies and follows no redirect. Raises `ValueError` if there is
    no file `ca_bundle`.
    """
    if ca_bundle and not Path(ca_bundle).is_file():
        raise ValueError(f"There is no CA bundle at {ca_bundle}")
    session = _Session(counted_as)
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.verify = ca_bundle or True
    # Only for https: plain http is for this network, which a proxy may not reach and need not
    # see.
    session.proxies = {"https": proxy} if proxy else {}
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def find_secrets(headers: Iterable[tuple[str, str]] = (), *, query: str = "") -> tuple[str, ...]:
    """Find the values of configured headers and of a base URL's query that can be secrets.

    Of a header with the name of a secret that is each of its words, since `Bearer TOKEN` can come
    back without the first; of others each word that looks like a token. A title or an address is
    not a secret: answers contain its words. Of a query it is the value of a parameter with such a
    name; a version, say, is not a secret.
    """
    words = [
        word
        for name, value in headers
        for word in value.split()
        if is_secret_name(name) or _TOKEN.fullmatch(word)
    ]
    words += [
        value
        for name, value in parse_qsl(query)
        if is_secret_parameter(name) or _TOKEN.fullmatch(value)
    ]
    return tuple(word for word in words if len(word) >= _SHORTEST_SECRET)


class DirectAdapter(BaseAdapter):
    """An adapter that takes requests as they are, whose URLs and headers are of our making."""


class _Session(requests.Session):
    """A session that sends the id of the reader's request, counts, and follows no redirect.

    A request goes to its adapter without what such a session never has: cookies, hooks, a login
    from a file. Preparing and sending with them costs as much again, and with
    `allow_redirects=False` requests still reads and inflates the whole body of a redirect, past
    every limit on time and size.
    """

    def __init__(self, counted_as: str) -> None:
        super().__init__()
        self._counted_as = counted_as
        self._defaults = dict(self.headers)

    def request(self, method: str, url: str, **options: Any) -> requests.Response:  # type: ignore[override]
        """Send a request with `headers`, and with the bytes of `data` if there are any.

        The body of the response is still to be read. `timeout` is for connecting and for reading.
        """
        adapter = self.get_adapter(url)
        request = requests.PreparedRequest()
        request.method, request.url, request.body = method, url, options.get("data")
        if isinstance(adapter, DirectAdapter):
            request.headers = CaseInsensitiveDict(options["headers"])
        else:
            request.url = _prepare_url(url)
            request.prepare_headers({**self._defaults, **options["headers"]})
            if request.body is not None or method not in _BODILESS:
                request.prepare_body(request.body, None)
        request_id = find_request_id()
        if request_id is not None:
            request.headers.setdefault(SENT_AS, request_id)
        started = time.perf_counter()
        outcome = "failed"
        try:
            response = adapter.send(
                request,
                stream=True,
                timeout=options.get("timeout"),
                verify=self.verify or True,
                proxies=self.proxies,
            )
            outcome = str(response.status_code)
            return response
        except requests.Timeout:
            outcome = "timeout"
            raise
        except requests.ConnectionError:
            outcome = "unreachable"
            raise
        finally:
            count_upstream(self._counted_as, outcome, time.perf_counter() - started)


@lru_cache(maxsize=1_024)
def _prepare_url(url: str) -> str:
    """Quote the host and path of a URL as they are sent."""
    request = requests.PreparedRequest()
    request.prepare_url(url, None)
    return str(request.url)
