"""Link completions that continue each other to conversations.

linker      decides which completion another one continues, and stores it
relatives   finds the completions that share messages with those of a batch
statements  has the queries that find stored completions by shared digests
clearing    recognizes messages whose results were cleared meanwhile
"""
