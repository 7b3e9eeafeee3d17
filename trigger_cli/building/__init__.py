"""`trigger build`: options, progress, what is shown, and the run of it."""
