"""`python -m trigger_cli`: the same as the console script, on any machine whose PATH lacks it."""

import sys

# `python -m` puts the working folder first on the path: a user's `engine/` would be imported instead of ours.
if not sys.flags.safe_path:
    del sys.path[0]

from trigger_cli.main import main

if __name__ == "__main__":
    main()
