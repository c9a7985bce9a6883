"""The bubbles of `tests/fixtures/bubbles`: on one page to look at, and each as it must be seen.

app         the page with all bubbles; `python -m tests.gallery` opens it
reading     what a page shows, in the words of the expectations
"""
