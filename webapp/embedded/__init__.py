"""The server Readback brings along: stored completions behind the Chat Completions API.

A store, a Flask app over it, and the ways completions get in. Knows nothing of the viewer.
"""

from webapp.embedded.database import StoreError
from webapp.embedded.engine import without_password
from webapp.embedded.exporting import ExportReport, export_completions
from webapp.embedded.forwarding import ModelLimits, ModelServer
from webapp.embedded.importing import ImportReport, Problem, import_files
from webapp.embedded.sample_set import load_samples
from webapp.embedded.server import create_server
from webapp.embedded.store import Store

__all__ = [
    "ExportReport",
    "ImportReport",
    "ModelLimits",
    "ModelServer",
    "Problem",
    "Store",
    "StoreError",
    "create_server",
    "export_completions",
    "import_files",
    "load_samples",
    "without_password",
]
