"""Show the bubbles of all fixtures on one page, by the templates of the transcript."""

from __future__ import annotations

from typing import TypeAlias

from flask import Blueprint, Flask, abort, render_template, request
from flask.typing import ResponseReturnValue

from tests.support.gallery import Fixture, fixtures, with_id
from webapp import create_app
from webapp.completions import Completion
from webapp.config import Config
from webapp.exact_json import parse
from webapp.messages import Message
from webapp.reading import TranscriptPage, TranscriptRequest
from webapp.templating import RenderContext
from webapp.transcript import arrange, build_output_entries

Sample: TypeAlias = tuple[Fixture, RenderContext]

bp = Blueprint(
    "gallery",
    __name__,
    url_prefix="/dev/gallery",
    template_folder="templates",
    static_folder="static",
)


def create_gallery(config: Config) -> Flask:
    """Return the application for `config` with the gallery at `/dev/gallery`."""
    app = create_app(config)
    app.register_blueprint(bp)
    return app


@bp.get("")
def show() -> ResponseReturnValue:
    """Show every bubble, or with `group` those of one group."""
    groups: dict[str, list[Fixture]] = {}
    for fixture in fixtures():
        groups.setdefault(fixture.name.partition(".")[0], []).append(fixture)
    names = list(groups)
    wanted = request.args.get("group")
    if wanted is not None and wanted not in groups:
        abort(404, "There is no such group of bubbles.")
    shown = groups if wanted is None else {wanted: groups[wanted]}
    samples = {name: [_sample(fixture) for fixture in group] for name, group in shown.items()}
    return render_template("gallery.html", groups=samples, names=names)


def _sample(fixture: Fixture) -> Sample:
    """Build the page that a reader would get of `fixture`, with a context of its own."""
    completion_id = fixture.completion_id
    completion = Completion.from_json(parse(fixture.completion().decode()))
    messages = [
        Message.from_json(parse(with_id(text, f"{completion_id}-{at}")))
        for at, text in enumerate(fixture.messages)
    ]
    entries = arrange(messages, first=1)
    outputs = build_output_entries(completion.choices)
    for entry in (*entries, *outputs):
        entry.prefix = f"{completion_id.replace('.', '-')}-"
    page = TranscriptPage(
        completion_id=completion_id,
        request=TranscriptRequest(),
        entries=entries,
        completion=completion,
        outputs=outputs,
        seen=len(entries),
        total=len(entries),
    )
    return fixture, RenderContext.for_request(page)
