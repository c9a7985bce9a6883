"""Costly texts: each ends within the steps of one text, or is plain text and says so."""

from __future__ import annotations

import time

import pytest

from tests.support.html import assert_harmless
from tools.hostile.costly_texts import HOSTILE_TEXTS
from webapp.rendering import Budgets, MarkdownBudget, render_markdown
from webapp.rendering.markdown.context import (
    MAX_STEPS,
    Meter,
    Scope,
    TooCostly,
    note_limited_time,
    read_limited_time,
)
from webapp.rendering.markdown.parser import render

ENDLESS = Budgets(seconds=1e9, brackets=10**9, page_brackets=10**9, formulas=10**9)
SLICE = 30_000


@pytest.mark.parametrize("name", HOSTILE_TEXTS)
def test_a_costly_text_ends_and_says_when_it_is_plain(name: str) -> None:
    text = HOSTILE_TEXTS[name](SLICE)
    view = render_markdown(text)

    assert not view.is_plain or (view.note or "").startswith("Shown as plain text: ")


@pytest.mark.parametrize("name", HOSTILE_TEXTS)
def test_a_small_text_of_each_class_is_harmless(name: str) -> None:
    assert_harmless(str(render_markdown(HOSTILE_TEXTS[name](400)).html))


def steps(text: str) -> int:
    """Return the parser's steps for `text` if only their number is limited."""
    page = MarkdownBudget(ENDLESS)
    meter = Meter(float("inf"))
    try:
        render(text, Scope(page, meter, None), own_host="")
    except TooCostly:
        return max(meter.steps, MAX_STEPS)
    return meter.steps


@pytest.mark.parametrize("name", HOSTILE_TEXTS)
def test_twice_the_text_is_not_much_more_than_twice_the_steps(name: str) -> None:
    once, twice = (steps(HOSTILE_TEXTS[name](size)) for size in (1_500, 3_000))

    assert twice <= 3 * once + 400 or twice <= MAX_STEPS // 20


def test_the_parser_stops_at_the_steps_of_one_text() -> None:
    view = render_markdown("a & " * MAX_STEPS, budget=MarkdownBudget(ENDLESS))

    assert view.is_plain
    assert view.note == "Shown as plain text: it would take too long to render."


def test_the_steps_of_prose_are_far_from_the_bound() -> None:
    prose = "A sentence with **words**, a `name`, and (as it happens) a comma; then it ends.\n\n"

    assert steps(prose * (SLICE // len(prose))) < MAX_STEPS / 2


@pytest.mark.parametrize("sign", "!#%+-:={}>^@")
def test_signs_that_begin_nothing_are_passed_over_with_the_text(sign: str) -> None:
    assert steps("*a* " + f"a {sign} b{sign}c " * 1_000) == steps("*a* a b c")


def test_the_texts_of_a_page_share_its_brackets() -> None:
    budget = MarkdownBudget(Budgets(page_brackets=10))

    assert not render_markdown("***a*** *b*", budget=budget).is_plain
    view = render_markdown("***a***", budget=budget)
    assert view.is_plain
    assert view.note == ("Shown as plain text: the page has as much Markdown as one page may hold.")


def test_the_time_of_limited_work_within_other_is_counted_once() -> None:
    before, begin = read_limited_time(), time.thread_time()
    with note_limited_time(), note_limited_time():
        sum(range(100_000))
    assert 0 < read_limited_time() - before <= time.thread_time() - begin
