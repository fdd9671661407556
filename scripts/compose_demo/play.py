"""Sets the demo's stage, plays the story on it, and says how it ended."""

import datetime as dt
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from compose_demo.composes import Pair, bring_here, place_day_after, place_day_before
from compose_demo.narrator import DemoError, Narrator
from compose_demo.stage import ComposeServer, stage
from compose_demo.story import Scene, Story, leave_one_open, tell
from compose_repo.ports.console import Console
from local_gitlab import CiRunner
from local_gitlab.ci_runner import why_not
from sample_composes.sample import SampleSpec, write_compose

OLDER: Final = "CentOS-Stream-10-20261119.0"
NEWER: Final = "CentOS-Stream-10-20261120.0"


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """What the demo is asked for: a real compose (`source`) or a sample of so many source packages.

    With `keep`, one more compose is left open.
    """

    repository: Path
    source: str | None
    srpms: int
    port: int
    now: dt.datetime
    keep: bool = False


def play(
    wish: Wish,
    folder: Path,
    console: Console,
    *,
    until: Scene | None = None,
    at_the_end: Callable[[Story], None] = lambda _: None,
) -> int:
    """Play the demo in an empty folder; 0 if every step came out as told, 1 at the first that did not.

    `until` is the last scene to play, by default that of the story. `at_the_end` is called with everything running.
    """
    narrator = Narrator(console)
    console.out("Compose Repo: every compose is a merge request. All of this happens on this machine.")
    try:
        ci = CiRunner.find({"COMPOSE_REPO_VENV": sys.prefix})
        with stage(folder, repository=wish.repository, ci=ci, port=wish.port, busy=narrator.busy) as playing:
            with narrator.scene("A compose server, a GitLab and five accounts"):
                narrator.say(f"GitLab: {playing.gitlab.url}   composes: {playing.server.url}/production/")
                narrator.say(f"pipelines: {'by gitlab-ci-local' if ci else f'none will run: {why_not()}'}")
                with narrator.busy("making composes"):
                    composes = _composes(wish, playing.server)
                narrator.say(composes.told)
            story = Story(stage=playing, narrator=narrator, composes=composes, now=wish.now)
            tell(story, until=until)
            if wish.keep:
                with narrator.scene("The next day's compose is left open for you"):
                    with narrator.busy("making a compose"):
                        later = place_day_after(composes.newer, playing.server.workshop)
                    leave_one_open(story, later)
            console.out(f"\nEverything came out as told, in {narrator.seconds:.0f} s.")
            at_the_end(story)
    except DemoError as error:
        console.error(f"the demo stops here: {error}")
        return 1
    return 0


def _composes(wish: Wish, server: ComposeServer) -> Pair:
    return _sample(wish.srpms, server) if wish.source is None else _real(wish.source, server)


def _sample(srpms: int, server: ComposeServer) -> Pair:
    older = SampleSpec.create(OLDER, srpms=srpms)
    newer = older.evolve(NEWER)
    for spec in (older, newer):
        write_compose(server.workshop, spec)
    rpms = sum(len(package.rpms) for package in newer.packages)
    told = f"two sample composes a day apart: {len(newer.packages):,} source and {rpms:,} binary packages, four arches"
    return Pair(older=older.compose_id, newer=newer.compose_id, told=told)


def _real(source: str, server: ComposeServer) -> Pair:
    newer = bring_here(source, server.workshop)
    metadata = server.workshop / str(newer) / "compose" / "metadata"
    older = place_day_before(metadata, newer, server.workshop)
    present = ", ".join(sorted(file.name for file in metadata.glob("*.json")))
    missing = [name for name in ("composeinfo.json", "images.json", "modules.json") if not (metadata / name).exists()]
    told = f"a real compose, {newer}, with {present}"
    told += f" (its server has no {', '.join(missing)})" if missing else ""
    return Pair(
        older=older, newer=newer, told=f"{told}\nand {older}, made from it, one package in a hundred a release older"
    )
