"""Readback: a web viewer for stored chat completions.

    app             create_app: everything below put together
    cli             the `readback` command
    serving         HTTP: worker processes, connections, what is taken on at once
    views           the pages, one module an area, one function a URL
    templating      filters, globals and view objects of the templates
    services        what the views share, one of each a process
    factories       from settings to the upstream client and the database
    reading         the pages of a transcript, read from one upstream
    rendering       values to Markup
    upstream        the client of an OpenAI-compatible server
    loopback        the transport of that client to a server in this process
    embedded        the server Readback brings along; knows nothing of the viewer
    database        one SQLite or PostgreSQL database, opened and migrated
    transcript      messages and choices in reading order, calls beside their results
    media           images and sounds in messages
    completions, messages
                    the API's objects as values
    exact_json      JSON as written
    config          the settings, read once from the environment
    http, hosts, prefixes, ids
                    sessions and deadlines of requests to others, host names, paths to be
                    served under, ids
    fragments       page or fragment: everything that knows htmx
    forwarding      the address that a reader typed, behind proxies and under a path
    security        headers, Host, the origin of writes
    static_files    names that change with the content
    errors          errors as pages and notices
    formatting      numbers, sizes and times for people

Importing this package imports none of them: the client works in a script without Flask.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from webapp.app import create_app

__all__ = ["create_app"]


def __getattr__(name: str) -> Any:
    """Import `create_app` on first use."""
    if name != "create_app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from webapp.app import create_app

    return create_app
