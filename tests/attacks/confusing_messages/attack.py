"""Mallory writes into a commit's message what git prints about changes, with every separator a parser could trust.

Without the defence a message adds a result, or takes one away, in the eyes of whoever parses git's output.
"""

from attacks.world import Mutation, World

DEFENCES = (
    Mutation(
        module="ports/git/history.py",
        old='"--format=commit %H,%ct,%P"',
        new='"--format=commit %H,%ct,%P%x00%B"',
    ),
    Mutation(
        module="ports/git/history.py",
        old="        elif line:",
        new='        elif line.startswith(b"commit "):',
    ),
)


def before_reports(world: World) -> None:
    """Push a commit that changes nothing and says everything; what is printed after it is what RDO reports."""
    path = f"{world.results}/rdo/a1.json"
    zero = "0" * 40
    lines = (f":100644 000000 {zero} {zero} D\t{path}", f"commit {zero}", f"tree {zero}", f"parent {world.opened}")
    message = "\n".join(lines) + "\n\x1e\x1f" + "\n".join(reversed(lines))
    world.add("mallory", {}, message=message, author="\x1e\x1f :100644 D <x>")
