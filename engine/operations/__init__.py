"""What happens inside a transaction, by noun.

Layers, lowest first: values, probation · queueing · journal · waits · runs · ending · events · registration, leases,
recovery, assignment, peers. A module imports only those below it.
"""
