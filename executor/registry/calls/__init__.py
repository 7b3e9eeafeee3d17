"""What the registry answers, one file for each kind of thing."""
