"""What a person at a terminal sees: results on stdout, everything else on stderr."""

import sys


class Console:
    """Where verbs write. `out` is the answer itself; `info`, `error` and `trace` never mix into it."""

    def out(self, text: str) -> None:
        """Write a piece of the answer to stdout, with a newline."""
        sys.stdout.write(text + "\n")

    def info(self, text: str) -> None:
        """Tell what is going on, on stderr."""
        sys.stderr.write(text + "\n")

    def error(self, text: str) -> None:
        """Say what went wrong, on stderr."""
        sys.stderr.write(text + "\n")

    def trace(self, text: str) -> None:
        """Tell of one request or git command; shown with --verbose only."""
