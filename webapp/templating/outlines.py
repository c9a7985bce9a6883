"""The outline and the ribbon of a run: a line or a cell for each message, with its link."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import ceil, log2
from typing import Final, Literal

from webapp.analysis import Run, RunCall
from webapp.formatting import count
from webapp.templating.outcomes import count_failures
from webapp.templating.runs import RunLinks

_MAX_LINES: Final = 1000
_MAX_CELLS: Final = 400
_HEIGHT: Final = 20
# Where a cell begins and how high it is: kinds differ in shape, not only in colour. A
# failed call hangs from the top.
_LOW: Final = (13, 7)
SHAPES: Final = {
    **{"user": (0, 20), "answer": (0, 20), "assistant": (8, 12), "failed": (0, 14)},
    "result": _LOW,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OutlineLine:
    """A turn, or consecutive calls of one tool; `share` is its part of the run's size, in %.

    `is_part` is true of calls whose message has a line before theirs.
    """

    number: int | None
    href: str
    kind: str
    name: str
    words: str
    count: int
    failures: int
    share: int
    is_part: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OutlineGap:
    """Consecutive lines that an outline leaves out; `href` leads to the first of them.

    `kinds` are the filters of the outline under which one of them would be seen.
    """

    number: int | None
    href: str
    count: int
    kinds: frozenset[str]
    kind: Literal["gap"] = "gap"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A message of the ribbon, or several where a run has too many."""

    number: int | None
    x: int
    y: int
    width: int
    height: int
    kind: str
    href: str
    is_here: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Ribbon:
    """A picture of the run; `label` says the same in words."""

    width: int
    height: int
    cells: tuple[Cell, ...]
    label: str


def list_outline(run: Run, links: RunLinks) -> tuple[OutlineLine | OutlineGap, ...]:
    """List the lines of the outline; results are part of their calls.

    Of more than `_MAX_LINES` those of messages on the page and of failures are kept, and then the
    first and the last ones. A gap counts those left out at its place.
    """
    lines = _list_lines(run, links)
    if len(lines) <= _MAX_LINES:
        return tuple(lines)

    def rank(place: int) -> tuple[bool, bool, int]:
        line = lines[place]
        return not line.href.startswith("#"), not line.failures, min(place, len(lines) - place)

    kept = frozenset(sorted(range(len(lines)), key=rank)[:_MAX_LINES])
    outline: list[OutlineLine | OutlineGap] = []
    for is_kept, places in groupby(range(len(lines)), kept.__contains__):
        series = [lines[place] for place in places]
        if is_kept or len(series) == 1:
            outline.extend(series)
            continue
        kinds = {line.kind for line in series} | {"failed" for line in series if line.failures}
        first = series[0]
        outline.append(
            OutlineGap(
                number=first.number, href=first.href, count=len(series), kinds=frozenset(kinds)
            )
        )
    return tuple(outline)


def _list_lines(run: Run, links: RunLinks) -> list[OutlineLine]:
    size = run.size or 1
    lines: list[OutlineLine] = []
    waiting: list[RunCall] = []
    numbered: set[int | None] = set()
    answered = {number for call in run.calls for number in call.results if number is not None}
    failed = {message.anchor for message in run.failures_of_no_call}
    for message in run.messages:
        is_call_result = message.kind == "result" and message.number in answered
        if is_call_result:
            continue
        if message.words or not message.calls:
            lines.extend(_group_calls(waiting, links, size, numbered))
            waiting = []
            numbered.add(message.number)
            line = OutlineLine(
                number=message.number,
                href=links.to_message(message),
                kind=message.kind,
                name="answer" if message.kind == "answer" else message.role,
                words=message.words or ", ".join(message.parts),
                count=1,
                failures=int(message.anchor in failed),
                share=round(100 * message.size / size),
            )
            lines.append(line)
        waiting.extend(message.calls)
    return [*lines, *_group_calls(waiting, links, size, numbered)]


def _group_calls(
    calls: Sequence[RunCall], links: RunLinks, size: int, numbered: set[int | None]
) -> Iterator[OutlineLine]:
    """Yield a line for each series of calls of one tool.

    The messages that have a line are `numbered`; they become so by these, too.
    """
    series: list[RunCall] = []
    for place, call in enumerate(calls):
        series.append(call)
        if place + 1 < len(calls) and calls[place + 1].tool == call.tool:
            continue
        failed = [one for one in series if one.failure]
        yield OutlineLine(
            number=series[0].message,
            href=links.to_call(failed[0] if failed else series[0]),
            kind="call",
            name=series[0].tool,
            words=(failed[0] if failed else series[0]).words,
            count=len(series),
            failures=len(failed),
            share=round(100 * sum(one.sent + one.returned for one in series) / size),
            is_part=series[0].message in numbered,
        )
        numbered.add(series[0].message)
        series = []


def draw_ribbon(run: Run, links: RunLinks) -> Ribbon:
    """Draw the ribbon of a run, its cells as wide as the logarithm of their size."""
    step = ceil(len(run.messages) / _MAX_CELLS) or 1
    cells: list[Cell] = []
    x = 0
    for start in range(0, len(run.messages), step):
        messages = run.messages[start : start + step]
        shown = next((one for one in messages if one.failure), None)
        shown = shown or max(messages, key=lambda one: (one.kind in ("user", "answer"), one.size))
        kind = "failed" if shown.failure else shown.kind
        y, height = SHAPES.get(kind, _LOW)
        width = min(9, max(3, round(log2(1 + sum(one.size for one in messages) / 100))))
        href = links.to_message(shown)
        cells.append(
            Cell(
                number=shown.number,
                x=x,
                y=y,
                width=width,
                height=height,
                kind=kind,
                href=href,
                is_here=href.startswith("#"),
            )
        )
        x += width + 1
    part = "the run" if run.is_whole else "the part that was read"
    numbers = {
        "message": sum(message.kind != "answer" for message in run.messages),
        "user turn": len(run.user_turns),
        "call": len(run.calls),
    }
    words = ", ".join(count(number, noun) for noun, number in numbers.items())
    words += f", {count_failures(run) or 'no failure found'}"
    words += "" if run.answer is None else ", and the answer"
    label = f"Ribbon of {part}: {words}. The outline has the same links."
    return Ribbon(width=max(x - 1, 1), height=_HEIGHT, cells=tuple(cells), label=label)
