"""The checks of a completion: their findings, and the rules that could not be checked."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from webapp.analysis.checks import RULES, Report, Subject, check
from webapp.conversations import find_parting
from webapp.reading import PageRequest, TranscriptPage
from webapp.services import deadline, services
from webapp.templating.runs import RunLinks

bp = Blueprint("checks", __name__, url_prefix="/completions/<completion_id>")


@bp.get("/checks")
def show(completion_id: str) -> ResponseReturnValue:
    """Show the findings in the whole transcript, as far as it can be read."""
    section = services().loader.load_page(completion_id, PageRequest(), deadline())
    run = services().runs.read(section, deadline(), is_wanted=True)
    return render_template(
        "runs/checks.html",
        section=section,
        run=run,
        report=_add_cache(run.report, section),
        links=RunLinks(completion_id, run),
        rules=RULES,
    )


def _add_cache(report: Report, section: TranscriptPage) -> Report:
    """Return the report with the rule that compares the prompt with the previous request's."""
    source = services().conversations
    parting = find_parting(source, section.completion_id) if source else None
    subject = Subject.from_entries(
        section.entries, section.completion, is_whole=False, parting=parting
    )
    return report.with_findings_of(check(subject, codes=("cache-broken",)))
