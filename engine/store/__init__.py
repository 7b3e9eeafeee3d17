"""Where the engine keeps its state: the interface of a store, the schema, the statements and the drivers."""
