"""Pair results with the calls they answer, by id, else by name or order, and find turns."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from webapp.messages import Message, ToolCall
from webapp.transcript.entries import CallEntry, Entry


def arrange(
    messages: Sequence[Message], *, first: int | None, order: str = "asc", is_last: bool = True
) -> tuple[Entry, ...]:
    """Arrange `messages`, in their order, as entries with calls and results paired.

    `first` is the number of the first one. `is_last` is true if no message follows in request
    order: then a call without a result really has none.
    """
    step = 1 if order == "asc" else -1
    entries = tuple(
        Entry(message, None if first is None else first + step * place)
        for place, message in enumerate(messages)
    )
    for entry in entries:
        entry.calls = tuple(
            CallEntry(call, entry, position)
            for position, call in enumerate(entry.message.calls, start=1)
        )
        entry.pieces = tuple(
            Entry(result, entry.number, holder=entry, position=position)
            for position, result in enumerate(entry.message.results, start=1)
        )
    chronological = entries if order == "asc" else entries[::-1]
    calls = _Calls()
    for entry in chronological:
        # A message with results beside its calls holds those of tools that the server ran.
        if entry.pieces:
            calls.add(entry.calls)
        for result in entry.pieces or (entry,):
            if result.message.is_tool_result:
                calls.pair(result)
        if not entry.pieces:
            calls.add(entry.calls)
    _mark_moved(chronological)
    for entry in entries:
        for call in entry.calls:
            call.may_follow = not call.results and not is_last
    return entries


class _Calls:
    """The calls so far: those of the last turn, and by their ids."""

    def __init__(self) -> None:
        self._turn: Sequence[CallEntry] = ()
        self._last: dict[str, CallEntry] = {}
        self._waiting: dict[str, list[CallEntry]] = {}

    def add(self, calls: Sequence[CallEntry]) -> None:
        self._turn = calls or self._turn
        for call in calls:
            if call.call.id:
                self._last[call.call.id] = call
                self._waiting.setdefault(call.call.id, []).append(call)

    def pair(self, result: Entry) -> None:
        """Pair a result with the call that it answers: by id, else by name or order."""
        wanted = result.message.tool_call_id
        waiting = self._waiting.get(wanted, []) if wanted else []
        while waiting and waiting[-1].results:
            waiting.pop()
        if not wanted:
            found = self._find_by_order(result)
        elif waiting:
            found = _choose_by_name(result, waiting)
        else:
            found = self._last.get(wanted)
        if found is None:
            return
        result.inferred = not wanted or sum(not call.results for call in waiting) > 1
        result.answers = found
        found.results.append(result)

    def _find_by_order(self, result: Entry) -> CallEntry | None:
        """Find the last turn's first call without a result whose name does not differ."""
        turn = (call for call in self._turn if not call.results)
        name = result.message.name
        names = (None, name)
        return next((call for call in turn if name is None or _get_name(call) in names), None)


def _choose_by_name(result: Entry, waiting: Sequence[CallEntry]) -> CallEntry:
    """Choose the call that a result answers among those with its id; ids may be repeated.

    The last of `waiting` has no result. The result belongs to the turn of that call: its name
    decides if it has one, then the order.
    """
    of_turn = takewhile(lambda call: call.caller is waiting[-1].caller, reversed(waiting))
    turn = [call for call in of_turn if not call.results][::-1]
    name = result.message.name
    return next((call for call in turn if name and _get_name(call) == name), turn[0])


def _get_name(call: CallEntry) -> str | None:
    return call.call.name if isinstance(call.call, ToolCall) else None


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
    results = message.results or ((message,) if message.is_tool_result else ())
    from_call = max((_count_to_call(before, result) for result in results), default=0)
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
    called = {call.id for message in messages for call in message.calls}
    count = 0
    for message in reversed(messages):
        results = message.results or ((message,) if message.is_tool_result else ())
        if not any(one.tool_call_id is None or one.tool_call_id not in called for one in results):
            break
        count += 1
    return count
