"""Keep whole pages: the inputs of each, and its bytes.

inputs     the inputs of a page beside the answers of the server
pages      the pages themselves: their bytes, validators and compressed forms
"""
