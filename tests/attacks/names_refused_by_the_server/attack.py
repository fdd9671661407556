"""RDO's account pushes trees that no git would make: `..`, `.git` and whole paths as names.

Without the server's check of objects they come as far as the judge; what it says then, other attacks show. A whole path
in the place of one name reads like a file that counts, and only the server can tell.
"""

from attacks.world import Mutation, Start, World

STARTS = (Start.BLOCKED,)
DEFENCES = (
    Mutation(
        module="../local_gitlab/git.py",
        old="fsckObjects = true",
        new="fsckObjects = false",
    ),
)


def after_reports(world: World) -> None:
    """Try to push a pass in such places; the server refuses each."""
    before = world.head()
    results = tuple(world.results.encode().split(b"/"))
    content = world.result("rdo", run="b1", minutes=5)
    places = (
        (*results, b"rdo/b1.json"),
        (b"/tmp/b1.json",),
        (*results, b"rdo", b"..", b"b1.json"),
        (*results, b"rdo", b".git", b"config"),
    )
    for place in places:
        refused = world.push("rdo-ci", world.commit({place: content}))
        assert not refused.accepted, place
    assert world.head() == before
