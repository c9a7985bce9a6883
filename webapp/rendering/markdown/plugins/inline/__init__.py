"""Rules that parse what is within a line of text."""
