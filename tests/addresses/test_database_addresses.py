"""Database addresses as they are shown."""

from __future__ import annotations

import pytest

from webapp.addresses.credentials import hide_password
from webapp.database import StoreError, open_database


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("postgresql+psycopg://me@db:5432/readback", "postgresql+psycopg://me@db:5432/readback"),
        ("postgresql://me:hunter@db/readback", "postgresql://me:***@db/readback"),
        ("postgresql://me:hunter@[::1]:5432/x", "postgresql://me:***@[::1]:5432/x"),
        ("postgresql:///x?host=/run&password=hunter", "postgresql:///x"),
        ("postgresql://db/x?user=me&password=hunter", "postgresql://db/x"),
        ("sqlite:////home/me@work/x.db?key=hunter", "sqlite:////home/me@work/x.db"),
    ],
)
def test_an_address_is_shown_without_password_and_parameters(address: str, shown: str) -> None:
    assert hide_password(address) == shown


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://me:hun@ter@db/x",
        "postgresql://me:hun@t/er@db/x",
        "postgresql://me:hun?ter@db/x",
        "postgresql://db/x?password=hun@ter",
        "postgresql://me:hunter",
        "postgresql://me:1@db:hunter/x",
        "postgresql://hun@ter:hunter@db/x",
        "postgresql://me:hun ter@db/x",
        "postgresql:/me:hunter@db/x",
        "postgresql:me:hunter@db",
        "me:hunter@db",
        "://hunter",
        "hunter://x",
        "sqlite://me:hunter@db/x",
        "",
    ],
)
def test_a_malformed_address_shows_nothing_of_its_password(address: str) -> None:
    shown = hide_password(address)

    assert shown
    assert not any(part in shown for part in ("hun", "ter@", "ter:"))


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://me:hun@ter@db/x",
        "postgresql://me:hun@t/er@db/x",
        "postgresql://me:1@db:hunter/x",
        "postgresql://me:hunter",
        "hunter",
    ],
)
def test_a_malformed_address_is_refused_without_quoting_it(address: str) -> None:
    store = "postgresql://db/x"
    for whose, addresses in (("store", (address, None)), ("replica", (store, address))):
        with pytest.raises(StoreError, match=f"The {whose}'s address") as refusal:
            open_database(addresses[0], replica_url=addresses[1])

        assert not any(part in str(refusal.value) for part in ("hun", "ter@"))
        assert refusal.value.__cause__ is None
