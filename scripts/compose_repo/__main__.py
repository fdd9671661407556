"""Starts `compose-repo`, and lets `python -m compose_repo` do the same."""

import gc

gc.disable()  # What a start imports stays: looking for garbage in it finds none. The command line enables it again.

from compose_repo.cli import main  # noqa: E402  # see above

if __name__ == "__main__":
    main()
