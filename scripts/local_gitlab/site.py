"""What every part of the server shares: the store, the repositories, locks and addresses."""

from __future__ import annotations

import json
import secrets
import threading
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import quote

from local_gitlab.clock import now
from local_gitlab.errors import bad_request
from local_gitlab.git import Repository
from local_gitlab.objects import Objects
from local_gitlab.push_events import EventQueue

if TYPE_CHECKING:
    from pathlib import Path

    from local_gitlab.store import Row, Store

NO_ACCESS: Final = 0
GUEST: Final = 10
REPORTER: Final = 20
DEVELOPER: Final = 30
MAINTAINER: Final = 40
OWNER: Final = 50

# Everything a project stores beyond its own columns, with the values GitLab gives a new project.
PROJECT_SETTINGS: Final[dict[str, Any]] = {
    "topics": [],
    "archived": False,
    "issues_enabled": True,
    "merge_requests_enabled": True,
    "wiki_enabled": True,
    "jobs_enabled": True,
    "snippets_enabled": True,
    "container_registry_enabled": True,
    "service_desk_enabled": False,
    "packages_enabled": True,
    "emails_enabled": True,
    "lfs_enabled": True,
    "shared_runners_enabled": True,
    "group_runners_enabled": True,
    "request_access_enabled": True,
    "issues_access_level": "enabled",
    "repository_access_level": "enabled",
    "merge_requests_access_level": "enabled",
    "forking_access_level": "enabled",
    "wiki_access_level": "enabled",
    "builds_access_level": "enabled",
    "snippets_access_level": "enabled",
    "pages_access_level": "private",
    "analytics_access_level": "enabled",
    "container_registry_access_level": "enabled",
    "security_and_compliance_access_level": "private",
    "releases_access_level": "enabled",
    "environments_access_level": "enabled",
    "feature_flags_access_level": "enabled",
    "infrastructure_access_level": "enabled",
    "monitor_access_level": "enabled",
    "model_experiments_access_level": "enabled",
    "model_registry_access_level": "enabled",
    "resolve_outdated_diff_discussions": False,
    "ci_config_path": None,
    "ci_default_git_depth": 20,
    "ci_delete_pipelines_in_seconds": None,
    "ci_forward_deployment_enabled": True,
    "ci_forward_deployment_rollback_allowed": True,
    "ci_job_token_scope_enabled": False,
    "ci_separated_caches": True,
    "ci_allow_fork_pipelines_to_run_in_parent_project": True,
    "ci_id_token_sub_claim_components": ["project_path", "ref_type", "ref"],
    "ci_pipeline_variables_minimum_override_role": "developer",
    "ci_push_repository_for_job_token_allowed": False,
    "restrict_user_defined_variables": True,
    "build_git_strategy": "fetch",
    "build_timeout": 3600,
    "keep_latest_artifact": True,
    "public_jobs": True,
    "auto_cancel_pending_pipelines": "enabled",
    "auto_devops_enabled": False,
    "auto_devops_deploy_strategy": "continuous",
    "only_allow_merge_if_pipeline_succeeds": False,
    "allow_merge_on_skipped_pipeline": None,
    "only_allow_merge_if_all_discussions_are_resolved": False,
    "remove_source_branch_after_merge": True,
    "printing_merge_request_link_enabled": True,
    "merge_method": "merge",
    "squash_option": "default_off",
    "enforce_auth_checks_on_uploads": True,
    "suggestion_commit_message": None,
    "merge_commit_template": None,
    "squash_commit_template": None,
    "issue_branch_template": None,
    "warn_about_potentially_unwanted_characters": True,
    "autoclose_referenced_issues": True,
    "max_artifacts_size": None,
    "mr_default_target_self": False,
}

# Stored with the project, read and written through `/projects/:id/approvals`.
APPROVAL_SETTINGS: Final[dict[str, Any]] = {
    "approvals_before_merge": 0,
    "reset_approvals_on_push": False,
    "selective_code_owner_removals": False,
    "disable_overriding_approvers_per_merge_request": None,
    "merge_requests_author_approval": False,
    "merge_requests_disable_committers_approval": False,
    "require_password_to_approve": None,
    "require_reauthentication_to_approve": None,
}


class Pipelines(Protocol):
    """Whoever runs pipelines."""

    def wake(self) -> None:
        """Say that a pipeline may be waiting."""


class Deliveries(Protocol):
    """Whoever calls webhooks."""

    def wants(self, project: Row, event: str, /) -> bool:
        """Tell whether the project has a hook for events of this kind."""

    def send(self, project: Row, event: str, payload: dict[str, Any]) -> None:
        """Hand one event to the project's hooks that want it."""


class _Silence:
    def wake(self) -> None:
        """Run nothing."""

    def wants(self, _project: Row, _event: str) -> bool:
        """Want nothing."""
        return False

    def send(self, project: Row, event: str, payload: dict[str, Any]) -> None:
        """Deliver nothing."""


@dataclass(kw_only=True)
class Site:
    """One running server."""

    store: Store
    directory: Path
    url: str = ""
    paid: bool = True
    """Whether it has what GitLab has on paid tiers only: approval settings and push rules."""
    payload_is_restricted: bool = False
    """Whether it counts a trigger's payload among the variables that a project may restrict, as GitLab long did."""
    may_call_itself: bool = True
    """Whether webhooks may have its own address: a GitLab on a private network takes them only if it is told to."""
    pipelines: Pipelines = field(default_factory=_Silence)
    deliveries: Deliveries = field(default_factory=_Silence)
    push_events: EventQueue = field(default_factory=EventQueue)
    abilities: dict[str, bytes] = field(default_factory=dict)
    """What git can do for a fetch, by what the client says of the protocol; it is the same of all repositories here."""
    objects: Objects = field(default_factory=Objects)
    _repositories: dict[int, Repository] = field(default_factory=dict)
    _locks: dict[int, threading.RLock] = field(default_factory=lambda: defaultdict(threading.RLock))
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def lock(self, project: Row) -> threading.RLock:
        """Return the lock that every change of a project's repository and merge requests takes.

        A project and its forks share one: a push to a fork changes the merge requests of its parent.
        """
        with self._guard:
            return self._locks[int(project["fork_root_id"] or project["id"])]

    def repository(self, project: Row) -> Repository:
        """Return the project's repository."""
        with self._guard:
            number = int(project["id"])
            if number not in self._repositories:
                path = self.directory / "repositories" / f"{number}.git"
                self._repositories[number] = Repository(path, self.objects)
            return self._repositories[number]

    def forget_repositories(self) -> None:
        """Take nothing for granted any more that is known of repositories."""
        with self._guard:
            self._repositories.clear()
        self.objects.close()

    def job_directory(self, job_id: int) -> Path:
        """Return where a job's log and artifacts are kept."""
        return self.directory / "jobs" / str(job_id)

    def web(self, project: Row, *parts: object) -> str:
        """Return the address of a project's page."""
        tail = "".join(f"/{quote(str(part), safe='/')}" for part in parts)
        return f"{self.url}/{project['path_with_namespace']}{'/-' if tail else ''}{tail}"


def settings_of(project: Row) -> dict[str, Any]:
    """Return a project's settings, the defaults filled in."""
    return {**PROJECT_SETTINGS, **APPROVAL_SETTINGS, **json.loads(project["settings"])}


def access_level(site: Site, project: Row, user: Row | None) -> int:
    """Return the user's role in the project; instance administrators are owners of everything."""
    if user is None:
        return NO_ACCESS
    if user["admin"]:
        return OWNER
    today = now()[:10]
    row = site.store.one(
        "SELECT access_level FROM members WHERE project_id = ? AND user_id = ? "
        "AND (expires_at IS NULL OR expires_at > ?)",
        project["id"],
        user["id"],
        today,
    )
    return int(row["access_level"]) if row else NO_ACCESS


def source_of(site: Site, merge_request: Row) -> Row | None:
    """Return the project that a merge request comes from, unless that fork is gone."""
    project_id = merge_request["source_project_id"] or merge_request["project_id"]
    return site.store.one("SELECT * FROM projects WHERE id = ?", project_id)


def root_of(project: Row) -> int:
    """Return the id of the project that all its forks, and theirs, come from."""
    return int(project["fork_root_id"] or project["id"])


def may_fork(site: Site, project: Row, user: Row) -> bool:
    """Tell whether the user may fork: `forking_access_level` lets everybody, members only, or nobody."""
    level = access_level(site, project, user)
    match settings_of(project)["forking_access_level"]:
        case "enabled":
            return project["visibility"] != "private" or level >= REPORTER
        case "private":
            return level >= (GUEST if project["visibility"] != "private" else REPORTER)
        case _:
            return False


def may_read(site: Site, project: Row, user: Row | None) -> bool:
    """Tell whether the project exists as far as this user can see."""
    if project["visibility"] == "public" or (project["visibility"] == "internal" and user is not None):
        return True
    return access_level(site, project, user) > NO_ACCESS


def find_project(site: Site, key: str) -> Row | None:
    """Return the project with this id or full path."""
    if key.isdigit():
        return site.store.one("SELECT * FROM projects WHERE id = ?", int(key))
    return site.store.one("SELECT * FROM projects WHERE path_with_namespace = ?", key)


def rename_project(site: Site, project: Row, path: str) -> None:
    """Give a project another full path, which leads to it from then on as the former ones do."""
    if path != project["path_with_namespace"]:
        former = project["path_with_namespace"]
        site.store.insert("records", project_id=project["id"], kind=FORMER_PATH, key=former, data="{}")
        site.store.update("projects", project["id"], path_with_namespace=path)


def moved_project(site: Site, path: str) -> Row | None:
    """Return the project that had this full path, and which no other has now."""
    row = site.store.one(
        "SELECT project_id FROM records WHERE kind = ? AND key = ? ORDER BY id DESC", FORMER_PATH, path
    )
    return None if row is None else site.store.get("projects", row["project_id"])


FORMER_PATH = "former_path"


def add_user(site: Site, username: str, *, name: str = "", admin: bool = False, bot: bool = False) -> Row:
    """Create a user and the namespace that goes with it."""
    with site.store.transaction():
        user_id = site.store.insert(
            "users",
            username=username,
            name=name or username,
            email=f"{username}@example.org",
            admin=admin,
            bot=bot,
            state="active",
            created_at=now(),
        )
        site.store.insert("namespaces", full_path=username, name=name or username, kind="user")
    return site.store.get("users", user_id)


def add_token(
    site: Site,
    user: Row,
    *,
    name: str = "token",
    scopes: tuple[str, ...] = ("api", "read_repository", "write_repository"),
    expires_at: str | None = None,
    job_id: int | None = None,
) -> str:
    """Create a token and return its value."""
    value = f"{'glcbt' if job_id else 'glpat'}-{secrets.token_urlsafe(18)}"
    site.store.insert(
        "tokens",
        user_id=user["id"],
        value=value,
        name=name,
        scopes=" ".join(scopes),
        expires_at=expires_at,
        created_at=now(),
        job_id=job_id,
    )
    return value


def add_project(
    site: Site,
    full_path: str,
    creator: Row,
    *,
    name: str = "",
    description: str | None = None,
    visibility: str = "private",
    default_branch: str = "main",
) -> Row:
    """Create a project with an empty repository, its namespace if need be, and its creator as owner."""
    namespace_path, _, path = full_path.rpartition("/")
    if not namespace_path or not path:
        raise bad_request({"path": ["can't be blank"]})
    if find_project(site, full_path) is not None:
        taken = ["has already been taken"]
        raise bad_request({"project_namespace.name": taken, "name": taken, "path": taken})
    with site.store.transaction():
        namespace = site.store.one("SELECT * FROM namespaces WHERE full_path = ?", namespace_path)
        namespace_id = (
            namespace["id"]
            if namespace
            else site.store.insert("namespaces", full_path=namespace_path, name=namespace_path, kind="group")
        )
        moment = now()
        project_id = site.store.insert(
            "projects",
            namespace_id=namespace_id,
            path=path,
            name=name or path,
            path_with_namespace=full_path,
            description=description,
            visibility=visibility,
            default_branch=default_branch,
            creator_id=creator["id"],
            created_at=moment,
            last_activity_at=moment,
        )
        project = site.store.get("projects", project_id)
        add_member(site, project, creator, OWNER, by=creator)
    Repository.create(site.repository(project).path, site.objects, default_branch)
    return project


def add_member(
    site: Site, project: Row, user: Row, level: int, *, by: Row | None, expires_at: str | None = None
) -> Row:
    """Give a user a role, or change it."""
    site.store.run(
        "INSERT INTO members (project_id, user_id, access_level, created_at, created_by, expires_at) "
        "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (project_id, user_id) "
        "DO UPDATE SET access_level = excluded.access_level, expires_at = excluded.expires_at",
        project["id"],
        user["id"],
        level,
        now(),
        by["id"] if by else None,
        expires_at,
    )
    row = site.store.one("SELECT * FROM members WHERE project_id = ? AND user_id = ?", project["id"], user["id"])
    if row is None:
        raise LookupError("member")
    return row


def delete_project(site: Site, project: Row) -> None:
    """Remove a project, its repository and everything that refers to it."""
    tables = (
        "members",
        "protected_branches",
        "protected_tags",
        "labels",
        "merge_requests",
        "notes",
        "pipelines",
        "jobs",
        "events",
        "records",
    )
    with site.store.transaction():
        for table in tables:
            site.store.run(f"DELETE FROM {table} WHERE project_id = ?", project["id"])  # noqa: S608  # names are ours
        site.store.run("DELETE FROM projects WHERE id = ?", project["id"])
    site.repository(project).delete()


def protect_default_branch(site: Site, project: Row) -> None:
    """Protect the default branch the way GitLab protects a new project's: maintainers push and merge."""
    site.store.run(
        "INSERT OR IGNORE INTO protected_branches "
        "(project_id, name, allow_force_push, push_levels, merge_levels, unprotect_levels) "
        "VALUES (?, ?, 0, '[40]', '[40]', '[]')",
        project["id"],
        project["default_branch"],
    )
