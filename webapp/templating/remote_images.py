"""Which images on other servers a page may offer or load."""

from __future__ import annotations

from typing import Final

from flask import g, request

from webapp.messages import Image, Message, Text
from webapp.reading import TranscriptPage
from webapp.rendering import RemoteImage

MAX_FRAMES: Final = 50
"""Frames of one page; images beyond are loaded one by one."""


def loads_images() -> bool:
    """Whether the reader asked for all remote images of this page.

    A link on a page of somebody else does not count: who follows it has not chosen this.
    """
    return request.args.get("images") == "load" and not is_from_elsewhere()


def remote_image(url: str) -> RemoteImage | None:
    """`url` as an image that can be loaded on request; None when it cannot."""
    return RemoteImage.parse(url, own_host=request.host)


def takes_frame() -> bool:
    """Whether one more frame belongs on this page; counts it when it does."""
    if not loads_images():
        return False
    count: int = g.get("remote_frames", 0)
    g.remote_frames = count + 1
    return count < MAX_FRAMES


def has_remote_images(section: TranscriptPage) -> bool:
    """Whether the messages of `section` may show images of other servers."""
    return any(_names_remote(entry.message) for entry in (*section.entries, *section.outputs))


def _names_remote(message: Message) -> bool:
    for part in message.parts:
        if isinstance(part, Image) and not part.is_inline and remote_image(part.url):
            return True
        if isinstance(part, Text) and not message.is_tool_result and _may_show_image(part.text):
            return True
    return False


def _may_show_image(text: str) -> bool:
    """Whether Markdown in `text` may show an image; a text that only writes of it may pass."""
    return "![" in text and any(mark in text for mark in ("](http", "](<http", "]: http"))


def is_from_elsewhere() -> bool:
    site = request.headers.get("Sec-Fetch-Site", "none")
    return site not in ("same-origin", "none")
