"""Stand-ins for what a shop talks to. Start them with ``python -m services``; see server.py for what they can do."""
