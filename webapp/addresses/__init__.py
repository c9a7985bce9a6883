"""Find the address that Readback is reached at.

hosts        the names and requests of this machine and of this network
forwarding   the address that a reader typed, behind proxies and under a path of theirs
building     addresses of pages
credentials  the passwords and keys in an address, and the names that have such values
"""
