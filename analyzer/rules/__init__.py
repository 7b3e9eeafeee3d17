"""The rules, one file each.

====== ============================ ======== ========================================================================
TRG101 network-outside-task         error    a request, a connection, a client's call
TRG102 filesystem-outside-task      error    a file or folder is read, written, listed
TRG103 database-outside-task        error    a query, a commit, a connection to a database
TRG104 subprocess-outside-task      error    another process is started or signalled
TRG105 environment-outside-task     error    environment variables, the machine's settings
TRG106 thread-outside-task          error    a thread, a pool, a process pool, another event loop
TRG107 blocking-sleep               error    ``time.sleep`` and its kin, which hold the worker
TRG108 global-state                 error    a variable of a module or class is changed
TRG109 exit-or-signal               error    the process is ended, a signal handler is set
TRG201 recorded-clock               hint     the clock is read by a call that the runtime records
TRG202 recorded-random              hint     a random number or an identifier is drawn by a call that is recorded
TRG203 recorded-machine             hint     a fact of the machine (``os.getpid``) is read by a call that is recorded
TRG211 unrecorded-clock             error    the clock is read by a call that is not recorded
TRG212 unrecorded-random            error    randomness from a call that is not recorded
TRG301 unordered-iteration          error    the order of a set (or a folder) escapes
TRG302 object-identity              error    ``id(x)`` or ``hash("text")``, which differ between processes
TRG401 durable-call-not-awaited     error    a task, sleep or wait in async code without ``await``
TRG402 mutation-in-task             error    a variable of the body is changed inside a task: lost on replay
TRG403 durable-call-in-task         error    a task, sleep or wait inside a task is not durable
TRG404 job-called-directly          error    a job is called as a function: nothing is started
TRG405 swallowed-cancellation       error    ``except BaseException`` and the like around a durable call
TRG406 value-not-encodable          error    a result or payload that cannot be stored
TRG407 unbounded-steps              warning  an endless loop of steps: the journal grows for ever
TRG501 duplicate-job-id             error    two jobs with one id
TRG502 computed-job-id              error    an id that is not a literal
TRG503 invalid-job-id               error    an id with characters that ids do not have
TRG504 invalid-cron                 error    a cron expression that cannot be read
TRG505 invalid-time-zone            error    a time zone that does not exist
TRG506 invalid-queue                error    a queue without name, with no room, or with two limits
TRG507 event-never-sent             hint     nothing in the project sends the event that is waited for
TRG901 syntax-error                 error    a file that is no valid Python
TRG902 unused-suppression           warning  a suppression that silences nothing
TRG903 invalid-suppression          warning  a suppression without codes, or of one that does not exist
====== ============================ ======== ========================================================================
"""
