"""Note the inputs of a page beside the answers of the server, so that it can be kept.

A page that is kept is shown again only if every input, read again, is still the same. An input that
cannot be read again spoils the page: it is rendered anew each time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TypeVar

from webapp.redaction import get_logger

log = get_logger("readback")

T = TypeVar("T")


@dataclass(slots=True)
class Inputs:
    """The inputs of a page or of a part: functions that read them, each with the value returned.

    If they `cover_answers`, the answers of the server are the same as long as they are.
    """

    reads: list[tuple[Callable[[], object], object]] = field(default_factory=list)
    is_spoiled: bool = False
    cover_answers: bool = False

    @property
    def is_same(self) -> bool:
        """Whether every input is the same; one that cannot be read is not."""
        try:
            return all(read() == value for read, value in self.reads)
        except Exception:
            # The page that is rendered anew reports the failure.
            return False


_current: ContextVar[Inputs | None] = ContextVar("inputs", default=None)


@contextmanager
def note_inputs() -> Iterator[Inputs]:
    """Note the inputs of the block; those around it have them as well."""
    outer = _current.get()
    inner = Inputs()
    token = _current.set(inner)
    try:
        yield inner
    finally:
        _current.reset(token)
        if outer is not None:
            outer.reads += inner.reads
            outer.is_spoiled = outer.is_spoiled or inner.is_spoiled
            outer.cover_answers = outer.cover_answers or inner.cover_answers


def read_input(read: Callable[[], T]) -> T:
    """Read an input of the page by calling `read`; the value is kept, so it must be small."""
    value = read()
    inputs = _current.get()
    if inputs is not None:
        inputs.reads.append((read, value))
    return value


def repeat_inputs(inputs: Inputs) -> None:
    """Note the inputs of a part that was rendered before as those of the page."""
    current = _current.get()
    if current is not None:
        current.reads += inputs.reads


def read_large_input(read: Callable[[], T]) -> T:
    """Read a large input of the page likewise, but keep only the digest of its representation."""
    value = read()
    inputs = _current.get()
    if inputs is not None:
        inputs.reads.append((lambda: _digest(read()), _digest(value)))
    return value


def _digest(value: object) -> bytes:
    return blake2b(repr(value).encode("utf-8", "surrogatepass"), digest_size=20).digest()


def read_version(read: Callable[[], T]) -> None:
    """Note an input that differs if any answer of the server would."""
    inputs = _current.get()
    if inputs is None:
        return
    try:
        read_input(read)
        inputs.cover_answers = True
    except Exception as error:
        # The page asks for the answers themselves, and reports their errors.
        log.warning("the version of a page cannot be read: %s", type(error).__name__)
        inputs.is_spoiled = True


def spoil_page() -> None:
    """Keep the page that is rendered now from being kept."""
    inputs = _current.get()
    if inputs is not None:
        inputs.is_spoiled = True
