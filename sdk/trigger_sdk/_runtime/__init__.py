"""What executes jobs inside a worker. Not imported by ``import trigger_sdk``."""
