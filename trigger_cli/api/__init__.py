"""Talking to the server: where it is, the HTTP calls, and the ids people abbreviate."""
