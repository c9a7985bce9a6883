"""The second fence: what may be in the HTML of a text, whatever the parser made of it."""

from __future__ import annotations

from typing import Final

import nh3

_TAGS: Final = frozenset(
    {"a", "blockquote", "br", "code", "del", "div", "em", "h3", "h4", "h5", "h6", "hr", "li", "ol"}
    | {"p", "s", "span", "strong", "sup", "table", "tbody", "td", "th", "thead", "tr", "ul"}
)
_ATTRIBUTES: Final = {"a": {"href"}, "ol": {"start"}}
_VALUES: Final[dict[str, dict[str, set[str]]]] = {
    **{tag: {"dir": {"auto"}} for tag in ("blockquote", "h3", "h4", "h5", "h6", "ol", "p", "ul")},
    "div": {"dir": {"auto"}, "tabindex": {"0"}},
    "span": {"role": {"img"}, "aria-label": {"done", "to do"}},
}
_CLASSES: Final = {
    "div": {"wide", "formula"},
    "li": {"task-item"},
    "ol": {"long-numbers", "very-long-numbers"},
    "p": {"link-definition"},
    "span": {"link-host", "task"},
    "sup": {"citation"},
    "td": {"align-center", "align-right"},
    "th": {"align-center", "align-right"},
}
# Made once: to read the lists costs seven times what a short text does.
_CLEANER: Final = nh3.Cleaner(
    tags=set(_TAGS),
    attributes={tag: set(names) for tag, names in _ATTRIBUTES.items()},
    tag_attribute_values=_VALUES,
    allowed_classes={tag: set(names) for tag, names in _CLASSES.items()},
    url_schemes={"http", "https", "mailto"},
    link_rel="noopener noreferrer nofollow",
)


def clean(html: str) -> str:
    """`html` with nothing but the elements, attributes, classes and addresses on the list."""
    return _CLEANER.clean(html)
