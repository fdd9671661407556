"""rdo-ci runs `open`, `approve`, `merge` and `sync` with its own token.

Without the defence these write as rdo-ci: a second gate note, a second status `compose-gate`, labels, an approval.
"""

from collections.abc import Iterator

from attacks.world import ID, MARKER, Mutation, Played, World

DEFENCES = (
    Mutation(
        module="core/forge/bots.py",
        old="if me.is_called(username):",
        new="if me:",
    ),
)


def after_reports(world: World) -> None:
    """Run what the bots run, before the gate bot does."""
    source = f"{world.arena.web}/{ID}"
    for verb in (("open", source), ("approve", ID), ("merge", ID, "--published"), ("sync",), ("sync", "--only", ID)):
        world.run("rdo-ci", *verb)


def after_approval(world: World) -> None:
    """Run it again, now that the gate bot has spoken."""
    after_reports(world)


def verify(played: Played) -> Iterator[str]:
    """Nobody but the gate bot has set its status or written its note."""
    line = played.world.counting()
    for commit in line.commits(get_all=True):
        for status in played.world.as_("releng").commits.get(commit.id, lazy=True).statuses.list(get_all=True):
            if status.name == "compose-gate" and status.author["username"] != "gate-bot":
                yield f"{status.author['username']} has set {status.name} to {status.status}"
    for note in line.notes.list(get_all=True):
        if MARKER in note.body and note.author["username"] != "gate-bot":
            yield f"{note.author['username']} has written a gate note"
