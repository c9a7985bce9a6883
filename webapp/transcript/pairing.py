"""Pair results with the calls they answer, by id, else by name or order, and find turns."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from webapp.messages import Message, ToolCall
from webapp.transcript.entries import CallEntry, Entry

_MAX_KNOWN: Final = 10_000
"""Ids of calls, and calls of one id, that results are paired with."""

T = TypeVar("T")


def arrange(
    messages: Sequence[Message], *, first: int | None, order: str = "asc", is_last: bool = True
) -> tuple[Entry, ...]:
    """Arrange `messages`, in their order, as entries with calls and results paired.

    `first` is the number of the first one. `is_last` is true if no message follows in request
    order: then a call without a result really has none.
    """
    step = 1 if order == "asc" else -1
    entries = []
    for place, message in enumerate(messages):
        entries.append(Entry(message, None if first is None else first + step * place))
    pair_results(entries if order == "asc" else entries[::-1])
    for entry in entries:
        for call in entry.calls:
            call.may_follow = not call.results and not is_last
    return tuple(entries)


def pair_results(entries: Sequence[Entry]) -> None:
    """Pair the results in `entries`, which are in request order, with the calls in them."""
    pairing = Pairing[CallEntry]()
    for entry in entries:
        entry.pieces = tuple(
            Entry(result, entry.number, holder=entry, position=position)
            for position, result in enumerate(entry.message.results, start=1)
        )
        paired = pairing.read(entry.message, entry.calls)
        for result, one in zip(entry.pieces or (entry,), paired, strict=False):
            result.answers, result.inferred = one.call, one.is_inferred
            if one.call is not None:
                one.call.results.append(result)
    _mark_moved(entries)


@dataclass(frozen=True, slots=True)
class Paired(Generic[T]):
    """A result, and the value of the call that it answers; None if there is none.

    `is_inferred` is true if it has no id, or if several calls that wait have its id.
    """

    result: Message
    call: T | None
    is_inferred: bool = False


@dataclass(slots=True, eq=False)
class _Called(Generic[T]):
    """A call of the message numbered `turn`, with the caller's own `value` for it."""

    value: T
    id: str | None
    name: str | None
    turn: int
    is_answered: bool = False


class Pairing(Generic[T]):
    """Pair the results of messages with calls before them, reading each message once.

    A call is known by a value of the caller's, which is all that is kept of it; of many calls the
    newest are known.
    """

    def __init__(self) -> None:
        self._turns = 0
        self._of_turn: Sequence[_Called[T]] = ()
        self._newest: dict[str, _Called[T]] = {}
        self._waiting: dict[str, deque[_Called[T]]] = {}

    def read(self, message: Message, values: Sequence[T]) -> list[Paired[T]]:
        """Pair each result of the next message in request order; add its calls to those known.

        `values` has one for each of its calls.
        """
        # A message with results beside its calls holds those of tools that the server ran.
        if message.results:
            self._add(message, values)
        paired = [self._pair(result) for result in message.list_results()]
        if not message.results:
            self._add(message, values)
        return paired

    def _add(self, message: Message, values: Sequence[T]) -> None:
        if not message.calls:
            return
        self._turns += 1
        self._of_turn = [
            _Called(value, call.id, call.name if isinstance(call, ToolCall) else None, self._turns)
            for call, value in zip(message.calls, values, strict=True)
        ]
        for call in self._of_turn:
            if call.id:
                self._newest.pop(call.id, None)
                self._newest[call.id] = call
                self._waiting.setdefault(call.id, deque(maxlen=_MAX_KNOWN)).append(call)
        while len(self._newest) > _MAX_KNOWN:
            oldest = next(iter(self._newest))
            del self._newest[oldest], self._waiting[oldest]

    def _pair(self, result: Message) -> Paired[T]:
        """Pair a result with the call that it answers: by id, else by name or order."""
        id = result.tool_call_id
        waiting = [call for call in self._waiting.get(id or "", ()) if not call.is_answered]
        if not id:
            # The last turn's first call without a result, unless their names differ.
            names = (None, result.name)
            turn = (call for call in self._of_turn if not call.is_answered)
            found = next((one for one in turn if result.name is None or one.name in names), None)
            is_inferred = True
        elif waiting:
            self._waiting[id] = deque(waiting, maxlen=_MAX_KNOWN)
            # Ids may be repeated: the newest turn counts, in it the name if it has one, then the
            # order.
            same = [call for call in waiting if call.turn == waiting[-1].turn]
            named = (call for call in same if result.name and call.name == result.name)
            found, is_inferred = next(named, same[0]), len(waiting) > 1
        else:
            found, is_inferred = self._newest.get(id), False
        if found is None:
            return Paired(result, None)
        found.is_answered = True
        return Paired(result, found.value, is_inferred)


def _mark_moved(entries: Sequence[Entry]) -> None:
    """Mark the results that do not follow their call directly, in the order of the calls."""
    caller: Entry | None = None
    reached = 0
    for entry in entries:
        for piece in entry.pieces:
            piece.moved = piece.nested
        answered = entry.answers
        if answered is None:
            caller, reached = (entry, 0) if entry.calls else (None, 0)
        elif answered.caller is caller and answered.position >= reached:
            reached = answered.position
        else:
            entry.moved = True


def count_turn_before(before: Sequence[Message], message: Message) -> int:
    """Count the messages `before`, the nearest first, that are of the turn of `message`.

    A turn begins with its user message, and with the call of a result that came even later. If
    the user message is not among `before`, the messages from the call on are counted.
    """
    if message.speaker in ("user", "system", "developer"):
        return 0
    from_call = max((_count_to_call(before, one) for one in message.list_results()), default=0)
    users = (place for place, one in enumerate(before, start=1) if one.speaker == "user")
    return max(from_call, next(users, 0))


def _count_to_call(before: Sequence[Message], result: Message) -> int:
    """Count the messages up to the nearest with the call; without an id, with calls."""
    for place, message in enumerate(before, start=1):
        ids = [call.id for call in message.calls]
        if result.tool_call_id in ids or (ids and result.tool_call_id is None):
            return place
    return 0


def find_last_turn(messages: Sequence[Message]) -> int:
    """Find the place at which the last turn of `messages` begins.

    If its user message is not among them, it is that of the first message that is not a result of
    an earlier call.
    """
    users = [place for place, message in enumerate(messages) if message.speaker == "user"]
    if users:
        return users[-1]
    cut_off = count_cut_off(messages[::-1])
    return cut_off if cut_off < len(messages) else 0


def count_cut_off(messages: Sequence[Message]) -> int:
    """Count the results that end `messages`, the newest first, without their calls."""
    called = {call.id for message in messages for call in message.calls if call.id is not None}
    count = 0
    for message in reversed(messages):
        if all(result.tool_call_id in called for result in message.list_results()):
            break
        count += 1
    return count
