"""Files that a reader sends: imported into the store, with a report.

running  the import, in the background
reports  the state and the report of an upload, as values and in a table
"""
