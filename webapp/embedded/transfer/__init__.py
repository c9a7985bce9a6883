"""Import completions from files, and export them to files.

files      JSON documents in files
zips       the JSON files in ZIP archives
streams    the events of a stream, saved as they came, joined to one answer
splitting  lines as JSON documents, which may be on one or on many
formats    the format of a document, by its shape
exchanges  the same of requests with their responses
saved      the same of saved answers of the stored completions API
archives   the same of the entries of HAR files
pieces     the formats, each of a completion or of a part of one
pending    parts of completions that wait for the others
reading    documents as completions and parts of them, also in other processes
importing  files into a store, with a report
exporting  a store as JSONL
"""
