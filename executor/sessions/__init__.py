"""The workers' sessions over WebSocket, and what the engine has to say to them."""
