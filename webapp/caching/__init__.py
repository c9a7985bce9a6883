"""Keep whole pages: what each was made of, and its bytes.

inputs     what a page reads beside the answers of the server
bodies     the bytes of a page, their validator and their compressed form
pages      the pages themselves
"""
