"""Write code that repeats a request: for curl, Python, Node, Go and Java.

request    the request that created a completion, rebuilt from its stored form
writing    literals of the languages that hold any JSON
languages  the snippets themselves, and the server that they send their requests to

The key is always the variable OPENAI_API_KEY. A snippet runs unchanged, whatever its texts contain.
"""

from webapp.snippets.languages import (
    FILE_NAME,
    LANGUAGES,
    Language,
    MessageQuery,
    Server,
)
from webapp.snippets.request import RERUN_OF, CreateRequest, build_request

__all__ = [
    "FILE_NAME",
    "LANGUAGES",
    "RERUN_OF",
    "CreateRequest",
    "Language",
    "MessageQuery",
    "Server",
    "build_request",
]
