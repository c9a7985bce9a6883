"""The server Readback brings along: stored completions behind the Chat Completions API.

A store, a Flask app over it, and the ways completions get in. Knows nothing of the viewer.
"""

from webapp.embedded.engine import StoreError
from webapp.embedded.importing import ImportReport, Problem, import_files
from webapp.embedded.sample_set import load_samples
from webapp.embedded.server import create_server
from webapp.embedded.store import Store

__all__ = [
    "ImportReport",
    "Problem",
    "Store",
    "StoreError",
    "create_server",
    "import_files",
    "load_samples",
]
