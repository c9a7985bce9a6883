"""Find failures: results of tools that report one, and answers that were cut off or refused.

Every rule names its evidence. The rules read the places where programs report a failure:
members of a JSON object, the first line, the last lines. Words such as "error" elsewhere prove
nothing: tools that read files return texts about errors. Failing calls are followed to their
end: a later success of the same thing, or none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from webapp import exact_json
from webapp.analysis.naming import ANSI, shorten
from webapp.exact_json import Array, Boolean, NotJson, Null, Number, Object, String, Value
from webapp.messages import ERROR_FLAGS, Message, Refusal, Text
from webapp.messages.choices import FILTER_REASONS, LIMIT_REASONS, REFUSAL_REASONS

if TYPE_CHECKING:
    from webapp.analysis.runs import RunCall


_MAX_JSON: Final = 256 * 1024
_ENDS: Final = 16 * 1024
"""Of a text, so many characters at its beginning and at its end are read."""

_EXIT: Final = re.compile(
    r"[\[(<]?(?:(?:the )?(?:process|command|script|program) )?"
    r"(?:(?:failed|finished|completed|terminated|returned) (?:with )?)?"
    r"(?:exit(?:ed)?(?:[ _](?:with|an?|non-?zero|code|status)){0,5}|return(?:ed)?[ _]code)"
    r"(?: ?[:=])? ?(-?\d{1,5})[\])>.]?",
    re.IGNORECASE,
)
_FIRST_LINE: Final = (
    re.compile(r"(?:fatal |internal )?(?:error|exception|failure|fatal|panic)\s?:.*", re.I),
    re.compile(r"(?:[A-Za-z_]\w{0,60}\.){0,8}[A-Z]\w{0,60}(?:Error|Exception)(?::\s.*)?"),
    re.compile(
        r"error (?:executing|calling|running|invoking|while|during|reading|writing|fetching|"
        r"occurred|processing|parsing)\b.*",
        re.I,
    ),
    re.compile(
        r"command (?:failed|exited) with (?:(?:an?|exit|return|non-?zero|status|error|code) ){1,5}"
        r"-?[1-9]\d{0,4}\b.*",
        re.I,
    ),
    re.compile(r"<tool_use_error>.*"),
    re.compile(r"failed to \w+\b.*", re.I),
    re.compile(r"\d{1,6} validation errors?\b.*"),
    re.compile(r"your proposed edit has introduced new syntax error.*", re.I),
    re.compile(
        r"[\w./-]{1,60}: (?:line \d{1,6}: )?.{0,300}"
        r"(?:command not found|no such file or directory|permission denied)",
        re.I,
    ),
    re.compile(r"(?:tool|function) .{1,80} (?:not found|does not exist)\.?", re.I),
)
_HTTP_LINE: Final = re.compile(
    r"(HTTP/\d(?:\.\d)? |HTTP (?:(?:status|error)(?: code)?:? ?)?|status(?: code)?:? |)"
    r"([45]\d\d)\b[: ]*(.{0,60})",
    re.I,
)
_LAST_LINE: Final = (
    re.compile(r"=*\s*(?:\d+ \w+, )*[1-9]\d* (?:failed|errors?)\b.{0,120}\bin \d[\d.:]*\s?m?s\b.*"),
    re.compile(r"FAILED \((?:failures|errors)=.*"),
    re.compile(r"FAIL(?:\s.*)?"),
    re.compile(r"test result: FAILED\..*"),
    re.compile(r"g?make(?:\[\d+\])?: \*\*\* .*"),
    re.compile(r"error: could not compile .*"),
    re.compile(r"npm (?:ERR!|error) .*"),
)
_NEAR_END: Final = (
    re.compile(r"FAILED \S+::\S.*"),
    re.compile(r"--- FAIL: \S.*"),
    re.compile(r"Tests:\s+[1-9]\d* failed\b.*"),
)
_TRACEBACK: Final = re.compile(r"^Traceback \(most recent call last\):\s*$", re.MULTILINE)
_RAISED: Final = re.compile(r"(?:\w{1,80}\.){0,12}[A-Z]\w{0,80}(?::\s.*)?|KeyboardInterrupt")
_EXIT_MEMBERS: Final = ("exit_code", "exitCode", "exit_status", "returncode", "return_code")
_STATUS_MEMBERS: Final = ("status_code", "statusCode", "http_status", "httpStatus", "status")
_READING_TOOLS: Final = re.compile(
    r"(?:^|[_.\W])(?:read|view|open|cat|show|get_file|search|grep|find|fetch|browse|load)"
    r"(?:$|[_.\W])",
    re.IGNORECASE,
)
_READING_PROGRAMS: Final = frozenset(
    ("cat", "head", "tail", "less", "more", "sed", "grep", "rg", "ag", "find", "ls", "awk", "nl")
    + ("bat", "git", "jq", "diff", "wc", "cut", "sort")
)

WITHIN: Final = 12
"""A call so many calls after a failure, or fewer, counts as the next try."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why something counts as failed: the name of the rule, and the words it fired on."""

    rule: str
    words: str

    @property
    def head(self) -> str:
        """The rule for the head of a call, with the number of an exit code."""
        number = re.search(r"-?\d+", self.words) if self.rule == "exit code" else None
        return f"{self.rule} {number[0]}" if number else self.rule

    @property
    def cause(self) -> str:
        """The words without those of `head` and a leading `Error:`; empty if nothing is left."""
        prefixes = {"exit code": r"(\w+: )?-?\d+(: |$)", "error message": r"error: *(?=\S)"}
        words = re.sub(f"^{prefixes.get(self.rule, '')}", "", self.words, flags=re.I)
        return f"{words} …" if words.endswith(":") else words

    @property
    def sentence(self) -> str:
        """The rule with its words: `exit code 1: 2 failed`, `error message: no seat`."""
        begins_with_code = self.rule == "exit code" and re.match(r"-?\d", self.words)
        return f"{self.rule}{' ' if begins_with_code else ': '}{self.words}"


def find_result_failure(
    message: Message, *, tool: str | None = None, program: str | None = None
) -> Failure | None:
    """Find the failure that the result of a call reports; None if it reports none.

    `tool` is the name of the called tool, `program` the command of a shell. Texts that
    were only read (a file, a log, a web page) are judged by their first line alone.
    """
    if flag := message.error_flag:
        return Failure("marked as an error", flag)
    texts = [part.text for part in message.parts if isinstance(part, Text)]
    text = "\n".join(texts).strip()
    if not text:
        return None
    if text[0] == "{" and len(text) <= _MAX_JSON:
        try:
            value = exact_json.parse(text)
        except NotJson:
            pass
        else:
            return _judge_object(value) if isinstance(value, Object) else None
    is_reading = bool(tool and _READING_TOOLS.search(tool)) or program in _READING_PROGRAMS
    return _judge_text(text, is_reading=is_reading)


def find_answer_failure(
    message: Message, finish_reason: str | None, broken_off: str | None = None
) -> Failure | None:
    """Find out why an answer is incomplete: refused, cut off, filtered or broken off."""
    if finish_reason in LIMIT_REASONS:
        return Failure("cut off", f"finish_reason: {finish_reason}")
    if finish_reason in FILTER_REASONS:
        return Failure("content filter", f"finish_reason: {finish_reason}")
    for part in message.parts:
        if isinstance(part, Refusal) and part.text.strip():
            return Failure("refused", _shorten(part.text))
    if finish_reason in REFUSAL_REASONS:
        return Failure("refused", f"finish_reason: {finish_reason}")
    return Failure("broken off", _shorten(broken_off)) if broken_off else None


def _judge_object(value: Object) -> Failure | None:
    for name in ERROR_FLAGS:
        if value.boolean(name):
            return Failure("marked as an error", f"{name}: true")
    error = value.get("error")
    if words := _describe_error(error):
        return Failure("JSON error", words)
    for name in ("ok", "success"):
        if value.boolean(name) is False:
            return Failure("marked as failed", f"{name}: false")
    if (value.text("status") or "").lower() == "error":
        return Failure("JSON error", "status: error")
    for holder in (value, value.object("metadata")):
        for name in _EXIT_MEMBERS:
            code = _read_integer(holder, name) if holder else None
            if code:
                return Failure("exit code", f"{name}: {code}")
    for name in _STATUS_MEMBERS:
        status = _read_integer(value, name)
        if status is not None and 400 <= status <= 599:
            return Failure("HTTP status", f"{name}: {status}")
    errors = value.get("errors")
    is_graphql = set(value.names()) <= {"errors", "data", "extensions"}
    if is_graphql and isinstance(errors, Array) and errors.items and not value.object("data"):
        return Failure("JSON error", _shorten(errors.source))
    return None


def _read_integer(value: Object, name: str) -> int | None:
    """Read an integer, which some programs write as a text."""
    text = value.text(name) or ""
    return int(text) if re.fullmatch(r"-?\d{1,5}", text) else value.integer(name)


def _describe_error(error: Value | None) -> str:
    """Describe an `error` member in words; empty if it reports no error."""
    if error is None or isinstance(error, Null):
        return ""
    if isinstance(error, String):
        words = error.text.strip()
        return "" if words.lower() in ("none", "null", "false", "no", "0") else _shorten(words)
    if isinstance(error, Boolean):
        return "error: true" if error.value else ""
    if isinstance(error, Number):
        return f"error: {error.integer}" if error.integer else ""
    if isinstance(error, Object):
        return _shorten(error.text("message") or error.source) if error.members else ""
    return _shorten(error.source) if error.items else ""


def _judge_text(text: str, *, is_reading: bool) -> Failure | None:
    is_short = len(text) <= 2 * _ENDS
    shown = text if is_short else f"{text[:_ENDS]}\n{text[-_ENDS:]}"
    lines = [line.strip() for line in ANSI.sub("", shown).splitlines()]
    lines = [line for line in lines if line]
    if not lines:
        return None
    for line in (lines[-1], lines[0]):
        if found := _EXIT.fullmatch(line):
            others = [line for line in lines if not _EXIT.fullmatch(line)]
            words = ": ".join([str(int(found[1])), *(line.strip("= ") for line in others[-1:])])
            return Failure("exit code", _shorten(words)) if int(found[1]) else None
    if any(rule.fullmatch(lines[0]) for rule in _FIRST_LINE) and (
        not is_reading or len(lines) <= 3
    ):
        return Failure("error message", _shorten(lines[0]))
    if _is_http_error(lines[0]):
        return Failure("HTTP status", _shorten(lines[0]))
    if is_reading:
        return None
    if any(rule.fullmatch(lines[-1]) for rule in _LAST_LINE):
        return Failure("failed", _shorten(lines[-1].strip("= ")))
    if _TRACEBACK.search(ANSI.sub("", shown)) and _RAISED.fullmatch(lines[-1]):
        return Failure("traceback", _shorten(lines[-1]))
    for line in lines[-20:]:
        if any(rule.fullmatch(line) for rule in _NEAR_END):
            return Failure("failed", _shorten(line))
    return None


def _is_http_error(line: str) -> bool:
    """Return whether a first line is a status of HTTP: named as one, or with its own phrase."""
    found = _HTTP_LINE.fullmatch(line)
    if found is None or int(found[2]) not in set(HTTPStatus):
        return False
    words = found[3].lower()
    return bool(found[1]) or words.startswith(
        (HTTPStatus(int(found[2])).phrase.lower(), "client error", "server error")
    )


def _shorten(words: str) -> str:
    return shorten(words, limit=120)


@dataclass(frozen=True, slots=True)
class Step:
    """Consecutive calls of one name that all failed or all did not."""

    label: str
    count: int
    is_failed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FailingCalls:
    """Failing calls that belong together, from the first failure to the last call of interest.

    `unrecovered` are the failed calls that no success of the same thing follows.
    """

    calls: tuple[RunCall, ...]
    unrecovered: tuple[RunCall, ...]

    @property
    def is_recovered(self) -> bool:
        return not self.unrecovered

    @property
    def steps(self) -> tuple[Step, ...]:
        steps: list[Step] = []
        for call in self.calls:
            is_failed = call.failure is not None
            if steps and (steps[-1].label, steps[-1].is_failed) == (call.label, is_failed):
                steps[-1] = Step(call.label, steps[-1].count + 1, is_failed)
            else:
                steps.append(Step(call.label, 1, is_failed))
        return tuple(steps)

    @property
    def failures(self) -> int:
        return sum(call.failure is not None for call in self.calls)

    @property
    def first(self) -> RunCall:
        return self.calls[0]

    @property
    def last_message(self) -> int | None:
        last = self.calls[-1]
        return next((number for number in last.results[::-1] if number), last.message)


def find_sequences(calls: Sequence[RunCall]) -> tuple[FailingCalls, ...]:
    """Find the failing sequences of a run; those that overlap are one."""
    sequences: list[FailingCalls] = []
    start = 0
    while start < len(calls):
        if calls[start].failure is None:
            start += 1
            continue
        end = place = start
        unrecovered = []
        while place <= end:
            if calls[place].failure is not None:
                last, is_recovered = _follow(calls, place)
                end = max(end, last)
                unrecovered += [] if is_recovered else [calls[place]]
            place += 1
        sequences.append(
            FailingCalls(calls=tuple(calls[start:place]), unrecovered=tuple(unrecovered))
        )
        start = place
    return tuple(sequences)


def _follow(calls: Sequence[RunCall], start: int) -> tuple[int, bool]:
    """Find the last call of the sequence from the failure at `start`, and whether it succeeded."""
    wanted = calls[start].tool, calls[start].label
    last = start
    place = start + 1
    while place < len(calls) and place <= last + WITHIN:
        if (calls[place].tool, calls[place].label) == wanted:
            if calls[place].failure is None and not calls[place].lacks_result:
                return place, True
            if calls[place].failure is not None:
                last = place
        place += 1
    return last, False
