"""How a GitLab project is set up, as far as we look at it, and the writes that change it."""

import datetime as dt
import json
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, Protocol, TypeAlias

from msgspec import Struct
from msgspec.structs import fields

from compose_repo.core.forge.forge import ForgeError
from compose_repo.core.names import is_same_user

NO_ONE: Final = 0
DEVELOPER: Final = 30
MAINTAINER: Final = 40
OWNER: Final = 50
_ROLES: Final = {
    0: "no role",
    5: "Minimal Access",
    10: "Guest",
    15: "Planner",
    20: "Reporter",
    25: "Security Manager",
    30: "Developer",
    40: "Maintainer",
    50: "Owner",
    60: "Administrator",
}
_SECRET_NAME: Final = re.compile(r"TOKEN|SECRET|PASSW|PRIVATE|CREDENTIAL|(?:\A|_)(?:KEY|AUTH)(?:\Z|_)", re.IGNORECASE)
_SECRET_VALUE: Final = re.compile(
    r"gl[a-z]{2,10}-[\w.-]{16,}|-----BEGIN [A-Z ]*PRIVATE KEY-----|\Aey[\w-]+\.ey[\w-]+\."
)

Value: TypeAlias = str | int | bool | None


class Refused(ForgeError):  # noqa: N818  # it names what happened; who is at fault is not known
    """GitLab refuses one write; it may take the others all the same."""


class Dispensable(Refused):
    """GitLab refuses what all works without, if less well."""


class NotOnThisTier(Dispensable):
    """GitLab has a setting on paid tiers only."""


def role(level: int) -> str:
    """Name a role as GitLab's pages do."""
    return _ROLES.get(level, f"role {level}")


def spelled(value: object) -> str:
    """Write a setting's value as GitLab's API does."""
    return json.dumps(value, ensure_ascii=False)


def looks_secret(key: str, value: str | None) -> bool:
    """Tell whether a CI/CD variable seems to hold a secret: by its name, or by the form of its value.

    The value of a hidden one is None: nobody hides what is no secret.
    """
    return value is None or _SECRET_NAME.search(key) is not None or _SECRET_VALUE.search(value) is not None


class Access(Struct, frozen=True, kw_only=True):
    """Who a branch rule allows: everybody of a role, or (`holder`) one user, group or deploy key."""

    level: int
    holder: str | None = None
    user_id: int | None = None

    @property
    def name(self) -> str:
        """The words for it."""
        return self.holder or ("no one" if self.level == NO_ONE else f"{role(self.level)}s")


class BranchRule(Struct, frozen=True, kw_only=True):
    """The protection of a branch, or of every branch that fits a pattern; an inherited one is the group's."""

    name: str
    push: tuple[Access, ...]
    merge: tuple[Access, ...]
    force_push: bool
    inherited: bool = False


class TagRule(Struct, frozen=True, kw_only=True):
    """The protection of a tag, or of every tag that fits a pattern: who may create it; nobody moves it then."""

    name: str
    create: tuple[Access, ...]


class Label(Struct, frozen=True, kw_only=True):
    """A label of merge requests; colours as `#rrggbb`."""

    name: str
    color: str
    description: str


class Schedule(Struct, frozen=True, kw_only=True):
    """A pipeline schedule; `ref` is a branch's short name, `owner` the user with whose rights it runs."""

    id: int
    description: str
    ref: str
    active: bool
    owner: str


class Variable(Struct, frozen=True, kw_only=True):
    """A CI/CD variable, without its value."""

    key: str
    scope: str
    protected: bool
    masked: bool
    secret: bool


class Hook(Struct, frozen=True, kw_only=True):
    """A webhook, without its secret; masked parts of its address are names in braces, its own name may be none.

    `events` names the switches of what it is called for. `branches` is the strategy and the pattern by which pushes are
    chosen, `template` what takes the event's place: "" if nothing does, None where this GitLab knows no templates.
    """

    id: int
    url: str
    checks_certificate: bool
    events: frozenset[str] = frozenset()
    branches: tuple[str, str] = ("wildcard", "")
    template: str | None = None
    is_called: bool = True
    name: str = ""


class DeployKey(Struct, frozen=True, kw_only=True):
    """An SSH key of nobody in particular that opens this project."""

    id: int
    title: str
    can_push: bool


class Trigger(Struct, frozen=True, kw_only=True):
    """A pipeline trigger token, without its value."""

    id: int
    description: str
    owner: str


class Member(Struct, frozen=True, kw_only=True):
    """Somebody with a role in a project, from the project itself or from a group above it."""

    id: int
    username: str
    level: int
    expires: dt.date | None = None
    blocked: bool = False


class Token(Struct, frozen=True, kw_only=True):
    """The access token in use, and whose it is; `expires` is its last day's morrow, None where it never ends."""

    username: str
    admin: bool
    scopes: tuple[str, ...]
    expires: dt.date | None


class Runs(Struct, frozen=True, kw_only=True):
    """When a run of sync on the default branch has last ended, and last succeeded; None where none has."""

    ended: dt.datetime | None = None
    succeeded: dt.datetime | None = None


class ProjectState(Struct, frozen=True, kw_only=True):
    """How a project is set up. What is None, this GitLab does not have: it is not on its tier, or it is too old.

    `settings` is the project as the API gives it, `files` those of our files that lie on its default branch. `runs`
    are those of sync.
    """

    path: str
    default_branch: str
    settings: Mapping[str, Any]
    approvals: Mapping[str, Any] | None
    push_rule: Mapping[str, Any] | None
    job_token_limited: bool | None
    rules: tuple[BranchRule, ...]
    labels: tuple[Label, ...]
    schedules: tuple[Schedule, ...]
    variables: tuple[Variable, ...]
    hooks: tuple[Hook, ...]
    deploy_keys: tuple[DeployKey, ...]
    triggers: tuple[Trigger, ...]
    members: tuple[Member, ...]
    files: frozenset[str]
    tag_rules: tuple[TagRule, ...] = ()
    runs: Runs = Runs()

    def rule(self, name: str) -> BranchRule | None:
        """Give the rule of exactly this name."""
        return next((rule for rule in self.rules if rule.name == name), None)

    def member(self, username: str) -> Member | None:
        """Give a member by the account's name."""
        return next((one for one in self.members if is_same_user(one.username, username)), None)


class Endpoint(StrEnum):
    """Where settings are written; only the first is on every tier."""

    PROJECT = "project"
    APPROVALS = "approvals"
    PUSH_RULE = "push_rule"


class Change(Struct, frozen=True, kw_only=True):
    """A setting's new value."""

    name: str
    old: Value
    new: Value

    @property
    def sentence(self) -> str:
        """What it will do."""
        return f"{self.name} from {spelled(self.old)} to {spelled(self.new)}"


class ChangeSettings(Struct, frozen=True, kw_only=True):
    """Change settings that belong together, in one request."""

    project: str
    endpoint: Endpoint
    changes: tuple[Change, ...]

    @property
    def sentence(self) -> str:
        """What it will do."""
        where = "" if self.endpoint is Endpoint.PROJECT else f" ({self.endpoint.replace('_', ' ')})"
        return f"{self.project}: set {', '.join(change.sentence for change in self.changes)}{where}"


class LimitJobToken(Struct, frozen=True, kw_only=True):
    """Let no other project's job tokens reach this project."""

    project: str

    @property
    def sentence(self) -> str:
        """What it will do."""
        return f"{self.project}: let only its own job tokens reach it"


class ForbidForcePush(Struct, frozen=True, kw_only=True):
    """Forbid force pushes to a protected branch, and leave its rule as it is otherwise."""

    project: str
    branch: str

    @property
    def sentence(self) -> str:
        """What it will do."""
        return f"{self.project}: forbid force pushes to {self.branch}"


class Unprotect(Struct, frozen=True, kw_only=True):
    """Take a branch rule away: another one, stricter, covers what it covers, or is about to be made."""

    project: str
    branch: str

    @property
    def sentence(self) -> str:
        """What it will do."""
        return f"{self.project}: remove the branch rule {self.branch}"


class Protect(Struct, frozen=True, kw_only=True):
    """Protect a branch or a pattern; force pushes are forbidden."""

    project: str
    branch: str
    push: int
    merge: int

    @property
    def sentence(self) -> str:
        """What it will do."""
        push, merge = Access(level=self.push).name, Access(level=self.merge).name
        return f"{self.project}: protect {self.branch}: push {push}, merge {merge}, no force push"


class ProtectTags(Struct, frozen=True, kw_only=True):
    """Let only a role, and those above it, create tags that fit a pattern."""

    project: str
    pattern: str
    create: int

    @property
    def sentence(self) -> str:
        """What it will do."""
        return f"{self.project}: protect tags {self.pattern}: create {Access(level=self.create).name}"


class UnprotectTags(Struct, frozen=True, kw_only=True):
    """Take a tag rule away: another one, stricter, is about to be made, or covers what it covers."""

    project: str
    pattern: str

    @property
    def sentence(self) -> str:
        """What it will do."""
        return f"{self.project}: remove the tag rule {self.pattern}"


class CreateLabel(Struct, frozen=True, kw_only=True):
    """Create a label."""

    project: str
    label: Label

    @property
    def sentence(self) -> str:
        """What it will do."""
        return f"{self.project}: create label {self.label.name} ({self.label.color})"


class ChangeLabel(Struct, frozen=True, kw_only=True):
    """Give a label the colour and the description that it should have."""

    project: str
    label: Label

    @property
    def sentence(self) -> str:
        """What it will do."""
        return f"{self.project}: give label {self.label.name} the colour {self.label.color} and its description"


class CreateSchedule(Struct, frozen=True, kw_only=True):
    """Create a pipeline schedule."""

    project: str
    description: str
    ref: str
    cron: str
    active: bool

    @property
    def sentence(self) -> str:
        """What it will do."""
        state = "active" if self.active else "inactive"
        return f"{self.project}: create the pipeline schedule {self.description!r} on {self.ref}, {self.cron}, {state}"


class MoveSchedule(Struct, frozen=True, kw_only=True):
    """Run a pipeline schedule on another branch."""

    project: str
    id: int
    description: str
    ref: str

    @property
    def sentence(self) -> str:
        """What it will do."""
        return f"{self.project}: run the pipeline schedule {self.description!r} on {self.ref}"


class RemoveWebhook(Struct, frozen=True, kw_only=True):
    """Remove a wrong webhook of compose-repo's: a new one takes its place."""

    project: str
    id: int
    host: str

    @property
    def sentence(self) -> str:
        """What it will do."""
        return f"{self.project}: remove the webhook {self.id} to {self.host}"


class CreateWebhook(Struct, frozen=True, kw_only=True):
    """Make a webhook that calls our pipeline trigger in `home`, and the trigger if this account has none there.

    `address` lacks what authorises: the name of a masked part, which says whose token it holds, is added to it.
    """

    project: str
    home: str
    description: str
    address: str
    branches: str
    template: str

    @property
    def sentence(self) -> str:
        """What it will do."""
        return f"{self.project}: create the webhook {self.description!r} and its pipeline trigger in {self.home}"


Action: TypeAlias = (
    ChangeSettings
    | LimitJobToken
    | ForbidForcePush
    | Unprotect
    | Protect
    | ProtectTags
    | UnprotectTags
    | CreateLabel
    | ChangeLabel
    | CreateSchedule
    | MoveSchedule
    | RemoveWebhook
    | CreateWebhook
)
Plan: TypeAlias = tuple[Action, ...]


def to_dict(action: Action) -> dict[str, Any]:
    """Give an action as the JSON of a printed plan has it."""
    row: dict[str, Any] = {"action": type(action).__name__, "sentence": action.sentence}
    for field in fields(action):
        value = getattr(action, field.name)
        match value:
            case Label():
                row |= {"label": value.name, "color": value.color, "description": value.description}
            case tuple():
                row["changes"] = [{"name": one.name, "old": one.old, "new": one.new} for one in value]
            case _:
                row[field.name] = value
    return row


class Administration(Protocol):
    """What we ask of GitLab about one project's set-up. Everything may raise `ForgeError`."""

    def token_in_use(self) -> Token | None:
        """Give the token in use; None where GitLab does not tell of it."""
        ...

    def state(self) -> ProjectState:
        """Read how the project is set up."""
        ...

    def apply(self, action: Action) -> None:
        """Do one action; if it cannot be known whether a try has worked, look before trying again.

        Raises:
            Dispensable: GitLab has no such setting here, or will not have what all works without.
            Refused: GitLab will not have it.

        """
        ...
