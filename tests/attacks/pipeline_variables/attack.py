"""Mallory starts the branch's pipeline with variables: PYTHONPATH, GIT_DIR, another GitLab, another project.

Without the setting that `setup` makes, the job that judges loads Mallory's modules.
"""

import pytest
from gitlab.exceptions import GitlabError

from attacks.world import World

VARIABLES = ("PYTHONPATH", "PYTHONSTARTUP", "GIT_DIR", "GIT_CONFIG_COUNT", "COMPOSE_REPO_URL", "PATH", "LD_PRELOAD")


def after_reports(world: World) -> None:
    """RelEng has set who may override variables, as setup does; Mallory tries."""
    project = world.as_("releng")
    project.manager.gitlab.http_put(
        f"/projects/{world.project.id}", post_data={"ci_pipeline_variables_minimum_override_role": "no_one_allowed"}
    )
    for name in VARIABLES:
        with pytest.raises(GitlabError, match="variables"):
            world.as_("mallory").pipelines.create({"ref": world.branch, "variables": [{"key": name, "value": "/evil"}]})
