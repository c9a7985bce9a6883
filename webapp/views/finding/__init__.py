"""Pages that find completions across the store."""
