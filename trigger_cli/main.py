"""The entry point: answers `--version` at once, and leaves everything else to :mod:`trigger_cli.app`.

This module imports nothing but `sys` before it knows what was asked: the start-up time is a promise.
"""

import sys


def main() -> None:
    """Run the command line given in `sys.argv` and exit with its code."""
    if None in (sys.stdin, sys.stdout, sys.stderr):
        from trigger_cli.standard_streams import open_missing

        open_missing()
    if sys.argv[1:] in (["--version"], ["-V"]):
        from trigger_sdk.protocol.version import VERSION

        sys.stdout.write(f"trigger {VERSION}\n")
        return
    try:
        from trigger_cli.isolation import own_import_path

        # In place: other modules may hold the list.
        sys.path[:] = own_import_path(sys.path)
        from trigger_cli.outcome import run_command_line

        if sys.argv[1:2] == ["check"]:
            _keep_garbage()
        code = run_command_line(sys.argv[1:])
    except KeyboardInterrupt:
        # Ctrl-C before there is anybody to take it: while modules are imported.
        code = 130
    sys.exit(code)


def _keep_garbage() -> None:
    """Look for no cycles of garbage until the process ends, nor when it does.

    A check makes a million objects and lets go of hardly any before it is over: looking for those takes a third of its
    time. Here, since the process is known to be ours; what lives longer (`--watch`) tidies in its pauses.
    """
    import atexit
    import gc

    gc.disable()
    atexit.register(gc.freeze)
