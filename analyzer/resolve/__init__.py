"""Names of modules to files of the project."""
