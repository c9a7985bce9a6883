"""The HTTP interface of the embedded server, as the Chat Completions API defines it."""
