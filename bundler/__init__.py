"""A project and its lock to a reproducible OCI image."""
