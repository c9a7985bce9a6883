"""A bubble is a function of its message and its context, and contexts of a page share frames."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from webapp.completions import Completion
from webapp.exact_json import parse
from webapp.messages import Message
from webapp.reading import TranscriptPage, TranscriptRequest
from webapp.rendering import Budgets
from webapp.templating.bubbles import render_bubble
from webapp.templating.context import MAX_FRAMES, RenderContext
from webapp.transcript import arrange

CITATION = {
    "type": "url_citation",
    "url_citation": {"url": "https://a.example", "title": "A", "start_index": 0, "end_index": 5},
}
MESSAGES = (
    {"role": "system", "content": "Be **brief**."},
    {"role": "assistant", "content": "Cited once", "annotations": [CITATION]},
    {"role": "assistant", "content": None, "annotations": [CITATION]},
    {"role": "assistant", "content": "<think>Hm</think>Well"},
    {"role": "user", "content": '{"a": [1, 2, {"b": "c"}]}'},
    {"role": "user", "content": "![a](https://images.example/1.png)"},
)


def a_context(**changes: Any) -> RenderContext:
    messages = [Message.from_json(parse(json.dumps(one))) for one in MESSAGES]
    page = TranscriptPage(
        completion_id="chatcmpl-1",
        request=TranscriptRequest(),
        entries=arrange(messages, first=1),
        completion=Completion.from_json(parse('{"id": "chatcmpl-1"}')),
    )
    context = RenderContext(page=page, budgets=Budgets(seconds=600), own_host="localhost")
    return replace(context, **changes)


@pytest.mark.parametrize("target", [None, "chatcmpl-1-3"])
def test_bubbles_do_not_depend_on_what_was_rendered_before_them(
    app: Flask, target: str | None
) -> None:
    with app.test_request_context():
        forwards = a_context(target=target)
        entries = forwards.page.entries
        first = [render_bubble(entry, forwards) for entry in entries]
        backwards = replace(forwards)
        second = [render_bubble(entry, backwards) for entry in reversed(entries)]
    assert first == second[::-1]
    assert "not marked in the text" not in first[1]
    assert "not marked in the text" in first[2]


def test_each_section_has_its_budgets_and_all_of_a_page_share_the_frames(app: Flask) -> None:
    first = a_context(budgets=Budgets(page_brackets=1), loads_images=True)
    second = first.continue_with(first.page)
    assert first.markdown_budget.takes(1) and not first.markdown_budget.takes(1)
    assert second.markdown_budget.takes(1)
    taken = sum(context.take_frame() for context in [first, second] * MAX_FRAMES)
    assert taken == MAX_FRAMES
