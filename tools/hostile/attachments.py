"""Media that are not what they say, and citations that point where no text is."""

from __future__ import annotations

import base64
import struct
import zlib
from typing import Any, Final

from tools.hostile.cases import Case, message_case, part_cases


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _png(width: int, height: int, *chunks: bytes) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(b"\0" * 2))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + pixels + chunk(b"IEND", b"")


_SVG: Final = b"<svg xmlns='http://www.w3.org/2000/svg' onload='pwn()'><script>pwn()</script></svg>"
_HTML: Final = b"<!doctype html><script>pwn()</script><img src=https://evil.example/x>"
_GIF_SCRIPT: Final = b"GIF89a/*\x01\x00\x01\x00*/=1;pwn()//<script>pwn()</script>"
_GIF: Final = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00"
    b"\x00\x02\x02D\x01\x00;"
)
_JPEG: Final = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
_PDF: Final = b"%PDF-1.4\n1 0 obj<</OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj"
_WAV: Final = b"RIFF\xff\xff\xff\xffWAVEfmt \xff\xff\xff\xff" + b"\xff" * 40

IMAGES: Final = {
    "a vector image as PNG": f"data:image/png;base64,{_b64(_SVG)}",
    "a vector image": f"data:image/svg+xml;base64,{_b64(_SVG)}",
    "a vector image as text": f"data:image/svg+xml,{_SVG.decode()}",
    "a page as PNG": f"data:image/png;base64,{_b64(_HTML)}",
    "a page": f"data:text/html;base64,{_b64(_HTML)}",
    "a page without a type": f"data:,{_HTML.decode()}",
    "a GIF that is a script": f"data:image/gif;base64,{_b64(_GIF_SCRIPT)}",
    "a GIF behind which a page stands": f"data:image/gif;base64,{_b64(_GIF + _HTML)}",
    "a GIF as a script": f"data:text/javascript;base64,{_b64(_GIF)}",
    "a PNG as a page": f"data:text/html;base64,{_b64(_png(1, 1))}",
    "a PNG with a hostile text": "data:image/png;base64,"
    + _b64(_png(1, 1, struct.pack(">I", 0) + b"tEXt" + b"\0" * 4)),
    "a bomb of pixels": f"data:image/png;base64,{_b64(_png(100_000, 100_000))}",
    "the most pixels of all": f"data:image/png;base64,{_b64(_png(2**31 - 1, 2**31 - 1))}",
    "a long thin image": f"data:image/png;base64,{_b64(_png(50_000_000, 1))}",
    "no pixels": f"data:image/png;base64,{_b64(_png(0, 0))}",
    "a PNG that ends": f"data:image/png;base64,{_b64(_png(7, 7)[:20])}",
    "a JPEG that never ends": f"data:image/jpeg;base64,{_b64(_JPEG + bytes([255]) * 5_000)}",
    "a JPEG of empty segments": "data:image/jpeg;base64," + _b64(_JPEG + b"\xff\xe1\0\0" * 2_000),
    "a WebP of no size": "data:image/webp;base64," + _b64(b"RIFF....WEBPVP8X" + bytes(14)),
    "an AVIF of lies": "data:image/avif;base64,"
    + _b64(b"\0\0\0\x1cftypavif" + b"ispe\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff" * 50),
    "broken base64": "data:image/png;base64,iVBORw0KGgo=====%%%",
    "base64 with line breaks": "data:image/png;base64," + _b64(_png(1, 1)).replace("A", "A\n"),
    "base64 for the web": "data:image/png;base64,_-_-" + _b64(_png(1, 1)),
    "base64 with escapes": "data:image/png;base64,%69VBORw0KGgo%3D",
    "an unknown encoding": "data:image/png;base65,AAAA",
    "no comma": "data:image/png;base64" + "A" * 100,
    "only a scheme": "data:",
    "a scheme in capitals": f"DATA:IMAGE/PNG;BASE64,{_b64(_png(1, 1))}",
    "a type with a line break": f"data:image/png\r\nSet-Cookie: a=b;base64,{_b64(_SVG)}",
    "a type that breaks out": f'data:"><script>pwn()</script>;base64,{_b64(_png(1, 1))}',
    "very many parameters": "data:image/png" + ";a=b" * 3_000 + ",x",
    "a remote image with a user": "https://user:secret@evil.example/a.png",
    "a remote image by our host": "http://localhost/logout",
    "a remote image inside": "http://169.254.169.254/latest/meta-data/",
    "a remote image with a policy": "https://evil.example; script-src * 'unsafe-inline'/a.png",
    "a remote image with a port": "https://evil.example:8443/a.png?x=';sandbox allow-scripts",
    "a remote image of stars": "https://*/a.png",
    "a remote image on two lines": "https://evil.example/a.png\r\nX-Pwned: 1",
    "a remote image that reverses": "https://evil.example/\u202egnp.exe",
    "a blob": "blob:https://evil.example/uuid",
}
SOUNDS: Final = {
    "a page as sound": (_b64(_HTML), "wav"),
    "a sound of lies": (_b64(_WAV), "wav"),
    "an Ogg of nothing": (_b64(b"OggS" + b"\xff" * 200), "opus"),
    "an MP3 of lies": (_b64(b"ID3\x04\0\0\x7f\x7f\x7f\x7f" + b"\0" * 50), "mp3"),
    "a FLAC of lies": (_b64(b"fLaC\0\0\0\x22" + b"\xff" * 34), "flac"),
    "an odd number of bytes": (_b64(b"\1\2\3"), "pcm16"),
    "markup as a format": (_b64(b"\1\2"), '"><script>pwn()</script>'),
    "a format that is a header": (_b64(b"\1\2"), "wav\r\nSet-Cookie: a=b"),
    "broken": ("****", "wav"),
    "a data address": (f"data:text/html;base64,{_b64(_HTML)}", "mp3"),
}
_NAMES: Final = (
    *("../../../etc/passwd", "..\\..\\x.exe", "/etc/passwd", "C:\\x", "CON", ".htaccess", ""),
    *("a\r\nSet-Cookie: pwned=1.pdf", 'a"; filename="b.exe', "a\x00.exe", "invoice\u202efdp.exe"),
    *("<script>pwn()</script>.pdf", "x" * 3_000 + ".pdf", "%2e%2e%2f", "\ud800.pdf", "-rf *"),
)


def _files() -> list[Case]:
    return [
        message_case(
            f"files: name {at}",
            {
                "content": [
                    {
                        "type": "file",
                        "file": {
                            "filename": name,
                            "file_data": f"data:application/pdf;base64,{_b64(_PDF)}",
                        },
                    },
                    {"type": "file", "file": {"filename": name, "file_id": name}},
                ]
            },
            name,
        )
        for at, name in enumerate(_NAMES)
    ]


def _citation(start: Any, end: Any, url: str = "https://evil.example/a", title: Any = "t") -> Any:
    cited = {"url": url, "title": title, "start_index": start, "end_index": end}
    return {"type": "url_citation", "url_citation": cited}


_TEXT: Final = (
    "Facts ([evil.example](https://evil.example/a)) and `code` **bold [1]** \U0001f600 end."
)
_RANGES: Final[dict[str, list[Any]]] = {
    "below zero": [_citation(-5, -1), _citation(-1, 4)],
    "backwards": [_citation(9, 2), _citation(0, 0)],
    "beyond the end": [_citation(0, 10**9), _citation(10**30, 10**31)],
    "of other types": [_citation("0", "5"), _citation(0.5, 5.5), _citation(None, [1])],
    "one upon the other": [_citation(at, at + 9) for at in range(40)],
    "at every place": [_citation(at, at + 1) for at in range(len(_TEXT))],
    "all at one place": [_citation(0, 5) for _ in range(300)],
    "inside a link": [_citation(8, 12), _citation(20, 30), _citation(30, 47)],
    "inside a pair": [_citation(0, 73), _citation(0, 74)],
    "with markup for a title": [_citation(0, 5, title="</a><script>pwn()</script>")],
    "with a title in Markdown": [_citation(0, 5, title="](javascript:pwn()) ![x](//evil.example)")],
    "with a title of objects": [_citation(0, 5, title={"a": "</li>"})],
    "with a title that reverses": [_citation(0, 5, title="\u202egpj.exe \u200b")],
    "with a host of another": [
        _citation(0, 5, url="https://good.example@evil.example", title="good.example")
    ],
    "with a long title": [_citation(0, 5, title="t" * 30_000)],
    "of other kinds": [{"type": "</li><script>pwn()</script>", "x": 1}, {"type": "file_path"}],
}

CASES: Final = [
    *part_cases(
        "images",
        {name: {"type": "image_url", "image_url": {"url": url}} for name, url in IMAGES.items()},
    ),
    *part_cases(
        "sounds",
        {
            name: {"type": "input_audio", "input_audio": {"data": data, "format": form}}
            for name, (data, form) in SOUNDS.items()
        },
    ),
    *(
        message_case(
            f"spoken: {name}",
            {"role": "assistant", "audio": {"id": "audio_1", "data": data, "transcript": form}},
            form,
        )
        for name, (data, form) in SOUNDS.items()
    ),
    *_files(),
    *(
        message_case(
            f"citations: {name}",
            {"role": "assistant", "content": _TEXT, "annotations": cited},
            _TEXT,
        )
        for name, cited in _RANGES.items()
    ),
]
