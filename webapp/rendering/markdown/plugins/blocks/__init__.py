"""Rules that parse blocks, or set their attributes after they are parsed."""
