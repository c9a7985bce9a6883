"""Filters of the list that readers of this Readback have saved under a name.

store   the names in a database
schema  the table
"""

from webapp.saved.schema import SCHEMA
from webapp.saved.store import MOST_NAME, MOST_SAVED, Saved, SavedFilters, clean_name

__all__ = ["MOST_NAME", "MOST_SAVED", "SCHEMA", "Saved", "SavedFilters", "clean_name"]
