"""The exit codes of every verb."""

from typing import Final

OK: Final = 0
PROBLEMS: Final = 1
USAGE: Final = 2
PENDING: Final = 3
INTERRUPTED: Final = 130
"""What a shell shows for a command that Ctrl-C ended."""
PIPE_CLOSED: Final = 141
"""What a shell shows for a command whose reader went away."""

EXPLAINED: Final = """\
exit codes:
  0  done, or the gate is satisfied
  1  problems found, or the gate is blocked
  2  usage or configuration error; one line on stderr names it
  3  the gate is pending, or a hold is on the compose
"""
