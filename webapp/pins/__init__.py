"""Pinned completions: first in the list for all readers of this Readback, and kept.

store   the pins in a database
schema  the table
"""

from webapp.pins.schema import SCHEMA
from webapp.pins.store import MOST_PINNED, OWN_STORE, Pins, name_place

__all__ = ["MOST_PINNED", "OWN_STORE", "SCHEMA", "Pins", "name_place"]
