"""Bubbles made from a folder of JSON files, all on one page, for those who work on their looks.

Each file gives one message, several, or output choices; they are shown by the templates of the
transcript, without an upstream. The page is there only where a folder is configured.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue

from webapp.completions import Completion
from webapp.exact_json import NotJson, Object, Value, parse
from webapp.messages import Message
from webapp.reading import PageRequest, TranscriptPage
from webapp.templating import RenderContext
from webapp.transcript import arrange, output_entries


@dataclass(frozen=True, slots=True)
class Sample:
    """One file of the folder: its name, what it is about, and its messages."""

    name: str
    what: str
    context: RenderContext


def blueprint(folder: Path) -> Blueprint:
    """The page over `folder`, which holds a folder of JSON files for each group."""
    bp = Blueprint("gallery", __name__)

    @bp.get("/dev/gallery")
    def show() -> ResponseReturnValue:
        """Every bubble, or with `group` those of one group."""
        names = sorted(path.name for path in folder.iterdir() if path.is_dir())
        wanted = request.args.get("group")
        if wanted is not None and wanted not in names:
            abort(404, "There is no such group of bubbles.")
        groups = _groups(folder, [wanted] if wanted else names)
        return render_template("dev/gallery.html", groups=groups, names=names)

    return bp


def _groups(folder: Path, names: list[str]) -> dict[str, list[Sample]]:
    """The samples of each group."""
    return {
        group: [_sample(path) for path in sorted((folder / group).glob("*.json"))]
        for group in names
    }


def _sample(path: Path) -> Sample:
    try:
        given = parse(path.read_text(encoding="utf-8"))
    except (NotJson, UnicodeDecodeError) as problem:
        abort(422, f"{path.name}: {problem}")
    if not isinstance(given, Object):
        abort(422, f"{path.name} holds no object.")
    name = f"{path.parent.name}.{path.stem}"
    context = RenderContext.for_request(_section(f"gallery.{name}", given))
    return Sample(name, given.text("what") or "", context)


def _section(completion_id: str, given: Object) -> TranscriptPage:
    """What a reader would get of it."""
    completion = Completion.from_json(parse(_completion_text(completion_id, given)))
    messages = [
        Message.from_json(_with_id(value, f"{completion_id}-{at}"))
        for at, value in enumerate(_listed(given, "message", "messages"))
    ]
    entries = arrange(messages, first=1)
    outputs = output_entries(completion.choices)
    for entry in (*entries, *outputs):
        entry.prefix = f"{completion_id.replace('.', '-')}-"
    return TranscriptPage(
        completion_id=completion_id,
        request=PageRequest(),
        entries=entries,
        completion=completion,
        outputs=outputs,
        seen=len(entries),
        total=len(entries),
    )


def _listed(given: Object, one: str, many: str) -> Iterator[Value]:
    """The value of `one`, if it is there, and those of the list `many`."""
    single = given.get(one)
    return chain(() if single is None else (single,), given.items(many) or ())


def _completion_text(completion_id: str, given: Object) -> str:
    """A completion with the choices and the fields of `given`, each as it was written."""
    choices = ",".join(value.source for value in _listed(given, "choice", "choices"))
    fields = given.object("completion")
    more = "".join(
        f",{member.name.source}:{member.value.source}"
        for member in (fields.members if fields else ())
    )
    return f'{{"id":"{completion_id}","model":"gpt-4o-mini","choices":[{choices}]{more}}}'


def _with_id(value: Value, message_id: str) -> Value:
    """The message with an id in front, as servers send one; left alone where it has its own."""
    if not isinstance(value, Object) or value.get("id") is not None:
        return value
    rest = value.source[1:] if value.members else "}"
    comma = "," if value.members else ""
    return parse(f'{{"id":"{message_id}"{comma}{rest}')
