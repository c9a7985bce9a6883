"""Readback: a web viewer for stored chat completions.

    app             create_app: everything below put together
    cli             the `readback` command; works on the store without the pages
    serving         HTTP: worker processes, connections, a bound on requests at once

    addresses       the hosts and paths that Readback is reached at, also behind proxies
    access          who may read: logins, sessions, the record
    security        headers, Host, the origin of writes
    views           the pages, one module an area, one function a URL
    templating      filters, globals and view objects of the templates
    fragments       page or fragment, as the headers of htmx ask
    errors          errors as pages and notices
    caching         the inputs and bytes of pages, so that they can be kept
    static_files    names that change with the content
    services        the objects that views share, one of each a process
    shares          frozen, redacted snapshots of transcripts, each with a link
    notes           notes of readers on messages
    pins            completions that are first in the list, and kept
    saved           filters of the list under a name
    snippets        code that repeats a request, in five languages
    exports         transcripts and lists as files
    rendering       values to Markup
    reading         the pages of transcripts and of the list, read from one upstream

    factories       from settings to the upstream client, and to addresses and folders
    upstream        the client of an OpenAI-compatible server
    keeping         copies of completions of another server, and their pages
    uploads         files that readers send, imported in the background
    embedded        the server Readback brings along; knows nothing of the viewer
    database        one SQLite or PostgreSQL database, opened and migrated
    http            sessions and deadlines of requests to other servers, and to one in this process
    monitoring      request ids, logs and metrics for operators

    analysis        the events of a run: calls, failures, tools
    transcript      messages and choices in reading order, calls beside their results
    media           images and sounds in messages
    finding         searches over all completions, and their results
    completions, messages
                    the API's objects as values
    conversations   completions that continue each other, as values
    exact_json      JSON as written
    ids, timestamps
                    ids that can be ids; times in the forms that servers write

    config          the settings, read once from the environment
    redaction       secrets masked in errors, logs and the output of commands
    folders         folders that only their owner can read
    hidden_texts    the words that invisible characters spell
    formatting      numbers, sizes and times for people
    recent          the values that were used last, within a bound of their sizes

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
