"""Pages that look closer at completions than their transcript does."""
