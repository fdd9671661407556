"""GitLab's JSON as the values of a project's set-up; of another shape it raises whatever error comes of it."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from compose_repo.core.hardening.administration import (
    Access,
    BranchRule,
    DeployKey,
    Hook,
    Label,
    Member,
    Schedule,
    TagRule,
    Trigger,
    Variable,
    looks_secret,
)


def date_of(text: str | None) -> dt.date | None:
    """Read a day, of which GitLab sometimes gives the time too."""
    return None if text is None else dt.date.fromisoformat(text[:10])


def level_of(project: Mapping[str, Any]) -> int | None:
    """Read the asking account's own role in a project; None where GitLab says nothing of it."""
    levels = [access["access_level"] for access in (project.get("permissions") or {}).values() if access]
    return max(levels, default=None)


def branch_rule_of(data: Mapping[str, Any]) -> BranchRule:
    """Read the protection of a branch."""
    return BranchRule(
        name=data["name"],
        push=tuple(map(_access_of, data["push_access_levels"])),
        merge=tuple(map(_access_of, data["merge_access_levels"])),
        force_push=bool(data["allow_force_push"]),
        inherited=bool(data.get("inherited")),
    )


def tag_rule_of(data: Mapping[str, Any]) -> TagRule:
    """Read the protection of a tag."""
    return TagRule(name=data["name"], create=tuple(map(_access_of, data["create_access_levels"])))


def _access_of(data: Mapping[str, Any]) -> Access:
    for kind in ("user", "group", "deploy_key", "member_role"):
        if data.get(f"{kind}_id") is not None:
            name = data.get("access_level_description") or data[f"{kind}_id"]
            holder = f"the {kind.replace('_', ' ')} {name}"
            return Access(level=data["access_level"] or 0, holder=holder, user_id=data.get("user_id"))
    return Access(level=data["access_level"])


def label_of(data: Mapping[str, Any]) -> Label:
    """Read a label."""
    return Label(name=data["name"], color=data["color"], description=data["description"] or "")


def schedule_of(data: Mapping[str, Any]) -> Schedule:
    """Read a pipeline schedule; newer GitLabs give the branch's full name."""
    return Schedule(
        id=data["id"],
        description=data["description"],
        ref=data["ref"].removeprefix("refs/heads/"),
        active=data["active"],
        owner=(data["owner"] or {"username": "nobody"})["username"],
    )


def run_of(data: Mapping[str, Any]) -> tuple[str, str, dt.datetime]:
    """Read what started a pipeline, its status, and when it changed last: of one that has ended, when it did."""
    return str(data.get("source")), data["status"], dt.datetime.fromisoformat(data["updated_at"])


def variable_of(data: Mapping[str, Any]) -> Variable:
    """Read a CI/CD variable; its value is looked at here and kept nowhere."""
    return Variable(
        key=data["key"],
        scope=data.get("environment_scope", "*"),
        protected=data["protected"],
        masked=bool(data["masked"] or data.get("hidden")),
        secret=looks_secret(data["key"], data["value"]),
    )


def hook_of(data: Mapping[str, Any]) -> Hook:
    """Read a webhook; GitLab tells failing ones since 15.2, templates since 16.10; an older one knows no names."""
    return Hook(
        id=data["id"],
        url=data["url"],
        checks_certificate=data["enable_ssl_verification"],
        events=frozenset(name for name, value in data.items() if name.endswith("_events") and value is True),
        branches=(data.get("branch_filter_strategy") or "wildcard", data.get("push_events_branch_filter") or ""),
        template=(data["custom_webhook_template"] or "") if "custom_webhook_template" in data else None,
        is_called=data.get("alert_status", "executable") == "executable",
        name=data.get("name") or "",
    )


def deploy_key_of(data: Mapping[str, Any]) -> DeployKey:
    """Read a deploy key."""
    return DeployKey(id=data["id"], title=data["title"], can_push=bool(data["can_push"]))


def trigger_of(data: Mapping[str, Any]) -> Trigger:
    """Read a pipeline trigger."""
    owner = (data.get("owner") or {"username": "nobody"})["username"]
    return Trigger(id=data["id"], description=data["description"] or "", owner=owner)


def own_trigger_of(data: Mapping[str, Any]) -> tuple[Trigger, str | None]:
    """Read a pipeline trigger with its token, of which GitLab gives only the beginning to all but its owner."""
    token = data.get("token") or ""
    return trigger_of(data), token if len(token) > _SHOWN_OF_OTHERS else None


_SHOWN_OF_OTHERS = 4


def member_of(data: Mapping[str, Any]) -> Member:
    """Read a member."""
    return Member(
        id=data["id"],
        username=data["username"],
        level=data["access_level"],
        expires=date_of(data.get("expires_at")),
        blocked=data.get("state", "active") != "active",
    )
