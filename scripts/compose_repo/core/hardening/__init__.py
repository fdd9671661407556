"""The hardened state of a project: every rule of it, what breaks one, and the plan that brings a project there."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final

from msgspec import Struct

from compose_repo.core.escape import terminal
from compose_repo.core.hardening.administration import Plan
from compose_repo.core.hardening.branches import BRANCH_RULES, plan_branches
from compose_repo.core.hardening.files import FILE_RULES, plan_labels
from compose_repo.core.hardening.keys import SECRET_RULES, plan_job_token, plan_schedule
from compose_repo.core.hardening.people import PEOPLE_RULES
from compose_repo.core.hardening.rule import Rule, Seen, Severity
from compose_repo.core.hardening.running import RUNNING_RULES
from compose_repo.core.hardening.settings import SETTINGS, plan_settings
from compose_repo.core.hardening.tags import TAG_RULES, plan_tags
from compose_repo.core.hardening.template import TEMPLATE_RULES
from compose_repo.core.hardening.webhook import WEBHOOK_RULES, plan_webhook

SCHEMA: Final = "doctor/2"
RULES: Final[tuple[Rule, ...]] = (
    *(setting.rule for setting in SETTINGS),
    *BRANCH_RULES,
    *TAG_RULES,
    *PEOPLE_RULES,
    *SECRET_RULES,
    *WEBHOOK_RULES,
    *RUNNING_RULES,
    *FILE_RULES,
    *TEMPLATE_RULES,
)
"""Every rule, in the order in which they are told."""


class State(StrEnum):
    """What came of a check; ABSENT: it cannot be made here, or there is nothing that it could be about."""

    FINE = "fine"
    BROKEN = "broken"
    ABSENT = "absent"


class Check(Struct, frozen=True, kw_only=True):
    """One rule held against one project, and each thing that breaks it, in a sentence."""

    rule: Rule
    project: str
    state: State
    findings: tuple[str, ...] = ()
    absent: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Give the `doctor/2` row."""
        return {
            "code": self.rule.code,
            "project": self.project,
            "state": str(self.state),
            "severity": str(self.rule.severity),
            "law": self.rule.law,
            "findings": list(self.findings),
            "absent": self.absent,
            "why": self.rule.why,
            "fix": self.rule.fix,
            "setup": self.rule.by_setup,
        }


def examine(seen: Seen, rules: Sequence[Rule] = RULES) -> list[Check]:
    """Hold every rule that is about a project against it."""
    return [_check(rule, seen) for rule in rules if seen.is_at(rule.where)]


def _check(rule: Rule, seen: Seen) -> Check:
    absent = rule.absent(seen)
    if absent is not None:
        return Check(rule=rule, project=seen.project.path, state=State.ABSENT, absent=absent)
    findings = tuple(map(terminal, rule.test(seen)))
    state = State.BROKEN if findings else State.FINE
    return Check(rule=rule, project=seen.project.path, state=state, findings=findings)


def plan_setup(seen: Seen) -> Plan:
    """Plan what brings a project to the hardened state: who may push and merge first, what is only seen last."""
    return (
        *plan_branches(seen),
        *plan_tags(seen),
        *plan_settings(seen),
        *plan_job_token(seen),
        *plan_labels(seen),
        *plan_schedule(seen),
        *plan_webhook(seen),
    )


def is_unsafe(checks: Sequence[Check]) -> bool:
    """Tell whether somebody can do what they should not."""
    return _has_broken(checks, Severity.UNSAFE)


def is_stopped(checks: Sequence[Check]) -> bool:
    """Tell whether the project cannot run, or has stopped to."""
    return _has_broken(checks, Severity.STOPPED)


def _has_broken(checks: Sequence[Check], severity: Severity) -> bool:
    return any(check.state is State.BROKEN and check.rule.severity is severity for check in checks)


class Begun(Struct, frozen=True, kw_only=True):
    """Which of the steps are done that people do once, after the first `setup`."""

    accounts: bool
    tokens: bool
    schedule: bool
    webhook: bool


BEGINNING: Final = frozenset({"schedule-off", "token-missing", "webhook-missing"})
"""The rules that are kept once those steps are done, and before that say nothing that the steps do not say."""


def begun(checks: Sequence[Check]) -> Begun:
    """Tell which steps are done, from the checks of all projects; a step that does not apply is."""
    broken = {check.rule.code for check in checks if check.state is State.BROKEN}
    return Begun(
        accounts=broken.isdisjoint({"bot-missing", "bots-are-one"}),
        tokens="token-missing" not in broken,
        schedule=broken.isdisjoint({"schedule-missing", "schedule-off", "schedule-of-another"}),
        webhook=broken.isdisjoint({"webhook-missing", "webhook-wrong"}),
    )


def as_markdown() -> str:
    """Write `docs/doctor.md`."""
    parts = [
        "# What `compose-repo doctor` checks\n",
        "Each check has a stable code. `unsafe`: somebody can move a decision, a merge or a secret who should not, and",
        "`doctor` exits 1. `stopped`: the project does not run, and `doctor` exits 1. `advice`: something works badly,",
        "will stop working, or a second line of defence is missing. A check that cannot be made, or has nothing to be",
        "about, says so: `doctor --all` lists it as `skip`, with the reason.",
        "`compose-repo setup` fixes those whose fix says so. Made from `scripts/compose_repo/core/hardening/`.",
        "",
        "| code | | law | why it matters | fix |",
        "|---|---|---|---|---|",
    ]
    parts += [f"| `{rule.code}` | {rule.severity} | {rule.law} | {rule.why} | {rule.fix} |" for rule in RULES]
    return "\n".join(parts) + "\n"
