"""What a page was made of, and its bytes: all that it takes to keep it."""
