"""Secrets and personal data in the sentences that people write to each other.

sentences   words around the name of a secret, or after a user
codes       codes that people enter, or are sent once
answers     the answer to a question for a secret or a personal detail
"""
