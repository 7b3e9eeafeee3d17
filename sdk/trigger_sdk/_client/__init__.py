"""The HTTP client behind ``job.trigger()`` in scripts, backends and tasks."""
