"""What the engine shows: frozen values made from the database, read beside the writer."""
