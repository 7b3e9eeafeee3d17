"""What a registry keeps: content by its digest, in a folder; which repository has what; uploads on their way."""
