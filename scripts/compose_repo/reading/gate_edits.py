"""A file of gate/ that is about to be given other bytes: what would be wrong with it is told before it is written."""

import datetime as dt

from compose_repo.core.problems.problem import InputError
from compose_repo.ports.tree import GivenTree, Tree
from compose_repo.reading.inspection import inspect_gate


def see_that_it_would_be_valid(tree: Tree, path: str, content: bytes, now: dt.datetime) -> None:
    """Check a file as the pipeline of a merge request will, among the other files of a tree.

    What is wrong with the others is not this change's.

    Raises:
        InputError: it would have problems; it carries all of them.

    """
    there = {entry.path: tree.read(entry.path) for entry in tree.list("gate")}
    before = {name: raw for name, raw in there.items() if raw is not None}
    gate = inspect_gate(GivenTree({**before, path: content}), now, base=GivenTree(before))
    problems = [problem for problem in gate.problems if problem.path == path]
    if problems:
        raise InputError(*problems)
