"""`trigger init`: templates, the plan of what a template brings into a folder, and carrying it out all or nothing."""
