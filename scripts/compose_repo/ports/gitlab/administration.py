"""How a project on a real GitLab is set up: what is read of it, and the writes that change it."""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar, assert_never
from urllib.parse import quote

from compose_repo.core.forge.forge import ForgeError
from compose_repo.core.hardening.administration import (
    MAINTAINER,
    Action,
    Change,
    ChangeLabel,
    ChangeSettings,
    CreateLabel,
    CreateSchedule,
    CreateWebhook,
    Dispensable,
    Endpoint,
    ForbidForcePush,
    Hook,
    Label,
    LimitJobToken,
    MoveSchedule,
    NotOnThisTier,
    ProjectState,
    Protect,
    ProtectTags,
    Refused,
    RemoveWebhook,
    Runs,
    Schedule,
    TagRule,
    Token,
    Trigger,
    Unprotect,
    UnprotectTags,
    role,
)
from compose_repo.core.hardening.files import CI_FILE, PROJECT_FILES
from compose_repo.core.hardening.webhook import masked
from compose_repo.core.problems.problem import UsageError
from compose_repo.ports.clock import Clock
from compose_repo.ports.environment import Environment
from compose_repo.ports.gitlab.client import OURS, Client, address_of, code_of
from compose_repo.ports.gitlab.failures import CONFLICT, FORBIDDEN, NOT_ALLOWED, NOT_FOUND
from compose_repo.ports.gitlab.rows import content_of, project_of
from compose_repo.ports.gitlab.session import Trace
from compose_repo.ports.gitlab.setup_rows import (
    branch_rule_of,
    date_of,
    deploy_key_of,
    hook_of,
    label_of,
    level_of,
    member_of,
    own_trigger_of,
    run_of,
    schedule_of,
    tag_rule_of,
    trigger_of,
    variable_of,
)

T = TypeVar("T")

_NOT_HERE: Final = frozenset({FORBIDDEN, NOT_FOUND})
"""How GitLab refuses what its tier, or its version, does not have."""
_REFUSALS: Final = frozenset({400, FORBIDDEN, NOT_FOUND, NOT_ALLOWED, CONFLICT, 422})
"""How GitLab refuses one write and may take the next."""
RUNS_SYNC: Final = frozenset({"schedule", "trigger", "web"})
"""The sources of pipelines in which .gitlab-ci.yml has the job sync."""
_ENDED: Final = frozenset({"success", "failed"})
_PATHS: Final = {Endpoint.PROJECT: "", Endpoint.APPROVALS: "/approvals", Endpoint.PUSH_RULE: "/push_rule"}


def administer(environment: Environment, trace: Trace, clock: Clock, project: str | None = None) -> "Administrator":
    """Reach the project that the environment names, or another one on the same GitLab; nothing is sent yet.

    Raises:
        UsageError: a setting is missing or cannot be right; the message names the variable.

    """
    address = address_of(environment)
    return Administrator(
        url=address["url"], token=address["token"], project=project or address["project"], trace=trace, clock=clock
    )


class Administrator(Client):
    """One project's set-up, seen with one account's token."""

    def require_maintainer(self, verb: str) -> None:
        """See that the token's account may see and change settings.

        Raises:
            UsageError: it is less than a Maintainer of the project.

        """
        level, path = self._get(
            f"project {self._project}", self._base, lambda data: (level_of(data), data["path_with_namespace"])
        )
        if level is not None and level < MAINTAINER:
            username = self._get("the token's account", "/user", lambda data: str(data["username"]))
            raise UsageError(
                f"{verb} needs the token of a Maintainer: GitLab shows settings, variables and keys to no "
                f"lower role; {username} is {role(level)} of {path}"
            )

    def token_in_use(self) -> Token | None:
        """Give the token in use; None where GitLab does not tell of it."""
        admin, username = self._get(
            "the token's account", "/user", lambda data: (bool(data.get("is_admin")), str(data["username"]))
        )
        return self._tiered(
            lambda: self._get(
                "the token",
                "/personal_access_tokens/self",
                lambda data: Token(
                    username=username,
                    admin=admin,
                    scopes=tuple(data["scopes"]),
                    expires=date_of(data["expires_at"]),
                ),
            )
        )

    def state(self) -> ProjectState:
        """Read how the project is set up."""
        base = self._base
        project, settings = self._get(
            f"project {self._project}", base, lambda data: (project_of(data, home=self.url), {**data})
        )
        return ProjectState(
            path=project.path,
            default_branch=project.default_branch,
            settings=settings,
            approvals=self._tiered(lambda: self._settings(Endpoint.APPROVALS)),
            push_rule=self._tiered(lambda: self._settings(Endpoint.PUSH_RULE)),
            job_token_limited=self._tiered(self._job_token_limited),
            rules=tuple(self._list("branch rules", f"{base}/protected_branches", branch_rule_of)),
            tag_rules=tuple(self._tag_rules()),
            labels=tuple(self._labels()),
            schedules=tuple(self._schedules()),
            variables=tuple(self._list("CI/CD variables", f"{base}/variables", variable_of)),
            hooks=tuple(self._hooks()),
            deploy_keys=tuple(self._list("deploy keys", f"{base}/deploy_keys", deploy_key_of)),
            triggers=tuple(self._list("pipeline triggers", f"{base}/triggers", trigger_of)),
            members=tuple(self._list("members", f"{base}/members/all", member_of)),
            runs=self._runs(project.default_branch),
            files=frozenset(path for path in (CI_FILE, *PROJECT_FILES) if self._has(path, project.default_branch)),
        )

    def _settings(self, endpoint: Endpoint) -> Mapping[str, Any]:
        """Read settings; while no push rule was ever made, GitLab gives null: nothing is bounded."""
        return self._get(
            endpoint.replace("_", " "),
            f"{self._base}{_PATHS[endpoint]}",
            lambda data: {**(data or {"max_file_size": 0})},
        )

    def _job_token_limited(self) -> bool:
        where = f"{self._base}/job_token_scope"
        return self._get("who may use job tokens", where, lambda data: bool(data["inbound_enabled"]))

    def _runs(self, main: str) -> Runs:
        """Find when runs of sync have ended, among the newest pipelines; nothing too where pipelines are off."""
        where = f"{self._base}/pipelines"
        rows = self._tiered(lambda: self._list("pipelines", where, run_of, limit=1, ref=main)) or []
        ended = [(status, at) for source, status, at in rows if source in RUNS_SYNC and status in _ENDED]
        return Runs(
            ended=max((at for _, at in ended), default=None),
            succeeded=max((at for status, at in ended if status == "success"), default=None),
        )

    def _tag_rules(self) -> list[TagRule]:
        return self._list("tag rules", f"{self._base}/protected_tags", tag_rule_of)

    def _labels(self) -> list[Label]:
        return self._list("labels", f"{self._base}/labels", label_of)

    def _schedules(self) -> list[Schedule]:
        return self._list("pipeline schedules", f"{self._base}/pipeline_schedules", schedule_of)

    def _has(self, path: str, ref: str) -> bool:
        where = f"{self._base}/repository/files/{quote(path, safe='')}/raw"
        return self._find(f"{path} at {ref}", where, content_of, ref=ref) is not None

    def _tiered(self, read: Callable[[], T]) -> T | None:
        """Read what not every GitLab has."""
        try:
            return read()
        except ForgeError as error:
            if code_of(error.__cause__) in _NOT_HERE:
                return None
            raise

    def apply(self, action: Action) -> None:
        """Do one action; if it cannot be known whether a try has worked, look before trying again.

        Raises:
            Dispensable: GitLab has no such setting here, or will not have what all works without.
            Refused: GitLab will not have it.

        """
        try:
            self._apply(action)
        except ForgeError as error:
            code = code_of(error.__cause__)
            if code in _NOT_HERE and isinstance(action, ChangeSettings) and action.endpoint is not Endpoint.PROJECT:
                raise NotOnThisTier(f"not on this tier: {action.sentence}") from error
            if code in _REFUSALS and isinstance(action, CreateWebhook):
                raise Dispensable(f"{error}: only the schedule sees pushes") from error
            if code in _REFUSALS:
                raise Refused(str(error)) from error
            raise

    def _apply(self, action: Action) -> None:
        match action:
            case ChangeSettings():
                self._change_settings(action)
            case LimitJobToken():
                where = f"{self._base}/job_token_scope"
                self._send(
                    _deed(action),
                    lambda: self._client.http_patch(where, post_data={"enabled": True}, **OURS),
                    self._job_token_limited,
                )
            case ForbidForcePush() | Unprotect() | Protect():
                self._change_branch(action)
            case ProtectTags() | UnprotectTags():
                self._change_tags(action)
            case CreateLabel() | ChangeLabel():
                self._write_label(action)
            case CreateSchedule() | MoveSchedule():
                self._write_schedule(action)
            case RemoveWebhook() | CreateWebhook():
                self._write_webhook(action)
            case _:
                assert_never(action)

    def _change_settings(self, action: ChangeSettings) -> None:
        where = f"{self._base}{_PATHS[action.endpoint]}"
        data = {change.name: change.new for change in action.changes}
        write = self._client.http_post if self._is_made_by_writing(action.endpoint) else self._client.http_put
        self._send(
            _deed(action),
            lambda: write(where, post_data=data, **OURS),
            lambda: _are_so(self._settings(action.endpoint), action.changes),
        )

    def _is_made_by_writing(self, endpoint: Endpoint) -> bool:
        """Tell whether settings are posted: approvals always are, a push rule the first time."""
        return endpoint is Endpoint.APPROVALS or (
            endpoint is Endpoint.PUSH_RULE and "id" not in self._settings(endpoint)
        )

    def _change_branch(self, action: ForbidForcePush | Unprotect | Protect) -> None:
        rules = f"{self._base}/protected_branches"
        one = f"{rules}/{quote(action.branch, safe='')}"
        match action:
            case ForbidForcePush():
                self._send(
                    _deed(action),
                    lambda: self._client.http_patch(one, post_data={"allow_force_push": False}, **OURS),
                    lambda: self._get(f"the rule {action.branch}", one, branch_rule_of).force_push is False,
                )
            case Unprotect():
                self._send(
                    _deed(action),
                    lambda: self._client.http_delete(one, **OURS),
                    lambda: not self._is_protected(action.branch),
                )
            case Protect():
                data = {
                    "name": action.branch,
                    "push_access_level": action.push,
                    "merge_access_level": action.merge,
                    "allow_force_push": False,
                }
                self._send(
                    _deed(action),
                    lambda: self._client.http_post(rules, post_data=data, **OURS),
                    lambda: self._is_protected(action.branch),
                )

    def _is_protected(self, branch: str) -> bool:
        rules = self._list("branch rules", f"{self._base}/protected_branches", branch_rule_of)
        return any(rule.name == branch for rule in rules)

    def _change_tags(self, action: ProtectTags | UnprotectTags) -> None:
        rules = f"{self._base}/protected_tags"
        match action:
            case ProtectTags():
                data = {"name": action.pattern, "create_access_level": action.create}
                self._send(
                    _deed(action),
                    lambda: self._client.http_post(rules, post_data=data, **OURS),
                    lambda: any(rule.name == action.pattern for rule in self._tag_rules()),
                )
            case UnprotectTags():
                self._send(
                    _deed(action),
                    lambda: self._client.http_delete(f"{rules}/{quote(action.pattern, safe='')}", **OURS),
                    lambda: all(rule.name != action.pattern for rule in self._tag_rules()),
                )

    def _write_label(self, action: CreateLabel | ChangeLabel) -> None:
        where, label = f"{self._base}/labels", action.label
        look = {"color": label.color, "description": label.description}
        match action:
            case CreateLabel():
                self._send(
                    _deed(action),
                    lambda: self._client.http_post(where, post_data={"name": label.name, **look}, **OURS),
                    lambda: any(one.name == label.name for one in self._labels()),
                )
            case ChangeLabel():
                self._send(
                    _deed(action),
                    lambda: self._client.http_put(f"{where}/{quote(label.name, safe='')}", post_data=look, **OURS),
                    lambda: label in self._labels(),
                )

    def _write_schedule(self, action: CreateSchedule | MoveSchedule) -> None:
        where = f"{self._base}/pipeline_schedules"
        match action:
            case CreateSchedule():
                data = {
                    "description": action.description,
                    "ref": action.ref,
                    "cron": action.cron,
                    "cron_timezone": "UTC",
                    "active": action.active,
                }
                self._send(
                    _deed(action),
                    lambda: self._client.http_post(where, post_data=data, **OURS),
                    lambda: any(one.description == action.description for one in self._schedules()),
                )
            case MoveSchedule():
                self._send(
                    _deed(action),
                    lambda: self._client.http_put(f"{where}/{action.id}", post_data={"ref": action.ref}, **OURS),
                    lambda: any(one.id == action.id and one.ref == action.ref for one in self._schedules()),
                )

    def _write_webhook(self, action: RemoveWebhook | CreateWebhook) -> None:
        match action:
            case RemoveWebhook():
                self._send(
                    _deed(action),
                    lambda: self._client.http_delete(f"{self._base}/hooks/{action.id}", **OURS),
                    lambda: all(hook.id != action.id for hook in self._hooks()),
                )
            case CreateWebhook():
                self._create_webhook(action)

    def _create_webhook(self, action: CreateWebhook) -> None:
        """Make the trigger if it is missing, and the webhook; remove a new trigger that nothing may call."""
        triggers = f"/projects/{quote(action.home, safe='')}/triggers"
        if self._own_trigger(triggers, action.description) is None:
            self._send(
                _deed(action),
                lambda: self._client.http_post(triggers, post_data={"description": action.description}, **OURS),
                lambda: self._own_trigger(triggers, action.description) is not None,
            )
        found = self._own_trigger(triggers, action.description)
        if found is None:
            raise Refused(f"could not {_deed(action)}: GitLab shows no trigger of this account's")
        trigger, token = found
        url = f"{action.address}{{{masked(trigger.id)}}}"
        data = {
            "name": action.description,
            "url": url,
            "url_variables": [{"key": masked(trigger.id), "value": token}],
            "push_events": True,
            "branch_filter_strategy": "regex",
            "push_events_branch_filter": action.branches,
            "custom_webhook_template": action.template,
            "enable_ssl_verification": True,
        }
        try:
            self._send(
                _deed(action),
                lambda: self._client.http_post(f"{self._base}/hooks", post_data=data, **OURS),
                lambda: any(hook.url == url for hook in self._hooks()),
            )
        except ForgeError as error:
            if code_of(error.__cause__) in _REFUSALS:
                self._client.http_delete(f"{triggers}/{trigger.id}", **OURS)
            raise

    def _own_trigger(self, triggers: str, description: str) -> tuple[Trigger, str] | None:
        """Find the trigger of this account's that is so described, and its token."""
        for trigger, token in self._list("pipeline triggers", triggers, own_trigger_of):
            if trigger.description == description and token is not None:
                return trigger, token
        return None

    def _hooks(self) -> list[Hook]:
        return self._list("webhooks", f"{self._base}/hooks", hook_of)


def _are_so(settings: Mapping[str, Any], changes: tuple[Change, ...]) -> bool:
    return all(settings.get(change.name) == change.new for change in changes)


def _deed(action: Action) -> str:
    """Say what is done, and then where: `could not protect main in centos/compose-repo`."""
    return f"{action.sentence.removeprefix(f'{action.project}: ')} in {action.project}"
