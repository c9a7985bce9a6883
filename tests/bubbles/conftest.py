"""Fixtures that show messages or an answer as bubbles, through the whole application."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.support.bubbles import HERE, ID, ShowAnswer, ShowMessages
from tests.support.fake_upstream import FakeUpstream, Json, Stored, stored
from tests.support.pages import Bubble, Page


@pytest.fixture
def show(fake: FakeUpstream, fake_client: FlaskClient) -> ShowMessages:
    """The bubbles of these messages; ids are added, and there is no answer."""

    def shown(*messages: Json, order: str = "asc") -> list[Bubble]:
        numbered = [{"id": f"{ID}-{at}"} | one for at, one in enumerate(messages)]
        fake.completions[ID] = Stored(stored(ID, choices=[]).completion, numbered)
        return Page.of(fake_client.get(HERE, query_string={"order": order})).bubbles

    return shown


@pytest.fixture
def answered(fake: FakeUpstream, fake_client: FlaskClient) -> ShowAnswer:
    """The bubble of an answer with these fields, in a choice with those of `choice`."""

    def shown(choice: Json | None = None, **fields: Any) -> Bubble:
        answer = {"index": 0, "message": {"role": "assistant"} | fields} | (choice or {})
        fake.completions[ID] = stored(ID, choices=[answer])
        return Page.of(fake_client.get(HERE)).bubbles[-1]

    return shown
