"""Number the messages and calls of a run, and count its events and the uses of each tool."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from webapp.analysis.checks import Report, Subject, check
from webapp.analysis.failures import (
    FailingCalls,
    Failure,
    find_answer_failure,
    find_result_failure,
    find_sequences,
)
from webapp.analysis.naming import name_call, shorten
from webapp.completions import Completion
from webapp.formatting import drop_markup
from webapp.transcript import CallEntry, Entry

_MOST_READ: Final = 1_000
"""Characters of a message that its words in the outline are taken from."""

_MOST_ASKED: Final = 2_000
"""Characters of a question that its first words are taken from."""

Kind: TypeAlias = Literal["user", "assistant", "result", "note", "answer", "other"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCall:
    """One call, numbered through the run unless messages before it were not read.

    `message` is the number of the message that made it, `results` those of the messages that
    answer it, `sent` and `returned` the bytes of its arguments and results. `may_follow` is true
    if the result may be beyond the messages read.
    """

    number: int | None
    anchor: str
    message: int | None
    message_id: str | None
    tool: str
    label: str
    words: str
    results: tuple[int | None, ...]
    sent: int
    returned: int
    failure: Failure | None
    may_follow: bool

    @property
    def lacks_result(self) -> bool:
        return not self.results and not self.may_follow


@dataclass(frozen=True, slots=True, kw_only=True)
class RunMessage:
    """One message of a run; `turn` counts the user messages up to it.

    `parts` names the parts of the message that are no texts.
    """

    number: int | None
    id: str | None
    anchor: str
    role: str
    kind: Kind
    words: str
    parts: tuple[str, ...]
    size: int
    turn: int
    calls: tuple[RunCall, ...]
    failure: Failure | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The messages of a transcript, or of the part of it that was read, in request order.

    `is_whole` is true if they are all messages, with the answers. `asked` is the beginning of the
    first text of a user among them. `report` is None unless they were checked.
    """

    asked: str
    messages: tuple[RunMessage, ...]
    calls: tuple[RunCall, ...]
    tools: tuple[ToolUse, ...]
    sequences: tuple[FailingCalls, ...]
    report: Report | None
    is_whole: bool

    @property
    def roles(self) -> dict[str, int]:
        """The number of messages by role, in the order in which they come first."""
        return dict(Counter(message.role for message in self.messages if message.kind != "answer"))

    @property
    def failures(self) -> tuple[RunMessage, ...]:
        """The messages that are failures: failed results, and incomplete answers."""
        return tuple(message for message in self.messages if message.failure)

    @property
    def failures_of_no_call(self) -> tuple[RunMessage, ...]:
        """The failures but results of a call that was read: those are failures of the call."""
        answering = {number for call in self.calls for number in call.results}
        return tuple(
            one for one in self.failures if one.number is None or one.number not in answering
        )

    @property
    def failure_count(self) -> int:
        """The number of failures that pages say: failed calls, and failures without a call."""
        failed = sum(call.failure is not None for call in self.calls)
        return failed + len(self.failures_of_no_call)

    @property
    def user_turns(self) -> tuple[RunMessage, ...]:
        return tuple(message for message in self.messages if message.kind == "user")

    @property
    def answer(self) -> RunMessage | None:
        """The first output, if the end was read."""
        return next((message for message in self.messages if message.kind == "answer"), None)

    @property
    def without_result(self) -> tuple[RunCall, ...]:
        """The calls that no message answers; those of the answer wait for the next request."""
        answers = {message.anchor for message in self.messages if message.kind == "answer"}
        found = (call for call in self.calls if call.lacks_result)
        return tuple(call for call in found if call.anchor.rpartition("-call-")[0] not in answers)

    @property
    def begins_at_start(self) -> bool:
        """Whether the calls are numbered from the first message of the transcript on."""
        return self.is_whole or (bool(self.messages) and self.messages[0].number == 1)

    @property
    def question(self) -> str:
        """The beginning of the question; empty if messages before it were not read."""
        return self.asked if self.begins_at_start else ""

    def find_call(self, number: int, position: int | None) -> RunCall | None:
        """Find call `number` of the run, or call `position` of message `number`."""
        if position is None:
            return next((call for call in self.calls if call.number == number), None)
        message = self.find_message(number)
        calls = message.calls if message else ()
        return calls[position - 1] if 0 < position <= len(calls) else None

    def find_message(self, number: int) -> RunMessage | None:
        return next((message for message in self.messages if message.number == number), None)

    @property
    def size(self) -> int:
        return sum(message.size for message in self.messages)


def analyze_run(
    entries: Sequence[Entry],
    completion: Completion | None,
    *,
    is_whole: bool,
    counted: int | None = None,
    is_openai: bool = False,
    checks: bool = True,
) -> Run:
    """Analyze the run of `entries`: messages in request order, then outputs.

    Their calls and results must have been paired. The entries after the first `counted` ones
    come after messages that were not read. `is_openai` is true if OpenAI's own server sent them.
    Unless it `checks` them, there is no report.
    """
    failures = _find_failures(entries, completion)
    turn = counted_calls = 0
    messages: list[RunMessage] = []
    calls: list[RunCall] = []
    for at, entry in enumerate(entries):
        is_counted = counted is None or at < counted
        turn += _find_kind(entry) == "user"
        first_call = len(calls) + 1 if is_counted else None
        message = _build_message(entry, turn, failures, first_call=first_call)
        messages.append(message)
        calls.extend(message.calls)
        counted_calls += len(message.calls) if is_counted else 0
    asked = (entry.message.plain_text for entry in entries if _find_kind(entry) == "user")
    report = None
    if checks:
        rest = () if counted is None else entries[counted:]
        # An answer can be checked without the messages before it.
        checked = (*entries[:counted], *(one for one in rest if one.choice is not None))
        report = check(
            Subject.from_entries(checked, completion, is_whole=is_whole, is_openai=is_openai)
        )
    return Run(
        asked=next((text[:_MOST_ASKED] for text in asked if text.strip()), ""),
        messages=tuple(messages),
        calls=tuple(calls),
        tools=list_tools(calls, completion),
        sequences=(*find_sequences(calls[:counted_calls]), *find_sequences(calls[counted_calls:])),
        report=report,
        is_whole=is_whole,
    )


def _find_failures(entries: Sequence[Entry], completion: Completion | None) -> dict[int, Failure]:
    """Find the failures of messages and of their pieces, by the `id` of the entry.

    Once for a result and for its call, since the rules read whole texts.
    """
    return {
        id(one): failure
        for entry in entries
        for one in (entry, *entry.pieces)
        if (failure := _find_failure(one, completion)) is not None
    }


def find_call_failure(call: CallEntry) -> Failure | None:
    """Find the failure that the first failed result of `call` reports."""
    failures = (_find_failure(result) for result in call.results)
    return next((failure for failure in failures if failure), None)


def _find_failure(entry: Entry, completion: Completion | None = None) -> Failure | None:
    if entry.choice is not None:
        broken_off = completion.broken_off if completion else None
        return find_answer_failure(entry.message, entry.choice.finish_reason, broken_off)
    if not entry.message.is_tool_result:
        return find_answer_failure(entry.message, None)
    if entry.answers is None:
        return find_result_failure(entry.message, tool=entry.message.name)
    name = name_call(entry.answers.call)
    return find_result_failure(entry.message, tool=name.tool, program=name.program)


def _build_message(
    entry: Entry, turn: int, failures: dict[int, Failure], *, first_call: int | None
) -> RunMessage:
    """Build the message of `entry`; its calls have no numbers if `first_call` is None."""
    reasoning = entry.message.lone_reasoning
    words = (f"Reasoning: {reasoning}" if reasoning else entry.message.said)[:_MOST_READ]
    return RunMessage(
        number=entry.number,
        id=entry.message.id,
        anchor=entry.anchor,
        role=entry.message.speaker or "no role",
        kind=_find_kind(entry),
        words=shorten(words if entry.message.role == "tool" else drop_markup(words)),
        parts=entry.message.part_names,
        size=entry.message.json.length,
        turn=turn,
        calls=tuple(
            _build_call(call, None if first_call is None else first_call + place, failures)
            for place, call in enumerate(entry.calls)
        ),
        failure=_find_first(failures, (entry, *entry.pieces)),
    )


def _build_call(call: CallEntry, number: int | None, failures: dict[int, Failure]) -> RunCall:
    name = name_call(call.call)
    return RunCall(
        number=number,
        anchor=call.anchor,
        message=call.caller.number,
        message_id=call.caller.message.id,
        tool=name.tool,
        label=name.label,
        words=name.words,
        results=tuple(result.number for result in call.results),
        sent=call.call.json.length,
        returned=sum(result.message.json.length for result in call.results),
        failure=_find_first(failures, call.results),
        may_follow=call.may_follow,
    )


def _find_first(failures: dict[int, Failure], entries: Iterable[Entry]) -> Failure | None:
    """Return the failure of the first of `entries` that is one."""
    for entry in entries:
        if id(entry) in failures:
            return failures[id(entry)]
    return None


def _find_kind(entry: Entry) -> Kind:
    if entry.choice is not None:
        return "answer"
    if entry.message.is_tool_result or entry.message.holds_only_results:
        return "result"
    kinds: dict[str, Kind] = {"user": "user", "assistant": "assistant"}
    return kinds.get(
        entry.message.role or "",
        "note" if entry.message.role in ("system", "developer") else "other",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolUse:
    """A tool of the run: its calls, the first of them, and those that failed.

    `returned` counts the bytes of its results. `is_defined` is None if the completion lists no
    tools. A defined tool may have no calls.
    """

    name: str
    calls: int
    failures: int
    returned: int
    first: RunCall | None
    is_defined: bool | None


def list_tools(calls: Iterable[RunCall], completion: Completion | None) -> tuple[ToolUse, ...]:
    """List the tools called, the most called first, and then those only defined."""
    used: dict[str, list[RunCall]] = {}
    for call in calls:
        used.setdefault(call.tool, []).append(call)
    defined = dict.fromkeys(tool.name for tool in completion.tools) if completion else {}
    names = sorted(used, key=lambda name: -len(used[name]))
    tools = []
    for name in dict.fromkeys((*names, *defined)):
        its = used.get(name, [])
        tools.append(
            ToolUse(
                name=name,
                calls=len(its),
                failures=sum(call.failure is not None for call in its),
                returned=sum(call.returned for call in its),
                first=its[0] if its else None,
                is_defined=name in defined if defined else None,
            )
        )
    return tuple(tools)
