"""The overview of the stored completions: over time, by model, failure and tool."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from webapp.finding import parse_query
from webapp.templating.finding.filters import read_filters
from webapp.templating.finding.overview import find_overview

bp = Blueprint("overview", __name__)


@bp.get("/overview")
def show() -> ResponseReturnValue:
    """Show the counts of all completions that pass the filters, the same as those of the list."""
    filters = read_filters()
    return render_template(
        "overview/show.html",
        filters=filters,
        overview=find_overview(filters),
        terms=parse_query(filters.text).terms,
    )
