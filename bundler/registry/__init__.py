"""A client of registries: the OCI distribution protocol, and what real registries make of it."""
