"""Durable runs on a store: states, journal, leases, waits, events, children and the roles that keep time.

:class:`engine.engine.Engine` is all that the executor uses, with the values of :mod:`engine.model` and the
:class:`engine.listener.Listener` it implements.
"""
