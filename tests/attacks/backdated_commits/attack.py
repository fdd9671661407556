"""RDO's account dates its commits before the compose and far in the future.

Without the defence deadlines, orders and keys' lifetimes are what a committer writes.
"""

from attacks.world import World


def after_reports(world: World) -> None:
    """Push commits of 1970 and of 2099 that say nothing new."""
    readme = world.read(f"{world.results}/README.md", world.head())
    world.add("rdo-ci", {f"{world.results}/README.md": readme}, seconds=1)
    world.add("rdo-ci", {f"{world.results}/README.md": readme}, seconds=4_070_908_800)
    world.add("mallory", {f"{world.results}/README.md": readme}, seconds=99_999_999_999_999)
