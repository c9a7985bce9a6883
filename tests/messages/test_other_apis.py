"""Content of other APIs that reaches the endpoint through gateways."""

from __future__ import annotations

import json
from typing import Any

import pytest

from webapp.analysis import find_call_failure
from webapp.exact_json import parse
from webapp.media import InlineMedia
from webapp.messages import File, Image, InputAudio, Message, Text, ToolCall, Unknown, UrlCitation
from webapp.messages.parts import MAX_ITEMS
from webapp.transcript import arrange


def read(**members: Any) -> Message:
    return Message.from_json(parse(json.dumps(members)))


def extras(piece: Any) -> list[str]:
    return [f"{member.name.text}={member.value.source}" for member in piece.extras]


PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg"
)
USE = {"type": "tool_use", "id": "t1", "name": "get_weather", "input": {"city": "Oslo"}}


def test_a_tool_use_block_is_a_call() -> None:
    found = read(role="assistant", content=[{"type": "text", "text": "I look."}, USE])
    (call,) = found.calls
    assert isinstance(call, ToolCall)
    assert (call.id, call.name, call.arguments) == ("t1", "get_weather", '{"city": "Oslo"}')
    assert [part.kind for part in found.parts] == ["text"] and not found.also_sent


def test_a_tool_result_block_is_the_result_of_its_call() -> None:
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}
    block = {"type": "tool_result", "tool_use_id": "t1", "is_error": True}
    call = read(role="assistant", content=[USE])
    result = read(
        role="user", content=[{**block, "content": [{"type": "text", "text": "sunny"}, image]}]
    )
    first, second = arrange([call, result], first=1)
    assert second.nested and second.answers is first.calls[0]
    assert [part.kind for part in result.parts] == ["text", "image"]
    assert [member.name.text for member in result.also_sent] == ["is_error"]
    assert read(role="user", content=[{**block, "content": "rain"}]).plain_text == "rain"


def test_several_results_in_one_message_are_paired_each_with_its_own_call() -> None:
    calls = [{**USE, "id": f"t{number}"} for number in (1, 2)]
    blocks = [
        {"type": "tool_result", "tool_use_id": "t2", "content": "rain", "is_error": True},
        {"type": "text", "text": "Go on."},
        {"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "sun"}]},
        {"type": "tool_result", "tool_use_id": "t9", "content": "fog"},
    ]
    called, holder = arrange(
        [read(role="assistant", content=calls), read(role="user", content=blocks)], first=1
    )
    first, second = called.calls
    assert [one.message.plain_text for one in (*first.results, *second.results)] == ["sun", "rain"]
    assert [one.anchor for one in first.results] == ["m-2-result-2"]
    assert holder.answers is None and not holder.nested
    assert [piece.nested for piece in holder.pieces] == [True, True, False]
    assert holder.message.plain_text.split() == ["Go", "on."]
    assert find_call_failure(second) and not find_call_failure(first)


def test_several_results_in_one_message_keep_the_ids_of_their_calls() -> None:
    blocks = [
        {"type": "tool_result", "tool_use_id": f"t{number}", "content": text}
        for number, text in enumerate(("sun", ""), start=1)
    ]
    one, two = read(role="user", content=blocks).parts
    assert isinstance(one, Text) and one.text == "sun" and extras(one) == ['tool_use_id="t1"']
    assert isinstance(two, Text) and extras(two) == ['tool_use_id="t2"']


@pytest.mark.parametrize(
    ("part", "kind", "data"),
    [
        (
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
            Image,
            f"data:image/png;base64,{PNG}",
        ),
        (
            {"type": "image", "source": {"type": "url", "url": "https://a.example/a.png"}},
            Image,
            None,
        ),
        (
            {"type": "audio_url", "audio_url": {"url": "data:audio/wav;base64,UklG"}},
            InputAudio,
            None,
        ),
        ({"type": "audio_url", "audio_url": "data:audio/wav;base64,Ukl"}, InputAudio, None),
        ({"type": "video_url", "video_url": {"url": "data:video/mp4;base64,AAAA"}}, File, None),
        (
            {
                "type": "document",
                "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBE"},
            },
            File,
            None,
        ),
        ({"type": "image", "url": "https://a.example/a.png"}, Image, None),
        ({"type": "image", "image_url": {"url": "https://a.example/a.png"}}, Image, None),
        ({"type": "input_audio", "input_audio": "UklG"}, InputAudio, None),
        ({"type": "audio", "audio": "data:audio/wav;base64,UklG"}, InputAudio, None),
        ({"type": "audio", "audio_url": "data:audio/wav;base64,UklG"}, InputAudio, None),
        ({"type": "video_url", "video_url": {"url": "A" * 100}}, File, None),
        ({"type": "file", "data": "JVBE", "filename": "a.pdf"}, File, None),
        ({"type": "video_url", "video_url": 5}, Unknown, None),
        ({"type": "image", "source": {"type": "file"}}, Unknown, None),
    ],
)
def test_media_of_other_apis_are_media(part: Any, kind: type, data: str | None) -> None:
    (found,) = read(role="user", content=[part]).parts
    assert isinstance(found, kind)
    if data and isinstance(found, Image):
        assert found.url == data
    assert isinstance(found, Unknown) or extras(found) == []


ELSEWHERE = "https://a.example/a"


@pytest.mark.parametrize(
    ("part", "kind", "also"),
    [
        ({"type": "video_url", "video_url": {"url": ELSEWHERE}}, File, ['type="video_url"']),
        ({"type": "video", "video": ELSEWHERE}, File, ['type="video"']),
        ({"type": "file_url", "file_url": {"url": ELSEWHERE}}, File, ['type="file_url"']),
        (
            {"type": "document_url", "document_url": ELSEWHERE, "document_name": "D"},
            File,
            ['type="document_url"'],
        ),
        (
            {"type": "document", "source": {"type": "url", "url": ELSEWHERE}, "title": "D"},
            File,
            ['type="document"'],
        ),
        ({"type": "input_file", "file_url": ELSEWHERE}, File, ['type="input_file"']),
        ({"type": "file", "file": {"file_data": ELSEWHERE, "filename": "D"}}, File, []),
        ({"type": "file", "file": {"file_id": ELSEWHERE, "format": "x"}}, File, ['format="x"']),
        ({"type": "file", "url": ELSEWHERE}, File, ['type="file"']),
        ({"type": "audio_url", "audio_url": {"url": ELSEWHERE}}, InputAudio, []),
        ({"type": "audio", "url": ELSEWHERE}, InputAudio, []),
        ({"type": "audio", "audio_url": ELSEWHERE}, InputAudio, []),
        ({"type": "input_audio", "input_audio": {"data": ELSEWHERE}}, InputAudio, []),
    ],
)
def test_sounds_and_files_elsewhere_have_their_address(
    part: Any, kind: type, also: list[str]
) -> None:
    (found,) = read(role="user", content=[part]).parts
    assert isinstance(found, kind) and isinstance(found, File | InputAudio)
    assert (found.url, found.data, extras(found)) == (ELSEWHERE, None, also)
    assert not isinstance(found, File) or found.filename in (None, "D")


LONG = "/" + 100 * "a"


@pytest.mark.parametrize(
    ("part", "address"),
    [
        ({"type": "input_audio", "input_audio": {"url": ELSEWHERE}}, ELSEWHERE),
        ({"type": "input_audio", "input_audio": {"data": "UklG", "url": ELSEWHERE}}, None),
        ({"type": "audio", "audio": {"url": ELSEWHERE, "format": "wav"}}, ELSEWHERE),
        ({"type": "input_file", "file_url": "data:application/pdf;base64,JVBERi0x"}, None),
        ({"type": "input_file", "file_url": "data:,x", "file_data": "JVBERi0x"}, "data:,x"),
        ({"type": "video_url", "video_url": {"url": f"ftp:/{LONG}"}}, f"ftp:/{LONG}"),
        ({"type": "video_url", "video_url": {"url": LONG}}, None),
    ],
)
def test_an_address_is_not_taken_for_data_nor_data_for_it(part: Any, address: str | None) -> None:
    (found,) = read(role="user", content=[part]).parts
    assert isinstance(found, File | InputAudio)
    assert (found.url, found.data is None) == (address, address not in (None, "data:,x"))


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        ('{"type":"tool_result","tool_use_id":"a","content":[', "]}"),
        ('{"type":"document","source":{"type":"content","content":[', "]}}"),
        ('{"type":"search_result","content":[', "]}"),
    ],
)
def test_parts_far_within_each_other_are_shown_as_json(begin: str, end: str) -> None:
    nested = f"{begin * 2000}{json.dumps({'type': 'text', 'text': 'x'})}{end * 2000}"
    message = Message.from_json(parse(f'{{"role":"user","content":[{nested}]}}'))

    assert [type(part) for part in message.parts] == [Unknown]
    assert message.parts[0].json.source in nested


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image", "source": {"type": "file", "file_id": "f"}},
        {"type": "document", "source": {"type": "file", "file_id": "f"}},
        {"type": "input_image", "file_id": "f"},
        {"type": "container_upload", "file_id": "f"},
    ],
)
def test_media_by_id_are_files_that_say_their_type(part: Any) -> None:
    (found,) = read(role="user", content=[part]).parts
    assert isinstance(found, File)
    assert (found.file_id, extras(found)) == ("f", [f'type="{part["type"]}"'])


@pytest.mark.parametrize(
    ("part", "texts", "also"),
    [
        (
            {"type": "document", "source": {"type": "text", "data": "words"}, "title": "D"},
            ["words"],
            ['type="document"', 'title="D"'],
        ),
        (
            {"type": "document", "source": {"type": "content", "content": ["one", "two"]}},
            ["one", "two"],
            ['type="document"'],
        ),
        (
            {
                "type": "search_result",
                "source": "https://a.example/",
                "content": [{"type": "text", "text": "found", "x": 1}],
            },
            ["found"],
            ['type="search_result"', 'source="https://a.example/"', "x=1"],
        ),
        (
            {"type": "resource", "resource": {"uri": "file:///a", "text": "words"}},
            ["words"],
            ['type="resource"', 'uri="file:///a"'],
        ),
        ({"type": "text", "text": {"value": "words", "x": 1}}, ["words"], ["x=1"]),
        ({"text": "words"}, ["words"], []),
    ],
)
def test_texts_within_other_elements_are_texts(
    part: Any, texts: list[str], also: list[str]
) -> None:
    found = read(role="user", content=[part]).parts
    assert [one.text for one in found if isinstance(one, Text)] == texts
    assert extras(found[0]) == also


@pytest.mark.parametrize(
    "part",
    [
        {"type": "document", "source": {"type": "text"}},
        {"type": "document", "source": {"type": "content", "content": {"x": 1}}},
        {"type": "search_result", "content": []},
        {"type": "resource", "resource": {"uri": "file:///a", "blob": "AAAA"}},
        {"type": "text", "text": {"value": 5}},
        {"text": "words", "x": 1},
        {"text": 5},
    ],
)
def test_other_elements_are_shown_as_they_are(part: Any) -> None:
    (found,) = read(role="user", content=[part]).parts
    assert isinstance(found, Unknown)
    assert json.loads(found.json.source) == part


def test_base64_may_lack_its_padding_and_be_url_safe() -> None:
    for sent in (PNG, PNG + "=", PNG + "==", PNG.replace("+", "-").replace("/", "_")):
        media = InlineMedia(f"data:image/png;base64,{sent}")
        assert media.problem is None and media.image_size == (1, 1)
        assert media.decode().endswith(b"IEND\xaeB`\x82")


def test_a_flat_url_citation_is_a_citation() -> None:
    flat = {"type": "url_citation", "url": "https://a.example/x", "title": "T"}
    (found,) = read(
        role="assistant",
        content="See the docs.",
        annotations=[{**flat, "start_index": 8, "end_index": 12, "score": 1}],
    ).annotations
    assert isinstance(found, UrlCitation)
    assert (found.url, found.title, found.start_index, found.end_index) == (
        "https://a.example/x",
        "T",
        8,
        12,
    )
    assert extras(found) == ["score=1"]


@pytest.mark.parametrize("content", [None, "I look.", "I  look.\n"])
def test_blocks_in_content_parts_are_calls_and_results(content: str | None) -> None:
    # So our own endpoint serves messages whose content is a list.
    text = {"type": "text", "text": "I look."}
    call = read(role="assistant", content=content, content_parts=[text, USE])
    assert [part.kind for part in call.parts] == ["text"]
    assert [one.id for one in call.calls] == ["t1"]

    block = {"type": "tool_result", "tool_use_id": "t1", "content": "rain"}
    alone = read(role="user", content="", content_parts=[block])
    beside = read(role="user", content="I look. ", content_parts=[text, block])
    assert (alone.holds_result, alone.plain_text) == (True, "rain")
    assert [part.text for part in beside.parts if isinstance(part, Text)] == ["I look.", "rain"]
    for result in (alone, beside):
        _, second = arrange([call, result], first=1)
        (answer,) = second.pieces or (second,)
        assert answer.answers is not None and answer.answers.call is call.calls[0]


@pytest.mark.parametrize(
    ("block", "count"),
    [
        (USE, 1),
        (USE | {"input": {"city": "Bergen"}}, 2),
        (USE | {"id": "t2"}, 2),
        (USE | {"cache_control": {"type": "ephemeral"}}, 2),
    ],
    ids=["same", "other arguments", "other id", "further members"],
)
def test_a_call_that_the_content_repeats_is_one_call(block: Any, count: int) -> None:
    function = {"name": "get_weather", "arguments": '{"city":"Oslo"}'}
    called = {"id": "t1", "type": "function", "function": function}
    text = {"type": "text", "text": "I look."}
    found = read(role="assistant", content=[text, block], tool_calls=[called])

    assert len(found.calls) == count and [part.kind for part in found.parts] == ["text"]


def test_a_call_within_a_result_is_shown_as_json() -> None:
    block = {"type": "tool_result", "tool_use_id": "t0", "content": [USE]}
    found = read(role="user", content=[block])
    (part,) = found.parts
    assert isinstance(part, Unknown) and part.label == "content part tool_use"
    assert not found.calls


def test_a_list_that_is_too_long_is_not_read_for_its_calls_either() -> None:
    found = read(role="assistant", content=[USE] * (MAX_ITEMS + 1))
    assert [part.kind for part in found.parts] == ["unknown"] and not found.calls


def test_a_call_id_beside_that_of_a_result_is_shown() -> None:
    block = {"type": "tool_result", "tool_use_id": "t1", "content": "rain"}
    found = read(role="tool", tool_call_id="t2", content=[block])
    assert found.tool_call_id == "t1"
    assert [one.value.source for one in found.also_sent] == ['"t2"']
    assert not read(role="tool", tool_call_id="t1", content=[block]).also_sent


@pytest.mark.parametrize(
    ("source", "url", "rest"),
    [
        ({"type": "base64", "data": "AA", "url": "u"}, "data:;base64,AA", ['url="u"']),
        ({"type": "url", "url": "https://a.example/", "data": "AA"}, None, ['data="AA"']),
    ],
)
def test_an_image_keeps_what_its_kind_of_source_does_not_need(
    source: dict[str, str], url: str | None, rest: list[str]
) -> None:
    (image,) = read(role="user", content=[{"type": "image", "source": source}]).parts
    assert isinstance(image, Image)
    assert (image.url, extras(image)) == (url or source["url"], rest)


def test_content_beside_content_parts_is_shown_unless_it_repeats_them() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "output_text", "text": "b"}]
    for content in (None, "", "a b", "a ", parts):
        assert [one.kind for one in read(content=content, content_parts=parts).parts] == [
            "text",
            "text",
        ]
    for other in ("b", {"x": 1}, parts[:1]):
        assert len(read(content=other, content_parts=parts).parts) == 3
    assert read(content=parts, content_parts=[]).text_count == 2
