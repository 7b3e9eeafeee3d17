"""One module per command of the first level; each has its typer app as ``app``. Heavy imports wait for the call."""
