"""Secrets and personal data in the sentences that people write to each other.

nouns       the nouns for them
answers     the answer to a question for one
nearby      the value some words after its noun, or before it
regions     the values around their nouns, read once
subjects    words about things that have numbers as well
sentences   words around the name of a secret, or after a user
codes       codes that people enter, or are sent once
"""

from __future__ import annotations

from collections.abc import Iterator

from webapp.redaction.rules.kinds import SecretPlace
from webapp.redaction.rules.spoken.answers import find_answers
from webapp.redaction.rules.spoken.nearby import find_nearby
from webapp.redaction.rules.spoken.nouns import list_nouns


def find_spoken(text: str) -> Iterator[SecretPlace]:
    """Yield the answers to questions with a noun, and the values beside one."""
    nouns = list_nouns(text)
    yield from find_answers(text, nouns)
    yield from find_nearby(text, nouns)
