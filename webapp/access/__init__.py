"""Who may read, and the record of their logins, shares and deletions.

admission  the guard before every route, and the reader of a request
cookies    the cookies of a session and of a login at a provider
reader     the current reader, and the two roles
sessions   rows of the database, which end on every process at once, and their browsers
passwords  the team's password, and the attempts to guess it
openid     accounts at an OpenID Connect provider
record     logins, shares, exports and deletions, one JSON object a line
schema     the tables

For the views: `current_reader()`, `administrators_only`, `known_readers_only`,
`record_event(Event.…)`, `access()`.
"""

from webapp.access.admission import (
    Access,
    access,
    client_address,
    find_own_path,
    record_event,
)
from webapp.access.cookies import LoginCookie, cookie_name, forget_session, keep_session
from webapp.access.passwords import PASSWORDS
from webapp.access.reader import (
    ANYONE,
    RETENTION,
    SHELL,
    Reader,
    administrators_only,
    current_reader,
    find_reader,
    known_readers_only,
)
from webapp.access.record import Event, Record
from webapp.access.schema import SCHEMA
from webapp.access.sessions import Session
from webapp.addresses.hosts import name_source

__all__ = [
    "ANYONE",
    "PASSWORDS",
    "RETENTION",
    "SCHEMA",
    "SHELL",
    "Access",
    "Event",
    "LoginCookie",
    "Reader",
    "Record",
    "Session",
    "access",
    "administrators_only",
    "client_address",
    "cookie_name",
    "current_reader",
    "find_own_path",
    "find_reader",
    "forget_session",
    "keep_session",
    "known_readers_only",
    "name_source",
    "record_event",
]
