"""What the fake upstream holds."""

from __future__ import annotations

import pytest

from tests.support.fake_upstream import FakeUpstream, stored
from tests.views.transcripts import ID


@pytest.fixture(autouse=True)
def forty_five(fake: FakeUpstream) -> None:
    """A completion of 45 messages; tests that want another one put it in its place."""
    fake.completions[ID] = stored(ID, *(f"text {at}" for at in range(45)))
