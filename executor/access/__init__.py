"""Who may do what: environments, API keys, the audit log, and the admission of requests."""
