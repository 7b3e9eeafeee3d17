"""Programs that an interpreter of the user's runs: each imports the standard library alone."""
