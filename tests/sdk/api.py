"""A `readback serve` for clients to ask, and what becomes of a test whose client is not there."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Final, NoReturn

import pytest

from tests.support.fake_upstream import Json
from webapp.embedded import Store
from webapp.embedded.documents.records import parse_record
from webapp.embedded.store.pages import PageRequest

_FIRST: Final = PageRequest(after=None, limit=100, order="asc")


@dataclass(frozen=True)
class Api:
    """A server at `base_url`, such as `http://127.0.0.1:20123/v1`, and its store."""

    base_url: str
    database_url: str
    store: Store

    def add(self, *completions: Json) -> None:
        texts = (json.dumps(one, ensure_ascii=False) for one in completions)
        self.store.add([parse_record(text) for text in texts])

    def clear(self) -> None:
        while ids := self.store.list_completions(_FIRST).ids:
            for completion_id in ids:
                self.store.delete_completion(completion_id)


def not_here(what: str) -> NoReturn:
    """Skip the test if something that `make test` sets up is missing; fail if `CI` is `true`."""
    reason = f"{what} is not here: `make test` sets it up"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
