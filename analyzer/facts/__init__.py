"""What one file's text says, without any other file: the input of the resolution, kept by content hash."""
