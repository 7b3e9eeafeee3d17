"""`trigger server`: the executor with keys and environments, run for good."""
