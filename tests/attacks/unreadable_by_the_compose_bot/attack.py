"""The compose bot, which writes RDO's messages down, is made to write what nobody can read, and to remove a result.

Without the defence whoever sends a message that is written down badly keeps a compose from passing, in RDO's name.
"""

from attacks.refused import NOT_JSON, REMOVED
from attacks.world import ORIGINS, Mutation, Start, World

NAMED = frozenset({"not-json", "removed-file"})
MAIN = {
    "gate/origins.toml": ORIGINS.replace(
        'users = ["rdo-ci"]', 'users = ["rdo-ci"]\nbus = [{topic = "org.centos.prod.ci", ci = "RDO CI"}]'
    )
}
STARTS = (Start.SATISFIED,)
DEFENCES = (
    Mutation(
        module="reading/line.py",
        old="if (origin, sha) not in refused and not any(pushed.is_by(sha, bot) for bot in (bots.compose, bots.gate))",
        new="if (origin, sha) not in refused",
    ),
)


def after_reports(world: World) -> None:
    """Push both."""
    NOT_JSON.push(world, "compose-bot")
    REMOVED.push(world, "compose-bot")
