"""Several indented documents, also of UTF-16, are read from a file; a broken one costs no other."""

from __future__ import annotations

import codecs
import gzip
import json
import tracemalloc
from pathlib import Path

import pytest

from tools.store_rows import completion
from webapp.embedded.transfer.files import read_documents
from webapp.embedded.transfer.splitting import Document

ONE = completion("c1", note='a } in a "string" \\', 注="é😀")
TWO = completion("c2", messages=2)


def read(path: Path, content: str | bytes, *, max_bytes: int = 10_000) -> list[Document]:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    documents = list(read_documents(path, max_bytes=max_bytes))
    assert sum(document.size for document in documents) == path.stat().st_size
    return [one for one in documents if one.text.strip() or one.problem]


def values(documents: list[Document]) -> list[object]:
    assert not [document.problem for document in documents if document.problem]
    return [json.loads(document.text) for document in documents]


def indented(value: object, spaces: int | str = 2) -> str:
    return json.dumps(value, indent=spaces, ensure_ascii=False)


LAYOUTS = {
    "a document after the other": f"{indented(ONE)}\n{indented(TWO)}\n",
    "blank lines between": f"\n\n{indented(ONE)}\n\n\r\n{indented(TWO)}",
    "by tabs": f"{indented(ONE, chr(9))}\n{indented(TWO, chr(9))}\n",
    "by nothing": f"{indented(ONE, 0)}\n{indented(TWO, 0)}\n",
    "commas between": f"{indented(ONE)},\n{indented(TWO)},\n",
    "record separators before": f"\x1e{indented(ONE)}\n\x1e{indented(TWO)}\n",
    "nothing between": f"{indented(ONE)}{indented(TWO)}",
    "on one line": f"{json.dumps(ONE)}{json.dumps(TWO)}\n",
    "on one line, apart": f"{json.dumps(ONE)} {json.dumps(TWO)}\n",
    "a line, then indented": f"{json.dumps(ONE)}\n{indented(TWO)}\n",
    "indented, then a line": f"{indented(ONE)}\n{json.dumps(TWO)}\n",
    "commas first": f"{json.dumps(ONE)[:-1]}\n, {json.dumps(TWO)[1:]}".replace('"id"', '"a"'),
    "other line ends": f"{indented(ONE)}\r\n{indented(TWO)}\r\n".replace("\n", "\r\n"),
}


@pytest.mark.parametrize("layout", [name for name in LAYOUTS if name != "commas first"])
def test_every_document_of_a_file_is_read(tmp_path: Path, layout: str) -> None:
    assert values(read(tmp_path / "a", LAYOUTS[layout])) == [ONE, TWO]


def test_a_document_may_begin_its_lines_with_commas(tmp_path: Path) -> None:
    [document] = read(tmp_path / "a", LAYOUTS["commas first"])

    assert json.loads(document.text)["note"] == ONE["note"]


ENCODINGS = {
    "utf-16-le": codecs.BOM_UTF16_LE,
    "utf-16-be": codecs.BOM_UTF16_BE,
    "utf-32-le": codecs.BOM_UTF32_LE,
    "utf-32-be": codecs.BOM_UTF32_BE,
}


@pytest.mark.parametrize("text", [LAYOUTS["on one line"], LAYOUTS["by tabs"]])
@pytest.mark.parametrize("has_mark", [True, False])
@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_the_encoding_is_found_in_the_first_bytes(
    tmp_path: Path, text: str, has_mark: bool, encoding: str, pack: type[bytes]
) -> None:
    content = ENCODINGS[encoding] * has_mark + text.encode(encoding)

    assert values(read(tmp_path / "a", pack(content))) == [ONE, TWO]


def test_text_that_breaks_off_within_a_character_is_reported(tmp_path: Path) -> None:
    content = (f"{json.dumps(ONE)}\n" * 3).encode("utf-16")[:-1]
    (tmp_path / "a").write_bytes(content)

    *documents, last = read_documents(tmp_path / "a")

    assert [json.loads(document.text) for document in documents] == [ONE] * len(documents)
    assert last.problem == "its utf-16-le text is damaged or cut off: truncated data"


BROKEN = {
    "cut off": (f"{indented(TWO)[:-9]}\n{indented(ONE)}\n", 1),
    "cut off in a string": (f"{indented(TWO)[:30]}\n{indented(ONE)}\n", 1),
    "too long": (f"{indented({'a': ['b'] * 3000})}\n{indented(ONE)}\n", 0),
    "with a line too long": (f"{indented({'a': 'b' * 20_000})}\n{indented(ONE)}\n", 0),
    "closed twice": (f"{indented(TWO)}}}\n{indented(ONE)}\n", 1),
    "a line that breaks off": (f'{{"id": "c0", "messages": [\n{json.dumps(ONE)}\n', 1),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_document_costs_no_other_one(tmp_path: Path, name: str) -> None:
    content, has_text = BROKEN[name]

    broken, whole = read(tmp_path / "a", content)

    assert bool(broken.text) == bool(has_text)
    assert json.loads(whole.text) == ONE


def test_documents_are_reported_by_the_line_on_which_they_begin(tmp_path: Path) -> None:
    documents = read(tmp_path / "a", f"\n{indented(ONE)} {indented(TWO)}\n7\n")

    begun = 2 + indented(ONE).count("\n")
    assert [document.source.line for document in documents] == [
        2,
        begun,
        begun + indented(TWO).count("\n") + 1,
    ]


def test_many_broken_documents_end_in_time(tmp_path: Path) -> None:
    documents = read(tmp_path / "a", "{\n" * 1_000)

    assert len(documents) == 21


@pytest.mark.parametrize("begun", ["[", 'data: {"object": "chat.completion.chunk"}'])
def test_blank_lines_take_no_memory(tmp_path: Path, begun: str) -> None:
    path = tmp_path / "a"
    path.write_text(begun + 20_000 * "\n", encoding="utf-8")
    tracemalloc.start()
    try:
        assert sum(document.size for document in read_documents(path)) == path.stat().st_size
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("beginning", "filler"),
    [
        (b'{"a":\n', b"\n"),
        (b'data: {"object":"chat.completion.chunk","choices":[{"delta":{}}]}\n\n', b":\n"),
    ],
    ids=["in a document", "after a stream"],
)
def test_a_file_of_lines_with_hardly_anything_in_them_is_not_read_to_its_end(
    tmp_path: Path, beginning: bytes, filler: bytes
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"first":1}\n' + beginning + filler * 100_000 + b'{"last":1}\n')

    documents = list(read_documents(path))

    assert documents[0].text == b'{"first":1}\n'
    problems = [one.problem for one in documents if one.problem is not None]
    assert len(problems) == 1 and "hardly anything in them" in problems[0]
    assert b"last" not in b"".join(one.text for one in documents)
