"""Mallory sets a status of her own in the pipeline of a satisfied compose, where merging leads to publishing.

Without the defence any Developer holds every compose up, and nobody is told who does: GitLab says that a pipeline has
not succeeded.
"""

from collections.abc import Iterator

from attacks.world import STREAMS, Mutation, Played, Start, World

STARTS = (Start.SATISFIED,)
TWIN = False
DEFENCES = (
    Mutation(
        module="core/forge/forge.py",
        old='return not self.is_job or self.state == "canceled"',
        new="return False",
    ),
)
MAIN = {"gate/streams.toml": STREAMS.replace('mode = "mirror"', 'mode = "gating"')}
NEEDS_SOMEBODY, NOT_YET = 1, 3
"""What `merge` exits with where people have to do something first, and where only time has to pass."""


def prepare(world: World) -> None:
    """Set what `setup` sets where every stream is gated."""
    project = world.as_("releng").manager.get(world.project.id)
    project.only_allow_merge_if_pipeline_succeeds = True
    project.save()


def newest(world: World) -> int:
    """Give the newest pipeline of the merge request."""
    return int(world.merge_request("releng").pipelines.list(per_page=1, get_all=False)[0].id)


def end(world: World) -> int:
    """Let the newest pipeline have one job, which has succeeded: no runner is here to do it."""
    assert world.arena.gitlab.wait_for_pipelines(60)
    store, pipeline = world.arena.gitlab.site.store, newest(world)
    row = store.get("pipelines", pipeline)
    store.run("DELETE FROM jobs WHERE pipeline_id = ?", pipeline)
    job = {name: row[name] for name in ("project_id", "ref", "sha", "user_id", "created_at")}
    store.insert("jobs", **job, pipeline_id=pipeline, kind="build", name="validate", stage="test", status="success")
    store.update("pipelines", pipeline, status="success")
    return pipeline


def meddle(world: World, state: str) -> int:
    """Set a status in the pipeline, as Mallory."""
    pipeline = end(world)
    commit = world.as_("mallory").commits.get(world.head(), lazy=True)
    commit.statuses.create({"state": state, "name": "lint", "pipeline_id": pipeline})
    return pipeline


def _verify(state: str, first: int, played: Played) -> Iterator[str]:
    """Another pipeline is started, and merged after; where that is held too, a failure names who does it."""
    world = played.world
    if played.outcome.merge not in {NEEDS_SOMEBODY, NOT_YET} or newest(world) == first:
        yield f"no other pipeline is started: {played.outcome.merge}, {world.said[-1]}"
        return
    second = meddle(world, state)
    code = world.merge().code
    if (code, newest(world), "by mallory is" in world.said[-1]) != (NEEDS_SOMEBODY, second, True):
        yield f"nobody is told who holds it, once: {code}, {world.said[-1]}"
    world.merge_request("releng").pipelines.create({})
    end(world)
    world.merge()
    if world.counting().state != "merged":
        yield f"it is not merged when the pipeline has succeeded: {world.said[-1]}"


def _variant(state: str) -> dict[str, object]:
    held: list[int] = []
    return {
        "before_merge": lambda world: held.append(meddle(world, state)),
        "verify": lambda played: _verify(state, held[-1], played),
    }


VARIANTS = {state: _variant(state) for state in ("failed", "running")}
