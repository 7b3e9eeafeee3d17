"""Source text to facts, diagnostics and fixes; never imports user code."""
