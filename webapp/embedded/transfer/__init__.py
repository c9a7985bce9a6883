"""Importing completions from files, and exporting them to files."""
