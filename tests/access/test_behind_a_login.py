"""A real nginx that asks for a password, and names the reader to Readback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import pytest
import requests
from requests.adapters import HTTPAdapter

from tests.access.conftest import Open
from tests.support.nginx import run_nginx
from tests.support.serving import serve

PREFIX: Final = "/readback"
LOGIN: Final = ("ann@example.com", "correct horse")


class Place(NamedTuple):
    """The address of Readback itself, and its address at nginx."""

    direct: str
    proxied: str


class _From(HTTPAdapter):
    """Connects from another address of this machine."""

    def init_poolmanager(self, *args: object, **others: object) -> None:
        super().init_poolmanager(*args, source_address=("127.0.0.2", 0), **others)  # type: ignore[arg-type]


@pytest.fixture
def place(open_app: Open, tmp_path: Path) -> Iterator[Place]:
    app = open_app(
        READBACK_PROXY_USER_HEADER="Remote-User",
        READBACK_TRUSTED_PROXIES="127.0.0.1",
        READBACK_ADMINS=LOGIN[0],
    )
    passwords = tmp_path / "passwords"
    passwords.write_text(f"{LOGIN[0]}:{{PLAIN}}{LOGIN[1]}\n")
    passwords.chmod(0o644)
    more = (
        f"auth_basic team; auth_basic_user_file {passwords};"
        " proxy_set_header Remote-User $remote_user; proxy_set_header Authorization '';"
    )
    with serve(app) as direct, run_nginx(direct, PREFIX, tmp_path, more=more) as proxied:
        yield Place(direct, proxied)


def test_the_name_of_a_reader_counts_from_the_proxy_alone(place: Place, tmp_path: Path) -> None:
    session = requests.Session()
    session.trust_env = False
    session.verify = str(tmp_path / "certificate.pem")
    forged = {"Remote-User": LOGIN[0]}

    # Through nginx: after its login, by the name that it gives and by no other.
    assert session.get(f"{place.proxied}/completions").status_code == 401
    assert session.get(f"{place.proxied}/completions", headers=forged).status_code == 401
    inside = session.get(f"{place.proxied}/sessions", auth=LOGIN)
    assert inside.status_code == 200 and LOGIN[0] in inside.text
    inside = session.get(
        f"{place.proxied}/sessions", auth=LOGIN, headers={"Remote-User": "eve@example.com"}
    )
    assert LOGIN[0] in inside.text and "eve@" not in inside.text
    assert session.get(f"{place.proxied}/record", auth=LOGIN).status_code == 200

    # Past nginx: from an address that is no proxy the same header is nothing.
    other = requests.Session()
    other.trust_env = False
    other.mount("http://", _From())
    for path in ("/completions", "/record", "/shares"):
        assert other.get(f"{place.direct}{path}", headers=forged).status_code in (401, 403), path
