"""Build the pages of `bench.render`: messages of each kind, real ones, and hostile ones.

Each case is a completion as JSON text. The hostile ones have about the requested size; their
JSON is too deep or too wide for a recursive writer, so it is put together by hand.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeAlias

from tools.hostile.costly_texts import HOSTILE_TEXTS
from tools.paths import REAL_DATA
from webapp.embedded.samples import SAMPLES

REAL: Final = REAL_DATA / "transcripts"
"""Transcripts beside this checkout, if there are any."""

PAGE_SIZES: Final = (20, 100, 1_143)
Json: TypeAlias = dict[str, Any]

_PNG: Final = base64.b64encode(
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\0\0\0\0" + bytes(999)
).decode()
_PART: Final = 80
"""Bytes of a content part as the server answers with it, its five members null."""
_PROSE: Final = (
    "Some **words** with `code`, a [link](https://a.example) and a list:\n\n- one\n- two\n"
)


def completion(name: str, *messages: str, **members: str) -> str:
    """Return a completion of `messages`, which are JSON like the further `members`."""
    more = "".join(f',"{key}":{value}' for key, value in members.items())
    listed = ",".join(messages)
    return f'{{"id":"{name}","created":1,"choices":[],"messages":[{listed}]{more}}}'


def message(role: str, content: Any = None, **members: Any) -> str:
    return json.dumps({"role": role, "content": content, **members})


EMPTY: Final = message("user", "")

KINDS: Final[dict[str, tuple[str, ...]]] = {
    "a word": (message("user", "word"),),
    "a paragraph": (message("assistant", "word " * 100),),
    "Markdown": (message("assistant", _PROSE * 5),),
    "a table": (message("assistant", "|a|b|\n|-|-|\n" + "|1|2|\n" * 20),),
    "code": (message("assistant", "```python\n" + "def f(x): return x + 1\n" * 20 + "```"),),
    "mathematics": (message("assistant", r"It is $\frac{a}{b}$ and \[x^2 + y^2\] " * 5),),
    "right to left": (message("user", "مرحبا بالعالم " * 20),),
    "a call": (
        message(
            "assistant",
            tool_calls=[
                {
                    "id": "call_1",
                    "type": "function",
                    "function": {"name": "look", "arguments": '{"city": "Oslo", "days": [1, 2]}'},
                }
            ],
        ),
        message("tool", '{"degrees": -3, "sky": "grey"}', tool_call_id="call_1"),
    ),
    "a coloured log": (message("tool", "\x1b[32mok\x1b[0m done\n" * 50, tool_call_id="x"),),
    "CSV": (message("tool", "a,b,c\n" + "1,2,3\n" * 50, tool_call_id="x"),),
    "XML": (message("tool", "<a>" + "<b c='d'>e</b>" * 50 + "</a>", tool_call_id="x"),),
    "an image": (
        message(
            "user",
            [{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{_PNG}"}}],
        ),
    ),
    "a sound": (
        message(
            "user",
            [{"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}}],
        ),
    ),
    "a file": (message("user", [{"type": "file", "file": {"file_id": "file-1"}}]),),
    "a refusal": (message("assistant", refusal="I cannot help with that."),),
    "reasoning": (message("assistant", "Yes.", reasoning_content="I think. " * 50),),
    "citations": (
        message(
            "assistant",
            "One. Two. Three.",
            annotations=[
                {
                    "type": "url_citation",
                    "url_citation": {"start_index": at, "end_index": at + 4, "title": "t"}
                    | {"url": f"https://a.example/{at}"},
                }
                for at in (0, 5, 10)
            ],
        ),
    ),
    "unknown parts": (message("user", [{"type": "hologram", "depth": 3.0}]),),
}


def pages() -> Iterator[tuple[str, str, str]]:
    """Yield the name, query and completion of each page of ordinary messages."""
    said = list(_real_messages())
    for size in PAGE_SIZES:
        many = [said[at % len(said)] for at in range(size)]
        query = "?limit=100&all=1" if size > 100 else f"?limit={size}"
        yield f"page of {size:,}", query, completion(f"page-{size}", *many)


def _real_messages() -> Iterator[str]:
    for text in _real_completions():
        for one in json.loads(text).get("messages") or ():
            yield json.dumps(one)


def _real_completions() -> Iterator[str]:
    files = sorted(REAL.glob("*.jsonl"))
    for file in files:
        yield from file.read_text(encoding="utf-8").splitlines()
    if not files:
        yield from (path.read_text(encoding="utf-8") for path in sorted(SAMPLES.glob("*.json")))


def hostile(size: int) -> Iterator[tuple[str, Callable[[str], str]]]:
    """Yield the name and the builder of each hostile completion of about `size` bytes."""
    for name, make in HOSTILE_TEXTS.items():
        for count in (5, 50):
            text = message("assistant", make(size // count))
            yield f"{count} × {name}", of_messages(*[text] * count)
    for name, text in _tool_texts(size).items():
        result = message("tool", text, tool_call_id="x")
        yield f"{name} as a result", of_messages(result)
        yield f"{name} as arguments", of_messages(_calling(text))
        yield f"{name} as a text", of_messages(message("user", text))
    for name, members in _wide(size).items():
        yield name, of_messages(*members)
    for name, value in _members(size).items():
        yield f"metadata of {name}", _with(metadata=f'{{"a":{value}}}')
        yield f"an unknown member of {name}", _with(invented=value)
        yield f"tools of {name}", _with(tools=value)
        yield f"choices of {name}", _with(choices=f"[{value}]")
    for name, value in _members(size // 3).items():
        odd = f'{{"role":{value},"content":"","name":{value},"invented":{value}}}'
        yield f"role, name and more of {name}", of_messages(odd)


def _sounds(size: int) -> dict[str, Json]:
    """Return input audio whose duration is hard to find, about `size` characters of base64 each."""
    most = size * 3 // 4
    made = {
        "tags": b"ID3\x04\0\0\0\0\0\0" + b"\xff" * most,
        "frames": b"\xff\xfb\x90\x64" + b"\xff\xfb\xff" * (most // 3),
        "blocks": b"fLaC" + b"\2\0\0\0" * (most // 4),
        "short frames": b"\xff\xf1\x50\0\0\xe0\0" * (most // 7),
        "chunks": b"RIFF\0\0\0\0WAVE" + b"junk\0\0\0\0" * (most // 8),
    }
    return {
        name: {
            "type": "input_audio",
            "input_audio": {"data": base64.b64encode(data).decode(), "format": "mp3"},
        }
        for name, data in made.items()
    }


def of_messages(*messages: str) -> Callable[[str], str]:
    """Return a builder of a completion of `messages`, which takes its id."""
    return lambda name: completion(name, *messages)


def _with(**members: str) -> Callable[[str], str]:
    return lambda name: completion(name, EMPTY, **members)


def _calling(arguments: str, count: int = 1) -> str:
    called = {"name": "look", "arguments": arguments}
    calls = [{"id": f"c{at}", "type": "function", "function": called} for at in range(count)]
    return message("assistant", tool_calls=calls)


def _tool_texts(size: int) -> dict[str, str]:
    deep = min(size // 2, 199_000)
    return {
        "deep arrays": "[" * deep + "]" * deep,
        "deep objects": '{"a":' * (deep // 2) + "1" + "}" * (deep // 2),
        "open brackets": "[" * size,
        "wide array": "[" + "1," * (size // 2) + "1]",
        "wide object": "{" + '"key":1,' * (size // 8) + '"key":1}',
        "array of empty objects": "[" + "{}," * (size // 3) + "{}]",
        "long number": "9" * size,
        "long string": json.dumps("x\n" * (size // 3)),
        "cut JSON": '{"a": "' + "x\\n" * (size // 3),
        "colours": "\x1b[31mx" * (size // 6),
        "colours without end": "\x1b[" * (size // 2),
        "long colour": "\x1b[" + "1;" * (size // 2),
        "cursor moves": "a\x1b[1A\r" * (size // 6),
        "carriage returns": "a\r" * (size // 2),
        "invisible signs": "\u200b" * (size // 3),
        "tag signs": "\U000e0041" * (size // 4),
        "bidirectional signs": "\u202e\u2066a" * (size // 7),
        "long CSV": "a,b\n" * (size // 4),
        "wide CSV": "a," * (size // 4) + "a\n" + "a," * (size // 4) + "a\n",
        "quoted CSV": 'a,"' * (size // 3),
        "semicolons": ";\n" * (size // 2),
        "deep XML": "<a>" * (size // 7) + "</a>" * (size // 7),
        "wide XML": "<a>" + "<b/>" * (size // 4) + "</a>",
        "XML attributes": "<a " + 'b="" ' * (size // 5) + "/>",
        "XML entities": '<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb">]><a>' + "&b;" * (size // 3) + "</a>",
        "open XML": "<a " * (size // 3),
        "log lines": "2026-01-01 12:00:00 INFO a.b.c: done\n" * (size // 37),
    }


def _wide(size: int) -> dict[str, tuple[str, ...]]:
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{'A' * size}"}}
    sound = {"type": "input_audio", "input_audio": {"data": "A" * size, "format": "wav"}}
    remote = {"type": "image_url", "image_url": {"url": "https://a.example/b.png"}}
    cited = {"type": "url_citation", "start_index": 0, "end_index": 1, "url": "https://a.example"}
    return {
        "text parts": (message("user", [{"type": "text", "text": "a"}] * (size // _PART)),),
        "unknown parts": (message("user", [{}] * (size // _PART)),),
        "parts that are none": (message("user", [0] * (size // 3)),),
        "remote images": (message("user", [remote] * (size // 75)),),
        "calls": (_calling("{}", size // 90),),
        "calls that are none": (message("assistant", tool_calls=[0] * (size // 3)),),
        "results": tuple([message("tool", "a", tool_call_id="x")] * 100),
        "annotations": (message("assistant", "a" * 99, annotations=[cited] * (size // 95)),),
        "unknown annotations": (message("assistant", "a", annotations=[{}] * (size // 4)),),
        "a large image": (message("user", [image]),),
        "a large sound": (message("user", [sound]),),
        **{f"a sound of {name}": (message("user", [one]),) for name, one in _sounds(size).items()},
        "an image in a text": (message("user", f"![a](data:image/png;base64,{'A' * size})"),),
        "a long name": (message("user", "a", name="a" * size),),
        "a long role": (message("a" * size, "a"),),
        "a long refusal": (message("assistant", refusal="*a " * (size // 3)),),
        "long reasoning": (message("assistant", "a", reasoning="*a " * (size // 3)),),
        "unknown members": (message("user", "a", **{f"m{at}": 1 for at in range(size // 12)}),),
    }


def _members(size: int) -> dict[str, str]:
    deep = min(size // 2, 199_000)
    return {
        "deep arrays": "[" * deep + "]" * deep,
        "many numbers": "[" + "1," * (size // 2) + "1]",
        "many empty objects": "[" + "{}," * (size // 3) + "{}]",
        "many members": "{" + '"key":1,' * (size // 8) + '"key":1}',
        "a long string": json.dumps("a" * size),
    }
