"""`trigger demo`: the ticket template run for real, with its effects counted."""
