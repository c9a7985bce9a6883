"""Say what a run was about, how it ended, and where it failed: evidence, not a grade."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, TypeAlias

from webapp.analysis import Run, RunCall, RunMessage, find_answer_failure
from webapp.analysis.naming import is_cut_off, shorten
from webapp.completions import Completion
from webapp.formatting import count, drop_markup, skip_preamble
from webapp.messages import Choice, Message
from webapp.reading.previews import preview_answer
from webapp.services import services
from webapp.templating.context import RenderContext
from webapp.templating.runs import RunLinks, describe_part, is_worth_a_summary

Failed: TypeAlias = RunCall | RunMessage

_SHORT: Final = 40
"""Characters of a question that the title shows at every width."""

_MAX_CAUSES: Final = 3
_NUMBER: Final = re.compile(r"\d+")

_INCOMPLETE: Final = {
    "cut off": "Cut off: the answer reached the limit of its tokens",
    "content filter": "Stopped by a content filter",
    "refused": "The model refused to answer",
}
_ENDS: Final = {
    **dict.fromkeys(("stop", "end_turn", "STOP", "eos"), "By itself, not cut off"),
    "stop_sequence": "At a stop sequence",
}


@dataclass(frozen=True, slots=True)
class Glance:
    """A line of the outcome; `href` is None if its message is not in the part that was read."""

    name: str
    words: str
    href: str | None = None
    number: int | None = None
    reason: str = ""
    is_warning: bool = False


@dataclass(frozen=True, slots=True)
class Cause:
    """The first of `count` failures that report the same; `is_same` unless numbers in it differ.

    `words` are those of the failure, `rule` names its rule, if they do not say it.
    """

    first: Glance
    words: str
    rule: str
    count: int
    is_same: bool


@dataclass(frozen=True, slots=True)
class FailureGlance:
    """The failures of a run in words, with the first of each cause, unless it is the answer.

    `count` is empty if no failure was found; `words` describe the calls after it, but for `lost`.
    `last` is set if the last results of the run report failures. `more` counts the failures of
    other causes.
    """

    count: str
    words: str
    last: str = ""
    lost: tuple[Glance, ...] = ()
    causes: tuple[Cause, ...] = ()
    more: int = 0


def glance_at_question(context: RenderContext, links: RunLinks) -> Glance | None:
    """Return the question, unless the title has all of it."""
    run = context.run
    asked = next((turn for turn in run.user_turns if turn.words), None) if run else None
    question = shorten(drop_markup(skip_preamble(run.question)), limit=200) if run else ""
    if asked is None or len(question) <= _SHORT:
        return None
    return Glance("Question", question, links.to_message(asked))


def glance_at_answer(context: RenderContext, links: RunLinks) -> Glance | None:
    """Return the first words of the answer, or its calls."""
    run, completion = context.run, context.page.completion
    if completion is None or not completion.choices:
        return None
    called = _name_calls(completion.choices[0].message_or_empty)
    said = preview_answer(completion).text
    words = said or (f"calls {called}" if called else "no text")
    href = links.to_message(run.answer) if run and run.answer else None
    return Glance("Answer says" if said else "Answer", words, href)


def glance_at_end(completion: Completion, *, is_partial: bool = False) -> Glance:
    """Return how the answers ended, in words, with their finish reasons as recorded.

    The answers may have been left out of a completion that `is_partial`.
    """
    choices = completion.choices
    if not choices and is_partial:
        return Glance("Ended", "Not known: the answer is not in this share")
    if not choices:
        return Glance("Ended", "No answer: the completion has no choices", is_warning=True)
    described = [_describe_end(choice, completion) for choice in choices]
    ends = Counter(words for words, _ in described)
    words = "; ".join(f"{end} ({number})" if len(ends) > 1 else end for end, number in ends.items())
    if len(choices) > 1:
        words = f"{count(len(choices), 'choice')}: {words}"
    reasons = ", ".join(completion.finish_reasons)
    reason = f"finish reason {reasons}" if reasons else ""
    is_warning = any(is_odd for _, is_odd in described)
    return Glance("Ended", words, reason=reason, is_warning=is_warning)


def _describe_end(choice: Choice, completion: Completion) -> tuple[str, bool]:
    """Describe how one answer ended, and whether a reader should be warned of it."""
    message = choice.message_or_empty
    failure = find_answer_failure(message, choice.finish_reason, completion.broken_off)
    if failure is not None:
        return _INCOMPLETE.get(failure.rule, f"Broken off: {failure.words}"), True
    if message.is_empty:
        return "The answer is empty", True
    answered = {one.tool_call_id for one in message.results}
    if any(map(is_cut_off, message.calls)):
        return f"With a call of {_name_calls(message)} that is cut off", True
    if any(getattr(call, "id", None) not in answered for call in message.calls):
        one = len(message.calls) == 1
        call, result = ("a call", "its result") if one else ("calls", "their results")
        return (
            f"With {call} of {_name_calls(message)}; {result} would be in the next request",
            False,
        )
    if choice.finish_reason is None:
        return "Not known: no finish reason was recorded", False
    return _ENDS.get(choice.finish_reason, "With a finish reason of the server's own"), False


def _name_calls(message: Message) -> str:
    return ", ".join(getattr(call, "name", None) or "a tool" for call in message.calls)


def count_failures(run: Run) -> str:
    """Count the failures by what failed: `5 failed calls`, `answer cut off`; empty without any."""
    single = run.failures_of_no_call
    answers = [one.failure.rule for one in single if one.kind != "result" and one.failure]
    calls, results = run.failure_count - len(single), len(single) - len(answers)
    counts = [count(calls, "failed call")] if calls else []
    counts += [count(results, "failed result")] if results else []
    if len(answers) == 1:
        rule = "filtered" if answers[0] == "content filter" else answers[0]
        counts.append(f"answer {rule}")
    elif answers:
        counts.append(count(len(answers), "incomplete answer"))
    return ", ".join(counts)


def glance_at_failures(context: RenderContext, links: RunLinks) -> FailureGlance | None:
    """Return the failures of a run, or that none was found; None for a short run without any.

    A failed answer of a short run is left to the line about its end.
    """
    run = context.run
    if run is None:
        return None
    if not is_worth_a_summary(run) and all(one.kind == "answer" for one in run.failures):
        return None
    share = services().share
    if not run.failures:
        calls = count(len(run.calls), "call")
        words = f"None reported by {calls} in {describe_part(context.page, run)}"
        if not run.calls:
            words = "No calls. Failures are looked for in results of calls only"
        unknown = "; what the share leaves out is not counted" if share and share.omitted else ""
        return FailureGlance("", words + unknown)
    failed: list[Failed] = [
        *(call for call in run.calls if call.failure),
        *(one for one in run.failures_of_no_call if one.kind != "answer"),
    ]
    causes = list_causes(sorted(failed, key=lambda one: _find_number(one) or 0), links)
    more = sum(one.count for one in causes[_MAX_CAUSES:])
    is_known = run.is_whole and run.sequences and not (share and share.omitted)
    words, lost, last = _describe_sequel(run) if is_known else ("", (), "")
    return FailureGlance(
        count_failures(run),
        words,
        last,
        tuple(_glance_at(one, links) for one in lost),
        tuple(causes[:_MAX_CAUSES]),
        more,
    )


def _describe_sequel(run: Run) -> tuple[str, tuple[RunCall, ...], str]:
    """Describe the calls after failed ones, but for some, and the last results if they failed."""
    failed = [call for one in run.sequences for call in one.calls if call.failure]
    lost = tuple(call for one in run.sequences for call in one.unrecovered)
    recovered = len(failed) - len(lost)
    has_failed, ends = next(
        groupby(call.failure is not None for call in reversed(run.calls) if call.results)
    )
    length = len(list(ends))
    results = "result reports" if length == 1 else f"{length:,} results report"
    last = f"the last {results} {'a' if has_failed else 'no'} failure"
    if recovered:
        words = _describe_recovered(failed, recovered)
    elif not (has_failed and length >= len(failed)) and _is_without_later_success(run):
        words = "no later call of the same tool succeeded"
    else:
        words = "" if has_failed else last
    return words, lost if recovered else (), last if has_failed else ""


def _describe_recovered(failed: Sequence[RunCall], recovered: int) -> str:
    same = "name" if any(one.label != one.tool for one in failed) else "tool"
    words = f"followed by a call of the same {same} without a failure"
    if len(failed) == 1:
        return words
    if recovered == len(failed):
        return f"each was {words}"
    return f"{recovered:,} {'was' if recovered == 1 else 'were'} {words}"


def _is_without_later_success(run: Run) -> bool:
    """Return whether no call of the tool of a failed one succeeded after it."""
    succeeded = {
        call.tool: at for at, call in enumerate(run.calls) if call.results and not call.failure
    }
    return all(
        succeeded.get(call.tool, -1) < at for at, call in enumerate(run.calls) if call.failure
    )


def list_causes(failed: Iterable[Failed], links: RunLinks) -> list[Cause]:
    """List the causes of failures in order; numbers in their reports make no other cause."""
    alike: dict[tuple[str, str], list[Failed]] = {}
    for one in failed:
        if one.failure is not None:
            cause = _NUMBER.sub("0", one.failure.sentence)
            alike.setdefault((_name_failed(one), cause), []).append(one)
    causes = []
    for ones in alike.values():
        failures = [one.failure for one in ones if one.failure]
        head, words = failures[0].head, failures[0].cause
        is_same = len({one.sentence for one in failures}) == 1
        first = _glance_at(ones[0], links)
        causes.append(Cause(first, words or head, head if words else "", len(ones), is_same))
    return causes


def _glance_at(failed: Failed, links: RunLinks) -> Glance:
    href = links.to_call(failed) if isinstance(failed, RunCall) else links.to_message(failed)
    return Glance("", _name_failed(failed), href, _find_number(failed))


def _name_failed(failed: Failed) -> str:
    return failed.label if isinstance(failed, RunCall) else failed.role


def _find_number(failed: Failed) -> int | None:
    return failed.message if isinstance(failed, RunCall) else failed.number


def first_failure_url(run: Run, links: RunLinks) -> str | None:
    """Return the link to the first failure: to its call, if it is the result of one."""
    if not run.failures:
        return None
    first = run.failures[0]
    calls = (one for one in run.calls if first.number is not None and first.number in one.results)
    return _glance_at(next(calls, first), links).href
