"""The rules that recognize secrets and personal data.

kinds     `Kind`, and the values that are no secrets in any context
vendors   keys and tokens with a vendor's prefix
forms     addresses, commands, calls and blocks that hold a secret
names     the names that precede a secret, and the values that are one there
context   settings, members, flags, headers and sentences with such a name
tables    columns with such a name, of tables, of CSV, of SQL; manifests of secrets
people    e-mail addresses, cards, accounts, telephone numbers

A pattern takes time linear in the text: its repetitions are bounded, or possessive.
"""
