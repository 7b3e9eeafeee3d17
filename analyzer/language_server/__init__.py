"""`trigger lsp`: the check in editors, over the Language Server Protocol.

The event loop speaks the protocol and holds the open documents; one worker thread finds the projects and checks them.
What a check found comes back to the loop as a value, and is published by version. Nothing outside this package knows of
pygls or lsprotocol.
"""
