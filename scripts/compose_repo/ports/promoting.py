"""Calls the hook of a stream, one time: what it carries, with which secret, and what is known of what came of it."""

import base64
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from typing import Final, assert_never
from urllib.parse import quote

from compose_repo.core.forge.action import Promote
from compose_repo.core.problems.problem import UsageError
from compose_repo.core.rules.hook import CommandHook, JenkinsHook, PipelineHook
from compose_repo.ports.clock import Clock
from compose_repo.ports.environment import PromotionSecrets, command_variables, promotion_secrets
from compose_repo.ports.http import Limits
from compose_repo.ports.http.post import Told, post_form

LIMITS: Final = Limits(timeout=30.0, total=60.0, tries=1)
SECONDS: Final = 600.0
"""How long a command may take."""
TRY_AGAIN: Final = 75
"""The exit code by which a command says that it has done nothing and may be called again (EX_TEMPFAIL)."""


def require_means(action: Promote) -> None:
    """See that what the call needs is there, before it is claimed.

    Raises:
        UsageError: a variable is not set, which the message names; or the program is not on this machine.

    """
    secrets = promotion_secrets()
    match action.hook:
        case JenkinsHook():
            _jenkins_account(secrets)
        case PipelineHook():
            _trigger_token(secrets)
        case CommandHook() as hook:
            _program(hook)
        case _:
            assert_never(action.hook)


def call(action: Promote, clock: Clock, *, seconds: float = SECONDS) -> Told:
    """Call, and say what came of it.

    Raises:
        UsageError: a secret is missing.

    """
    told = {f"COMPOSE_REPO_{name.upper()}": value for name, value in action.told}
    match action.hook:
        case JenkinsHook() as hook:
            address = f"{hook.job.rstrip('/')}/buildWithParameters"
            account = base64.b64encode(_jenkins_account(promotion_secrets()).encode()).decode("ascii")
            return post_form(address, told, {"Authorization": f"Basic {account}"}, LIMITS, clock)
        case PipelineHook() as hook:
            project = quote(hook.project, safe="")
            address = f"{hook.url.rstrip('/')}/api/v4/projects/{project}/trigger/pipeline"
            variables = {f"variables[{name}]": value for name, value in told.items()}
            fields = {"token": _trigger_token(promotion_secrets()), "ref": hook.ref, **variables}
            return post_form(address, fields, {}, LIMITS, clock)
        case CommandHook() as hook:
            return _run(hook, told, dict(action.told), seconds)
        case _:
            assert_never(action.hook)


def _run(hook: CommandHook, variables: Mapping[str, str], document: Mapping[str, str], seconds: float) -> Told:
    """Run a command in a session of its own, so that all of it can be ended; what it says is for its own log."""
    given = json.dumps({"schema": "promotion/1", **document}).encode() + b"\n"
    try:
        process = subprocess.Popen(
            hook.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=command_variables(variables),
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        return Told(done=False, said=f"it cannot be run: {getattr(error, 'strerror', None) or error}")
    try:
        process.communicate(given, timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return Told(done=None, said=f"it was ended after {seconds:g} seconds")
    if process.returncode == 0:
        return Told(done=True, said="exit code 0")
    done = False if process.returncode == TRY_AGAIN else None
    return Told(done=done, said=f"exit code {process.returncode}")


def _program(hook: CommandHook) -> None:
    program = hook.command[0]
    if shutil.which(program) is None:
        raise UsageError(
            f"{program} is not a program that can be run here: a run of sync on a machine that has it will call it"
        )


def _jenkins_account(secrets: PromotionSecrets) -> str:
    if not secrets.jenkins_user or not secrets.jenkins_token:
        raise UsageError(
            "COMPOSE_REPO_PROMOTE_JENKINS_USER and COMPOSE_REPO_PROMOTE_JENKINS_TOKEN are not both set: "
            "they are the account that builds the job"
        )
    return f"{secrets.jenkins_user}:{secrets.jenkins_token}"


def _trigger_token(secrets: PromotionSecrets) -> str:
    if not secrets.trigger_token:
        raise UsageError("COMPOSE_REPO_PROMOTE_TRIGGER_TOKEN is not set: it is the pipeline's trigger token")
    return secrets.trigger_token
