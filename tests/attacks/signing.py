"""Origins that sign what they report, for the attacks on signatures."""

from typing import Final

from attacks.world import ORIGINS, World

SIGNED: Final = {
    "gate/origins.toml": ORIGINS.replace(
        'users = ["rdo-ci"]',
        'attribution = "signature"\nkeys = ["KEY(rdo)", {key = "KEY(expired)", valid_before = 2020-01-01},\n'
        '  {key = "KEY(revoked)", revoked = true}]',
    ).replace('users = ["idm-ci"]', 'users = ["idm-ci"]\nattribution = "either"\nkeys = ["KEY(idm)"]')
}
"""RDO's results count by signature alone; an old key of RDO's has expired, another is revoked. IdM may do either."""


def report(world: World, origin: str, outcome: str) -> None:
    """Honest results, each signed with its origin's key."""
    content = world.result(origin, outcome)
    world.add(f"{origin}-ci", {f"{world.results}/{origin}/a1.json": content}, key=world.arena.key(origin))
