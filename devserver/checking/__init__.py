"""The check of what was saved: a process of its own for each reload, so that nothing waits for it or falls with it."""
