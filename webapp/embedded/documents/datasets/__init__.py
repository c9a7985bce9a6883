"""Build completions from rows of training data.

rows        ShareGPT conversations, Alpaca rows, prompts with completions, preference pairs
messages    the messages in a row: turns, texts and dialogues
"""
