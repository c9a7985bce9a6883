"""A server that sends JSON exactly as it is given, where the fake one writes it anew."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Final

from tests.support.fake_upstream import FakeUpstream, Reply, Seen, error
from tools.hostile.cases import Case
from tools.hostile.corpus import CASES
from tools.hostile.fields import COMPLETIONS, CROWDED

SENTINEL: Final = "Sentinel"
PAGE: Final = 33
"""Cases of one transcript: with their sentinels they fit on one page of it."""

PAGE_OF_LARGE: Final = 5


@dataclass
class Told:
    """A completion and its messages, each with its cursor, as JSON text."""

    completion: str
    messages: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class ExactUpstream(FakeUpstream):
    """An upstream that serves `told`, by id."""

    told: dict[str, Told] = field(default_factory=dict)

    def forget(self) -> None:
        """Drop scripted answers that were never requested."""
        self._scripts.clear()

    def _api(self, seen: Seen) -> Reply:
        parts = seen.path.strip("/").split("/")
        if len(parts) == 2:
            return _page([(name, one.completion) for name, one in self.told.items()], seen, "desc")
        if parts[2] not in self.told:
            return error(404, "No such completion", code="not_found")
        one = self.told[parts[2]]
        return _page(one.messages, seen, "asc") if len(parts) == 4 else Reply(200, one.completion)


def _page(entries: list[tuple[str, str]], seen: Seen, default_order: str) -> Reply:
    query = dict(seen.query)
    if query.get("order", default_order) == "desc":
        entries = entries[::-1]
    cursors = [cursor for cursor, _ in entries]
    after = query.get("after")
    if after is not None and after not in cursors:
        return error(400, "Unknown cursor")
    start = cursors.index(after) + 1 if after else 0
    end = start + int(query.get("limit", 20))
    data = entries[start:end]
    last = json.dumps(data[-1][0] if data else None)
    more = json.dumps(end < len(entries))
    listed = ",".join(text for _, text in data)
    return Reply(200, f'{{"object":"list","data":[{listed}],"last_id":{last},"has_more":{more}}}')


def completion_text(completion_id: str, **members: object) -> str:
    """Return the JSON of a completion with only the given members."""
    head = {"object": "chat.completion", "id": completion_id, "model": "m", "created": 1}
    return json.dumps(head | {"choices": []} | members)


def sentinel(completion_id: str, at: int) -> str:
    """Return the message that follows a case and must not be harmed."""
    text = f"{SENTINEL} {at} stands alone."
    return json.dumps({"id": f"{completion_id}-s{at}", "role": "user", "content": text})


def transcript(completion_id: str, cases: list[Case]) -> Told:
    """The messages of each case, and a sentinel behind them."""
    told = Told(completion_text(completion_id))
    for at, case in enumerate(cases):
        ids = [f"{completion_id}-c{at}-{part}" for part in range(len(case.messages))]
        told.messages += zip(ids, case.with_ids(ids), strict=True)
        told.messages.append((f"{completion_id}-s{at}", sentinel(completion_id, at)))
    return told


def whole_corpus() -> ExactUpstream:
    """Every case in a transcript with others of its class, odd completions alone and in crowds."""
    upstream = ExactUpstream()
    for name, cases in pages_of_cases().items():
        upstream.told[name] = transcript(name, cases)
    for name, completion in (odd_completions() | crowded_completions()).items():
        upstream.told[name] = Told(completion, [(f"{name}-s0", sentinel(name, 0))])
    return upstream


def pages_of_cases() -> dict[str, list[Case]]:
    """Return the cases by the id of the completion that contains them, the large ones last."""
    small = [case for case in CASES if not case.is_large]
    large = [case for case in CASES if case.is_large]
    pages = [*_split(small, PAGE), *_split(large, PAGE_OF_LARGE)]
    return {f"hostile-{at}": page for at, page in enumerate(pages)}


def _split(cases: list[Case], size: int) -> list[list[Case]]:
    return [cases[start : start + size] for start in range(0, len(cases), size)]


def odd_completions() -> dict[str, str]:
    """The completions that are cases themselves, by the id they are asked for with."""
    return {
        f"odd-{at}": json.dumps({"id": f"odd-{at}"} | completion)
        for at, completion in enumerate(COMPLETIONS.values())
    }


def crowded_completions() -> dict[str, str]:
    """Return the few completions that together have every oddity."""
    return {
        f"odd-{at}": json.dumps({"id": f"odd-{at}"} | completion)
        for at, completion in enumerate(CROWDED, len(COMPLETIONS))
    }
