"""The server: an ASGI application with the HTTP API and the workers' sessions, over an engine.

``executor.app.create_app`` puts it together, ``executor.server.serve`` runs it, ``executor.watcher.Watcher`` is told
what happens.
"""
