"""Compare two completions, or two choices of one; choose them; export which one is preferred."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp.analysis.differences import NotAPair, write_preference
from webapp.reading.comparing import Side, find_common_input, load_side
from webapp.reading.pasted import parse_pasted
from webapp.services import services, start_deadline
from webapp.templating.comparing import ComparisonView
from webapp.templating.finding.filters import read_filters
from webapp.upstream import Deadline, check_id
from webapp.views import read_whole_number
from webapp.views.exports import send_file
from webapp.views.listing import MAX_PASTED, find_neighbor

bp = Blueprint("compare", __name__, url_prefix="/compare")

_MAX_CHOICES = 10_000


@bp.get("")
def show() -> ResponseReturnValue:
    """Show the differences between the completions `a` and `b`, or the form to name them.

    `a_choice` and `b_choice` are the places of their choices, from 0. With `exact=1`, the ids of
    calls and the formatting of the JSON differ as well. `pick` are rows that were chosen in the
    list, `with` is `older` or `newer`: the neighbor of `a` in the list.
    """
    if "pick" in request.args:
        return _compare_picked(request.args.getlist("pick"))
    a, b = request.args.get("a") or None, request.args.get("b") or None
    if a and request.args.get("with"):
        return _compare_neighbor(check_id(a), request.args["with"])
    if a is None or b is None:
        return render_template("inspecting/choose.html", a=check_id(a) if a else None, b=b)
    sides = _load_sides()
    view = ComparisonView(
        *sides,
        is_exact=request.args.get("exact") == "1",
        start=read_whole_number("start", default=0, low=0, high=10**9),
    )
    return render_template("inspecting/compare.html", view=view)


@bp.post("")
def name() -> ResponseReturnValue:
    """Redirect to the comparison of the pasted ids; by POST, since a curl command holds a key."""
    return redirect(url_for("compare.show", a=_read_pasted("a"), b=_read_pasted("b")), 303)


@bp.get("/preference.jsonl")
def export_preference() -> ResponseReturnValue:
    """Export a line of training data: the input of both, and the answer of the `preferred` side."""
    preferred = request.args.get("preferred")
    if preferred not in ("a", "b"):
        abort(400, "The parameter preferred takes a or b.")
    a, b = _load_sides()
    messages = find_common_input(a, b)
    if messages is None:
        abort(409, "A preference pair has one input, and the messages before these answers differ.")
    if a.answer is None or b.answer is None:
        abort(409, "A preference pair has two answers, and one of these completions has none.")
    better, worse = (a, b) if preferred == "a" else (b, a)
    assert better.answer is not None and worse.answer is not None
    try:
        line = write_preference(
            messages, better.completion, better.answer.message, worse.answer.message
        )
    except NotAPair as problem:
        abort(409, str(problem))
    return send_file(
        iter([line]),
        name=f"preference-{better.completion_id}.jsonl",
        mimetype="application/jsonl",
        completion=better.completion_id,
    )


def _read_pasted(side: str) -> str | None:
    """Read the id in a field of the form; None if it is empty, and abort if it has none."""
    pasted = request.form.get(side, "")[:MAX_PASTED]
    if not pasted.strip():
        return None
    ref = parse_pasted(pasted)
    if ref is None:
        abort(400, f"There is no completion id in what was pasted as {side.upper()}.")
    return ref.completion_id


def _load_sides() -> tuple[Side, Side]:
    """Load both completions of the query, read within one deadline."""
    deadline = start_deadline()
    a = _load_side("a", deadline)
    if request.args.get("b") == a.completion_id:
        return a, a.choose(_read_choice("b"))
    return a, _load_side("b", deadline)


def _load_side(name: str, deadline: Deadline) -> Side:
    found = services()
    completion_id = check_id(request.args.get(name, ""))
    return load_side(found.upstream, found.runs, completion_id, _read_choice(name), deadline)


def _read_choice(name: str) -> int:
    return read_whole_number(f"{name}_choice", default=0, low=0, high=_MAX_CHOICES)


def _compare_picked(picked: list[str]) -> ResponseReturnValue:
    """Redirect to the comparison of two rows; the list has the newest first."""
    ids = [check_id(one) for one in dict.fromkeys(picked)]
    if len(ids) == 1:
        return redirect(url_for("compare.show", a=ids[0]), 303)
    if len(ids) != 2:
        abort(400, f"Two completions can be compared; {len(ids)} were chosen.")
    return redirect(url_for("compare.show", a=ids[1], b=ids[0]), 303)


def _compare_neighbor(completion_id: str, direction: str) -> ResponseReturnValue:
    if direction not in ("older", "newer"):
        abort(400, "The parameter with takes older or newer.")
    found = find_neighbor(completion_id, direction, read_filters({}))
    if found is None:
        abort(404, f"There is no {direction} completion in the list.")
    ids = (found, completion_id) if direction == "older" else (completion_id, found)
    return redirect(url_for("compare.show", a=ids[0], b=ids[1]), 303)
