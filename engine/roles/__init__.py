"""What the engine does by itself, each on its own clock: one file for each role, one loop for all."""
