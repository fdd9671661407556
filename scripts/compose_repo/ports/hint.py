"""Reads the event that GitLab has left for a pipeline that a webhook has started."""

from pathlib import Path

from compose_repo.core.bus.hint import HINT_BYTES


def hint_in(file: str) -> bytes | None:
    """Give what the file holds, no more than it takes to see that it is too long; None where there is no such file."""
    path = Path(file)
    try:
        if not path.is_file():
            return None
        with path.open("rb") as stream:
            return stream.read(HINT_BYTES + 1)
    except (OSError, ValueError):
        return None
