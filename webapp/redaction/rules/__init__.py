"""The rules that recognize secrets and personal data.

kinds       `Kind`, and the values that are not secrets in any context
vendors     keys and tokens of vendors: by their form, or beside the name of the service
forms       addresses, commands and calls that hold a secret
keys        private keys, keys of wallets, seeds of one-time codes, hashes of passwords
links       links that grant access, and codes in addresses
commands    flags, here-strings and inputs of commands
generated   values of a generator beside the word for a key, whatever service it is for
blocks      lines below a name or a command
literals    arguments that are put into a text with a name
names       the names that precede a secret, in many languages
context     settings, members, flags, headers and sentences with such a name
shapes      the forms of the values of names and nouns
values      the value after such a name: quoted, bare, in an element or a header
tables      columns with such a name, of tables, of CSV, of SQL; manifests of secrets
spoken      values beside their nouns in sentences, codes, and answers to questions
personal    e-mail and postal addresses, cards, accounts, telephones, numbers of persons, births

A pattern takes time linear in the text: its repetitions are bounded, or possessive.
"""
