"""Requests to other servers, for the client and the embedded server alike.

session     a hardened session, which takes nothing from the environment
transport   connections that keep to a deadline, in both directions
deadline    deadlines, and a clock that tests can replace
decompression  bodies decompressed as they arrive
loopback    the requests of a session, sent to a WSGI app in this process
"""

from webapp.http.session import find_secrets, open_session

__all__ = ["find_secrets", "open_session"]
