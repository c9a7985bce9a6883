"""Open sessions that take nothing from the environment and keep nothing between requests."""

from __future__ import annotations

from http.cookiejar import DefaultCookiePolicy
from pathlib import Path

import requests
from requests.adapters import BaseAdapter


def open_session(
    adapter: BaseAdapter, *, proxy: str | None = None, ca_bundle: str | None = None
) -> requests.Session:
    """Return a session over `adapter`, for many threads at once.

    It reads no proxy, key or certificate from the environment, keeps no cookies and follows no
    redirect. Raises `ValueError` if there is no file `ca_bundle`.
    """
    if ca_bundle and not Path(ca_bundle).is_file():
        raise ValueError(f"There is no CA bundle at {ca_bundle}")
    session = _Session()
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.verify = ca_bundle or True
    # Only for https: plain http is for this machine, which a proxy could not reach and need
    # not see.
    session.proxies = {"https": proxy} if proxy else {}
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


class _Session(requests.Session):
    """A session that treats a redirect as any other answer.

    With `allow_redirects=False` alone, requests still reads and inflates the whole body of a
    redirect to prepare the next request, past every limit on time and size.
    """

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None
