"""The checks of a completion: their findings, and the rules that could not be checked."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from webapp.analysis.checks import RULES, SEVERITIES, Subject, check
from webapp.conversations import find_parting
from webapp.reading import TranscriptRequest
from webapp.services import services, start_deadline
from webapp.templating.runs import RunLinks

bp = Blueprint("checks", __name__, url_prefix="/completions/<completion_id>")


@bp.get("/checks")
def show(completion_id: str) -> ResponseReturnValue:
    """Show the findings in the whole transcript, as far as it can be read."""
    page = services().loader.load_page(
        completion_id, TranscriptRequest(), start_deadline(), shows_end=True
    )
    run = services().runs.read(page, start_deadline(), is_wanted=True)
    # One rule compares the prompt with that of the previous request.
    source = services().conversations
    parting = find_parting(source, completion_id) if source else None
    subject = Subject.from_entries(page.entries, page.completion, is_whole=False, parting=parting)
    assert run.report is not None
    report = run.report.with_findings_of(check(subject, codes=("cache-broken",)))
    return render_template(
        "inspecting/checks.html",
        page=page,
        run=run,
        report=report,
        links=RunLinks(completion_id, run),
        rules=RULES,
        severities=SEVERITIES,
    )
