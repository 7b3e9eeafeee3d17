"""The `trigger` command line: commands, rendering, exit codes. Everything else is in the packages below it."""
