"""Which images on other servers a page may offer or load."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from flask import request

from webapp.messages import Image, Message, Text
from webapp.reading import TranscriptPage
from webapp.rendering import RemoteImage

MAX_FRAMES: Final = 50
"""Frames of one page; images beyond are loaded one by one."""


@dataclass(slots=True)
class RemoteFrames:
    """The frames of remote images that a web page may still load at once."""

    left: int = MAX_FRAMES

    def take(self) -> bool:
        """Take one frame; return False when none is left."""
        if self.left == 0:
            return False
        self.left -= 1
        return True


def wants_remote_images() -> bool:
    """Return whether the reader asked for all remote images of this page.

    A link on somebody else's page does not count: whoever follows it has not chosen this.
    """
    return request.args.get("images") == "load" and not is_from_elsewhere()


def is_from_elsewhere() -> bool:
    """Return whether another site made the browser send this request."""
    site = request.headers.get("Sec-Fetch-Site", "none")
    return site not in ("same-origin", "none")


def has_remote_images(section: TranscriptPage, *, own_host: str) -> bool:
    """Return whether messages of `section` may show images of other servers."""
    entries = (*section.entries, *section.outputs)
    return any(_names_remote_image(entry.message, own_host) for entry in entries)


def _names_remote_image(message: Message, own_host: str) -> bool:
    for part in message.parts:
        if isinstance(part, Image) and not part.is_inline:
            if RemoteImage.parse(part.url, own_host=own_host):
                return True
        elif isinstance(part, Text) and not message.is_tool_result and _may_show_image(part.text):
            return True
    return False


def _may_show_image(text: str) -> bool:
    """Return whether Markdown in `text` may show an image; text about Markdown may pass too."""
    return "![" in text and any(mark in text for mark in ("](http", "](<http", "]: http"))
