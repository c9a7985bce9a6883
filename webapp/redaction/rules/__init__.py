"""The rules by which secrets and personal data are known.

kinds     what a kind of secret is, and what is none whatever stands around it
vendors   keys and tokens that begin as their vendor says
forms     addresses, commands, calls and blocks that hold a secret
names     which names stand before a secret, and which values are one there
context   settings, members, flags, headers and sentences with such a name
people    e-mail addresses, cards, accounts, telephone numbers

A pattern takes time linear in the text: its repetitions are bounded, or possessive.
"""
