"""Pinned completions: first in the list for all readers of this Readback, and kept.

store   the table, and the pins in it
"""

from webapp.pins.store import MAX_PINNED, OWN_STORE, SCHEMA, Pins, name_place

__all__ = ["MAX_PINNED", "OWN_STORE", "SCHEMA", "Pins", "name_place"]
