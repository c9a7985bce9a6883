"""Write objects and arrays of values that are JSON already."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping


def write_object(members: Iterable[str]) -> str:
    """Write an object of `members`, each a name, a colon and a value."""
    return "{" + ",".join(members) + "}"


def write_array(items: Iterable[str]) -> str:
    """Write an array of `items`."""
    return "[" + ",".join(items) + "]"


def write_members(members: Mapping[str, str]) -> Iterator[str]:
    """Write each of `members`, whose names are texts and whose values are JSON."""
    for name, value in members.items():
        yield f"{json.dumps(name)}:{value}"
