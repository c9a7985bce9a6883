"""Show the bubbles of `tests/fixtures/bubbles` on one page, and check each of them.

app         the page with all bubbles; `python -m tests.gallery` opens it
reading     the content of a page, in the words of the expectations
"""
