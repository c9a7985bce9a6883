"""Accumulate the chunks of a streamed answer into one completion.

API reference, "Chat Completions: streaming". In a choice's delta, strings continue each other and
lists are extended, also if their names are unknown, and so are the texts in an object that is the
content, the reasoning, the sound or the function called. Of roles, ids, types, names of other
things than functions, and all other values the last one counts. Null or an empty string never
replaces an earlier value. Strings are joined as they were written, escapes included, and numbers
keep their lexemes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from webapp.embedded.recording.text_assembly import StringAccumulator
from webapp.embedded.recording.value_assembly import ObjectAccumulator, join_object, update_members
from webapp.exact_json import Object, String, parse, write_array
from webapp.messages.parsing import REASONING_FIELDS

_NESTED_IN_DELTA: Final = frozenset({"audio", "function_call", "content", *REASONING_FIELDS})
_READ_OF_CHOICE: Final = frozenset({"index", "delta", "finish_reason", "logprobs", "error", "text"})
# `obfuscation` is random text that hides the length of a chunk; an error is the recorder's.
_READ_OF_CHUNK: Final = frozenset({"object", "choices", "obfuscation", "error"})
_IDENTITY: Final = frozenset({"id", "created"})
_EMPTY: Final = frozenset({"null", '""'})
_NO_REASON: Final = _EMPTY | {'"null"'}
_STOP: Final = '"stop"'


class CompletionAccumulator:
    """Accumulates the chunks of one stream, fed in their order."""

    def __init__(self) -> None:
        self._members = {"id": "null", "object": '"chat.completion"'}
        self._choices: dict[tuple[int, int], ChoiceAccumulator] = {}

    def feed(self, chunk: Object, *, is_late: bool = False) -> None:
        """Add a chunk. Its choices are distinct, even if some servers give all the same index.

        One that is late, after the end of the answer, does not change the id and the time.
        """
        without = _READ_OF_CHUNK | _IDENTITY if is_late else _READ_OF_CHUNK
        update_members(self._members, chunk, without=without)
        fed: Counter[int] = Counter()
        for position, value in enumerate(chunk.items("choices") or ()):
            if isinstance(value, Object):
                given = value.integer("index")
                index = position if given is None else given
                key = (index, fed[index])
                fed[index] += 1
                self._choices.setdefault(key, ChoiceAccumulator(index)).feed(value)

    @property
    def is_finished(self) -> bool:
        """Whether there are choices and all of them have a finish reason."""
        return bool(self._choices) and all(one.is_finished for one in self._choices.values())

    def result(self) -> str:
        """Build the completion so far as JSON; a member that has not come yet is null."""
        choices = write_array(self._choices[key].result() for key in sorted(self._choices))
        return join_object(self._members | {"choices": choices})


class ChoiceAccumulator:
    """Accumulates one choice: its message, its log probabilities and its finish reason."""

    def __init__(self, index: int) -> None:
        self._index = index
        self._message = ObjectAccumulator(_NESTED_IN_DELTA)
        self._logprobs: ObjectAccumulator | None = None
        self._finish_reason = "null"
        self._members: dict[str, str] = {}
        self._messages: list[Object] = []
        self._listed: dict[int, ChoiceMessageAccumulator] = {}
        self._has_ended = False
        self._text: StringAccumulator | None = None

    def feed(self, choice: Object) -> None:
        delta = choice.object("delta")
        message = choice.object("message")
        if delta is not None:
            self._message.feed(delta)
        elif message is not None:
            self._messages.append(message)
        for piece in choice.items("messages") or ():
            delta = piece.object("delta") if isinstance(piece, Object) else None
            if isinstance(piece, Object) and delta is not None:
                end = piece.get("end_turn")
                self._has_ended |= end is not None and end.source == "true"
                if not (self._has_ended and delta.text("content") == "[DONE]"):
                    index = piece.integer("index") or 0
                    self._listed.setdefault(index, ChoiceMessageAccumulator()).feed(piece, delta)
        text = choice.get("text")
        if isinstance(text, String):
            self._text = self._text or StringAccumulator()
            self._text.feed(text)
        logprobs = choice.object("logprobs")
        if logprobs is not None:
            self._logprobs = self._logprobs or ObjectAccumulator()
            self._logprobs.feed(logprobs)
        reason = choice.get("finish_reason")
        # Some servers end each stream with `stop`, also after calls or at the limit.
        empty = _NO_REASON if self._finish_reason == "null" else _NO_REASON | {_STOP}
        if reason is not None and reason.source not in empty:
            self._finish_reason = reason.source
        update_members(self._members, choice, without=_READ_OF_CHOICE)

    @property
    def is_finished(self) -> bool:
        return self._finish_reason != "null" or self._has_ended

    def result(self) -> str:
        members = {
            "index": str(self._index),
            "message": self._message.result(),
            "finish_reason": self._finish_reason,
            "logprobs": self._logprobs.result() if self._logprobs else "null",
        }
        if self._listed:
            listed = write_array(self._listed[index].result() for index in sorted(self._listed))
            return join_object(members | self._members | {"message": "null", "messages": listed})
        if self._text is not None:
            members["text"] = self._text.result()
        given = self._members.get("message", "")
        if members["message"] == "{}" and len(self._messages) > 1:
            members["message"] = _join_messages(self._messages)
        if len(given) < len(members["message"]):
            # Some servers add all of the message so far to each chunk, or an empty one.
            return join_object(members | self._members | {"message": members["message"]})
        return join_object(members | self._members)


class ChoiceMessageAccumulator:
    """One of several messages of a choice, as Azure's previews have them, whose delta is in pieces.

    A last piece says only `[DONE]`.
    """

    def __init__(self) -> None:
        self._message = ObjectAccumulator(_NESTED_IN_DELTA)
        self._members: dict[str, str] = {}

    def feed(self, piece: Object, delta: Object) -> None:
        update_members(self._members, piece, without=frozenset({"index", "delta"}))
        self._message.feed(delta)

    def result(self) -> str:
        message = parse(self._message.result())
        assert isinstance(message, Object)
        members = {one.name.source[1:-1]: one.value.source for one in message.members}
        return join_object(members | self._members)


def _join_messages(messages: Sequence[Object]) -> str:
    """Join messages that came in place of deltas; the last one if each has all before it."""
    texts = [message.text("content") or "" for message in messages]
    if texts[-1] and all(later.startswith(earlier) for earlier, later in pairwise(texts)):
        return messages[-1].source
    joined = ObjectAccumulator(_NESTED_IN_DELTA)
    for message in messages:
        joined.feed(message)
    return joined.result()
