"""Stand-ins for what an import talks to. Start them with ``python -m services``; see server.py for what they can do."""
