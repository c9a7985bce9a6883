"""The annotations of a message: what its text cites."""

from __future__ import annotations

from collections.abc import Iterator

from webapp.exact_json import Null, Number, Object, String, Value
from webapp.messages.parts import Annotation, Unknown, UrlCitation, is_readable_list


def parse_annotations(message: Object) -> Iterator[Annotation]:
    """The annotations of a message."""
    annotations = message.get("annotations")
    if is_readable_list(annotations):
        yield from (_annotation(value) for value in annotations.items)
    elif annotations is not None and not isinstance(annotations, Null):
        yield Unknown(json=annotations, label="annotations")


def _annotation(value: Value) -> Annotation:
    kind = value.text("type") if isinstance(value, Object) else None
    cited = value.object("url_citation") if isinstance(value, Object) else None
    url = cited.text("url") if cited else None
    if not isinstance(value, Object) or cited is None or url is None or kind != "url_citation":
        return Unknown(json=value, label=f"annotation {kind}" if kind else "annotation")
    return UrlCitation(
        json=value,
        url=url,
        title=cited.text("title"),
        start_index=cited.integer("start_index"),
        end_index=cited.integer("end_index"),
        extras=value.find_unread(type=String, url_citation=Object)
        + cited.find_unread(url=String, title=String, start_index=Number, end_index=Number),
    )
