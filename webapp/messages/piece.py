"""The base class of all pieces of a bubble."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from webapp.exact_json import Member, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class BasePiece:
    """Something a bubble shows: `json` is its source, `extras` the members that are not parsed."""

    kind: ClassVar[str]
    json: Value
    extras: tuple[Member, ...] = ()
