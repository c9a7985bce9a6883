"""Open the JSON files in a ZIP archive: an export of chats, or a log of Inspect.

ChatGPT and claude.ai export archives with their conversations in some of the files. A log of
Inspect (`.eval`) has each sample in a file of its own, and the task in `header.json`.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, BinaryIO, Final, cast

from webapp.embedded.documents.from_evaluations import write_task
from webapp.exact_json import NotJson, Object, parse

MAX_MEMBERS: Final = 100_000
_ENDINGS: Final = (".json", ".jsonl", ".ndjson")
_MAX_HEADER: Final = 16 * 1024 * 1024
_MAX_SAMPLE: Final = 128 * 1024 * 1024
_HEADERS: Final = ("header.json", "_journal/start.json")
_SAMPLES: Final = "samples/"
_ENCRYPTED: Final = 1
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Decompressors of other methods take any memory, and fail in ways of their own."""


_ZSTD: Final = 93
_OTHER_WAY: Final = (
    "it is a ZIP archive compressed in another way than usual: unpack it, and import the files"
    " in it"
)
_OTHER_WAY_WITHIN: Final = (
    "in this ZIP archive {name} is compressed {way}, which Python cannot read: unpack the archive"
    " and import the files in it"
)
_OTHER_WAY_OF_LOG: Final = (
    "in this log {name} is compressed {way}, which Python cannot read: convert the log with"
    " `inspect log convert --to json`, and import that"
)


class NotReadable(ValueError):
    """An archive cannot be read; the message says why."""


@dataclass(frozen=True, slots=True)
class ZipMember:
    """A file in an archive; `size` is the number of bytes it takes there.

    The samples of a log of Inspect have no `name`, since there are thousands.
    """

    name: str
    size: int
    file: BinaryIO


def open_members(file: BinaryIO, max_expanded: int | None) -> Iterator[ZipMember]:
    """Yield the JSON files in an archive, each open until the next one.

    Raise `NotReadable` if there are none, or if they expand to more than `max_expanded` bytes.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            members, is_log = _list_members(archive)
            if max_expanded is not None and sum(one.file_size for one in members) > max_expanded:
                raise NotReadable("its data expands too far for an upload, and none of it was read")
            task = _read_task(archive) if is_log else None
            for info in members:
                with _open_member(archive, info, is_log=is_log) as opened:
                    stream = cast(BinaryIO, opened)
                    if task is not None and info.file_size <= _MAX_SAMPLE:
                        text = b'{"eval":%s,"samples":[%s]}' % (task, opened.read())
                        # The reader of documents looks at their first bytes.
                        stream = io.BufferedReader(io.BytesIO(text))
                    yield ZipMember("" if is_log else info.filename, info.compress_size, stream)
    except NotImplementedError as error:
        raise NotReadable(_OTHER_WAY) from error
    except NotReadable:
        raise
    except (zipfile.BadZipFile, ValueError) as error:
        raise NotReadable("it is a ZIP archive that is damaged or cut off") from error


def _list_members(archive: zipfile.ZipFile) -> tuple[Sequence[zipfile.ZipInfo], bool]:
    """List the JSON files in an archive, and whether they are the samples of a log of Inspect."""
    listed = archive.infolist()
    if len(listed) > MAX_MEMBERS:
        raise NotReadable(f"it is a ZIP archive of more than {MAX_MEMBERS:,} files")
    # Archives made on a Mac have a second file beside each, which is not JSON.
    found = [
        one
        for one in listed
        if one.filename.lower().endswith(_ENDINGS) and not one.filename.startswith("__MACOSX/")
    ]
    if not found:
        raise NotReadable("there is no JSON file in this ZIP archive")
    samples = [one for one in found if one.filename.startswith(_SAMPLES)]
    is_log = bool(samples) and any(one.filename in _HEADERS for one in found)
    return (samples if is_log else found), is_log


def _open_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, *, is_log: bool) -> IO[bytes]:
    if info.flag_bits & _ENCRYPTED:
        raise NotReadable("it has a password: unpack it, and import the files in it")
    if info.compress_type not in _METHODS:
        way = "with Zstandard" if info.compress_type == _ZSTD else "in another way than usual"
        sentence = _OTHER_WAY_OF_LOG if is_log else _OTHER_WAY_WITHIN
        raise NotReadable(sentence.format(name=info.filename, way=way))
    return archive.open(info)


def _read_task(archive: zipfile.ZipFile) -> bytes | None:
    """Read the members of a log of Inspect that each of its samples repeats.

    Return None if they are too large or not JSON.
    """
    names = archive.namelist()
    name = next(one for one in _HEADERS if one in names)
    with _open_member(archive, archive.getinfo(name), is_log=True) as opened:
        text = opened.read(_MAX_HEADER + 1)
    try:
        header = parse(text.decode()) if len(text) <= _MAX_HEADER else None
    except (NotJson, UnicodeDecodeError):
        return None
    task = write_task(header.object("eval") if isinstance(header, Object) else None)
    return task.encode("utf-8", "surrogatepass") if task else None
