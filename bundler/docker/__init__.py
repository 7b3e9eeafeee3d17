"""The Docker engine: found, asked, and used to build images with system packages and commands."""
