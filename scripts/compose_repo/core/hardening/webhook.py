"""The webhook by which a push starts the pass at once: it calls a pipeline trigger of the gate bot's on main."""

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote

from compose_repo.core.bus.hint import TEMPLATE
from compose_repo.core.composes.paths import BRANCH_PREFIX
from compose_repo.core.escape import terminal
from compose_repo.core.hardening.administration import CreateWebhook, Hook, Plan, ProjectState, RemoveWebhook, Trigger
from compose_repo.core.hardening.keys import host_of
from compose_repo.core.hardening.rule import Rule, Seen, Severity, Where, applies_if, needs_gate_files, rule
from compose_repo.core.links import HTTP
from compose_repo.core.names import is_same_user

PUSHES: Final = "compose-repo: pushes"
"""The name of our webhook, by which it is known wherever it calls, and the description of its pipeline trigger."""
EVENTS: Final = frozenset({"push_events"})
"""What it is called for: our own notes, labels and approvals call it for nothing."""
BY_THE_GATE_BOT: Final = (
    "run `compose-repo setup` with the gate bot's token; or pass --no-webhook if no webhook may be set"
)


def address_of(home: ProjectState) -> str:
    """Give where the trigger of the default branch is called, but for what authorises."""
    branch = quote(home.default_branch, safe="")
    return f"{_api_of(home)}/{home.settings.get('id')}/ref/{branch}/trigger/pipeline?token="


def _api_of(home: ProjectState) -> str:
    server = str(home.settings.get("web_url", "")).removesuffix(f"/{home.path}")
    return f"{server}/api/v4/projects"


def _calls_a_trigger_of(home: ProjectState) -> re.Pattern[str]:
    """Give what an address looks like that starts a pipeline of a project, on whatever branch, by number or by path."""
    where = re.escape(_api_of(home).partition("://")[2])
    which = "|".join(re.escape(one) for one in (str(home.settings.get("id")), quote(home.path, safe="")))
    pattern = rf"{HTTP}{where}/(?:{which})/(?:ref/[^?#]+/)?trigger/pipeline(?:[?#]|\Z)"
    return re.compile(pattern, re.IGNORECASE)


def masked(trigger_id: int) -> str:
    """Name the masked part of the address that holds a trigger's token, so that one sees whose it is."""
    return f"trigger{trigger_id}"


def branches_of(default_branch: str) -> str:
    """Give the pattern of the branches whose pushes matter: the composes', and main, where rules and waivers are."""
    return f"^({re.escape(default_branch)}|{re.escape(BRANCH_PREFIX)}.+)$"


def _not_wanted(seen: Seen) -> str | None:
    return needs_gate_files(seen) if seen.webhook else "only the schedule is to see pushes"


def _ours(seen: Seen) -> list[Hook]:
    """Give the webhooks that are ours to judge and take away: by their name, or as they start our own pipelines."""
    calls = _calls_a_trigger_of(seen.pipelines)
    return [hook for hook in seen.project.hooks if hook.name == PUSHES or calls.match(hook.url)]


def _our_triggers(seen: Seen) -> list[Trigger]:
    return [one for one in seen.project.triggers if one.description == PUSHES]


def _triggers(seen: Seen) -> list[Trigger]:
    """Give the triggers that our webhook may call: they act as the gate bot."""
    bot = seen.gate.bots.gate
    return [one for one in seen.pipelines.triggers if one.description == PUSHES and is_same_user(one.owner, bot)]


def _faults(hook: Hook, seen: Seen) -> Iterator[str]:
    """Say what is wrong with compose-repo's webhook."""
    home, branches = seen.pipelines, branches_of(seen.project.default_branch)
    wanted = address_of(home)
    if hook.url not in {f"{wanted}{{{masked(one.id)}}}" for one in _triggers(seen)}:
        elsewhere = f"something other than the trigger of {home.default_branch} in {home.path}"
        gone = "a trigger that is gone, or is not the gate bot's, or whose token everybody here can read"
        yield f"the webhook {hook.id} to {host_of(hook.url)} calls {gone if hook.url.startswith(wanted) else elsewhere}"
    if hook.events != EVENTS:
        yield f"the webhook {hook.id} is called for {', '.join(sorted(hook.events)) or 'nothing'}, not for push_events"
    if hook.branches != ("regex", branches):
        yield f"the webhook {hook.id} is not called for the branches {branches}"
    if hook.template not in {TEMPLATE, None}:
        yield f"the webhook {hook.id} does not send what it should: its custom template differs"
    if not hook.is_called:
        yield f"the webhook {hook.id} has failed repeatedly, and GitLab no longer calls it"


@rule(
    "webhook-missing",
    Severity.ADVICE,
    why="Only the schedule sees a push, up to an hour later.",
    fix=BY_THE_GATE_BOT,
    where=Where.COMPOSES,
    absent=_not_wanted,
)
def there_is_our_webhook(seen: Seen) -> Iterator[str]:
    """A push to a compose's branch, or to main, starts a run of sync at once."""
    if not _ours(seen):
        yield f"no webhook calls a pipeline trigger in {seen.pipelines.path}"


@rule(
    "webhook-wrong",
    Severity.ADVICE,
    why="A push starts no run of sync, or several, or a run over everything.",
    fix=BY_THE_GATE_BOT,
    where=Where.COMPOSES,
    absent=applies_if(_ours, "there is no such webhook", absent=_not_wanted),
)
def our_webhook_is_right(seen: Seen) -> Iterator[str]:
    """There is one webhook to compose-repo's pipelines: for pushes, to the gate bot's trigger, and GitLab calls it."""
    ours = _ours(seen)
    for hook in ours:
        yield from _faults(hook, seen)
    if len(ours) > 1:
        yield f"there are {len(ours)} of them, and each starts a pipeline"


@rule(
    "trigger-of-another",
    Severity.ADVICE,
    why="Its pipelines have its owner's rights, and stop when they leave; the gate bot has the rights it needs.",
    fix="Settings > CI/CD > Pipeline trigger tokens: remove it; then run `compose-repo setup` with the gate bot's",
    where=Where.TOKEN,
    absent=applies_if(_our_triggers, "there is no such trigger"),
)
def our_trigger_is_the_gate_bots(seen: Seen) -> Iterator[str]:
    """The pipeline trigger that compose-repo's webhook calls belongs to the gate bot."""
    for trigger in _our_triggers(seen):
        if not is_same_user(trigger.owner, seen.gate.bots.gate):
            yield f"the pipeline trigger {PUSHES!r} belongs to {terminal(trigger.owner)}"


def plan_webhook(seen: Seen) -> Plan:
    """Plan our webhook and its trigger; the gate bot's token alone makes them, so that they are the gate bot's."""
    bot = seen.token is not None and is_same_user(seen.token.username, seen.gate.bots.gate)
    if not seen.composes or not bot or _not_wanted(seen) is not None:
        return ()
    path, home, ours = seen.project.path, seen.pipelines, _ours(seen)
    kept = next((hook for hook in ours if not any(_faults(hook, seen))), None)
    removed = tuple(
        RemoveWebhook(project=path, id=hook.id, host=host_of(hook.url)) for hook in ours if hook is not kept
    )
    if kept is not None:
        return removed
    created = CreateWebhook(
        project=path,
        home=home.path,
        description=PUSHES,
        address=address_of(home),
        branches=branches_of(seen.project.default_branch),
        template=TEMPLATE,
    )
    return (*removed, created)


WEBHOOK_RULES: Final[tuple[Rule, ...]] = (there_is_our_webhook, our_webhook_is_right, our_trigger_is_the_gate_bots)
