"""The bubbles of `tests/fixtures/bubbles`: what each file gives, and what must be seen of it.

fixtures    the files, read and checked
reading     what a page shows, in the words of the expectations
"""
