"""Mallory holds the stream on the compose's branch.

Without the defence whoever may push results keeps a compose from going out.
"""

import datetime as dt

from attacks.mutations import RULES_ARE_MAINS
from attacks.world import World

NAMED = frozenset({"foreign-change"})
DEFENCES = (RULES_ARE_MAINS,)
HOLD = """\
schema = "holds/1"
[[hold]]
stream = "CentOS-Stream-10"
reason = "I say so."
issue = "https://evil.example/1"
by = "mallory"
until = {until}
"""


def after_reports(world: World) -> None:
    """Push a hold that would have force now."""
    until = (dt.datetime.now(dt.UTC) + dt.timedelta(days=7)).date()
    world.add("mallory", {"gate/holds.toml": HOLD.format(until=until)})
