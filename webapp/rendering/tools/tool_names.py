"""The names of tools, split for reading into a server and its tool."""

from __future__ import annotations

import re
from typing import Final

from markupsafe import Markup

from webapp.rendering.text.invisible import reveal_invisible

_MAX_LENGTH: Final = 200
# `mcp__server__tool`, then `server__tool`, then `server.tool` and `server/tool`.
_FORMS: Final = tuple(
    re.compile(form)
    for form in (
        r"(mcp__[\w-]+?__)(\w[\w.-]*)",
        r"([A-Za-z][\w-]*?__)([A-Za-z][\w.-]*)",
        r"([A-Za-z][\w./-]*[./])([A-Za-z_][\w-]*)",
    )
)


def render_tool_name(name: str) -> Markup:
    """`name`, all its characters to be seen, with the part that names the server marked as such."""
    if len(name) <= _MAX_LENGTH:
        for form in _FORMS:
            match = form.fullmatch(name)
            if match is not None:
                return Markup(
                    '<span class="call-server">{}</span><wbr><span class="call-tool">{}</span>'
                ).format(*map(reveal_invisible, match.groups()))
    return reveal_invisible(name)
