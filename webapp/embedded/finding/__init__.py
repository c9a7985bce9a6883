"""Search the completions of the store."""
