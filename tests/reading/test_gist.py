"""The words of an answer that a list shows."""

from __future__ import annotations

import pytest

from webapp.reading.gist import find_gist


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
    "text",
    ["." * 100_000, "a. " * 50_000, "[" * 100_000, "*" * 100_000, "> " * 50_000, "`~" * 50_000]
    + ["Let " * 50_000, "x" * 100_000, "sure" + " " * 100_000, "[a](" * 30_000],
    ids=str.__len__,
)
def test_long_hostile_texts_give_a_short_gist(text: str) -> None:
    assert len(find_gist(text)) <= 300
