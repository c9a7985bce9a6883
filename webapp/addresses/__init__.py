"""The addresses that Readback is reached at.

hosts       the names of this machine and of this network
prefixes    the paths that it can be served under
forwarding  the address that a reader typed, behind proxies and under a path
"""
