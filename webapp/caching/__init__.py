"""Keep whole pages: the inputs of each, and its bytes.

inputs     the inputs of a page beside the answers of the server
bodies     the bytes of a page, their validator and their compressed form
pages      the pages themselves
"""
