"""What user code declares and calls: jobs, tasks, waits. Client-less; importing this connects to nothing."""
