"""Real completions in the browser: nothing breaks, leaks, runs or sticks out; all is there.

Looked at are the few that have between them every structure of all: each kind of message, part,
call and member, each sign of Markdown, script and class of length where it occurs, and each shape
of JSON. With EVERY_TRANSCRIPT=1 in the environment, all of them are looked at.

What must be found is read off the files by this module alone, with nothing of the viewer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Dialog, Page

from tests.support.browser.boxes import box_problems, lay_out_unseen
from tests.support.browser.chromium import Open
from tests.support.real_transcripts import FILES, lines_to_look_at
from tests.support.serving import serve
from webapp import create_app
from webapp.config import Budgets, Config, Limits
from webapp.embedded import Store, import_files
from webapp.factories import find_database_url

Json = dict[str, Any]

PATIENCE = 120.0
"""Seconds that a page may take, and its rendering."""

if not FILES:
    pytest.skip(
        "the real transcripts are not beside this checkout: ../shared/data/transcripts",
        allow_module_level=True,
    )

Look = tuple[Literal["full", "compact"], int]

LOOKS: tuple[Look, ...] = (("full", 1280), ("full", 390))
"""The views and widths, in pixels, that every completion is looked at in."""

COMPACT_LOOKS: tuple[Look, ...] = (("compact", 1280), ("compact", 390))
"""The same for every other completion that calls tools: the views differ in calls alone."""

TOGETHER = 17
"""Completions of one test at most: enough to share a server, few enough to share out the work."""


@dataclass(frozen=True)
class Batch:
    """Some completions, each a line of a file, and the number of the batch from 1."""

    number: int
    lines: list[str]

    def __str__(self) -> str:
        return str(self.number)


def _batches() -> Iterator[Batch]:
    """Share out what is to be looked at; neighbours of a kind go to different batches."""
    lines = [line for of_file in lines_to_look_at().values() for line in of_file]
    count = -(-len(lines) // TOGETHER)
    return (Batch(at + 1, lines[at::count]) for at in range(count))


BATCHES = list(_batches())


@pytest.fixture(scope="module")
def browser(still_browser: Browser) -> Browser:
    """The one for tests that click nothing."""
    return still_browser


@pytest.mark.parametrize("batch", BATCHES, ids=str)
def test_real_completions_are_shown_whole(batch: Batch, tmp_path: Path, open_page: Open) -> None:
    with serve(create_app(_loaded(batch, tmp_path))) as base_url:
        reports: list[str] = []
        # A view in one look opens in a window that has it from the start, which spares a layout.
        wide, narrow, changing = (
            _open_window(open_page, base_url, reports, width=width) for width in (1280, 390, 1280)
        )
        wrong = {}
        for at, completion in enumerate(map(json.loads, batch.lines)):
            found = []
            for view, of_view in groupby(_choose_looks(completion, at), key=itemgetter(0)):
                looks = list(of_view)
                page = changing if len(looks) > 1 else wide if looks[0][1] == 1280 else narrow
                page.goto(f"{base_url}/completions/{completion['id']}?all=1&view={view}")
                assert _scripts_are_ours(page, base_url)
                found += [*_problems(page, looks), *_lost(page, completion)]
            if found:
                wrong[completion["id"]] = found
        # What a page loads late, such as an image far down, would find no server any more.
        for page in (wide, narrow, changing):
            page.close()
        assert (wrong, reports) == ({}, [])


def _choose_looks(completion: Json, at: int) -> tuple[Look, ...]:
    """Choose how to look at the completion, which is number `at` of its batch."""
    if not any(message.get("tool_calls") for message in completion["messages"]):
        # The next one starts as this one ends, which spares the browser a layout.
        return LOOKS[:: -1 if at % 2 else 1]
    if len(completion["messages"]) >= 40:
        # Each view and each width once, in the other pairs for the next one.
        return (LOOKS[at % 2], COMPACT_LOOKS[1 - at % 2])
    return COMPACT_LOOKS if at % 2 else LOOKS


def _loaded(batch: Batch, folder: Path) -> Config:
    """A store that holds the batch."""
    config = Config(
        database_url=f"sqlite:///{folder / 'readback.sqlite3'}",
        limits=Limits(page_timeout=PATIENCE),
        budgets=Budgets(seconds=PATIENCE),
    )
    lines = folder / "batch.jsonl"
    lines.write_text("\n".join(batch.lines), encoding="utf-8")
    store = Store(find_database_url(config))
    report = import_files(store, [lines])
    store.close()
    assert (report.added, report.problems) == (len(batch.lines), [])
    return config


def _open_window(open_page: Open, base_url: str, reports: list[str], *, width: int) -> Page:
    """Open a window that adds to `reports` breaches of the policy of its pages, and dialogs."""
    page = open_page(base_url, "/healthz", width=width)
    lay_out_unseen(page)
    page.expose_function("reportBreach", lambda breach: reports.append(breach))
    page.add_init_script(
        "addEventListener('securitypolicyviolation', event =>"
        " reportBreach(`${event.violatedDirective} ${event.blockedURI}`))"
    )

    def dialog(opened: Dialog) -> None:
        reports.append(opened.message)
        opened.dismiss()

    page.on("dialog", dialog)
    return page


def _problems(page: Page, looks: Iterable[Look]) -> Iterator[str]:
    """What is wrong with its boxes in each of the `looks`."""
    for view, width in looks:
        if page.viewport_size != {"width": width, "height": 900}:
            page.set_viewport_size({"width": width, "height": 900})
        yield from (f"{view}, {width} px: {problem}" for problem in box_problems(page))


def _scripts_are_ours(page: Page, base_url: str) -> bool:
    """Whether every script of the page is a file of ours, and none is in the transcript."""
    sources = page.evaluate("[...document.querySelectorAll('script')].map(one => one.src)")
    return bool(sources) and all(one.startswith(f"{base_url}/static/") for one in sources)


# The text of the page; and without the exact sources that a switch shows in place of the text.
READ = """() => {
    const page = document.querySelector("main").cloneNode(true);
    const everything = page.textContent;
    for (const source of page.querySelectorAll(".source:not(.plain)")) source.remove();
    const texts = document.createTreeWalker(page, NodeFilter.SHOW_TEXT);
    const read = [];
    while (texts.nextNode()) read.push(texts.currentNode.data);
    return [everything, read.join(" ")];
}"""


def _lost(page: Page, completion: Json) -> list[str]:
    """The texts that are not on the page, or of which a reader would miss words."""
    everything, read = page.evaluate(READ)
    letters, words = _letters(everything), set(_words(read))
    lost = []
    for text in _texts(completion):
        wanted_letters, wanted = _wanted(text)
        missed = [word for word in wanted if word not in words]
        if wanted_letters not in letters:
            lost.append(f"not there: {text[:200]!r}")
        elif len(missed) > len(wanted) // 20:
            lost.append(f"only in its source: {missed[:20]} of {text[:200]!r}")
    return lost


@lru_cache(4096)
def _wanted(text: str) -> tuple[str, tuple[str, ...]]:
    """The letters and the different words of a text, of which many stand in many completions."""
    return _letters(text), tuple(dict.fromkeys(_words(text)))


def _letters(text: str) -> str:
    """Letters and digits alone: what no layout and no Markdown takes away."""
    return re.sub(r"[\W_]+", "", text)


# What is read as something else than its letters: addresses behind a link, and formulas.
NOT_WORDS = re.compile(
    r"https?://[^\s)\]}>\"]+|\\\(.*?\\\)|\\\[.*?\\\]|\$\$.*?\$\$|\$[^$\n]*\$|\\[A-Za-z]+", re.DOTALL
)
WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W\d_\u3040-\ud7af]{3,}")


def _words(text: str) -> list[str]:
    """The words of a text, and every sign of the scripts that put no space between them."""
    return WORD.findall(NOT_WORDS.sub(" ", " ".join(_leaves_of(text))))


def _leaves_of(text: str) -> Iterator[str]:
    """The texts inside a text that is JSON as a whole, else the text itself."""
    try:
        found = json.loads(text)
    except ValueError:
        found = text
    yield from _leaves(found)


def _texts(completion: Json) -> Iterator[str]:
    """All that a reader should be able to read of its messages and choices."""
    messages = completion["messages"] + [
        choice.get("message") or {} for choice in completion["choices"]
    ]
    for message in messages:
        for name in ("name", "reasoning", "reasoning_content", "content", "refusal"):
            yield from _strings(message.get(name))
        yield from _strings((message.get("audio") or {}).get("transcript"))
        for called in message.get("tool_calls") or []:
            yield from _strings(called.get("id"))
            yield from _call_texts(called["function"])
        if message.get("function_call"):
            yield from _call_texts(message["function_call"])


def _call_texts(function: Json) -> Iterator[str]:
    yield from _strings(function["name"])
    arguments = function.get("arguments") or ""
    try:
        yield from _leaves(json.loads(arguments))
    except ValueError:
        yield arguments


def _leaves(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from _leaves(one)
    elif isinstance(value, str):
        yield value


def _strings(value: object) -> Iterator[str]:
    """A text, or the texts of a list of parts."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for part in value:
            yield from _strings(part.get("text") if isinstance(part, dict) else part)
