"""Reads who our bots are, even where the rest of the rules on main has problems."""

import datetime as dt

from compose_repo.core.rules.policy import Bots, bots_from_dict
from compose_repo.ports.tree import Tree
from compose_repo.reading.inspection import inspect_streams


def read_bots(tree: Tree, now: dt.datetime) -> Bots | None:
    """Read `[bots]` from `gate/streams.toml`, whatever the other files hold; None if that file has a problem.

    Without the file the bots have their usual names.
    """
    streams = inspect_streams(tree, now)
    if streams is None:
        return Bots()
    return None if streams.problems else bots_from_dict(streams.data)
