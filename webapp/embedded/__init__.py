"""The embedded server: a store of completions, served through the Chat Completions API.

    app         the Flask app, mounted under `/v1`
    api         its routes: the stored completions, creating one, passing on the rest
    recording   create requests forwarded to a model server, and their answers stored or spooled
    documents   completions as JSON text: parsed, built and serialized
    finding     searches of the store, and counts of its completions
    store       the tables of completions and messages, and their pages
    transfer    import from files, export to files
    samples     the sample completions, and their loading into a new store
    errors      errors as the API sends them
    limits      bounds of the memory it takes
    upkeep      derived rows of the store, completed in the background

Knows nothing of the viewer.
"""

from webapp.config import ModelLimits
from webapp.database import StoreError, StoreUnavailable
from webapp.embedded.api.routes import AS_GIVEN
from webapp.embedded.app import create_server
from webapp.embedded.finding.overview import StoreOverview
from webapp.embedded.finding.searching import StoreFinder
from webapp.embedded.recording.model_server import ModelServer
from webapp.embedded.recording.recovery import Recovery
from webapp.embedded.recording.retention import Retention
from webapp.embedded.recording.spool import Spool, SpoolState
from webapp.embedded.samples import load_samples
from webapp.embedded.store.snapshot import SnapshotStore
from webapp.embedded.store.store import Store
from webapp.embedded.transfer.exporting import ExportReport, export_completions, iter_ids
from webapp.embedded.transfer.files import OpenFile
from webapp.embedded.transfer.importing import ImportReport, Problem, import_files
from webapp.embedded.upkeep import Upkeep

__all__ = [
    "AS_GIVEN",
    "ExportReport",
    "ImportReport",
    "ModelLimits",
    "ModelServer",
    "OpenFile",
    "Problem",
    "Recovery",
    "Retention",
    "SnapshotStore",
    "Spool",
    "SpoolState",
    "Store",
    "StoreError",
    "StoreFinder",
    "StoreOverview",
    "StoreUnavailable",
    "Upkeep",
    "create_server",
    "export_completions",
    "import_files",
    "iter_ids",
    "load_samples",
]
