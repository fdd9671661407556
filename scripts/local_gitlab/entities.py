"""Rows as the JSON that GitLab's API shows."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from local_gitlab import protection
from local_gitlab.drafts import is_draft
from local_gitlab.mergeability import has_open_threads, is_squashed, merge_status
from local_gitlab.pipelines import head_pipeline
from local_gitlab.site import APPROVAL_SETTINGS, access_level, may_read, settings_of, source_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local_gitlab.git import Commit, FileDiff, TreeEntry
    from local_gitlab.site import Site
    from local_gitlab.store import Row

Json = dict[str, Any]
TOO_LARGE = 200 * 1024
LEVEL_NAMES = {
    0: "No one",
    10: "Guest",
    20: "Reporter",
    30: "Developers + Maintainers",
    40: "Maintainers",
    60: "Admins",
}


# --- people


def user_basic(site: Site, row: Row) -> Json:
    """Return a user as mentioned elsewhere."""
    return {
        "id": row["id"],
        "username": row["username"],
        "public_email": "",
        "name": row["name"],
        "state": row["state"],
        "locked": False,
        "avatar_url": None,
        "web_url": f"{site.url}/{row['username']}",
    }


def user_by_id(site: Site, user_id: int | None) -> Json | None:
    """Return the user with this id as mentioned elsewhere."""
    return None if user_id is None else user_basic(site, site.store.get("users", user_id))


def user_full(site: Site, row: Row) -> Json:
    """Return a user to that user."""
    namespace = site.store.one("SELECT id FROM namespaces WHERE full_path = ?", row["username"])
    return {
        **user_basic(site, row),
        "created_at": row["created_at"],
        "bio": "",
        "location": "",
        "linkedin": "",
        "twitter": "",
        "discord": "",
        "website_url": "",
        "organization": "",
        "job_title": "",
        "pronouns": None,
        "bot": bool(row["bot"]),
        "work_information": None,
        "followers": 0,
        "following": 0,
        "local_time": None,
        "last_sign_in_at": row["created_at"],
        "confirmed_at": row["created_at"],
        "last_activity_on": row["created_at"][:10],
        "email": row["email"],
        "theme_id": 1,
        "color_scheme_id": 1,
        "projects_limit": 100000,
        "current_sign_in_at": row["created_at"],
        "identities": [],
        "can_create_group": True,
        "can_create_project": True,
        "two_factor_enabled": False,
        "external": False,
        "private_profile": False,
        "commit_email": row["email"],
        "namespace_id": namespace["id"] if namespace else None,
        **({"is_admin": True, "note": ""} if row["admin"] else {}),
    }


def token(row: Row) -> Json:
    """Return a token without its value."""
    return {
        "id": row["id"],
        "name": row["name"],
        "description": None,
        "revoked": bool(row["revoked"]),
        "created_at": row["created_at"],
        "scopes": row["scopes"].split(),
        "user_id": row["user_id"],
        "last_used_at": row["last_used_at"],
        "active": not row["revoked"],
        "expires_at": row["expires_at"],
    }


def member(site: Site, row: Row) -> Json:
    """Return a member and the role."""
    return {
        **user_basic(site, site.store.get("users", row["user_id"])),
        "access_level": row["access_level"],
        "created_at": row["created_at"],
        "created_by": user_by_id(site, row["created_by"]),
        "expires_at": row["expires_at"],
        "membership_state": "active",
    }


# --- projects


def project(site: Site, row: Row, user: Row | None) -> Json:
    """Return a project to a user, with the user's permissions in it."""
    store = site.store
    namespace = store.get("namespaces", row["namespace_id"])
    settings = {name: value for name, value in settings_of(row).items() if name not in APPROVAL_SETTINGS}
    level = access_level(site, row, user)
    repository = site.repository(row)
    empty = repository.branch(row["default_branch"]) is None and not repository.branches()
    web = site.web(row)
    api = f"{site.url}/api/v4/projects/{row['id']}"
    name_with_namespace = f"{namespace['name']} / {row['name']}"
    return {
        "id": row["id"],
        "description": row["description"],
        "name": row["name"],
        "name_with_namespace": name_with_namespace,
        "path": row["path"],
        "path_with_namespace": row["path_with_namespace"],
        "created_at": row["created_at"],
        "updated_at": row["last_activity_at"],
        "default_branch": None if empty else row["default_branch"],
        "tag_list": settings["topics"],
        "ssh_url_to_repo": f"git@127.0.0.1:{row['path_with_namespace']}.git",
        "http_url_to_repo": f"{web}.git",
        "web_url": web,
        "readme_url": f"{web}/-/blob/{row['default_branch']}/README.md",
        "forks_count": store.count("SELECT count(*) FROM projects WHERE forked_from_id = ?", row["id"]),
        "avatar_url": None,
        "star_count": 0,
        "last_activity_at": row["last_activity_at"],
        "visibility": row["visibility"],
        "namespace": {
            "id": namespace["id"],
            "name": namespace["name"],
            "path": namespace["full_path"].rpartition("/")[2],
            "kind": namespace["kind"],
            "full_path": namespace["full_path"],
            "parent_id": None,
            "avatar_url": None,
            "web_url": f"{site.url}/{namespace['full_path']}",
        },
        "_links": {
            "self": api,
            "issues": f"{api}/issues",
            "merge_requests": f"{api}/merge_requests",
            "repo_branches": f"{api}/repository/branches",
            "labels": f"{api}/labels",
            "events": f"{api}/events",
            "members": f"{api}/members",
            "cluster_agents": f"{api}/cluster_agents",
        },
        "repository_storage": "default",
        "empty_repo": empty,
        "creator_id": row["creator_id"],
        "import_url": None,
        "import_type": None,
        "import_status": "none",
        "import_error": None,
        "open_issues_count": 0,
        "description_html": "",
        "repository_object_format": "sha1",
        "shared_with_groups": [],
        "can_create_merge_request_in": user is not None and may_read(site, row, user),
        "runner_token_expiration_interval": None,
        "service_desk_address": None,
        **settings,
        **_origin(site, row, user),
        "permissions": {
            "project_access": {"access_level": level, "notification_level": 3} if level else None,
            "group_access": None,
        },
    }


# What GitLab shows of a fork's parent (its `BasicProjectDetails`).
BASIC_DETAILS = (
    "id", "description", "name", "name_with_namespace", "path", "path_with_namespace", "created_at", "default_branch",
    "tag_list", "topics", "ssh_url_to_repo", "http_url_to_repo", "web_url", "readme_url", "forks_count", "avatar_url",
    "star_count", "last_activity_at", "visibility", "repository_storage", "namespace",
)  # fmt: skip


def _origin(site: Site, row: Row, user: Row | None) -> Json:
    """Return what a fork says of its parent, to those who may see that."""
    parent = site.store.one("SELECT * FROM projects WHERE id = ?", row["forked_from_id"] or 0)
    if parent is None or not may_read(site, parent, user):
        return {}
    whole = project(site, parent, user)
    return {"forked_from_project": {name: whole[name] for name in BASIC_DETAILS}}


def protected_branch(row: Row) -> Json:
    """Return a rule for branches."""

    def levels(column: str) -> list[Json]:
        return [
            {
                "id": row["id"] * 100 + level,
                "access_level": level,
                "access_level_description": LEVEL_NAMES.get(level, str(level)),
                "deploy_key_id": None,
                "user_id": None,
                "group_id": None,
            }
            for level in json.loads(row[column])
        ]

    return {
        "id": row["id"],
        "name": row["name"],
        "push_access_levels": levels("push_levels"),
        "merge_access_levels": levels("merge_levels"),
        "allow_force_push": bool(row["allow_force_push"]),
        "unprotect_access_levels": levels("unprotect_levels"),
        "code_owner_approval_required": False,
        "inherited": False,
    }


def protected_tag(row: Row) -> Json:
    """Return a rule for tags."""
    levels = [
        {
            "id": row["id"] * 100 + level,
            "access_level": level,
            "access_level_description": LEVEL_NAMES.get(level, str(level)),
            "deploy_key_id": None,
            "user_id": None,
            "group_id": None,
        }
        for level in json.loads(row["create_levels"])
    ]
    return {"name": row["name"], "create_access_levels": levels}


def label(site: Site, row: Row, *, counts: bool = False) -> Json:
    """Return a label."""
    body: Json = {
        "id": row["id"],
        "name": row["name"],
        "description": row["description"],
        "description_html": row["description"] or "",
        "text_color": text_color(row["color"]),
        "color": row["color"],
        "archived": False,
        "subscribed": False,
        "priority": row["priority"],
        "is_project_label": True,
    }
    if counts:
        body |= {
            "open_issues_count": 0,
            "closed_issues_count": 0,
            "open_merge_requests_count": site.store.count(
                "SELECT count(*) FROM merge_request_labels l JOIN merge_requests m ON m.id = l.merge_request_id "
                "WHERE l.label_id = ? AND m.state = 'opened'",
                row["id"],
            ),
        }
    return body


def text_color(background: str) -> str:
    """Return the colour of text that can be read on a background."""
    red, green, blue = (int(background[start : start + 2], 16) for start in (1, 3, 5))
    bright = 180
    return "#1F1E24" if red * 0.299 + green * 0.587 + blue * 0.114 > bright else "#FFFFFF"


# --- repository


def commit(site: Site, row: Row, found: Commit) -> Json:
    """Return a commit as part of a list."""
    return {
        "id": found.sha,
        "short_id": found.sha[:8],
        "created_at": found.committed_at,
        "parent_ids": list(found.parents),
        "title": found.title,
        "message": found.message,
        "author_name": found.author.name,
        "author_email": found.author.email,
        "authored_date": found.authored_at,
        "committer_name": found.committer.name,
        "committer_email": found.committer.email,
        "committed_date": found.committed_at,
        "trailers": {},
        "extended_trailers": {},
        "web_url": site.web(row, "commit", found.sha),
    }


def commit_detail(site: Site, row: Row, found: Commit) -> Json:
    """Return a commit by itself, with its numbers."""
    repository = site.repository(row)
    base = found.parents[0] if found.parents else repository.empty_tree()
    added, removed = repository.shortstat(base, found.sha)
    latest = site.store.one(
        "SELECT * FROM pipelines WHERE project_id = ? AND sha = ? ORDER BY id DESC LIMIT 1",
        row["id"],
        found.sha,
    )
    return {
        **commit(site, row, found),
        "stats": {"additions": added, "deletions": removed, "total": added + removed},
        "status": latest["status"] if latest else None,
        "project_id": row["id"],
        "last_pipeline": pipeline_basic(site, row, latest) if latest else None,
    }


def branch(site: Site, row: Row, name: str, head: Commit, user: Row | None) -> Json:
    """Return a branch to a user."""
    rules = protection.protection(site, row, name)
    repository = site.repository(row)
    default = row["default_branch"]
    merged = name != default and bool(repository.branch(default)) and repository.is_ancestor(head.sha, default)
    developer = 30
    return {
        "name": name,
        "commit": commit(site, row, head),
        "merged": merged,
        "protected": rules.protected,
        "developers_can_push": developer in rules.push_levels,
        "developers_can_merge": developer in rules.merge_levels,
        "can_push": protection.may_push(site, row, user, name),
        "default": name == default,
        "web_url": site.web(row, "tree", name),
    }


def tree_object(entry: TreeEntry) -> Json:
    """Return one line of a tree."""
    return {
        "id": entry.sha,
        "name": entry.path.rpartition("/")[2],
        "type": entry.kind,
        "path": entry.path,
        "mode": entry.mode,
    }


def diff(found: FileDiff) -> Json:
    """Return one file's difference; past 200 KiB GitLab shows its name only."""
    too_large = len(found.text) > TOO_LARGE
    return {
        "diff": "" if too_large else found.text,
        "collapsed": False,
        "too_large": too_large,
        "new_path": found.new_path,
        "old_path": found.old_path,
        "a_mode": found.old_mode,
        "b_mode": found.new_mode,
        "new_file": found.status == "A",
        "renamed_file": found.status == "R",
        "deleted_file": found.status == "D",
        "generated_file": False,
    }


# --- merge requests


def label_names(site: Site, merge_request: Row) -> list[str]:
    """Return the labels of a merge request, sorted."""
    rows = site.store.all(
        "SELECT name FROM labels JOIN merge_request_labels ON label_id = id WHERE merge_request_id = ? ORDER BY name",
        merge_request["id"],
    )
    return [row["name"] for row in rows]


def people(site: Site, merge_request: Row, role: str) -> list[Json]:
    """Return who is assigned to, or reviews, a merge request."""
    rows = site.store.all(
        "SELECT users.* FROM users JOIN merge_request_people ON user_id = users.id "
        "WHERE merge_request_id = ? AND role = ? ORDER BY users.id",
        merge_request["id"],
        role,
    )
    return [user_basic(site, row) for row in rows]


def merge_request_basic(site: Site, row: Row, found: Row) -> Json:
    """Return a merge request as part of a list."""
    draft = is_draft(found["title"])
    source = source_of(site, found)
    from_fork = source is None or source["id"] != row["id"]
    status, detailed, conflicts = merge_status(site, row, found)
    merged_by = user_by_id(site, found["merge_user_id"])
    assignees = people(site, found, "assignee")
    notes = site.store.count("SELECT count(*) FROM notes WHERE merge_request_id = ? AND system = 0", found["id"])
    return {
        "id": found["id"],
        "iid": found["iid"],
        "project_id": row["id"],
        "title": found["title"],
        "description": found["description"],
        "state": found["state"],
        "created_at": found["created_at"],
        "updated_at": found["updated_at"],
        "merged_by": merged_by,
        "merge_user": merged_by,
        "merged_at": found["merged_at"],
        "closed_by": user_by_id(site, found["closed_by_id"]),
        "closed_at": found["closed_at"],
        "target_branch": found["target_branch"],
        "source_branch": found["source_branch"],
        "user_notes_count": notes,
        "upvotes": 0,
        "downvotes": 0,
        "author": user_by_id(site, found["author_id"]),
        "assignees": assignees,
        "assignee": assignees[0] if assignees else None,
        "reviewers": people(site, found, "reviewer"),
        "source_project_id": source["id"] if source else None,
        "target_project_id": row["id"],
        "labels": label_names(site, found),
        "draft": draft,
        "imported": False,
        "imported_from": "none",
        "work_in_progress": draft,
        "milestone": None,
        "merge_when_pipeline_succeeds": found["auto_merge_by"] is not None,
        "merge_status": status,
        "detailed_merge_status": detailed,
        "merge_after": found["merge_after"],
        "sha": found["head_sha"],
        "merge_commit_sha": found["merge_commit_sha"],
        "squash_commit_sha": found["squash_commit_sha"],
        "discussion_locked": None if found["discussion_locked"] is None else bool(found["discussion_locked"]),
        "should_remove_source_branch": None,
        "force_remove_source_branch": bool(found["remove_source_branch"]),
        "prepared_at": found["created_at"],
        "reference": f"!{found['iid']}",
        "references": {
            "short": f"!{found['iid']}",
            "relative": f"!{found['iid']}",
            "full": f"{row['path_with_namespace']}!{found['iid']}",
        },
        "web_url": site.web(row, "merge_requests", found["iid"]),
        "time_stats": {
            "time_estimate": 0,
            "total_time_spent": 0,
            "human_time_estimate": None,
            "human_total_time_spent": None,
        },
        "squash": bool(found["squash"]),
        "squash_on_merge": is_squashed(row, found),
        "task_completion_status": {"count": 0, "completed_count": 0},
        "has_conflicts": conflicts,
        "blocking_discussions_resolved": not has_open_threads(site, found),
        "approvals_before_merge": None,
        **({"allow_collaboration": False, "allow_maintainer_to_push": False} if from_fork else {}),
    }


MANY_CHANGES = 1000  # GitLab counts no further


def merge_request(site: Site, row: Row, found: Row, user: Row | None) -> Json:
    """Return a merge request by itself, to a user."""
    head = head_pipeline(site, found)
    ran_in = site.store.get("projects", head["project_id"]) if head else row
    both = found["base_sha"] and found["head_sha"]
    files = site.repository(row).count_changed(found["base_sha"], found["head_sha"]) if both else 0
    changes_count = f"{MANY_CHANGES}+" if files > MANY_CHANGES else str(files) if files else None
    return {
        **merge_request_basic(site, row, found),
        "subscribed": user is not None and user["id"] == found["author_id"],
        "changes_count": changes_count,
        "latest_build_started_at": head["started_at"] if head else None,
        "latest_build_finished_at": head["finished_at"] if head else None,
        "first_deployed_to_production_at": None,
        "pipeline": pipeline_basic(site, ran_in, head) if head else None,
        "head_pipeline": pipeline(site, ran_in, head) if head else None,
        "diff_refs": {
            "base_sha": found["base_sha"],
            "head_sha": found["head_sha"],
            "start_sha": found["start_sha"],
        },
        "merge_error": found["merge_error"],
        "rebase_in_progress": False,
        "first_contribution": False,
        "user": {"can_merge": protection.may_merge(site, row, user, found["target_branch"])},
    }


def approvals(site: Site, row: Row, found: Row, user: Row | None, *, can_approve: bool) -> Json:
    """Return who has approved a merge request."""
    rows = site.store.all(
        "SELECT * FROM approvals WHERE merge_request_id = ? ORDER BY created_at, user_id",
        found["id"],
    )
    status, detailed, _ = merge_status(site, row, found)
    return {
        "id": found["id"],
        "iid": found["iid"],
        "project_id": row["id"],
        "title": found["title"],
        "description": found["description"],
        "state": found["state"],
        "created_at": found["created_at"],
        "updated_at": found["updated_at"],
        "merge_status": status,
        "detailed_merge_status": detailed,
        "approved": True,  # on Free no approval is required
        "approvals_required": 0,
        "approvals_left": 0,
        "require_password_to_approve": False,
        "approved_by": [
            {"user": user_by_id(site, approval["user_id"]), "approved_at": approval["created_at"]} for approval in rows
        ],
        "suggested_approvers": [],
        "approvers": [],
        "approver_groups": [],
        "user_has_approved": user is not None and any(approval["user_id"] == user["id"] for approval in rows),
        "user_can_approve": can_approve,
        "approval_rules_left": [],
        "has_approval_rules": False,
        "merge_request_approvers_available": False,
        "multiple_approval_rules_available": False,
        "invalid_approvers_rules": [],
    }


def note(site: Site, row: Row) -> Json:
    """Return a note."""
    found = site.store.get("merge_requests", row["merge_request_id"])
    resolvable = row["resolved"] is not None
    body: Json = {
        "id": row["id"],
        "type": row["type"],
        "body": row["body"],
        "author": user_by_id(site, row["author_id"]),
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
        "system": bool(row["system"]),
        "noteable_id": found["id"],
        "noteable_type": "MergeRequest",
        "project_id": row["project_id"],
        "resolvable": resolvable,
        "confidential": bool(row["internal"]),
        "internal": bool(row["internal"]),
        "imported": False,
        "imported_from": "none",
        "noteable_iid": found["iid"],
        "commands_changes": {},
    }
    if resolvable:
        body |= {"resolved": bool(row["resolved"]), "resolved_by": None, "resolved_at": None}
    return body


def discussion(site: Site, notes: Sequence[Row]) -> Json:
    """Return a thread of notes."""
    return {
        "id": notes[0]["discussion_id"],
        "individual_note": notes[0]["type"] is None,
        "notes": [note(site, row) for row in notes],
    }


def version(row: Row) -> Json:
    """Return one state that a merge request's branch has been in."""
    return {
        "id": row["id"],
        "head_commit_sha": row["head_sha"],
        "base_commit_sha": row["base_sha"],
        "start_commit_sha": row["start_sha"],
        "created_at": row["created_at"],
        "merge_request_id": row["merge_request_id"],
        "state": "collected",
        "real_size": "0",
        "patch_id_sha": hashlib.sha1(row["head_sha"].encode(), usedforsecurity=False).hexdigest(),
    }


# --- pipelines


def pipeline_basic(site: Site, row: Row, found: Row) -> Json:
    """Return a pipeline as part of a list."""
    return {
        "id": found["id"],
        "iid": found["iid"],
        "project_id": row["id"],
        "sha": found["sha"],
        "ref": found["ref"],
        "status": found["status"],
        "source": found["source"],
        "created_at": found["created_at"],
        "updated_at": found["updated_at"],
        "web_url": site.web(row, "pipelines", found["id"]),
    }


def pipeline(site: Site, row: Row, found: Row) -> Json:
    """Return a pipeline by itself."""
    status = found["status"]
    warned = status == "success" and site.store.count(
        "SELECT count(*) FROM jobs WHERE pipeline_id = ? AND status = 'failed' AND allow_failure = 1 AND retried = 0",
        found["id"],
    )
    group = "success-with-warnings" if warned else status
    text = "Warning" if warned else {"success": "Passed"}.get(status, status.capitalize())
    return {
        **pipeline_basic(site, row, found),
        "before_sha": found["before_sha"],
        "tag": False,
        "yaml_errors": found["yaml_errors"],
        "user": user_by_id(site, found["user_id"]),
        "started_at": found["started_at"],
        "finished_at": found["finished_at"],
        "committed_at": None,
        "duration": None if (seconds := duration(found)) is None else round(seconds),
        "queued_duration": None,
        "coverage": None,
        "detailed_status": {
            "icon": f"status_{'warning' if warned else status}",
            "text": text,
            "label": "passed with warnings" if warned else {"success": "passed"}.get(status, status),
            "group": group,
            "tooltip": found["reason"] or text.lower(),
            "has_details": True,
            "details_path": f"/{row['path_with_namespace']}/-/pipelines/{found['id']}",
            "illustration": None,
            "favicon": "/favicon.ico",
        },
        "archived": False,
    }


def job(site: Site, row: Row, found: Row) -> Json:
    """Return a job."""
    repository = site.repository(row)
    head = repository.commit(found["sha"])
    owner = site.store.get("pipelines", found["pipeline_id"])
    kept = json.loads(found["artifacts"])
    files = [
        {
            "file_type": kind,
            "size": size,
            "filename": filename,
            "file_format": file_format,
        }
        for kind, (filename, size, file_format) in kept.items()
    ]
    archive = kept.get("archive")
    return {
        "id": found["id"],
        "status": found["status"],
        "stage": found["stage"],
        "name": found["name"],
        "ref": found["ref"],
        "tag": False,
        "coverage": found["coverage"],
        "allow_failure": bool(found["allow_failure"]),
        "created_at": found["created_at"],
        "started_at": found["started_at"],
        "finished_at": found["finished_at"],
        "erased_at": None,
        "duration": duration(found),
        "queued_duration": None,
        "user": user_by_id(site, found["user_id"]),
        "commit": commit(site, row, head) if head else None,
        "pipeline": pipeline_basic(site, row, owner),
        "failure_reason": found["failure_reason"],
        "web_url": site.web(row, "jobs", found["id"]),
        "project": {"ci_job_token_scope_enabled": False},
        "artifacts": files,
        **({"artifacts_file": {"filename": archive[0], "size": archive[1]}} if archive else {}),
        "runner": None,
        "runner_manager": None,
        "artifacts_expire_at": None,
        "archived": False,
        "tag_list": [],
    }


def status(site: Site, found: Row) -> Json:
    """Return a commit's status."""
    return {
        "id": found["id"],
        "sha": found["sha"],
        "ref": found["ref"],
        "status": found["status"],
        "name": found["name"],
        "target_url": found["target_url"],
        "description": found["description"],
        "created_at": found["created_at"],
        "started_at": found["started_at"],
        "finished_at": found["finished_at"],
        "allow_failure": bool(found["allow_failure"]),
        "coverage": found["coverage"],
        "pipeline_id": found["pipeline_id"],
        "author": user_by_id(site, found["user_id"]),
    }


def duration(row: Row) -> float | None:
    """Return the seconds a pipeline or job took."""
    if not row["started_at"] or not row["finished_at"]:
        return None
    start, end = (datetime.fromisoformat(row[column]) for column in ("started_at", "finished_at"))
    return (end - start).total_seconds()


# --- events


def event(site: Site, row: Row) -> Json:
    """Return something somebody did."""
    author = user_by_id(site, row["author_id"])
    body: Json = {
        "id": row["id"],
        "project_id": row["project_id"],
        "action_name": row["action_name"],
        "target_id": row["target_id"],
        "target_iid": row["target_iid"],
        "target_type": row["target_type"],
        "author_id": row["author_id"],
        "target_title": row["target_title"],
        "created_at": row["created_at"],
        "author": author,
        "imported": False,
        "imported_from": "none",
        "author_username": author["username"] if author else "",
    }
    if row["push_data"]:
        body["push_data"] = json.loads(row["push_data"])
    return body
