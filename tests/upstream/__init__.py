"""Tests of the client, against real servers on this machine."""
