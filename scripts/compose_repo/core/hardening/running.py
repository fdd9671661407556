"""What a project needs to run at all: the schedule is on, the tokens are there, and runs of sync end."""

import datetime as dt
from collections.abc import Iterator
from typing import Final

from compose_repo.core.hardening.keys import SCHEDULE, VARIABLES, has_our_schedule
from compose_repo.core.hardening.rule import Rule, Seen, Severity, Where, rule

TOKENS: Final = {"COMPOSE_REPO_TOKEN": "the gate bot's", "COMPOSE_REPO_OPENER_TOKEN": "the compose bot's"}
"""The CI/CD variables that the job sync needs, and whose token is in each."""
SILENT: Final = dt.timedelta(hours=6)
"""How long no run of sync may end; the schedule starts one each hour."""
STOPPED: Final = "Until then nothing is opened, judged, approved or merged."


def _is_on(seen: Seen) -> bool:
    return any(one.description == SCHEDULE and one.active for one in seen.project.schedules)


def _is_recent(seen: Seen, moment: dt.datetime | None) -> bool:
    return moment is not None and seen.now - moment <= SILENT


def _missing(seen: Seen) -> list[str]:
    there = {variable.key for variable in seen.project.variables}
    return [key for key in TOKENS if key not in there]


def _no_schedule(seen: Seen) -> str | None:
    return None if has_our_schedule(seen) else f"no pipeline schedule is described as {SCHEDULE!r}"


def _set_elsewhere(seen: Seen) -> str | None:
    """A group's variables are not shown to a project's Maintainers; a run that succeeded has had them."""
    if _missing(seen) and _is_recent(seen, seen.project.runs.succeeded):
        return "they are not in the project, but runs of sync succeed: they come from a group or the whole GitLab"
    return None


def _nothing_runs(seen: Seen) -> str | None:
    return None if _is_on(seen) else "the pipeline schedule is missing or off"


@rule(
    "schedule-off",
    Severity.STOPPED,
    why=STOPPED,
    fix="once the tokens are in their place, as the gate bot: Build > Pipeline schedules > Take ownership, then switch "
    "it on",
    where=Where.TOKEN,
    absent=_no_schedule,
)
def our_schedule_is_on(seen: Seen) -> Iterator[str]:
    """The pipeline schedule of compose-repo is active."""
    if not _is_on(seen):
        yield f"the pipeline schedule {SCHEDULE!r} is off"


@rule(
    "token-missing",
    Severity.STOPPED,
    why="Without the gate bot's token nothing is judged or merged, without the compose bot's nothing is opened.",
    fix=f"{VARIABLES}: masked and hidden, protected, for the environment gate",
    where=Where.TOKEN,
    absent=_set_elsewhere,
)
def the_tokens_are_there(seen: Seen) -> Iterator[str]:
    """The tokens of both bots are CI/CD variables."""
    for key in _missing(seen):
        yield f"there is no variable {key}, for {TOKENS[key]} token"


@rule(
    "no-run",
    Severity.STOPPED,
    why=STOPPED,
    fix="Build > Pipelines: look for runners, minutes and the schedule's owner",
    where=Where.TOKEN,
    absent=_nothing_runs,
)
def runs_end(seen: Seen) -> Iterator[str]:
    """A run of sync on the default branch has ended within the last 6 hours."""
    main, ran = seen.project.default_branch, seen.project.runs.ended
    if ran is None:
        yield f"no run of sync on {main} has ended yet"
    elif not _is_recent(seen, ran):
        yield f"the last run of sync on {main} ended {_ago(seen, ran)}"


@rule(
    "runs-fail",
    Severity.ADVICE,
    why="They cannot begin, as when a token has expired; or each of them names something that failed or was refused.",
    fix="Build > Pipelines: read the log of the newest job sync (docs/operations.md, What to do when)",
    where=Where.TOKEN,
    absent=_nothing_runs,
)
def runs_succeed(seen: Seen) -> Iterator[str]:
    """Of the runs of sync that ended within the last 6 hours one has succeeded."""
    good = seen.project.runs.succeeded
    if _is_recent(seen, seen.project.runs.ended) and not _is_recent(seen, good):
        yield "none has succeeded yet" if good is None else f"the last one succeeded {_ago(seen, good)}"


def _ago(seen: Seen, moment: dt.datetime) -> str:
    return f"{(seen.now - moment) // dt.timedelta(hours=1):,} hours ago, at {moment:%Y-%m-%d %H:%M} UTC"


RUNNING_RULES: Final[tuple[Rule, ...]] = (our_schedule_is_on, the_tokens_are_there, runs_end, runs_succeed)
