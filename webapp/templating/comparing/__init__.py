"""Prepare the page that compares two completions.

page    one page of the comparison: its rows and its groups of settings
pieces  deleted and inserted text, with media in place of their base64
"""

from webapp.templating.comparing.page import ComparisonView

__all__ = ["ComparisonView"]
