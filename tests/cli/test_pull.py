"""`readback pull`, run as a user runs it, from a server on a real port."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from tests.support.command import PATIENCE, Readback, open_terminal, read_until
from tests.support.fake_upstream import (
    FakeUpstream,
    Reply,
    error,
    message,
    never_more,
    stored,
    without_has_more,
)
from tools.forking import Forkable
from tools.store_rows import database_url
from webapp.embedded import Store
from webapp.keeping.copying import LONGEST_WAIT, Copier, CopyReport
from webapp.upstream import Clock, Endpoint, KeyRejected, Limits, RateLimited, Upstream


@pytest.fixture
def fake() -> FakeUpstream:
    """Three completions; the second is longer than a page."""
    completions = [
        stored("c1", "one", seed=-9_007_199_254_740_993, metadata={"k": "v"}),
        stored("c2", *map(str, range(230)), model="other"),
        stored("c3"),
    ]
    return FakeUpstream({one.completion["id"]: one for one in completions})


@pytest.fixture
def readback(forkable: Forkable, fake: FakeUpstream, tmp_path: Path) -> Iterator[Readback]:
    with fake.serve() as base_url:
        yield Readback.of_user(
            tmp_path,
            forkable=forkable,
            DATABASE_URL=database_url(tmp_path),
            OPENAI_BASE_URL=base_url,
            OPENAI_API_KEY="sk-test-4f9a",
        )


def exported(readback: Readback) -> dict[str, dict[str, Any]]:
    lines = map(json.loads, readback("export").output.splitlines())
    return {line["id"]: line for line in lines}


def test_a_terminal_obeys_nothing_that_a_server_says(
    readback: Readback, fake: FakeUpstream
) -> None:
    """Not in the errors beside the line of the progress either."""
    obeyed = "\x1b]0;title\x07\x1b[31m\x9b2J\r\x08"
    fake.script("/chat/completions/c1", error(404, f"Gone {obeyed} c1", code=f"not_found{obeyed}"))
    fake.script("/chat/completions/c3/messages", error(400, f"No {obeyed} such thing: the end"))
    with (
        open_terminal() as (shown, device),
        readback.start("pull", "--all", stderr=device) as process,
    ):
        seen = read_until(shown, "the end")
        process.communicate(timeout=PATIENCE)

    assert "Gone" in seen and "copied" in seen
    left = seen.replace("\x1b[K", "").replace("\r", "").replace("\n", "")
    assert left.isprintable()


def as_served(fake: FakeUpstream, completion_id: str) -> dict[str, Any]:
    one = fake.completions[completion_id]
    return one.completion | {"messages": one.messages}


def test_all_completions_are_copied_with_all_their_messages(
    readback: Readback, fake: FakeUpstream
) -> None:
    ended = readback("pull", "--all")

    assert (ended.status, ended.errors) == (0, "")
    assert ended.output == "3 completions copied.\n"
    assert exported(readback) == {name: as_served(fake, name) for name in ("c1", "c2", "c3")}


def test_what_is_stored_already_costs_no_call(readback: Readback, fake: FakeUpstream) -> None:
    readback("pull", "c1")
    fake.requests.clear()

    ended = readback("pull", "--all")

    assert ended.output == "2 completions copied, 1 stored already.\n"
    assert [seen.path for seen in fake.requests if "c1" in seen.path] == []


@pytest.mark.parametrize(
    ("arguments", "copied"),
    [
        (("c3", "c1"), {"c1", "c3"}),
        (("--model", "other"), {"c2"}),
        (("--metadata", "k=v"), {"c1"}),
        (("--metadata", "k=w"), set()),
    ],
)
def test_a_selection_is_copied(
    readback: Readback, arguments: tuple[str, ...], copied: set[str]
) -> None:
    assert readback("pull", *arguments).status == 0
    assert set(exported(readback)) == copied


def test_one_that_fails_is_reported_and_the_others_are_copied(
    readback: Readback, fake: FakeUpstream
) -> None:
    fake.script("/chat/completions/c2", error(404, "Completion c2 not found", code="not_found"))
    fake.script("/chat/completions/c3/messages", Reply(200, "{}"))

    ended = readback("pull", "--all")

    assert ended.status == 1
    assert ended.output == "1 completion copied, 2 not copied.\n"
    assert [line.partition(":")[0] for line in ended.errors.splitlines()] == ["c2", "c3"]
    assert set(exported(readback)) == {"c1"}
    assert readback("pull", "--all").output == "2 completions copied, 1 stored already.\n"


def test_messages_that_the_server_keeps_back_are_not_stored_in_part(
    readback: Readback, fake: FakeUpstream
) -> None:
    fake.page = lambda page: page | {"has_more": True}

    ended = readback("pull", "c1")

    assert (ended.status, ended.output) == (1, "0 completions copied, 1 not copied.\n")
    assert exported(readback) == {}


def test_a_server_that_gives_everything_at_once_is_copied(
    readback: Readback, fake: FakeUpstream
) -> None:
    fake.ignores_query = True
    fake.page = without_has_more

    assert readback("pull", "--all").status == 0
    assert exported(readback)["c2"] == as_served(fake, "c2")


def test_answers_among_the_messages_are_not_stored_twice(
    readback: Readback, fake: FakeUpstream
) -> None:
    one = fake.completions["c1"]
    asked = list(one.messages)
    one.messages.append(message("c1", 1, "An answer", role="assistant") | {"tool_calls": None})
    one.completion["input_messages"] = [dict(asked[0])]

    readback("pull", "c1")

    assert exported(readback)["c1"]["messages"] == asked


@pytest.mark.parametrize("selection", ["--all", "c1"])
def test_other_content_under_a_stored_id_is_reported_or_kept_too(
    readback: Readback, fake: FakeUpstream, selection: str
) -> None:
    readback("pull", "c1")
    before = exported(readback)["c1"]
    fake.completions["c1"] = stored("c1", "another question", created=1_758_039_999)

    ended = readback("pull", selection)
    assert ended.status == 1
    assert "c1: it is stored with other content, which was kept" in ended.errors
    assert "1 not copied: stored with other content. With --keep-both" in ended.output
    assert exported(readback)["c1"] == before

    ended = readback("pull", "--keep-both", selection)
    assert ended.status == 0
    (new_id,) = exported(readback).keys() - fake.completions.keys()
    assert f"c1: it is stored with other content; this one is kept as {new_id}" in ended.errors
    kept = exported(readback)
    assert kept["c1"] == before
    assert kept[new_id] == as_served(fake, "c1") | {"id": new_id, "original_id": "c1"}
    assert readback("pull", "--keep-both", selection).output.startswith("0 completions copied")
    assert exported(readback) == kept


def test_other_metadata_and_empty_members_are_no_other_content(
    readback: Readback, fake: FakeUpstream
) -> None:
    readback("pull", "c1")
    completion = fake.completions["c1"].completion
    completion["metadata"] = {"k": "new"}
    completion["choices"][0] |= {"logprobs": None}
    completion["choices"][0]["message"] |= {"refusal": None, "annotations": []}

    ended = readback("pull", "c1")
    assert (ended.status, ended.errors) == (0, "")
    assert ended.output == "0 completions copied, 1 stored already.\n"


@pytest.mark.parametrize("count", [99, 100, 101, 200])
def test_messages_are_copied_whole_from_a_server_that_calls_every_page_the_last(
    readback: Readback, fake: FakeUpstream, count: int
) -> None:
    fake.completions["c2"] = stored("c2", *map(str, range(count)))
    fake.page = never_more

    assert readback("pull", "--all").status == 0
    assert exported(readback)["c2"] == as_served(fake, "c2")


def test_a_key_that_is_refused_ends_it_at_once(readback: Readback, fake: FakeUpstream) -> None:
    fake.script("/chat/completions", error(401, "Incorrect API key provided: sk-test-4f9a"))

    ended = readback("pull", "--all")

    assert (ended.status, ended.output) == (1, "0 completions copied.\n")
    assert "did not accept the API key" in ended.errors
    assert "sk-test-4f9a" not in ended.errors
    assert len(fake.requests) == 1


def test_a_pull_needs_either_ids_or_all(readback: Readback, fake: FakeUpstream) -> None:
    assert readback("pull").status == 2
    assert readback("pull", "c1", "--all").status == 2
    assert fake.requests == []


def test_a_pull_that_is_interrupted_goes_on_where_it_stopped(
    readback: Readback, fake: FakeUpstream
) -> None:
    reached, released = Event(), Event()

    def hold(page: dict[str, Any]) -> dict[str, Any]:
        if len(page["data"]) == 100:
            reached.set()
            released.wait(PATIENCE)
        return page

    fake.page = hold
    with readback.start("pull", "c1", "c2", "c3") as process:
        assert reached.wait(PATIENCE)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate()
    released.set()

    assert (process.returncode, errors.count(b"\n")) == (130, 1)
    assert set(exported(readback)) == {"c1"}
    assert readback("pull", "c1", "c2", "c3").output == "2 completions copied, 1 stored already.\n"
    assert exported(readback)["c2"] == as_served(fake, "c2")


class Copying:
    """A copier from `fake` whose waits are noted and not waited."""

    def __init__(self, fake_url: str, store: Store) -> None:
        self.waits: list[float] = []
        self.said: list[str] = []
        self.report = CopyReport()
        self.upstream = Upstream(Endpoint.openai(fake_url), limits=Limits(max_retries=0))
        self.copier = Copier(
            self.upstream,
            store,
            input_only=False,
            say=self.said.append,
            clock=Clock(sleep=self.waits.append),
        )

    def copy(self, *ids: str) -> None:
        for _ in self.copier.copy(ids, self.report):
            pass


@pytest.fixture
def copying(fake: FakeUpstream, tmp_path: Path) -> Iterator[Copying]:
    with fake.serve() as url, closing(Store(f"sqlite:///{tmp_path / 'store.db'}")) as store:
        made = Copying(url, store)
        with closing(made.upstream):
            yield made


def test_a_server_that_asks_to_wait_is_waited_for_and_it_is_said(
    fake: FakeUpstream, copying: Copying
) -> None:
    slow = error(429, "Slow down", Retry_After="20")
    fake.script("/chat/completions/c1", slow, slow)
    fake.script("/chat/completions/c1/messages", error(500, "Oops", Retry_After="3"))

    copying.copy("c1")

    assert copying.waits == [20, 20, 3]
    assert copying.said[0].endswith("asks for fewer requests. Waiting 20 s.")
    assert copying.report == CopyReport(copied=1)


def test_patience_has_an_end(fake: FakeUpstream, copying: Copying) -> None:
    fake.script("/chat/completions/c1", *[error(429, "Slow down")] * 6)
    fake.script("/chat/completions/c2", error(429, "Later", Retry_After=str(LONGEST_WAIT + 1)))

    with pytest.raises(RateLimited):
        copying.copy("c1")
    assert len(copying.waits) == 5
    with pytest.raises(RateLimited):
        copying.copy("c2")
    assert len(copying.waits) == 5


def test_an_error_that_would_stop_the_others_too_is_raised(
    fake: FakeUpstream, copying: Copying
) -> None:
    fake.script("/chat/completions/c1", error(403, "No permission"))

    with pytest.raises(KeyRejected):
        copying.copy("c1", "c3")
    assert copying.report == CopyReport()


def test_an_answer_about_another_completion_is_not_stored(
    fake: FakeUpstream, copying: Copying
) -> None:
    fake.script("/chat/completions/c1", Reply(200, fake.completions["c3"].completion))

    copying.copy("c1", "not/an/id")

    assert copying.report == CopyReport(failed=2)
    assert copying.said[0] == "c1: the server gave another completion"
