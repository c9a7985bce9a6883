"""JSON as it was written, and text that a page must not change."""

from __future__ import annotations

from markupsafe import Markup

from webapp import exact_json
from webapp.exact_json import Value
from webapp.rendering.text.invisible import reveal_invisible


def indent_json(value: Value) -> str:
    """The JSON of `value` indented for reading, every lexeme as sent."""
    return exact_json.indented_value(value)


def render_exact(text: str) -> Markup:
    """`text` for a `<pre>`, whose first line break HTML would drop; the invisible is marked."""
    return Markup("\n") + reveal_invisible(text)
