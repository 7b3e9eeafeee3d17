"""The dev loop: one process that serves the API, starts and reloads workers, and shows what they do.

:func:`devserver.run.run` is the whole of it, with :class:`devserver.options.DevOptions`.
"""
