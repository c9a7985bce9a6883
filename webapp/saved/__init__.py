"""Filters of the list that readers of this Readback have saved under a name.

store   the table, and the names in it
"""

from webapp.saved.store import MOST_NAME, MOST_SAVED, SCHEMA, Saved, SavedFilters, clean_name

__all__ = ["MOST_NAME", "MOST_SAVED", "SCHEMA", "Saved", "SavedFilters", "clean_name"]
