"""A registry of images inside the executor: the server's side of the OCI distribution protocol, mounted at ``/v2``.

:func:`executor.registry.opening.open_registry` is where it begins.
"""
