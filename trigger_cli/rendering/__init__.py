"""Data in, text out: nothing here reads a clock, a file, the environment or the network."""
