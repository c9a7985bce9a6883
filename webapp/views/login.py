"""Log in by the team's password or at a provider, and log out; list sessions and the record."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request
from flask import url_for as find_url
from flask.typing import ResponseReturnValue

from webapp.access import (
    PASSWORDS,
    Event,
    Reader,
    access,
    administrators_only,
    client_address,
    cookie_name,
    current_reader,
    find_own_path,
    forget_session,
    keep_session,
    name_source,
    record_event,
)
from webapp.access.passwords import TooManyLogins, check_password, take_place
from webapp.access.sessions import describe_browser
from webapp.views import read_whole_number

_RETRY_SECONDS: Final = 5
_RECORD_LIMIT: Final = 100
"""Entries of the record on a page."""

bp = Blueprint("login", __name__)


@bp.get("/login")
def show() -> ResponseReturnValue:
    """Show the ways in. `next` is the address to return to."""
    if access().identify(request):
        return redirect(_find_wanted(), 303)
    return _render()


@bp.post("/login")
def log_in() -> ResponseReturnValue:
    """Check the team's password, and begin a session."""
    hashed = access().settings.password_hash
    if hashed is None:
        abort(404)
    try:
        with take_place():
            return _check_and_begin(hashed)
    except TooManyLogins:
        problem = "Many passwords are being checked. Try again in a few seconds."
        return _render(problem, 503, retry_after=_RETRY_SECONDS)


def _check_and_begin(hashed: str) -> Response:
    source = name_source(client_address())
    wait = access().attempts.begin(PASSWORDS, "password", source)
    if wait:
        problem = "Too many wrong passwords. Wait a minute before the next try."
        return _render(problem, 429, retry_after=wait)
    is_right = check_password(hashed, request.form.get("password", ""))
    if not (is_right and access().sessions.is_newest("password")):
        access().attempts.fail(PASSWORDS, "password")
        record_event(Event.FAILED_LOGIN, by="password")
        return _render("That is not the password.", 401)
    access().attempts.succeed(PASSWORDS, "password", source)
    is_administrator = "everyone" in access().settings.admins
    return _begin_session(Reader("team", "the team", is_administrator, "password"), _find_wanted())


@bp.get("/login/openid")
def begin_openid() -> ResponseReturnValue:
    """Redirect to the provider."""
    provider = access().provider
    if provider is None:
        abort(404)
    # Imported with the provider, since most installations have none.
    from webapp.access.openid import ProviderError

    try:
        callback = find_url("login.finish_openid", _external=True)
        return redirect(provider.begin(callback, _find_wanted()), 303)
    except ProviderError as problem:
        return _render(str(problem), problem.status)


@bp.get("/login/openid/callback")
def finish_openid() -> ResponseReturnValue:
    """Begin a session for the account of the provider's redirect."""
    provider = access().provider
    if provider is None:
        abort(404)
    from webapp.access.openid import NotAllowed, ProviderError

    try:
        logged_in = provider.finish()
    except ProviderError as problem:
        if isinstance(problem, NotAllowed):
            record_event(Event.FAILED_LOGIN, by="openid")
        return _render(str(problem), problem.status)
    wanted = find_own_path(logged_in.wanted) or find_url("listing.index")
    return _begin_session(logged_in.reader, wanted)


@bp.post("/logout")
def log_out() -> ResponseReturnValue:
    """End this session, or with `everywhere` all sessions of the reader."""
    reader = current_reader()
    if reader.session is not None:
        record_event(Event.LOGOUT)
        if request.form.get("everywhere"):
            access().sessions.end_all(reader.identity)
        else:
            access().sessions.end(reader.session, identity=reader.identity)
    response = make_response(redirect(find_url("login.logged_out"), 303))
    forget_session(response)
    return response


@bp.get("/logged-out")
def logged_out() -> ResponseReturnValue:
    """Confirm the logout, with a link to log out at the provider."""
    provider = access().provider
    url = provider.find_logout_url(find_url("login.show", _external=True)) if provider else None
    return render_template("access/logged_out.html", provider=provider, provider_url=url)


@bp.get("/sessions")
def list_sessions() -> ResponseReturnValue:
    """List the sessions of the reader, the last used first."""
    reader = current_reader()
    found = access().sessions.list_for(reader.identity) if reader.session else []
    return render_template("access/sessions.html", reader=reader, sessions=found)


@bp.post("/sessions/end")
def end_session() -> ResponseReturnValue:
    """End one of the reader's sessions."""
    reader = current_reader()
    access().sessions.end(request.form.get("session", ""), identity=reader.identity)
    return redirect(find_url("login.list_sessions"), 303)


@bp.get("/record")
@administrators_only
def show_record() -> ResponseReturnValue:
    """Show entries of the record, newest first, from those older than `before`."""
    before = read_whole_number("before", default=0, low=0, high=10**11 - 1)
    entries = access().record.list_entries(before=before or None, limit=_RECORD_LIMIT + 1)
    return render_template(
        "access/record.html",
        entries=entries[:_RECORD_LIMIT],
        older=entries[_RECORD_LIMIT - 1].number if len(entries) > _RECORD_LIMIT else None,
        is_first="before" not in request.args,
    )


def _begin_session(reader: Reader, wanted: str) -> Response:
    """Start a session, end the browser's old one, and return a redirect to `wanted`."""
    sessions = access().sessions
    old = sessions.find(request.cookies.get(cookie_name(request), ""))
    if old is not None:
        sessions.end(old.key, identity=old.reader.identity)
    token = sessions.start(
        reader,
        address=client_address(),
        browser=describe_browser(request.headers.get("User-Agent", "")),
    )
    access().record.add(Event.LOGIN, reader, address=client_address())
    response = make_response(redirect(wanted, 303))
    keep_session(response, token, seconds=access().settings.session_lifetime)
    return response


def _render(
    problem: str | None = None, status: int = 200, *, retry_after: int | None = None
) -> Response:
    page = render_template(
        "access/login.html",
        problem=problem,
        ways=access().settings.ways,
        provider=access().provider,
        wanted=_find_wanted(),
    )
    response = make_response(page, status)
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response


def _find_wanted() -> str:
    """Find the address to go to after the login, by default the list."""
    return find_own_path(request.values.get("next", "")) or find_url("listing.index")
