"""Locks of every tool as one value: which distributions there are, who needs them when, and where their files are."""
