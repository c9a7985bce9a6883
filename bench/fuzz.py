"""Fuzz the readers of untrusted text and bytes, guided by coverage.

`python -m bench.fuzz [--seconds N] [--corpus FOLDER] TARGET` in an environment that has
requirements/run.lock and requirements/fuzz.lock, and nothing else. Exits with status 1 at the
first input that raises, loses something, or makes markup that no page may have; its bytes are
written beside the corpus. A finding becomes a case of tests/hostile.

    markdown    text and citations to HTML
    structure   JSON, XML, tables and terminal output as structures
    ansi        the output of a terminal
    json        parsing, laying out, compacting
    message     any JSON as a message, its media found and described
    media       formats, sizes, durations, decoding
    links       addresses, hosts, remote images
    errors      bodies of errors, and what people paste
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Final, NoReturn

import atheris  # type: ignore[import-untyped,unused-ignore]

# Found by the fuzzer as it goes, so that it sees which lines an input reaches.
with atheris.instrument_imports(include=["webapp", "markdown_it", "mdit_py_plugins", "tinytag"]):
    from webapp.embedded.documents.api_json import strip_whitespace
    from webapp.exact_json import NotJson, Value, indent, parse
    from webapp.media import InlineMedia, NotMedia, detect_format
    from webapp.media.describing import (
        describe_contradiction,
        describe_format,
        describe_length,
        explain_download,
        is_cut_off,
    )
    from webapp.media.finding import find_media, find_unshown_images
    from webapp.media.headers import measure_duration, read_image_size
    from webapp.messages import Message, ToolCall
    from webapp.reading.pasted import parse_pasted
    from webapp.rendering import (
        RemoteImage,
        StructureBudget,
        detect_structure,
        get_host,
        is_allowed_link,
        parse_arguments,
        render_markdown,
        render_tool_name,
        reveal_invisible,
    )
    from webapp.rendering.structured.ansi import render_ansi
    from webapp.upstream.error_bodies import parse_error_body

from tools.hostile.corpus import CASES

LONGEST: Final = 4_096
"""Bytes of one input."""

_FORBIDDEN: Final = frozenset(
    {"script", "iframe", "object", "embed", "base", "style", "template", "noscript", "svg"}
    | {"textarea", "form", "link", "meta", "frame", "video", "select", "maction", "annotation-xml"}
)


class _Harmless(HTMLParser):
    """Raise at elements, attributes and addresses that content must not make."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in _FORBIDDEN, tag
        for name, value in attrs:
            assert not name.startswith(("on", "style", "srcdoc", "hx-", "data-hx")), name
            if name in ("href", "src"):
                allowed = ("http://", "https://", "mailto:", "#", "/")
                assert not value or value.lower().startswith(allowed), value


def _assert_harmless(html: str) -> None:
    parser = _Harmless()
    parser.feed(html)
    parser.close()


def _decode_text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape").replace("\udcff", "\ud800")


def _parse_value(data: bytes) -> Value | None:
    try:
        return parse(_decode_text(data))
    except NotJson as problem:
        assert problem.line >= 1 and 0 <= problem.position <= len(_decode_text(data))
        return None


def _build_message(**members: object) -> Message:
    return Message.from_json(parse(json.dumps(members)))


def fuzz_markdown(data: bytes) -> None:
    """Render Markdown; the first two bytes are the range of a citation."""
    cited = {"url": "https://evil.example/", "start_index": 0, "end_index": 1}
    if len(data) > 2:
        cited |= {"start_index": data[0], "end_index": data[1]}
    citation = {"type": "url_citation", "url_citation": cited}
    text = _decode_text(data[2:])
    message = _build_message(content=text, annotations=[citation, citation])
    _assert_harmless(
        render_markdown(text, annotations=message.annotations, anchor="m-1", own_host="x").html
    )
    _assert_harmless(reveal_invisible(text))


def fuzz_structure(data: bytes) -> None:
    role = ("tool", "user", "system", "assistant")[len(data) % 4]
    text = _decode_text(data)
    message = _build_message(role=role, content=text)
    _assert_harmless(detect_structure(text, message=message, budget=StructureBudget()).view)


def fuzz_ansi(data: bytes) -> None:
    _assert_harmless(render_ansi(_decode_text(data)).html)


def fuzz_json(data: bytes) -> None:
    value = _parse_value(data)
    if value is None:
        return
    compact = strip_whitespace(value.source)
    for written in (indent(value), compact):
        assert strip_whitespace(written) == compact


def fuzz_message(data: bytes) -> None:
    value = _parse_value(data)
    if value is None:
        return
    message = Message.from_json(value)
    for media in find_media(message):
        _describe(media)
    for call in message.calls:
        if isinstance(call, ToolCall):
            parse_arguments(call, budget=StructureBudget())
            _assert_harmless(render_tool_name(call.name or ""))


def fuzz_media(data: bytes) -> None:
    claims = (None, "pcm16", "wav", "mp3")
    text = (
        f"data:image/png;base64,{_decode_text(data)}"
        if data[:1] == b"d"
        else _decode_text(data[1:])
    )
    _describe(InlineMedia(text, claims[len(data) % 4]))
    found = detect_format(data)
    read_image_size(data)
    measure_duration(data, found)
    find_unshown_images(_decode_text(data))


def _describe(media: InlineMedia) -> None:
    assert media.size >= 0
    for say in (
        describe_contradiction,
        describe_format,
        explain_download,
        is_cut_off,
        describe_length,
    ):
        say(media)
    try:
        media.decode()
    except NotMedia as problem:
        assert str(problem)


def fuzz_links(data: bytes) -> None:
    address = _decode_text(data)
    if is_allowed_link(address, own_host="localhost"):
        assert address.lower().startswith(("http:", "https:", "mailto:"))
    get_host(address)
    image = RemoteImage.parse(address, own_host="localhost")
    assert image is None or not set(image.origin) & set(" ;,'\"\r\n*")


def fuzz_errors(data: bytes) -> None:
    parse_error_body(_decode_text(data))
    parse_pasted(_decode_text(data))


TARGETS: Final[dict[str, Callable[[bytes], None]]] = {
    name.removeprefix("fuzz_"): target
    for name, target in list(globals().items())
    if name.startswith("fuzz_")
}


def _seed(folder: Path) -> None:
    """Write the hostile corpus of the tests into `folder`, as first inputs."""
    folder.mkdir(parents=True, exist_ok=True)
    said = {text for case in CASES for text in (*case.said, *case.messages)}
    for at, text in enumerate(sorted(said)):
        data = text.encode("utf-8", "surrogatepass")
        if len(data) < LONGEST:
            (folder / f"seed-{at}").write_bytes(data)


def main() -> NoReturn:
    parser = argparse.ArgumentParser(prog="python -m bench.fuzz", description=__doc__)
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--corpus", type=Path, default=None)
    chosen = parser.parse_args()
    options = [
        f"-max_total_time={chosen.seconds}",
        *(f"-max_len={LONGEST}", "-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1"),
    ]
    if chosen.corpus:
        _seed(chosen.corpus)
        options += [str(chosen.corpus), f"-artifact_prefix={chosen.corpus}/found-"]
    atheris.Setup([sys.argv[0], *options], TARGETS[chosen.target])
    atheris.Fuzz()
    sys.exit()


if __name__ == "__main__":
    main()
