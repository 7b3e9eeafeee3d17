"""What the functions of the standard library and of popular libraries do: data, and the look-up in it."""
