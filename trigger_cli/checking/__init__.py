"""`trigger check` without its options: what is checked, how it is fixed, watched and shown."""
