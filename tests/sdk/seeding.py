"""Give each test under this plugin the same completions to start from.

Loaded with `-p seeding` by the pytest of the official client's own tests. They take for granted
that what one of them deletes is there for the next, and that what one breaks off is not.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from webapp.embedded import Store
from webapp.embedded.documents.records import CompletionRecord, parse_record
from webapp.embedded.store.pages import PageRequest

DATABASE_URL = "SEEDED_DATABASE_URL"
FILE = "SEEDED_FILE"
"""Names of the environment variables for the store and its content."""

_STORE = pytest.StashKey[Store]()
_SEED = pytest.StashKey[Sequence[CompletionRecord]]()
_ALL = PageRequest(after=None, limit=100, order="asc")


def pytest_configure(config: pytest.Config) -> None:
    lines = Path(os.environ[FILE]).read_text(encoding="utf-8").splitlines()
    config.stash[_SEED] = [parse_record(line) for line in lines]
    config.stash[_STORE] = Store(os.environ[DATABASE_URL])


def pytest_unconfigure(config: pytest.Config) -> None:
    config.stash[_STORE].close()


def pytest_runtest_setup(item: pytest.Item) -> None:
    store = item.config.stash[_STORE]
    for completion_id in store.list_completions(_ALL).ids:
        store.delete_completion(completion_id)
    seed = item.config.stash[_SEED]
    store.add(seed)
