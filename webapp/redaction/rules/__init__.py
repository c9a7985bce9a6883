"""The rules that recognize secrets and personal data.

kinds     `Kind`, and the values that are no secrets in any context
vendors   keys and tokens with a vendor's prefix
forms     addresses, commands, calls and blocks that hold a secret
commands  flags, here-strings and inputs of commands
sentences words before the name of a secret, or after a user
blocks    lines below a name
literals  arguments that are put into a text with a name
names     the names that precede a secret, and the values that are one there
context   settings, members, flags, headers and sentences with such a name
tables    columns with such a name, of tables, of CSV, of SQL; manifests of secrets
people    e-mail addresses, cards, accounts, telephone numbers

A pattern takes time linear in the text: its repetitions are bounded, or possessive.
"""
