"""Real transcripts in every form: nothing is missing, and the exact one imports again.

Looked at are those that have every structure between them, see `real_transcripts`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mistune
import pytest
import yaml
from selectolax.lexbor import LexborHTMLParser

from tests.support.pages import readable
from tests.support.real_transcripts import FILES, lines_to_look_at
from webapp import exact_json
from webapp.app import open_templates
from webapp.completions import Completion
from webapp.embedded import Store, export_completions, import_files
from webapp.exact_json import Array, Object
from webapp.exports import (
    LeftOut,
    Transcript,
    encode,
    iter_html,
    iter_json,
    iter_json_line,
    iter_markdown,
    iter_promptfoo,
    iter_training_line,
)
from webapp.messages import Message
from webapp.rendering import stands_alone
from webapp.static_files import export_sheet

if not FILES:
    pytest.skip(
        "the real transcripts are not beside this checkout: ../shared/data/transcripts",
        allow_module_level=True,
    )
read_markdown = mistune.create_markdown(escape=False, plugins=["table"])
NUMBERED = re.compile(r"^## (?:\d+\. |Answer)", re.MULTILINE)


def transcript_of(line: str) -> Transcript:
    value = exact_json.parse(line)
    assert isinstance(value, Object)
    members = [one for one in value.members if one.name.text != "messages"]
    head = exact_json.parse(
        "{" + ",".join(f"{one.name.source}:{one.value.source}" for one in members) + "}"
    )
    messages = value.get("messages")
    assert isinstance(messages, Array)
    completion = Completion.from_json(head)
    return Transcript(
        completion.id or "", completion, [Message.from_json(one) for one in messages.items]
    )


@dataclass(frozen=True)
class Given:
    """A line of a file, read by Python and by ourselves."""

    sent: dict[str, Any]
    transcript: Transcript


@pytest.fixture(scope="module", params=lines_to_look_at(), ids=lambda file: file.stem)
def lines(request: pytest.FixtureRequest) -> list[Given]:
    """Return the transcripts of a file, which no test changes."""
    file: Path = request.param
    return [Given(json.loads(text), transcript_of(text)) for text in lines_to_look_at()[file]]


def words_of(html: str) -> str:
    body = LexborHTMLParser(html).body
    return " ".join((body.text() if body else "").split())


def test_json_imports_to_the_same_bytes(lines: list[Given], tmp_path: Path) -> None:
    written = b"".join(b"".join(encode(iter_json_line(line.transcript))) for line in lines)
    file = tmp_path / "exported.jsonl"
    file.write_bytes(written)
    store = Store(f"sqlite:///{tmp_path}/new.sqlite3")
    report = import_files(store, [file])
    again: list[bytes] = []
    export_completions(store, again.append, ids=[line.sent["id"] for line in lines])
    store.close()

    assert (report.added, report.problems) == (len(lines), [])
    assert b"".join(again) == written
    for line, other in zip(lines, written.decode().splitlines(), strict=True):
        assert json.loads(other) == line.sent


def test_another_renderer_reads_the_same_texts(lines: list[Given]) -> None:
    for line in lines:
        markdown = "".join(iter_markdown(line.transcript))
        sections = NUMBERED.split(markdown)[1:]
        sent = [*line.sent["messages"]]
        sent += [choice.get("message") or {} for choice in line.sent["choices"]]
        assert len(sections) == len(sent)
        whole = words_of(str(read_markdown(markdown)))
        for section, message in zip(sections, sent, strict=True):
            for text in texts_of(message):
                assert alone(text, message["role"]) in whole
                assert text.strip("\r\n") in section
            for call in message.get("tool_calls") or ():
                assert call["function"]["name"] in section
                assert " ".join(call["function"]["arguments"].split()) in whole


def texts_of(message: dict[str, Any]) -> Iterator[str]:
    content = message.get("content")
    if isinstance(content, str):
        yield content
    for part in content if isinstance(content, list) else ():
        if isinstance(part, dict) and isinstance(part.get("text"), str):
            yield part["text"]


def alone(text: str, role: str) -> str:
    """Return the words of a text as the renderer reads it by itself."""
    is_code = role == "tool" or not stands_alone(text)
    return " ".join(text.split()) if is_code else words_of(str(read_markdown(text)))


def test_one_file_of_html_holds_every_message_and_no_script(lines: list[Given]) -> None:
    app = open_templates()
    with app.app_context():
        sheet = export_sheet()
    for line in lines:
        transcript = line.transcript
        html = "".join(iter_html(transcript, app.jinja_env, sheet))
        tree = LexborHTMLParser(html)
        digest = hashlib.sha256("".join(iter_json(transcript)).encode("utf-8", "surrogatepass"))
        expected = len(line.sent["messages"]) + len(transcript.completion.choices)
        assert len(tree.css("article")) == expected
        assert not tree.css("script, link, iframe, object, [style], [onclick], form")
        assert all((one.attributes["src"] or "").startswith("data:") for one in tree.css("[src]"))
        assert digest.hexdigest() in readable(tree.css("footer")[0])


def test_jsonl_and_promptfoo_hold_every_message_that_they_can(lines: list[Given]) -> None:
    for line in lines:
        left_out, again = LeftOut(), LeftOut()
        example = json.loads("".join(iter_training_line(line.transcript, left_out)))
        sent = line.sent
        expected = len(sent["messages"]) + min(1, len(sent["choices"]))
        lacking = sum("nothing is left" in one or "its role" in one for one in left_out.sentences)
        assert len(example["messages"]) == expected - lacking
        has_end = [one["role"] for one in example["messages"][-1:]] == ["assistant"]
        assert has_end or any("there is none" in one for one in left_out.sentences)
        assert example.get("tools") == (sent.get("tools") or None)
        config = yaml.safe_load("".join(iter_promptfoo(line.transcript, again)))
        # Otherwise promptfoo looks for a file of that name.
        assert config["prompts"][0].startswith("[\n")
        prompt = json.loads(config["prompts"][0])
        assert prompt == example["messages"][: len(prompt)]
