"""Rules that parse the text within a line."""
