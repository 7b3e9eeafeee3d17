"""Launchers start and stop the workers of deployments: as processes, in Docker, in a swarm. One file each, one port.

Correctness never depends on them: a worker that nobody knows of any more has lost its leases, and can write nothing.
"""
