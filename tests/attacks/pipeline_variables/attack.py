"""Mallory starts the branch's pipeline with variables: PYTHONPATH, GIT_DIR, another GitLab, another project.

Without the setting that `setup` makes, the job that judges loads Mallory's modules.
"""

import contextlib
from collections.abc import Iterator

from gitlab.exceptions import GitlabError

from attacks.world import Mutation, Played, World

VARIABLES = ("PYTHONPATH", "PYTHONSTARTUP", "GIT_DIR", "GIT_CONFIG_COUNT", "COMPOSE_REPO_URL", "PATH", "LD_PRELOAD")
DEFENCES = (
    Mutation(
        module="core/hardening/settings.py",
        old='restrict_user_defined_variables=True, ci_pipeline_variables_minimum_override_role="no_one_allowed"',
        new='restrict_user_defined_variables=True, ci_pipeline_variables_minimum_override_role="developer"',
    ),
)


def prepare(world: World) -> None:
    """RelEng runs setup."""
    world.set_up()


def after_reports(world: World) -> None:
    """Try each."""
    for name in VARIABLES:
        with contextlib.suppress(GitlabError):
            world.as_("mallory").pipelines.create({"ref": world.branch, "variables": [{"key": name, "value": "/evil"}]})


def verify(played: Played) -> Iterator[str]:
    """No pipeline has any of them."""
    for pipeline in played.world.as_("releng").pipelines.list(get_all=True):
        names = {variable.key for variable in pipeline.variables.list(get_all=True)} & {*VARIABLES}
        if names:
            yield f"a pipeline has {', '.join(sorted(names))}"
