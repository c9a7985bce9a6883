"""The samples Readback brings along: sound files that show every kind of thing."""

from __future__ import annotations

import itertools
import json
import pathlib
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from typing import Final

import pytest

from tools.paths import ROOT
from webapp.analysis.checks import Subject, check
from webapp.completions import Completion, scalar_text
from webapp.exact_json import Object, String, Value, indent, parse
from webapp.messages import (
    Audio,
    File,
    Image,
    InputAudio,
    Message,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    Unknown,
    UrlCitation,
)

FOLDER: Final = ROOT / "webapp" / "embedded" / "samples"
FILES: Final = tuple(sorted(FOLDER.glob("*.json")))
MARKER: Final = re.compile(r"@base64\(([^)]*)\)")
FIRST_BYTES: Final = {
    ".png": b"\x89PNG\r\n\x1a\n",
    ".gif": b"GIF89a",
    ".jpg": b"\xff\xd8\xff",
    ".webp": b"RIFF",
    ".wav": b"RIFF",
    ".pdf": b"%PDF-",
}


def parsed(file: pathlib.Path) -> Object:
    value = parse(file.read_text(encoding="utf-8"))
    assert isinstance(value, Object)
    return value


ROOTS: Final = tuple(map(parsed, FILES))
COMPLETIONS: Final = tuple(map(Completion.from_json, ROOTS))
CHOICES: Final = tuple(choice for completion in COMPLETIONS for choice in completion.choices)
INPUTS: Final = tuple(
    tuple(Message.from_json(value) for value in root.items("messages") or ()) for root in ROOTS
)
ANSWERS: Final = tuple(choice.message for choice in CHOICES if choice.message)
MESSAGES: Final = (*itertools.chain.from_iterable(INPUTS), *ANSWERS)
CALLS: Final = tuple(
    call for message in MESSAGES for call in message.calls if isinstance(call, ToolCall)
)
PARTS: Final = tuple(part for message in MESSAGES for part in message.parts)
TEXTS: Final = tuple(part.text for part in PARTS if isinstance(part, Text))


def test_there_are_samples_and_every_one_is_named_by_its_number() -> None:
    assert len(FILES) >= 25
    for number, file in enumerate(FILES, start=1):
        assert re.fullmatch(rf"{number:02}-[a-z-]+", file.stem)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_sample_is_indented_json_with_its_text_readable(file: pathlib.Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert text == indent(parse(text)) + "\n"
    assert not re.search(r"\\u(?!00[01])", text)


def test_ids_have_the_form_of_the_api_and_are_distinct() -> None:
    ids = [completion.id or "" for completion in COMPLETIONS]
    assert all(re.fullmatch(r"chatcmpl-[0-9A-Za-z]{29}", one) for one in ids)
    assert len(set(ids)) == len(ids)


def test_the_samples_are_numbered_from_the_newest_to_the_oldest() -> None:
    created = [completion.created or 0 for completion in COMPLETIONS]
    assert created == sorted(set(created), reverse=True)


def test_metadata_keeps_to_the_limits_of_the_api() -> None:
    for completion in COMPLETIONS:
        assert len(completion.metadata) <= 16
        for member in completion.metadata:
            assert isinstance(member.value, String)
            assert len(member.name.text) <= 64
            assert len(member.value.text) <= 512


def test_tokens_of_reasoning_are_among_those_of_the_answer() -> None:
    for usage in filter(None, (completion.usage for completion in COMPLETIONS)):
        assert int(usage.detail("reasoning_tokens") or 0) <= int(usage.completion_tokens or 0)
        parts = int(usage.prompt_tokens or 0) + int(usage.completion_tokens or 0)
        assert parts == int(usage.total_tokens or 0)


def test_markers_and_media_files_match_one_to_one() -> None:
    named = {name for file in FILES for name in MARKER.findall(file.read_text(encoding="utf-8"))}
    assert named == {file.name for file in (FOLDER / "media").iterdir()}


def test_media_files_are_what_their_names_say() -> None:
    for file in (FOLDER / "media").iterdir():
        assert file.read_bytes().startswith(FIRST_BYTES.get(file.suffix, b""))


def test_all_samples_together_are_small() -> None:
    assert sum(file.stat().st_size for file in FOLDER.rglob("*") if file.is_file()) < 2_000_000


def citations() -> Iterator[tuple[str, UrlCitation]]:
    for message in MESSAGES:
        for annotation in message.annotations:
            if isinstance(annotation, UrlCitation):
                yield message.plain_text, annotation


def test_every_citation_covers_its_mark_in_the_content() -> None:
    found = list(citations())
    assert len(found) >= 4
    for content, citation in found:
        mark = content[citation.start_index : citation.end_index]
        numbered = re.fullmatch(r"\[\d+\]", mark)
        linked = re.fullmatch(r"\(\[([\w.]+)\]\((\S+)\)\)", mark)
        assert numbered or (linked and linked[2] == citation.url), mark


def test_addresses_lead_to_example_hosts_or_well_known_sites() -> None:
    known = r"(\w+\.)?example\.(com|org)|en\.wikipedia\.org|12factor\.net|www\.unicode\.org"
    hosts = {
        host
        for file in FILES
        for host in re.findall(r"https?://([\w.-]*\w)", file.read_text(encoding="utf-8"))
    }
    local = {"flask.palletsprojects.com", "127.0.0.1"}
    assert {host for host in hosts - local if not re.fullmatch(known, host)} == set()


def test_the_long_sample_has_two_hundred_messages_and_paired_results() -> None:
    long = max(INPUTS, key=len)
    assert len(long) >= 200
    called = [call.id for message in long for call in message.calls if isinstance(call, ToolCall)]
    assert called == [message.tool_call_id for message in long if message.is_tool_result]
    assert any("\x1b[" in message.plain_text for message in long)


def unpaired(messages: Iterable[Message]) -> tuple[set[str | None], set[str | None]]:
    """The ids of calls without a result, and of results without a call."""
    told = tuple(messages)
    called = {call.id for message in told for call in message.calls if isinstance(call, ToolCall)}
    answered = {message.tool_call_id for message in told if message.is_tool_result}
    return called - answered, answered - called


def test_one_sample_has_a_call_without_result_and_a_result_without_call() -> None:
    assert any(all(unpaired(messages)) for messages in INPUTS)


def test_results_come_in_another_order_than_their_calls_somewhere() -> None:
    def in_order(messages: tuple[Message, ...]) -> bool:
        called = [one.id for told in messages for one in told.calls if isinstance(one, ToolCall)]
        results = [told.tool_call_id for told in messages if told.tool_call_id in called]
        return results == [one for one in called if one in results]

    assert not all(map(in_order, INPUTS))


def test_only_the_samples_of_faults_have_faults() -> None:
    found = {
        file.stem[:2]: codes
        for file, root in zip(FILES, ROOTS, strict=True)
        if (
            codes := [
                one.code
                for one in check(Subject.from_document(root)).findings
                # The media are not filled in.
                if one.severity != "remark" and not one.code.startswith("media-")
            ]
        )
    }
    assert found == {
        "06": ["cut-length"],
        "22": ["args-cut", "cut-length"],
        "24": ["filtered", "filtered"],
        "25": ["call-unanswered", "result-orphan"],
        "28": ["answer-empty"],
    }


def test_seeds_need_more_than_a_double_and_one_is_negative() -> None:
    seeds = [root.integer("seed") or 0 for root in ROOTS]
    assert sum(abs(seed) > 2**53 for seed in seeds) > len(seeds) / 2
    assert all(-(2**63) <= seed < 2**63 for seed in seeds)
    assert any(seed < 0 for seed in seeds)


def test_numbers_are_written_in_several_ways() -> None:
    written = [
        scalar_text(member.value)
        for completion in COMPLETIONS
        for member in completion.settings
        if member.name.text in ("temperature", "top_p")
    ]
    assert {"1.0", "0.0", "0.20"} <= set(written)


def is_json(text: str | None) -> bool:
    try:
        json.loads(text or "")
    except ValueError:
        return False
    return True


def written_in(script: str) -> Callable[[str], bool]:
    def some(text: str) -> bool:
        return any(unicodedata.name(character, "").startswith(script) for character in text)

    return some


def has_list_content(message: Message) -> bool:
    return isinstance(message.json, Object) and message.json.items("content") is not None


def content_is(message: Message | None, expected: str) -> bool:
    value: Value | None = None
    if message and isinstance(message.json, Object):
        value = message.json.get("content")
    return value is not None and value.source == expected


OLDEST: Final = min(completion.created or 0 for completion in COMPLETIONS)
FINISH_REASONS: Final = {choice.finish_reason for choice in CHOICES}
URLS: Final = [part.url for part in PARTS if isinstance(part, Image)]
SOUNDS: Final = [part for part in PARTS if isinstance(part, Audio)]
DOCUMENTS: Final = [part for part in PARTS if isinstance(part, File)]

KINDS: Final = {
    "parallel tool calls": any(len(message.calls) > 1 for message in MESSAGES),
    "a tool result made of parts": any(m.is_tool_result and has_list_content(m) for m in MESSAGES),
    "an inline picture of each type": {"png", "gif", "jpeg", "webp"}
    <= {url.removeprefix("data:image/").partition(";")[0] for url in URLS},
    "a picture with detail": any(p.detail == "high" for p in PARTS if isinstance(p, Image)),
    "a remote picture": any(url.startswith("https://") for url in URLS),
    "a spoken question in two formats": {"wav", "pcm16"}
    == {part.format for part in PARTS if isinstance(part, InputAudio)},
    "a spoken answer": any(sound.data and sound.transcript for sound in SOUNDS),
    "an expired answer without data": any(
        sound.data is None and (sound.expires_at or 0) < OLDEST for sound in SOUNDS
    ),
    "a refusal and nothing else": any(
        content_is(m, "null") and any(isinstance(p, Refusal) for p in m.parts) for m in ANSWERS
    ),
    "broken arguments": any(c.type == "function" and not is_json(c.arguments) for c in CALLS),
    "a custom call": any(call.type == "custom" for call in CALLS),
    "a deprecated call": any(call.type == "function_call" for call in CALLS),
    "every role": {message.role for message in MESSAGES}
    >= {"system", "developer", "user", "assistant", "tool", "function"},
    "a role of its own": any(message.role == "critic" for message in MESSAGES),
    "every finish reason": {"stop", "length", "tool_calls", "content_filter", "function_call"}
    <= FINISH_REASONS,
    "several choices": any(len(completion.choices) == 3 for completion in COMPLETIONS),
    "reasoning": any(isinstance(part, Reasoning) for part in PARTS),
    "log probabilities": any(choice.token_count > 1 for choice in CHOICES),
    "filter results": any(report.notable for choice in CHOICES for report in choice.reports),
    "an answer that is JSON with 64-bit integers": any(
        is_json(text) and "9007199254740993" in text for text in TEXTS
    ),
    "a document with its contents": any(one.data and one.filename for one in DOCUMENTS),
    "a document by id": any(one.file_id and not one.data for one in DOCUMENTS),
    "several named people": len({message.name for message in MESSAGES if message.name}) >= 4,
    "files by their address": sum(isinstance(one, File) and bool(one.url) for one in PARTS) == 2,
    "an unknown part": any(isinstance(part, Unknown) for part in PARTS),
    "an unknown call": any(isinstance(c, Unknown) for m in MESSAGES for c in m.calls),
    "an unknown annotation": any(isinstance(a, Unknown) for m in MESSAGES for a in m.annotations),
    "unknown fields on a message": any(message.also_sent for message in MESSAGES),
    "an empty string as answer": any(content_is(message, '""') for message in ANSWERS),
    "an assistant turn that lost its calls": any(message.may_lack_calls for message in MESSAGES),
    "Japanese": any(map(written_in("HIRAGANA"), TEXTS)),
    "Arabic": any(map(written_in("ARABIC"), TEXTS)),
    "Hindi": any(map(written_in("DEVANAGARI"), TEXTS)),
    "Thai": any(map(written_in("THAI"), TEXTS)),
    "emoji made of several": any("\N{MAN}\N{ZERO WIDTH JOINER}" in text for text in TEXTS),
    "combining marks": any("e\N{COMBINING ACUTE ACCENT}" in text for text in TEXTS),
    "LaTeX": any("$$" in text and r"\[" in text for text in TEXTS),
    "Markdown with tables and task lists": any("\n- [x]" in t and "| :--" in t for t in TEXTS),
    "markup that must stay text": any("<script>" in text for text in TEXTS),
    "a stack trace": any("Traceback (most recent call last)" in text for text in TEXTS),
    "a line of thousands of characters": any(
        len(line) > 4_000 for text in TEXTS for line in text.splitlines()
    ),
    "comma-separated values": any(re.search(r"(?:[^,\n]+(?:,[^,\n]+){5}\n){20}", t) for t in TEXTS),
    "a very short answer": any(0 < len(message.plain_text) < 100 for message in ANSWERS),
    "no metadata": any(not completion.metadata for completion in COMPLETIONS),
    "a model that is not OpenAI's": any((c.model or "").startswith("qwen") for c in COMPLETIONS),
}


@pytest.mark.parametrize("kind", KINDS)
def test_some_sample_shows(kind: str) -> None:
    assert KINDS[kind]
