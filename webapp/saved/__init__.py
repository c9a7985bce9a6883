"""Filters of the list that readers of this Readback have saved under a name.

store   the table, and the names in it
"""

from webapp.saved.store import MAX_NAME, MAX_SAVED, SCHEMA, Saved, SavedFilters, clean_name

__all__ = ["MAX_NAME", "MAX_SAVED", "SCHEMA", "Saved", "SavedFilters", "clean_name"]
