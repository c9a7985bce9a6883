"""Pages that look closer at completions: their checks, their confidence, how two of them differ."""
