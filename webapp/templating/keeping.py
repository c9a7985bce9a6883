"""The copies of completions that a page offers, the day of their deletion, and who may change."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Final

from webapp.access import ANYONE, find_reader
from webapp.addresses.building import url_for
from webapp.caching.inputs import read_input
from webapp.completions import Completion
from webapp.formatting import moment
from webapp.ids import is_valid_id
from webapp.services import current_pins, services

_DAY: Final = 24 * 3600


@dataclass(frozen=True, slots=True)
class Keeping:
    """The expected deletion and the copy of a completion; times are in unix seconds.

    The server is expected to delete it `deleted_at`, `days` after its creation; both are None if
    nothing is known of that. `kept` is the time of its copy, `may_keep` whether the reader may make
    one.
    """

    deleted_at: int | None
    days: int | None
    is_due: bool
    kept: int | None
    may_keep: bool

    @property
    def day(self) -> str:
        """The day of the deletion, as `2026-11-03`."""
        return moment(self.deleted_at).partition(" ")[0]


def describe_keeping(completion: Completion) -> Keeping | None:
    """Describe the deletion day and copy of a completion; None if the store is ours."""
    copies = services().copies
    if copies is None or not is_valid_id(completion.id or ""):
        return None
    deleted_at = None
    if copies.days and completion.created:
        deleted_at = completion.created + copies.days * _DAY
    reader = find_reader()
    clock = services().upstream.clock
    return Keeping(
        deleted_at=deleted_at,
        days=copies.days,
        is_due=read_input(lambda: deleted_at is not None and deleted_at <= clock.wall()),
        kept=read_input(partial(copies.find, completion.id or "")),
        may_keep=reader is not None and reader.way != ANYONE.way,
    )


def may_change() -> bool:
    """Return whether the reader may change and delete completions."""
    reader = find_reader()
    return services().allows_writes and reader is not None and reader.administrator


def may_pin() -> bool:
    """Return whether the reader may pin and unpin completions."""
    reader = find_reader()
    return services().share is None and reader is not None and reader.way != ANYONE.way


def is_pinned(completion_id: str) -> bool:
    """Return whether a completion is pinned; in a share, none is."""
    if services().share is not None:
        return False
    pins = current_pins()
    return read_input(lambda: completion_id in pins.list())


def may_import() -> bool:
    """Return whether the reader may import files."""
    return services().uploads is not None and may_change()


def find_copy_url(completion_id: str) -> str | None:
    """Find the address of the copy of a completion, if there is one."""
    copies = services().copies
    if copies is None or read_input(partial(copies.find, completion_id)) is None:
        return None
    return url_for("kept.show", rest=completion_id)
