"""Order metadata by how much it says at a glance, and fold the rest."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from webapp.completions import scalar_text
from webapp.exact_json import Member

_LONG_VALUE: Final = 40
_LONGEST_SEEN: Final = 200
_MAX_SEEN: Final = 5
_WORD: Final = re.compile(r"[a-z0-9]+")
_OUTCOMES: Final = frozenset(
    ("reward", "score", "result", "outcome", "status", "success", "passed", "failed", "error")
    + ("grade", "rating", "verdict", "label", "feedback", "correct", "resolved")
)
_ORIGINS: Final = frozenset(
    ("source", "path", "file", "url", "uri", "commit", "sha", "hash", "revision", "license")
    + ("licence", "dataset", "repo", "repository", "description", "retrieved", "kind")
)
"""Words of keys."""


def sort_metadata(members: Iterable[Member]) -> list[Member]:
    """Sort metadata by how much it says at a glance: outcomes first, origins and long texts last.

    Members of the same rank keep their order.
    """

    def rank(member: Member) -> int:
        words = _split_key(member)
        if words & _OUTCOMES:
            return 0
        is_long = _measure_value(member) > _LONG_VALUE
        return 2 if is_long or words & _ORIGINS else 1

    return sorted(members, key=rank)


def fold_metadata(members: Sequence[Member]) -> tuple[list[Member], list[Member]]:
    """Split metadata into a few short values, which are seen at once, and those to fold."""
    seen: list[Member] = []
    folded: list[Member] = []
    for member in sort_metadata(members):
        is_seen = len(seen) < _MAX_SEEN and _measure_value(member) <= _LONGEST_SEEN
        (seen if is_seen else folded).append(member)
    return seen, folded


def list_outcomes(members: Iterable[Member]) -> list[Member]:
    """List the metadata that say how a run ended, such as `reward` and `verdict`, if short."""
    outcomes = []
    for member in members:
        if _split_key(member) & _OUTCOMES and 0 < _measure_value(member) <= _LONGEST_SEEN:
            outcomes.append(member)
    return outcomes[:_MAX_SEEN]


def _split_key(member: Member) -> set[str]:
    return set(_WORD.findall(member.name.text.lower()))


def _measure_value(member: Member) -> int:
    plain = scalar_text(member.value)
    return len(member.value.source if plain is None else plain)
