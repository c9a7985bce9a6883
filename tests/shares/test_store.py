"""Shares in a database, also under many readers at once."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable, Iterator

import pytest

from tests.shares import opening
from tests.shares.sharing import OWN_ID, SECRET, snapshot
from tests.support.command import PATIENCE
from tools.forking import Forkable
from webapp.database import open_later
from webapp.shares import SCHEMA, Share, ShareStore, Terms, Tried


class Time:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def store(url: str, time: Time) -> Iterator[ShareStore]:
    database = open_later(url, SCHEMA)
    yield ShareStore(database, now=time)
    database.close()


def publish(store: ShareStore, **terms: object) -> tuple[Share, str]:
    share_id = store.add_draft("ann", OWN_ID, snapshot())
    token = store.publish(share_id, Terms(**{"maker": "Ann", "seconds": 3600, **terms}))  # type: ignore[arg-type]
    assert token
    share = store.find_open(token)
    assert share
    return share, token


def test_a_share_lives_from_its_publication_to_its_end(store: ShareStore, time: Time) -> None:
    draft = store.add_draft("ann", OWN_ID, snapshot())
    found = store.find(draft)
    assert found is not None and found.is_draft
    assert store.list_shares() == []

    share, token = publish(store)
    assert SECRET not in (store.read_snapshot(share.id) or "")
    assert store.publish(share.id, Terms(maker="Ann", seconds=99)) is None
    assert not store.replace_draft(share.id, snapshot())
    assert len(token) >= 22
    assert store.find_open(token[:-1]) is None

    renewed = store.renew_token(share.id)
    assert store.find_open(token) is None
    assert renewed and store.find_open(renewed) is not None

    time.now += 3600
    assert store.find_open(renewed) is None
    assert store.take_view(share, renewed, agent="") is None
    time.now += 61
    store.sweep()
    assert store.read_snapshot(share.id) is None
    assert store.find(draft) is None
    time.now += 31 * 86400
    assert store.list_shares() == []


def test_revoking_ends_shares_at_once_and_deletes_what_they_showed(store: ShareStore) -> None:
    (one, token), (two, _), (three, _) = (publish(store) for _ in range(3))
    ticket = store.take_view(one, token, agent="curl")
    assert ticket and store.has_ticket(one, ticket)

    assert store.revoke(one.id)
    assert not store.revoke(one.id)
    assert store.find_open(token) is None
    assert store.read_snapshot(one.id) is None
    assert not store.has_ticket(one, ticket)

    draft = store.add_draft("ann", OWN_ID, snapshot())
    assert store.revoke_all("bob") == []
    assert {share.id for share in store.revoke_all(completion=OWN_ID)} == {two.id, three.id}
    assert store.find(draft) is None


def test_a_deleted_completion_leaves_no_words_but_in_shares_that_are_kept(
    store: ShareStore, time: Time
) -> None:
    ended, _ = publish(store, seconds=60)
    kept, token = publish(store)
    draft = store.add_draft("ann", OWN_ID, snapshot())
    time.now += 60

    def find_title(share_id: str) -> str | None:
        share = store.find(share_id)
        return share.title if share else None

    assert store.forget(OWN_ID, revokes=False) == []
    assert store.find_open(token) == kept
    titles = [find_title(one) for one in (ended.id, kept.id, draft)]
    assert titles == ["A deleted transcript", kept.title, None]
    assert [share.id for share in store.forget(OWN_ID)] == [kept.id]
    assert find_title(kept.id) == "A deleted transcript"


def test_a_share_that_has_ended_is_not_revoked(store: ShareStore, time: Time) -> None:
    ended, _ = publish(store, seconds=60)
    time.now += 60
    assert not store.revoke(ended.id)
    assert store.revoke_all() == []


def test_five_passphrases_may_be_tried_and_then_one_a_minute(store: ShareStore, time: Time) -> None:
    share, _ = publish(store, passphrase="sesame")

    assert [store.try_passphrase(share, "x") for _ in range(6)] == [Tried.WRONG] * 5 + [
        Tried.TOO_SOON
    ]
    assert store.try_passphrase(share, "sesame") is Tried.TOO_SOON
    time.now += 60
    assert store.try_passphrase(share, "x") is Tried.WRONG
    assert store.try_passphrase(share, "sesame") is Tried.TOO_SOON
    time.now += 60
    assert store.try_passphrase(share, "sesame") is Tried.RIGHT
    assert store.try_passphrase(share, "x") is Tried.WRONG


def test_many_readers_in_four_processes_get_exactly_as_many_views_as_there_are(
    url: str, forkable: Forkable
) -> None:
    database = open_later(url, SCHEMA)
    store = ShareStore(database)
    share, token = publish(store, view_limit=5)
    readers = [
        forkable.start(opening.__name__, [url, token], os.environ, stdin=subprocess.PIPE)
        for _ in range(4)
    ]
    for reader in readers:
        assert reader.stdout and reader.stdout.readline() == b"ready\n"
    for reader in readers:
        assert reader.stdin
        reader.stdin.write(b"go\n")
        reader.stdin.flush()
    ended = [reader.communicate(timeout=PATIENCE) for reader in readers]

    assert [errors for _, errors in ended] == [b""] * 4
    assert sum(int(output) for output, _ in ended) == 5
    found = store.find(share.id)
    assert found is not None and found.views == 5 and found.is_used_up
    assert len(store.list_openings(share.id)) == 5
    assert store.take_view(share, token, agent="") is None
    database.close()


def test_readers_at_the_moment_of_a_revocation_see_all_or_nothing(store: ShareStore) -> None:
    share, token = publish(store)
    whole = store.read_snapshot(share.id)
    seen: list[str | None] = []
    started = threading.Event()

    def read(until: Callable[[], bool]) -> None:
        while not until():
            seen.append(store.read_snapshot(share.id) if store.find_open(token) else None)
            started.set()

    done = threading.Event()
    readers = [threading.Thread(target=read, args=(done.is_set,)) for _ in range(4)]
    for reader in readers:
        reader.start()
    started.wait()
    store.revoke(share.id)
    after = [store.find_open(token) for _ in range(5)]
    done.set()
    for reader in readers:
        reader.join()

    assert set(seen) <= {whole, None}
    assert after == [None] * 5
