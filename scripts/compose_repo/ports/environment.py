"""The only place that reads the environment."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct

from compose_repo.core.problems.problem import UsageError

TIMEOUT: Final = 30.0
"""Seconds without an answer after which a server counts as silent, where nothing else is said."""


class Environment(Struct, frozen=True, kw_only=True):
    """What the surroundings say: where GitLab is and who we are there. None where nothing is set.

    `opener_token` is the compose bot's, for where one run opens and judges: that takes two accounts. `template` is
    where the template is, of which the project is an instance.
    """

    gitlab_url: str | None
    project: str | None
    token: str | None
    in_ci: bool
    opener_token: str | None = None
    template: str | None = None
    timeout: float = TIMEOUT


def environment(variables: Mapping[str, str] = os.environ) -> Environment:
    """Read the environment; outside CI the project's own variables count, in CI those of GitLab stand in for them.

    Raises:
        UsageError: COMPOSE_REPO_TIMEOUT is no number of seconds.

    """
    get = variables.get
    return Environment(
        gitlab_url=get("COMPOSE_REPO_URL") or get("CI_SERVER_URL"),
        project=get("COMPOSE_REPO_PROJECT") or get("CI_PROJECT_ID"),
        token=get("COMPOSE_REPO_TOKEN"),
        opener_token=get("COMPOSE_REPO_OPENER_TOKEN"),
        template=get("COMPOSE_REPO_TEMPLATE"),
        in_ci=_in_ci(variables),
        timeout=timeout(variables),
    )


class PromotionSecrets(Struct, frozen=True, kw_only=True):
    """What opens the hooks of streams; the names of the variables are fixed, so no configuration can ask for others."""

    jenkins_user: str | None
    jenkins_token: str | None
    trigger_token: str | None


def promotion_secrets(variables: Mapping[str, str] = os.environ) -> PromotionSecrets:
    """Read the secrets of hooks."""
    get = variables.get
    return PromotionSecrets(
        jenkins_user=get("COMPOSE_REPO_PROMOTE_JENKINS_USER"),
        jenkins_token=get("COMPOSE_REPO_PROMOTE_JENKINS_TOKEN"),
        trigger_token=get("COMPOSE_REPO_PROMOTE_TRIGGER_TOKEN"),
    )


_ROOT_MARKS: Final = (".git", "gate/policy.toml")
"""What only a repository's root has; copies of the files have no .git."""


def root_above(folder: Path) -> Path:
    """Find the repository's root that a folder is in: the nearest folder upwards that looks like one, else the folder.

    It is given relative to the folder, so that messages name it as people would.
    """
    for steps, above in enumerate([folder, *folder.parents]):
        if any((above / mark).exists() for mark in _ROOT_MARKS):
            return Path(*[".."] * steps)
    return Path()


def columns(variables: Mapping[str, str] = os.environ) -> int | None:
    """Give the width that people want lines to have, where COLUMNS says one."""
    text = variables.get("COLUMNS", "")
    return int(text) if text.isascii() and text.isdecimal() and 0 < int(text) <= _WIDEST else None


_WIDEST: Final = 1000
_FOR_COMMANDS = ("PATH", "HOME", "USER", "LOGNAME", "LANG", "TZ", "TMPDIR")


def command_variables(more: Mapping[str, str]) -> dict[str, str]:
    """Give the environment for a hook's command: what any program needs, and no secret of the bots or of CI."""
    kept = {name: value for name in _FOR_COMMANDS if (value := os.environ.get(name)) is not None}
    return {**kept, **more}


def nonce() -> str:
    """Give a text that nobody else has."""
    import secrets  # noqa: PLC0415  # only a promotion needs it, and it is slow to import

    return secrets.token_hex(16)


def timeout(variables: Mapping[str, str] = os.environ) -> float:
    """Give the seconds without an answer after which a server counts as silent.

    Raises:
        UsageError: COMPOSE_REPO_TIMEOUT is no number of seconds.

    """
    text = variables.get("COMPOSE_REPO_TIMEOUT") or str(TIMEOUT)
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= _LONGEST:
        raise UsageError(f"COMPOSE_REPO_TIMEOUT is {text!r}; it should be a number of seconds, at most {_LONGEST}")
    return seconds


_LONGEST: Final = 3600


def _in_ci(variables: Mapping[str, str]) -> bool:
    return variables.get("CI", "") not in {"", "false", "0"}


def wants_plain_output(variables: Mapping[str, str] = os.environ) -> bool:
    """Tell whether colours and moving lines are unwanted: NO_COLOR (no-color.org), a dumb terminal, or CI."""
    return bool(variables.get("NO_COLOR")) or variables.get("TERM") == "dumb" or _in_ci(variables)


def child_variables(**more: str) -> dict[str, str]:
    """Give the environment for a git process: ours without what would turn git elsewhere, and then some.

    Of git's own variables only those stay that say how to reach a server; GIT_DIR and the like would make it read
    another repository, GIT_TRACE and the like could print a token.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GIT_") or name.startswith(("GIT_SSH", "GIT_SSL"))
    }
    return {**kept, **more}
