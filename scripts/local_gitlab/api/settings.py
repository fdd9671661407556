"""What hardening configures: variables, hooks, deploy keys, job tokens, push rules, triggers and pipeline schedules."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import secrets
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response

from local_gitlab import entities, pipelines
from local_gitlab import web_request as asked
from local_gitlab.clock import now
from local_gitlab.deliveries import interpolated
from local_gitlab.errors import ApiError, bad_request, conflict, not_found
from local_gitlab.site import DEVELOPER, MAINTAINER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local_gitlab.store import Row

blueprint = Blueprint("settings", __name__)
PROJECT = "/projects/<key:project_id>"
Data = dict[str, Any]


# --- records of any kind


def _rows(project: Row, kind: str) -> list[Row]:
    return asked.site().store.all(
        "SELECT * FROM records WHERE project_id = ? AND kind = ? ORDER BY id",
        project["id"],
        kind,
    )


def _by_id(project: Row, kind: str, record_id: int) -> Row:
    row = next((row for row in _rows(project, kind) if row["id"] == record_id), None)
    if row is None:
        raise not_found()
    return row


def _insert(project: Row, kind: str, key: str, data: Mapping[str, Any]) -> Row:
    store = asked.site().store
    row_id = store.insert("records", project_id=project["id"], kind=kind, key=key, data=json.dumps(data))
    return store.get("records", row_id)


def _change(row: Row, values: Mapping[str, Any], names: tuple[str, ...]) -> Row:
    store = asked.site().store
    data = json.loads(row["data"])
    data |= {name: values[name] for name in names if name in values}
    if "updated_at" in data:
        data["updated_at"] = now()
    store.update("records", row["id"], data=json.dumps(data))
    return store.get("records", row["id"])


def _delete(row: Row) -> Response:
    asked.site().store.run("DELETE FROM records WHERE id = ?", row["id"])
    return asked.nothing()


# --- variables

VARIABLE: Data = {
    "variable_type": "env_var",
    "value": "",
    "hidden": False,
    "protected": False,
    "masked": False,
    "raw": False,
    "environment_scope": "*",
    "description": None,
}


def _variable_body(row: Row) -> Data:
    data: Data = {"key": row["key"], **json.loads(row["data"])}
    return {**data, "value": None} if data["hidden"] else data


def _variable(project: Row, key: str) -> Row:
    """Return the variable of this name and, where there are several, of the scope that the filter names."""
    scope = asked.parameters().get("filter[environment_scope]")
    filters = asked.parameters().get("filter")
    if isinstance(filters, dict):
        scope = filters.get("environment_scope", scope)
    found = [
        row
        for row in _rows(project, "variable")
        if row["key"] == key and (scope is None or json.loads(row["data"])["environment_scope"] == scope)
    ]
    if len(found) > 1:
        text = "There are multiple variables with provided parameters. Please use 'filter[environment_scope]'"
        raise conflict(text)
    if not found:
        raise not_found("Variable")
    return found[0]


MASKABLE = re.compile(r"\S{8,}")


def _variable_values(values: Data) -> Data:
    """Read what a request says of a variable.

    Raises ApiError 400 when its value cannot be masked: GitLab masks one line of at least eight characters.
    """
    found = {name: values[name] for name in VARIABLE if name in values and name != "hidden"}
    for name in ("protected", "masked", "raw"):
        if name in found:
            found[name] = asked.flag(found[name], name=name)
    if "variable_type" in found:
        asked.choice(found["variable_type"], ("env_var", "file"), "variable_type")
    return found


def _refuse_unmaskable(data: Data) -> None:
    if data["masked"] and not MASKABLE.fullmatch(str(data["value"])):
        raise bad_request({"value": ["is invalid"]})


@blueprint.get(f"{PROJECT}/variables")
def variables(project_id: str) -> Response:
    """List the variables of pipelines."""
    return asked.paginated(_rows(asked.project(project_id, MAINTAINER), "variable"), _variable_body)


@blueprint.post(f"{PROJECT}/variables")
def create_variable(project_id: str) -> Response:
    """Add a variable."""
    project = asked.project(project_id, MAINTAINER)
    values = asked.parameters()
    asked.required(values, "key")
    key = str(values["key"])
    if not re.fullmatch(r"[A-Za-z0-9_]{1,255}", key):
        raise bad_request({"key": ["can contain only letters, digits and '_'."]})
    data = {**VARIABLE, **_variable_values(values)}
    if asked.flag(values.get("masked_and_hidden")):
        data |= {"masked": True, "hidden": True}
    _refuse_unmaskable(data)
    taken = {(row["key"], json.loads(row["data"])["environment_scope"]) for row in _rows(project, "variable")}
    if (key, data["environment_scope"]) in taken:
        raise bad_request({"key": [f"({key}) has already been taken"]})
    return asked.answer(_variable_body(_insert(project, "variable", key, data)), 201)


@blueprint.get(f"{PROJECT}/variables/<key:name>")
def variable(project_id: str, name: str) -> Response:
    """Return a variable."""
    return asked.answer(_variable_body(_variable(asked.project(project_id, MAINTAINER), name)))


@blueprint.put(f"{PROJECT}/variables/<key:name>")
def edit_variable(project_id: str, name: str) -> Response:
    """Change a variable."""
    row = _variable(asked.project(project_id, MAINTAINER), name)
    values = _variable_values(asked.parameters())
    _refuse_unmaskable({**json.loads(row["data"]), **values})
    return asked.answer(_variable_body(_change(row, values, tuple(VARIABLE))))


@blueprint.delete(f"{PROJECT}/variables/<key:name>")
def delete_variable(project_id: str, name: str) -> Response:
    """Delete a variable."""
    return _delete(_variable(asked.project(project_id, MAINTAINER), name))


# --- deploy keys


def _deploy_key_body(row: Row) -> Data:
    return {"id": row["id"], **json.loads(row["data"])}


@blueprint.get(f"{PROJECT}/deploy_keys")
def deploy_keys(project_id: str) -> Response:
    """List the deploy keys."""
    return asked.paginated(_rows(asked.project(project_id, MAINTAINER), "deploy_key"), _deploy_key_body)


@blueprint.post(f"{PROJECT}/deploy_keys")
def create_deploy_key(project_id: str) -> Response:
    """Add a deploy key; it is kept, and opens nothing: this server speaks no SSH."""
    project = asked.project(project_id, MAINTAINER)
    values = asked.parameters()
    asked.required(values, "key", "title")
    parts = str(values["key"]).split()
    try:
        blob = base64.b64decode(parts[1], validate=True)
    except (IndexError, binascii.Error):
        raise bad_request({"key": ["is invalid"]}) from None
    data: Data = {
        "title": str(values["title"]),
        "created_at": now(),
        "expires_at": values.get("expires_at"),
        "last_used_at": None,
        "key": str(values["key"]),
        "usage_type": "auth_and_signing",
        "fingerprint": hashlib.md5(blob, usedforsecurity=False).digest().hex(":"),
        "fingerprint_sha256": "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("="),
        "projects_with_write_access": [],
        "projects_with_readonly_access": [],
        "can_push": asked.flag(values.get("can_push")),
    }
    return asked.answer(_deploy_key_body(_insert(project, "deploy_key", str(values["key"]), data)), 201)


@blueprint.get(f"{PROJECT}/deploy_keys/<int:key_id>")
def deploy_key(project_id: str, key_id: int) -> Response:
    """Return a deploy key."""
    return asked.answer(_deploy_key_body(_by_id(asked.project(project_id, MAINTAINER), "deploy_key", key_id)))


@blueprint.delete(f"{PROJECT}/deploy_keys/<int:key_id>")
def delete_deploy_key(project_id: str, key_id: int) -> Response:
    """Remove a deploy key."""
    return _delete(_by_id(asked.project(project_id, MAINTAINER), "deploy_key", key_id))


# --- hooks

HOOK: Data = {
    "url": "",
    "name": None,
    "description": None,
    "push_events": True,
    "tag_push_events": False,
    "merge_requests_events": False,
    "repository_update_events": False,
    "enable_ssl_verification": True,
    "alert_status": "executable",
    "disabled_until": None,
    "url_variables": [],
    "push_events_branch_filter": None,
    "branch_filter_strategy": "wildcard",
    "custom_webhook_template": None,
    "custom_headers": [],
    "issues_events": False,
    "confidential_issues_events": False,
    "note_events": False,
    "confidential_note_events": False,
    "pipeline_events": False,
    "wiki_page_events": False,
    "deployment_events": False,
    "feature_flag_events": False,
    "job_events": False,
    "releases_events": False,
    "emoji_events": False,
    "resource_access_token_events": False,
    "vulnerability_events": False,
}

READ_ONLY = frozenset({"alert_status", "disabled_until"})


def _hook_body(row: Row) -> Data:
    data: Data = json.loads(row["data"])
    for name in ("token", "recent_failures"):
        data.pop(name, None)
    data["url_variables"] = [{"key": one["key"]} for one in data["url_variables"]]
    return {"id": row["id"], "project_id": row["project_id"], **data}


def _hook_values(values: Data, *names: str) -> Data:
    """Read what a request says of a hook.

    Raises ApiError: 400 or 422 where GitLab would not keep it.
    """
    found = {name: values[name] for name in (*HOOK, *names) if name in values and name not in READ_ONLY}
    switches = {name: value for name, value in found.items() if isinstance(HOOK.get(name), bool)}
    found |= {name: asked.flag(value, name=name) for name, value in switches.items()}
    if "branch_filter_strategy" in found:
        asked.choice(found["branch_filter_strategy"], ("wildcard", "regex", "all_branches"), "branch_filter_strategy")
    return found


def _refuse_unreachable(data: Data) -> None:
    url = interpolated(str(data["url"]), {one["key"]: str(one["value"]) for one in data["url_variables"]})
    if not url.startswith(("http://", "https://")):
        raise bad_request({"url": ["is blocked: Only allowed schemes are http, https"]})
    to_itself = url.startswith(f"{asked.site().url}/")
    if "{" in url or "}" in url or (to_itself and not asked.site().may_call_itself):
        raise ApiError(422, {"error": "Invalid url given"})


@blueprint.get(f"{PROJECT}/hooks")
def hooks(project_id: str) -> Response:
    """List the webhooks."""
    return asked.paginated(_rows(asked.project(project_id, MAINTAINER), "hook"), _hook_body)


@blueprint.post(f"{PROJECT}/hooks")
def create_hook(project_id: str) -> Response:
    """Add a webhook; only addresses on loopback are ever called."""
    project = asked.project(project_id, MAINTAINER)
    values = asked.parameters()
    asked.required(values, "url")
    data = {**HOOK, **_hook_values(values)}
    _refuse_unreachable(data)
    data |= {"created_at": now(), "token": values.get("token")}
    return asked.answer(_hook_body(_insert(project, "hook", str(values["url"]), data)), 201)


@blueprint.get(f"{PROJECT}/hooks/<int:hook_id>")
def hook(project_id: str, hook_id: int) -> Response:
    """Return a webhook."""
    return asked.answer(_hook_body(_by_id(asked.project(project_id, MAINTAINER), "hook", hook_id)))


@blueprint.put(f"{PROJECT}/hooks/<int:hook_id>")
def edit_hook(project_id: str, hook_id: int) -> Response:
    """Change a webhook."""
    row = _by_id(asked.project(project_id, MAINTAINER), "hook", hook_id)
    values = _hook_values(asked.parameters(), "token")
    _refuse_unreachable({**json.loads(row["data"]), **values})
    return asked.answer(_hook_body(_change(row, values, (*HOOK, "token"))))


@blueprint.delete(f"{PROJECT}/hooks/<int:hook_id>")
def delete_hook(project_id: str, hook_id: int) -> Response:
    """Delete a webhook."""
    return _delete(_by_id(asked.project(project_id, MAINTAINER), "hook", hook_id))


# --- who may use job tokens here


@blueprint.get(f"{PROJECT}/job_token_scope")
def job_token_scope(project_id: str) -> Response:
    """Tell whether job tokens of other projects are kept out; since GitLab 16 they are at first."""
    rows = _rows(asked.project(project_id, MAINTAINER), "job_token_scope")
    enabled = json.loads(rows[0]["data"])["enabled"] if rows else True
    return asked.answer({"inbound_enabled": enabled, "outbound_enabled": False})


@blueprint.patch(f"{PROJECT}/job_token_scope")
def edit_job_token_scope(project_id: str) -> Response:
    """Keep job tokens of other projects out, or let them in."""
    project = asked.project(project_id, MAINTAINER)
    values = asked.parameters()
    asked.required(values, "enabled")
    data = {"enabled": asked.flag(values["enabled"])}
    rows = _rows(project, "job_token_scope")
    if rows:
        _change(rows[0], data, ("enabled",))
    else:
        _insert(project, "job_token_scope", "", data)
    return asked.nothing()


# --- push rules

PUSH_RULE: Data = {"max_file_size": 0, "deny_delete_tag": False, "member_check": False, "prevent_secrets": False}


def _push_rule_body(row: Row) -> Data:
    return {"id": row["id"], "project_id": row["project_id"], **json.loads(row["data"])}


@blueprint.get(f"{PROJECT}/push_rule")
def push_rule(project_id: str) -> Response:
    """Return the push rule; null until there is one. It is kept, and holds nobody up."""
    rows = _rows(asked.project_of_paid_tier(project_id), "push_rule")
    return asked.answer(_push_rule_body(rows[0]) if rows else None)


@blueprint.post(f"{PROJECT}/push_rule")
def create_push_rule(project_id: str) -> Response:
    """Make the push rule."""
    project = asked.project_of_paid_tier(project_id)
    if _rows(project, "push_rule"):
        raise ApiError(422, {"error": "Project push rule exists"})
    values = asked.parameters()
    data = {**PUSH_RULE, **{name: values[name] for name in PUSH_RULE if name in values}}
    return asked.answer(_push_rule_body(_insert(project, "push_rule", "", data)), 201)


@blueprint.put(f"{PROJECT}/push_rule")
def edit_push_rule(project_id: str) -> Response:
    """Change the push rule."""
    rows = _rows(asked.project_of_paid_tier(project_id), "push_rule")
    if not rows:
        raise not_found("Push Rule")
    return asked.answer(_push_rule_body(_change(rows[0], asked.parameters(), tuple(PUSH_RULE))))


# --- triggers


def _trigger_body(row: Row) -> Data:
    data: Data = json.loads(row["data"])
    owner_id = data.pop("owner_id")
    mine = asked.user()["id"] == owner_id
    return {
        "id": row["id"],
        "token": row["key"] if mine else row["key"][:4],
        **data,
        "owner": entities.user_by_id(asked.site(), owner_id),
    }


@blueprint.get(f"{PROJECT}/triggers")
def triggers(project_id: str) -> Response:
    """List the trigger tokens."""
    return asked.paginated(_rows(asked.project(project_id, MAINTAINER), "trigger"), _trigger_body)


@blueprint.post(f"{PROJECT}/triggers")
def create_trigger(project_id: str) -> Response:
    """Add a trigger token."""
    project = asked.project(project_id, MAINTAINER)
    values = asked.parameters()
    asked.required(values, "description")
    moment = now()
    data = {
        "description": values["description"],
        "created_at": moment,
        "updated_at": moment,
        "last_used": None,
        "expires_at": values.get("expires_at"),
        "owner_id": asked.user()["id"],
    }
    return asked.answer(_trigger_body(_insert(project, "trigger", f"glptt-{secrets.token_hex(20)}", data)), 201)


@blueprint.get(f"{PROJECT}/triggers/<int:trigger_id>")
def trigger(project_id: str, trigger_id: int) -> Response:
    """Return a trigger token."""
    return asked.answer(_trigger_body(_by_id(asked.project(project_id, MAINTAINER), "trigger", trigger_id)))


@blueprint.put(f"{PROJECT}/triggers/<int:trigger_id>")
def edit_trigger(project_id: str, trigger_id: int) -> Response:
    """Change a trigger token's description."""
    row = _by_id(asked.project(project_id, MAINTAINER), "trigger", trigger_id)
    return asked.answer(_trigger_body(_change(row, asked.parameters(), ("description",))))


@blueprint.delete(f"{PROJECT}/triggers/<int:trigger_id>")
def delete_trigger(project_id: str, trigger_id: int) -> Response:
    """Delete a trigger token."""
    return _delete(_by_id(asked.project(project_id, MAINTAINER), "trigger", trigger_id))


# --- schedules

SCHEDULES_MAX = 10
CRON = re.compile(r"(\S+\s+){4}\S+")


def _schedule_body(row: Row, *, details: bool = True) -> Data:
    site = asked.site()
    data: Data = json.loads(row["data"])
    owner = entities.user_by_id(site, data.pop("owner_id"))
    own_variables = data.pop("variables")
    last = data.pop("last_pipeline_id")
    body = {"id": row["id"], **data, "owner": owner}
    if details:
        project = site.store.get("projects", row["project_id"])
        found = site.store.one("SELECT * FROM pipelines WHERE id = ?", last) if last else None
        body["last_pipeline"] = entities.pipeline_basic(site, project, found) if found else None
        body["variables"] = own_variables
    return body


def _schedule_values(values: Data) -> Data:
    if "cron" in values and not CRON.fullmatch(str(values["cron"])):
        raise bad_request({"cron": ["syntax is invalid"]})
    if "active" in values:
        values["active"] = asked.flag(values["active"])
    return values


@blueprint.get(f"{PROJECT}/pipeline_schedules")
def schedules(project_id: str) -> Response:
    """List the schedules."""
    rows = _rows(asked.project(project_id, DEVELOPER), "schedule")
    return asked.paginated(rows, lambda row: _schedule_body(row, details=False))


@blueprint.post(f"{PROJECT}/pipeline_schedules")
def create_schedule(project_id: str) -> Response:
    """Add a schedule; it is kept, and runs only when played."""
    project = asked.project(project_id, DEVELOPER)
    values = _schedule_values(asked.parameters())
    asked.required(values, "description", "ref", "cron")
    if len(_rows(project, "schedule")) >= SCHEDULES_MAX:
        raise bad_request({"base": [f"Maximum number of pipeline schedules ({SCHEDULES_MAX}) exceeded"]})
    moment = now()
    data = {
        "description": values["description"],
        "ref": values["ref"],
        "cron": values["cron"],
        "cron_timezone": values.get("cron_timezone", "UTC"),
        "next_run_at": moment,
        "active": values.get("active", True),
        "created_at": moment,
        "updated_at": moment,
        "owner_id": asked.user()["id"],
        "variables": [],
        "last_pipeline_id": None,
    }
    return asked.answer(_schedule_body(_insert(project, "schedule", str(values["description"]), data)), 201)


@blueprint.get(f"{PROJECT}/pipeline_schedules/<int:schedule_id>")
def schedule(project_id: str, schedule_id: int) -> Response:
    """Return a schedule."""
    return asked.answer(_schedule_body(_by_id(asked.project(project_id, DEVELOPER), "schedule", schedule_id)))


@blueprint.put(f"{PROJECT}/pipeline_schedules/<int:schedule_id>")
def edit_schedule(project_id: str, schedule_id: int) -> Response:
    """Change a schedule."""
    row = _by_id(asked.project(project_id, DEVELOPER), "schedule", schedule_id)
    names = ("description", "ref", "cron", "cron_timezone", "active")
    return asked.answer(_schedule_body(_change(row, _schedule_values(asked.parameters()), names)))


@blueprint.delete(f"{PROJECT}/pipeline_schedules/<int:schedule_id>")
def delete_schedule(project_id: str, schedule_id: int) -> Response:
    """Delete a schedule."""
    return _delete(_by_id(asked.project(project_id, MAINTAINER), "schedule", schedule_id))


@blueprint.post(f"{PROJECT}/pipeline_schedules/<int:schedule_id>/take_ownership")
def take_ownership(project_id: str, schedule_id: int) -> Response:
    """Make the caller the schedule's owner."""
    row = _by_id(asked.project(project_id, DEVELOPER), "schedule", schedule_id)
    return asked.answer(_schedule_body(_change(row, {"owner_id": asked.user()["id"]}, ("owner_id",))), 201)


@blueprint.post(f"{PROJECT}/pipeline_schedules/<int:schedule_id>/play")
def play(project_id: str, schedule_id: int) -> Response:
    """Run a schedule's pipeline now."""
    site = asked.site()
    project = asked.project(project_id, DEVELOPER)
    row = _by_id(project, "schedule", schedule_id)
    data = json.loads(row["data"])
    sha = asked.repository(project).resolve(data["ref"])
    if sha is None:
        raise bad_request("Unable to schedule pipeline run immediately")
    chosen = {one["key"]: one["value"] for one in data["variables"]}
    owner = site.store.get("users", data["owner_id"])
    if chosen and not pipelines.may_set_variables(site, project, owner):
        raise bad_request("Unable to schedule pipeline run immediately")
    found = pipelines.create(site, project, owner, ref=data["ref"], sha=sha, source="schedule", variables=chosen)
    _change(row, {"last_pipeline_id": found["id"]}, ("last_pipeline_id",))
    return asked.answer({"message": "201 Created"}, 201)


def _set_schedule_variable(row: Row, key: str, value: Data | None) -> None:
    found = [one for one in json.loads(row["data"])["variables"] if one["key"] != key]
    _change(row, {"variables": [*found, value] if value else found}, ("variables",))


@blueprint.post(f"{PROJECT}/pipeline_schedules/<int:schedule_id>/variables")
def create_schedule_variable(project_id: str, schedule_id: int) -> Response:
    """Add a variable to a schedule."""
    row = _by_id(asked.project(project_id, DEVELOPER), "schedule", schedule_id)
    values = asked.parameters()
    asked.required(values, "key", "value")
    body = {
        "variable_type": values.get("variable_type", "env_var"),
        "key": str(values["key"]),
        "value": str(values["value"]),
        "raw": False,
    }
    _set_schedule_variable(row, body["key"], body)
    return asked.answer(body, 201)


@blueprint.put(f"{PROJECT}/pipeline_schedules/<int:schedule_id>/variables/<key:name>")
def edit_schedule_variable(project_id: str, schedule_id: int, name: str) -> Response:
    """Change a schedule's variable."""
    row = _by_id(asked.project(project_id, DEVELOPER), "schedule", schedule_id)
    found = next((one for one in json.loads(row["data"])["variables"] if one["key"] == name), None)
    if found is None:
        raise not_found("Pipeline schedule variable")
    body = {**found, **{key: value for key, value in asked.parameters().items() if key in found}}
    _set_schedule_variable(row, name, body)
    return asked.answer(body)


@blueprint.delete(f"{PROJECT}/pipeline_schedules/<int:schedule_id>/variables/<key:name>")
def delete_schedule_variable(project_id: str, schedule_id: int, name: str) -> Response:
    """Remove a schedule's variable."""
    row = _by_id(asked.project(project_id, DEVELOPER), "schedule", schedule_id)
    found = next((one for one in json.loads(row["data"])["variables"] if one["key"] == name), None)
    if found is None:
        raise not_found("Pipeline schedule variable")
    _set_schedule_variable(row, name, None)
    return asked.answer(found, 202)
