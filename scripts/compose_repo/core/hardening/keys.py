"""What opens doors: the token in use, CI/CD variables, job tokens, deploy keys, webhooks, triggers, schedules."""

import datetime as dt
from collections.abc import Iterator
from typing import Final

from compose_repo.core.escape import terminal
from compose_repo.core.hardening.administration import CreateSchedule, LimitJobToken, MoveSchedule, Plan
from compose_repo.core.hardening.rule import (
    NO_PAIR,
    NOT_HERE,
    Rule,
    Seen,
    Severity,
    Where,
    always_there,
    applies_if,
    is_pair,
    rule,
)
from compose_repo.core.links import host_in, is_plain_http
from compose_repo.core.names import is_same_user

VARIABLES: Final = "Settings > CI/CD > Variables"
SCHEDULE: Final = "compose-repo sync"
"""The description by which our pipeline schedule is known."""
TRIGGER: Final = "compose-repo"
"""The description by which our pipeline trigger is known."""
HOURLY: Final = "7 * * * *"
"""On the Free tier a schedule runs 24 times a day at most; not at the full hour, when everybody's does."""
SCOPES: Final = frozenset({"api", "read_api", "read_user", "read_repository", "write_repository", "self_rotate"})
"""What our tokens may be for: `api` is what they need, the others are parts of it."""
SOON: Final = dt.timedelta(days=14)


def host_of(url: str) -> str:
    """Give the host of an address: its path may hold a secret."""
    host = host_in(url)
    return "somewhere" if host is None else terminal(host)


def has_our_schedule(seen: Seen) -> bool:
    """Tell whether there is our pipeline schedule, on or off."""
    return any(one.description == SCHEDULE for one in seen.project.schedules)


def _has_other_schedules(seen: Seen) -> bool:
    return any(one.description != SCHEDULE for one in seen.project.schedules)


def _has_secrets(seen: Seen) -> bool:
    return any(variable.secret for variable in seen.project.variables)


def _third_parties_push(seen: Seen) -> bool:
    return seen.composes and _has_secrets(seen)


def _no_token(seen: Seen) -> str | None:
    return NOT_HERE if seen.token is None else None


def _no_job_tokens(seen: Seen) -> str | None:
    return NOT_HERE if seen.project.job_token_limited is None else None


@rule(
    "token-of-admin",
    Severity.UNSAFE,
    why="A thief of the token controls the whole GitLab.",
    fix="use a token of an account that is not an administrator",
    where=Where.COMPOSES,
    absent=_no_token,
)
def the_token_is_no_admins(seen: Seen) -> Iterator[str]:
    """The token in use belongs to an account that is not an administrator."""
    if seen.token is not None and seen.token.admin:
        yield f"{seen.token.username}, whose token this is, is an administrator"


@rule(
    "token-too-strong",
    Severity.UNSAFE,
    why="A stolen token can do all that its scopes allow; `api` is enough.",
    fix="make a token of scope api alone: avatar > Edit profile > Access tokens; revoke this one",
    where=Where.COMPOSES,
    absent=_no_token,
)
def the_token_has_few_scopes(seen: Seen) -> Iterator[str]:
    """The token in use has no scope beyond `api`."""
    more = sorted(set(seen.token.scopes) - SCOPES) if seen.token is not None else []
    if more:
        yield f"it has the scopes {', '.join(more)} too"


@rule(
    "token-expires",
    Severity.ADVICE,
    why="From that day on, nothing is opened, approved or merged.",
    fix="make a new one (avatar > Edit profile > Access tokens) and put it where this one is used",
    where=Where.COMPOSES,
    absent=_no_token,
)
def the_token_lasts(seen: Seen) -> Iterator[str]:
    """The token in use is valid for at least two more weeks."""
    if seen.token is not None and seen.token.expires is not None and seen.token.expires - seen.today <= SOON:
        yield f"it expires on {seen.token.expires}"


@rule(
    "token-never-expires",
    Severity.ADVICE,
    why="A stolen copy works for ever.",
    fix="make one that expires: avatar > Edit profile > Access tokens; revoke this one",
    where=Where.COMPOSES,
    absent=_no_token,
)
def the_token_ends(seen: Seen) -> Iterator[str]:
    """The token in use has an expiry date."""
    if seen.token is not None and seen.token.expires is None:
        yield "it has no expiry date"


@rule(
    "variable-beside-composes",
    Severity.UNSAFE,
    why="Third parties start pipelines there, and a harmless variable may be replaced by a secret later.",
    fix=f"move it to the gate project: {VARIABLES}",
    where=Where.COMPOSES,
    absent=applies_if(is_pair, NO_PAIR, absent=always_there),
)
def the_compose_project_has_no_variables(seen: Seen) -> Iterator[str]:
    """Where a gate project holds the token, the project of the composes has no CI/CD variables at all."""
    for variable in seen.project.variables if not seen.uses_token else ():
        yield f"there is {variable.key}"


@rule(
    "secret-unprotected",
    Severity.UNSAFE,
    why="It reaches the pipeline of every branch that a Developer creates.",
    fix=f"{VARIABLES} > Protect variable; then replace the secret, because it may have been read",
    where=Where.TOKEN,
    absent=applies_if(_has_secrets, "no variable holds a secret", absent=always_there),
)
def secrets_are_protected(seen: Seen) -> Iterator[str]:
    """CI/CD variables that hold secrets are protected: only pipelines of protected branches get them."""
    for variable in seen.project.variables:
        if variable.secret and not variable.protected:
            yield f"{variable.key} is not protected"


@rule(
    "secret-unmasked",
    Severity.UNSAFE,
    why="A job that prints it shows it to everybody who sees the log.",
    fix=f"{VARIABLES} > Visibility: Masked and hidden; then replace the secret, because it may have been read",
    where=Where.TOKEN,
    absent=applies_if(_has_secrets, "no variable holds a secret", absent=always_there),
)
def secrets_are_masked(seen: Seen) -> Iterator[str]:
    """CI/CD variables that hold secrets are masked."""
    for variable in seen.project.variables:
        if variable.secret and not variable.masked:
            yield f"{variable.key} is not masked"


@rule(
    "secret-everywhere",
    Severity.ADVICE,
    why="Branches of composes are protected, so protected variables reach the jobs that look at third parties' data.",
    fix=f"{VARIABLES} > Environments: gate, that of the job sync; or `compose-repo setup --gate-project PATH`",
    where=Where.TOKEN,
    absent=applies_if(_third_parties_push, "no secret is where third parties push", absent=always_there),
)
def secrets_have_an_environment(seen: Seen) -> Iterator[str]:
    """Where third parties push, CI/CD variables that hold secrets are for one environment."""
    for variable in seen.project.variables if seen.composes else ():
        if variable.secret and variable.scope == "*":
            yield f"{variable.key} is for every environment"


@rule(
    "job-token-open",
    Severity.UNSAFE,
    why="Jobs of every project on this GitLab could reach this one with the rights of the user who started them.",
    fix="Settings > CI/CD > Job token permissions > Only this project and any groups and projects in the allowlist",
    by_setup=True,
    absent=_no_job_tokens,
)
def job_tokens_of_others_are_kept_out(seen: Seen) -> Iterator[str]:
    """Job tokens of other projects do not reach this one."""
    if seen.project.job_token_limited is False:
        yield "job tokens of every project are allowed"


@rule(
    "deploy-key-pushes",
    Severity.UNSAFE,
    why="Its pushes belong to no user, and protected branches may allow them.",
    fix="Settings > Repository > Deploy keys: remove it, or its write permission",
    absent=applies_if(lambda seen: seen.project.deploy_keys, "there is no deploy key", absent=always_there),
)
def deploy_keys_do_not_push(seen: Seen) -> Iterator[str]:
    """No deploy key may push."""
    for key in seen.project.deploy_keys:
        if key.can_push:
            yield f"the deploy key {terminal(key.title)!r} may push"


@rule(
    "webhook-insecure",
    Severity.ADVICE,
    why="Others can read and change its secret token and its content on the way.",
    fix="Settings > Webhooks: an https address, and Enable SSL verification",
    absent=applies_if(lambda seen: seen.project.hooks, "there is no webhook", absent=always_there),
)
def webhooks_are_encrypted(seen: Seen) -> Iterator[str]:
    """Webhooks go over TLS and check the certificate."""
    for hook in seen.project.hooks:
        host = host_of(hook.url)
        if is_plain_http(hook.url):
            yield f"the webhook to {host} is not encrypted"
        elif not hook.checks_certificate:
            yield f"the webhook to {host} does not check the certificate"


@rule(
    "trigger-unknown",
    Severity.ADVICE,
    why="Anybody who has the token can start pipelines with its owner's rights.",
    fix=f"Settings > CI/CD > Pipeline trigger tokens: remove it, or describe it as {TRIGGER!r} if it is compose-repo's",
    absent=applies_if(lambda seen: seen.project.triggers, "there is no pipeline trigger", absent=always_there),
)
def triggers_are_ours(seen: Seen) -> Iterator[str]:
    """There is no pipeline trigger other than compose-repo's."""
    for trigger in seen.project.triggers:
        if not trigger.description.startswith(TRIGGER):
            yield f"{trigger.owner} has the pipeline trigger {trigger.description!r}"


@rule(
    "schedule-missing",
    Severity.STOPPED,
    why="It runs the sync that opens, approves and merges.",
    fix="Build > Pipeline schedules > New schedule",
    where=Where.TOKEN,
    by_setup=True,
)
def there_is_our_schedule(seen: Seen) -> Iterator[str]:
    """There is a pipeline schedule for compose-repo sync."""
    if all(schedule.description != SCHEDULE for schedule in seen.project.schedules):
        yield f"no pipeline schedule is described as {SCHEDULE!r}"


@rule(
    "schedule-moved",
    Severity.UNSAFE,
    why="On another branch it runs, with its owner's rights, code of anybody who may push to that branch.",
    fix="Build > Pipeline schedules > Edit > Target branch",
    where=Where.TOKEN,
    by_setup=True,
    absent=applies_if(has_our_schedule, "there is no such schedule", absent=always_there),
)
def our_schedule_is_on_main(seen: Seen) -> Iterator[str]:
    """The pipeline schedule of compose-repo runs on the default branch."""
    for schedule in seen.project.schedules:
        if schedule.description == SCHEDULE and schedule.ref != seen.project.default_branch:
            yield f"{SCHEDULE!r} runs on {schedule.ref}"


@rule(
    "schedule-elsewhere",
    Severity.UNSAFE,
    why="It runs, with its owner's rights, code of anybody who may push to that branch.",
    fix="Build > Pipeline schedules: delete it, or make it run on the default branch",
    absent=applies_if(_has_other_schedules, "there is no other schedule", absent=always_there),
)
def schedules_are_on_main(seen: Seen) -> Iterator[str]:
    """Every other pipeline schedule runs on the default branch, too."""
    for schedule in seen.project.schedules:
        if schedule.description != SCHEDULE and schedule.active and schedule.ref != seen.project.default_branch:
            yield f"{schedule.owner}'s pipeline schedule {schedule.description!r} runs on {schedule.ref}"


@rule(
    "schedule-of-another",
    Severity.ADVICE,
    why="A pipeline has its owner's rights, and stops when they leave; the gate bot has the rights it needs.",
    fix="as the gate bot: Build > Pipeline schedules > Take ownership",
    where=Where.TOKEN,
    absent=applies_if(has_our_schedule, "there is no such schedule"),
)
def our_schedule_is_the_gate_bots(seen: Seen) -> Iterator[str]:
    """The pipeline schedule of compose-repo, once it is active, belongs to the gate bot."""
    for schedule in seen.project.schedules:
        ours = schedule.description == SCHEDULE and schedule.active
        if ours and not is_same_user(schedule.owner, seen.gate.bots.gate):
            yield f"{SCHEDULE!r} belongs to {schedule.owner}"


def plan_schedule(seen: Seen) -> Plan:
    """Plan our schedule. It is made inactive: a person switches it on when the token is in its place."""
    if not seen.uses_token:
        return ()
    path, main = seen.project.path, seen.project.default_branch
    ours = [schedule for schedule in seen.project.schedules if schedule.description == SCHEDULE]
    if not ours:
        return (CreateSchedule(project=path, description=SCHEDULE, ref=main, cron=HOURLY, active=False),)
    return tuple(
        MoveSchedule(project=path, id=one.id, description=one.description, ref=main) for one in ours if one.ref != main
    )


def plan_job_token(seen: Seen) -> Plan:
    """Plan to keep other projects' job tokens out."""
    return (LimitJobToken(project=seen.project.path),) if seen.project.job_token_limited is False else ()


SECRET_RULES: Final[tuple[Rule, ...]] = (
    the_token_is_no_admins,
    the_token_has_few_scopes,
    the_token_lasts,
    the_token_ends,
    the_compose_project_has_no_variables,
    secrets_are_protected,
    secrets_are_masked,
    secrets_have_an_environment,
    job_tokens_of_others_are_kept_out,
    deploy_keys_do_not_push,
    webhooks_are_encrypted,
    triggers_are_ours,
    there_is_our_schedule,
    our_schedule_is_on_main,
    schedules_are_on_main,
    our_schedule_is_the_gate_bots,
)
