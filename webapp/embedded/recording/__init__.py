"""Forwarding create requests to a model server, and recording its answers."""
