"""The engine's statements, by noun, as SQLAlchemy Core; drivers compile each once."""
