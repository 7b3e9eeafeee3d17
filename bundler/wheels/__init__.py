"""Wheels for a target: which of those in a lock fits best, fetched, checked and kept."""
