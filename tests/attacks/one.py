"""Play attacks outside pytest and tell what they have moved: `cd tests; python -m attacks.one edit_policy …`.

Exit 0 if nothing has moved. With `--first`, stop at the first beginning from which something has.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from attacks.world import Arena, BrokenWorldError, failures, load, names, starts

BROKEN = 2


def main(arguments: Sequence[str]) -> int:
    """Play what is named, or everything."""
    first = "--first" in arguments
    wanted = [argument for argument in arguments if argument != "--first"]
    red = 0
    with tempfile.TemporaryDirectory() as folder, Arena(Path(folder)) as arena:
        for name in wanted or names():
            for start in starts(load(name)):
                began = time.monotonic()
                try:
                    found = failures(arena, name, start)
                except BrokenWorldError as error:
                    sys.stdout.write(f"BROKEN {name} [{start}]: {error}\n")
                    return BROKEN
                except AssertionError as error:
                    found = [f"what should have been refused was not: {error}"]
                except subprocess.CalledProcessError as error:
                    found = [f"honest work was not possible any more: {error}"]
                red += bool(found)
                colour, seconds = "RED  " if found else "green", time.monotonic() - began
                sys.stdout.write("\n      ".join((f"{colour} {name} [{start}] {seconds:.1f} s", *found)) + "\n")
                sys.stdout.flush()
                if found and first:
                    return 1
    return 1 if red else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
