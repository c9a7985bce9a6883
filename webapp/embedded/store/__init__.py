"""The store of completions: its tables, its queries and its pages."""
