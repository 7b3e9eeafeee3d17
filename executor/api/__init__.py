"""The HTTP API: JSON in, JSON out, errors as problems."""
