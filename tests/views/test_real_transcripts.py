"""Every page of real transcripts: each message once, in order, whole; every choice there.

Looked at are those that have every structure between them, see `real_transcripts`.

What must be seen is read off the files by this module alone, with nothing of the viewer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from selectolax.lexbor import LexborNode

from tests.support.fake_upstream import Json
from tests.support.pages import Bubble, Page, pages_from, readable
from tests.support.real_transcripts import FILES, lines_to_look_at
from webapp import create_app
from webapp.config import Budgets, Config, Limits
from webapp.embedded import Store, import_files
from webapp.factories import find_database_url

PATIENCE = 120.0
"""Seconds that a page may take, and its rendering."""

if not FILES:
    pytest.skip(
        "the real transcripts are not beside this checkout: ../shared/data/transcripts",
        allow_module_level=True,
    )

PHRASE = re.compile(r"(?<![\w\[(\"'/@&#<])[^\W\d_]{3,}(?: [^\W\d_]{2,}){2,}(?![\w\])\"'>])")
LEXEME = re.compile(r'"(?:[^"\\]|\\.)*"|-?[0-9][-+.0-9eE]*|true|false|null')


@dataclass(frozen=True)
class Imported:
    """One file, as it is and as the viewer shows it."""

    client: FlaskClient
    completions: list[Json]


@pytest.fixture(scope="module", params=lines_to_look_at(), ids=lambda file: file.stem)
def imported(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Imported]:
    source: Path = request.param
    lines = lines_to_look_at()[source]
    folder = tmp_path_factory.mktemp(source.stem)
    file = folder / source.name
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    config = Config(
        database_url=f"sqlite:///{folder / 'readback.sqlite3'}",
        limits=Limits(page_timeout=PATIENCE),
        budgets=Budgets(seconds=PATIENCE),
    )
    store = Store(find_database_url(config))
    report = import_files(store, [file])
    store.close()
    completions = [json.loads(line) for line in lines]
    assert (report.added, report.problems) == (len(completions), [])
    yield Imported(create_app(config).test_client(), completions)


def test_every_page_shows_all_that_the_file_holds(imported: Imported) -> None:
    """Read every completion page by page, and the longest one at once as well."""
    longest = max(imported.completions, key=lambda one: len(one["messages"]))
    for completion in imported.completions:
        path = f"/completions/{completion['id']}"
        # Twenty pages say as much as a hundred.
        limit = "?limit=100" if len(completion["messages"]) > 200 else ""
        pages = list(pages_from(imported.client, f"{path}{limit}"))
        assert_settings(pages[0], completion)
        bubbles = [bubble for page in pages for bubble in page.bubbles]
        inputs = [bubble for bubble in bubbles if not bubble.anchor.startswith("choice-")]
        outputs = bubbles[len(inputs) :]
        assert [bubble.message_id for bubble in inputs] == ids_of(completion)
        assert [bubble.anchor for bubble in inputs] == [f"m-{at + 1}" for at in range(len(inputs))]
        for bubble, message in zip(inputs, completion["messages"], strict=True):
            assert_whole(bubble, message)
        for bubble, choice in zip(outputs, completion["choices"], strict=True):
            assert_whole(bubble, choice.get("message") or {})
            assert (choice.get("finish_reason") or "") in bubble.text
        if completion is longest and len(pages) > 1:
            whole = Page.of(imported.client.get(f"{path}?all=1")).bubbles
            assert list(map(read_letters, whole)) == list(map(read_letters, bubbles))


def test_every_completion_is_listed_with_its_question(imported: Imported) -> None:
    pages = list(pages_from(imported.client, "/completions?limit=50&flat=1"))
    rows = [row for page in pages for row in page.rows]
    expected = {f"/completions/{one['id']}" for one in imported.completions}
    assert len(rows) == len(expected)
    assert {row.href.partition("?")[0] for row in rows if row.href} == expected
    assert all(row.question for row in rows)


def ids_of(completion: Json) -> list[str]:
    messages = completion["messages"]
    numbered = [f"{completion['id']}-{at}" for at in range(len(messages))]
    return [one.get("id") or number for one, number in zip(messages, numbered, strict=True)]


def assert_whole(bubble: Bubble, message: Json) -> None:
    assert readable(bubble.parts)
    assert bubble.role == (message.get("role") or "no role")
    for text in texts_of(message):
        assert text in bubble.sources
    views = own(bubble, ".rendered, .source.plain")
    shown = " ".join(" ".join(node.text().split()) for node in views)
    for text in texts_of(message):
        assert is_read(text, shown), (bubble.anchor, text)
    assert_media(bubble, message)
    assert_calls(bubble, message)


def is_read(text: str, shown: str) -> bool:
    """Whether all of `text` can be read; the strings of JSON stand as written or as they mean."""
    if text.lstrip()[:1] in ("{", "[") and is_json(text):
        strings = (lexeme for lexeme in LEXEME.findall(text) if lexeme.startswith('"'))
        return all(
            is_read(lexeme[1:-1], shown) or is_read(json.loads(lexeme, strict=False), shown)
            for lexeme in strings
        )
    return all(phrase in shown for line in text.splitlines() for phrase in PHRASE.findall(line))


def texts_of(message: Json) -> Iterator[str]:
    """All texts of a message that are not empty, as they are in the file."""
    for name in ("reasoning", "reasoning_content", "content", "refusal"):
        value = message.get(name)
        if isinstance(value, str) and value:
            yield value
    for part in parts_of(message):
        if isinstance(part.get("text"), str) and part["text"]:
            yield part["text"]


def parts_of(message: Json) -> list[Json]:
    content = message.get("content")
    return [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []


def own(bubble: Bubble, selector: str) -> list[LexborNode]:
    """The nodes of a bubble without those of the results below its calls."""
    nested = {node.mem_id for inner in bubble.node.css(".result") for node in inner.css(selector)}
    return [node for node in bubble.node.css(selector) if node.mem_id not in nested]


def assert_media(bubble: Bubble, message: Json) -> None:
    images = [part["image_url"] for part in parts_of(message) if part.get("type") == "image_url"]
    urls = [image["url"] for image in images if isinstance(image, dict)]
    assert len(own(bubble, "img")) == sum(url.startswith("data:") for url in urls)
    for url in urls:
        assert url.startswith("data:") or url in bubble.text
    kinds = [part.get("type") for part in parts_of(message)]
    sounds = kinds.count("input_audio") + bool((message.get("audio") or {}).get("data"))
    # Samples without a header are only a download when nobody says what they are.
    assert len(own(bubble, "[data-media=audio] a[download]")) == sounds
    for kind in kinds:
        if kind in ("document_url", "video_url"):
            # Data is a file to download; an address stays as it came.
            is_file = own(bubble, "[data-media=file]") or "Download" in bubble.text
            assert is_file or f"content part {kind}" in bubble.text
    transcript = (message.get("audio") or {}).get("transcript") or ""
    assert " ".join(transcript.split()) in bubble.text


def assert_calls(bubble: Bubble, message: Json) -> None:
    functions = [call["function"] for call in message.get("tool_calls") or []]
    function = message.get("function_call") or {}
    # Some servers send an empty one with every message; it is shown as a field.
    functions += [function] if any(function.values()) else []
    assert len(bubble.calls) == len(functions)
    for node, function in zip(bubble.calls, functions, strict=True):
        text = readable(node)
        assert function["name"] in text
        assert_arguments(text, function.get("arguments") or "")


def assert_arguments(text: str, arguments: str) -> None:
    if not is_json(arguments):
        assert " ".join(arguments.split()) in text
        return
    for lexeme in LEXEME.findall(arguments):
        inner = lexeme[1:-1] if lexeme.startswith('"') else lexeme
        assert " ".join(inner.split()) in text, lexeme


def is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def sent_with(completion: Json) -> dict[str, Any]:
    """The settings of a completion that are plain numbers and words."""
    return {
        name: value
        for name, value in completion.items()
        if isinstance(value, int | float | str) and name not in ("id", "object", "model", "created")
    }


def read_letters(bubble: Bubble) -> tuple[str, str]:
    """Return its place and its text without white space, which colours of code may separate."""
    return bubble.anchor, "".join(bubble.text.split())


def assert_settings(page: Page, completion: Json) -> None:
    """Assert that a page that begins a transcript shows its settings and its metadata."""
    settings = " ".join(map(readable, page.all(".settings")))
    for name, value in sent_with(completion).items():
        written = json.dumps(value) if not isinstance(value, str) else value
        assert f"{name} {' '.join(written.split())}".strip() in settings
    about = " ".join(readable(one) for one in page.all(".about, .glance"))
    for name, value in (completion.get("metadata") or {}).items():
        assert name in about
        assert " ".join(str(value).split()) in about
