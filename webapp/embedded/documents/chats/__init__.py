"""Build completions from the conversations that programs export or keep.

Each program is a module with two functions: whether a value is its conversation, and the
completions in that, the branch that was shown last before others. Data that chat
completions have no place for are in a member of each message that is named after the program.
"""
