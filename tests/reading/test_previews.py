"""The questions of a list that several readers ask for at once, and the words of its answers."""

from __future__ import annotations

import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.fake_time import FakeTime
from tests.support.fake_upstream import FakeUpstream, stored
from webapp.completions import Completion
from webapp.exact_json import Object, parse
from webapp.http.loopback import LoopbackAdapter
from webapp.reading.previews import Preview, Previews, find_gist, preview_answer
from webapp.upstream import Deadline, Endpoint, Upstream

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


def test_lists_share_a_request_for_a_question_that_is_under_way() -> None:
    """Each of them would have the server read all of a large one."""
    completions = [stored(name, "Where is it?") for name in ("c1", "c2")]
    fake = FakeUpstream({one.completion["id"]: one for one in completions})
    begun, over = Event(), Event()

    def slow(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        begun.set()
        assert over.wait(60)
        return fake(environ, start)

    clock = FakeTime().clock
    endpoint = Endpoint.openai("http://127.0.0.1/v1")
    upstream = Upstream(endpoint, transport=LoopbackAdapter(slow, mount="/v1"), clock=clock)
    previews = Previews(upstream)
    parsed = [parse(json.dumps(one.completion)) for one in completions]
    large, other = (Completion.from_json(one) for one in parsed if isinstance(one, Object))

    def list_them(*listed: Completion, seconds: float = 60.0) -> None:
        deadline = Deadline.after(seconds, clock=clock)
        assert len(previews.build_rows(listed, deadline)) == 1

    with ThreadPoolExecutor(1) as thread:
        first = thread.submit(list_them, large)
        assert begun.wait(60)
        for _ in range(4):
            list_them(large, seconds=0.01)
        over.set()
        first.result()
    # This waits for everything that was requested before.
    list_them(other)

    assert [seen.path for seen in fake.requests] == [
        f"/chat/completions/{name}/messages" for name in ("c1", "c2")
    ]


@pytest.mark.parametrize(
    ("text", "gist"),
    [
        ("An answer", "An answer"),
        ("4", "4"),
        ("", ""),
        (" \n\n ", ""),
        ("Let me check that. The branch is ready.", "The branch is ready."),
        ("Let $x$ be even.\n\nThen $x^2$ is even.", "Then $x^2$ is even."),
        ("Let me look.", "Let me look."),
        (
            "Sure!\n\nIt is 12 °C, e.g. in Oslo. Dress warmly.",
            "It is 12 °C, e.g. in Oslo. Dress warmly.",
        ),
        ("Let us ask Dr. Ames, i.e. the author. She knows.", "She knows."),
        ("Certainly! Here are the steps:\n\n1. **Install** it.\n2. Run it.", "Install it."),
        ("It was booked. Here are the details:\n\n- A", "It was booked. Here are the details: …"),
        ("# Report\n\n## Findings\n\n- [x] The `cache` was *stale*.", "The cache was stale."),
        ("# Only a heading", "Only a heading"),
        ("```python\nprint(1)\n```", "print(1)"),
        ("```python\nprint(1)\n```\nIt prints 1.", "It prints 1."),
        ("| a | b |\n|---|---|\n| 1 | 2 |\n\nTwo columns.", "Two columns."),
        ("> Quoted [words](https://a.example/x) here.", "Quoted words here."),
        ("Prose that is\nwrapped at a\nmargin.", "Prose that is wrapped at a margin."),
        ("snake_case and 2 * 3 * 4 stay.", "snake_case and 2 * 3 * 4 stay."),
        ("Sure。東京は雨です。", "東京は雨です。"),
        (
            '{"invoice":{"number":"A-3","total":4.00,"lines":[1,2]}}',
            "number: A-3, total: 4.00, lines: 2 items",
        ),
        ('```json\n{"ok": true}\n```', "ok: true"),
        ('[{"name":"Ada"},{"name":"Bo"}]', "2 items, name: Ada"),
        ("[1]", "1 item, 1"),
        ('{"invoice":', '{"invoice":'),
        ("{}", "{}"),
    ],
)
def test_the_first_words_that_say_something(text: str, gist: str) -> None:
    assert find_gist(text) == gist


@pytest.mark.parametrize(
    ("message", "preview"),
    [
        ({"content": "<think>\nHmm, hello."}, Preview("No answer, only reasoning", ())),
        ({"content": "<think>Hmm.</think>\n"}, Preview("No answer, only reasoning", ())),
        ({"content": "<think>Hmm.</think>It is 4."}, Preview("It is 4.", ())),
        ({"reasoning_content": "Hmm."}, Preview("No answer, only reasoning", ())),
        ({"content": "", "refusal": "No.", "reasoning": "Hmm."}, Preview("No.", ("refused",))),
        ({"content": ""}, Preview("", ())),
        (
            {"content": "<think>Hmm.", "tool_calls": [{"function": {"name": "look"}}]},
            Preview("", ("call:look",)),
        ),
    ],
)
def test_reasoning_is_not_taken_for_an_answer(message: dict[str, Any], preview: Preview) -> None:
    choice = {"message": {"role": "assistant", **message}}
    assert preview_answer(Completion.from_json(parse(json.dumps({"choices": [choice]})))) == preview


@pytest.mark.parametrize(
    "text",
    ["." * 100_000, "a. " * 50_000, "[" * 100_000, "*" * 100_000, "> " * 50_000, "`~" * 50_000]
    + ["Let " * 50_000, "x" * 100_000, "sure" + " " * 100_000, "[a](" * 30_000],
    ids=str.__len__,
)
def test_long_hostile_texts_give_a_short_gist(text: str) -> None:
    assert len(find_gist(text)) <= 300
