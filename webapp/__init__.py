"""Readback: a web viewer for stored chat completions.

    application     create_app: all of the below put together
    config          the settings, read once from the environment
    settings        the table of them: name, parser, default, help
    configured      what they name: the server upstream, its client, the database
    cli             the `readback` command, a module each of its commands
    upstream        the client of an OpenAI-compatible server
    loopback        the same client's way to a server in this process
    embedded        the server we bring along; knows nothing of the viewer
    exact_json      JSON as written
    completions, messages
                    what the API gives, as values
    transcript      messages and choices in reading order, calls beside results
    reading         the upstream calls of one page, put together
    previews        the first words a list shows
    opening         the completion in what somebody pasted
    media           images and sounds in messages
    rendering       values to Markup
    words           numbers, sizes and times for people
    templating      what templates have at hand
    fragments       page or fragment: everything that knows htmx
    security        headers, Host, the origin of writes
    static_files    names that change with the content
    errors          errors as pages and notices
    views           the pages, one file an area

Importing this package imports none of them: the client works in a script without Flask.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask
    from requests.adapters import BaseAdapter

    from webapp.config import Config


def create_app(config: Config | None = None, *, transport: BaseAdapter | None = None) -> Flask:
    """The application for `config`, by default that of the environment.

    `transport` replaces the network below the client, for tests and embedding.
    """
    from webapp.app import assemble

    return assemble(config, transport=transport)
