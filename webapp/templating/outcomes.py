"""Say what a run was about, how it ended, and where it failed: evidence, not a grade."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from webapp.analysis import Run, RunCall, RunMessage, find_answer_failure
from webapp.analysis.naming import is_cut_off, shorten
from webapp.completions import Completion
from webapp.formatting import count, drop_markup
from webapp.messages import Choice, Message
from webapp.reading.previews import preview_answer
from webapp.services import services
from webapp.templating.context import RenderContext
from webapp.templating.runs import RunLinks, describe_part, is_worth_a_summary

_SHORT: Final = 40
"""Characters of a question that the title shows at every width."""

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
class FailureGlance:
    """The failures of a run in words, and the first and the last of them, unless it is the answer.

    `count` is empty if no failure was found, `words` say what followed. `last` is set if the last
    results of the run report failures.
    """

    count: str
    words: str
    last: str = ""
    places: tuple[Glance, ...] = ()


def glance_at_question(context: RenderContext, links: RunLinks) -> Glance | None:
    """Return the question, unless the title has all of it."""
    run = context.run
    asked = next((turn for turn in run.user_turns if turn.words), None) if run else None
    question = shorten(drop_markup(run.question), limit=300) if run else ""
    if asked is None or len(question) <= _SHORT:
        return None
    return Glance("Question", question, links.to_message(asked))


def glance_at_answer(context: RenderContext, links: RunLinks) -> Glance | None:
    """Return the first words of the answer, or what it calls."""
    run, completion = context.run, context.page.completion
    if completion is None or not completion.choices:
        return None
    called = _name_calls(completion.choices[0].message_or_empty)
    words = preview_answer(completion).text or (f"calls {called}" if called else "no text")
    answer = run.answer if run else None
    return Glance("Answer says", words, links.to_message(answer) if answer else None)


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
        return f"The model called {_name_calls(message)}; the call is cut off", True
    if any(getattr(call, "id", None) not in answered for call in message.calls):
        results = "result is" if len(message.calls) == 1 else "results are"
        called = _name_calls(message)
        return f"The model called {called}; the {results} not part of this completion", False
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
    messages = describe_part(context.page, run)
    if not run.failures:
        calls = count(len(run.calls), "call")
        words = f"None reported by {calls} in {messages}"
        if not run.calls:
            words = f"No calls to check in {messages}"
        share = services().share
        unknown = "; what the share leaves out is not counted" if share and share.omitted else ""
        return FailureGlance("", words + unknown)
    failures = [one for one in run.failures if one.kind != "answer"]
    names = ("First", "Last") if len(failures) > 1 else ("It was",)
    ends = (failures[0], failures[-1]) if failures else ()
    places = (_glance_at(one, name, run, links) for name, one in zip(names, ends, strict=False))
    last, has_failed = _describe_last(run)
    followed = [*_describe_recovery(run), *([last] if last and not has_failed else ())]
    return FailureGlance(
        count_failures(run), "; ".join(followed), last if has_failed else "", tuple(places)
    )


def _describe_recovery(run: Run) -> Iterator[str]:
    """Yield whether failing calls succeeded later."""
    if not _is_known_to_the_end(run):
        return
    number = sum(one.failures for one in run.sequences)
    recovered = sum(one.failures for one in run.sequences if one.is_recovered)
    succeeded = {
        call.tool: at for at, call in enumerate(run.calls) if call.results and call.failure is None
    }
    if recovered:
        part = "each" if recovered == number else f"{recovered:,} of them"
        after = f"after {part}, " if number > 1 else ""
        yield f"{after}a later call of the same tool reports no failure"
    elif all(succeeded.get(one.tool, -1) < at for at, one in enumerate(run.calls) if one.failure):
        yield "no later call of the same tool succeeded"


def _describe_last(run: Run) -> tuple[str, bool]:
    """Describe what the last results of a run with failed calls report, and whether they failed."""
    if not _is_known_to_the_end(run):
        return "", False
    answered = [call.failure is not None for call in run.calls if call.results]
    has_failed, last = next(groupby(reversed(answered)))
    length = len(list(last))
    results = "result reports" if length == 1 else f"{length:,} results report"
    return f"the last {results} {'a' if has_failed else 'no'} failure", has_failed


def _is_known_to_the_end(run: Run) -> bool:
    share = services().share
    return run.is_whole and bool(run.sequences) and not (share and share.omitted)


def _glance_at(failure: RunMessage, name: str, run: Run, links: RunLinks) -> Glance:
    call = _find_call_of(failure, run)
    reason = failure.failure.sentence if failure.failure else ""
    if call is None:
        return Glance(name, failure.words, links.to_message(failure), failure.number, reason)
    return Glance(name, call.label, links.to_call(call), call.message, reason)


def first_failure_url(run: Run, links: RunLinks) -> str | None:
    """Return the link to the first failure: to its call, if it is the result of one."""
    return _glance_at(run.failures[0], "", run, links).href if run.failures else None


def _find_call_of(failure: RunMessage, run: Run) -> RunCall | None:
    if failure.number is None:
        return None
    return next((call for call in run.calls if failure.number in call.results), None)
