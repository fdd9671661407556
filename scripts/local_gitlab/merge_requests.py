"""Merge requests: what may happen to them, and what follows from it."""

from __future__ import annotations

import secrets
import sqlite3
from typing import TYPE_CHECKING, Any

from local_gitlab import entities, protection
from local_gitlab.clock import now
from local_gitlab.errors import (
    ApiError,
    bad_request,
    conflict,
    not_allowed,
    not_found,
    unauthorized,
    unprocessable,
)
from local_gitlab.git import ZERO, Person, Repository
from local_gitlab.mergeability import has_conflicts, obstacle
from local_gitlab.quick_actions import Command, extract, labels_in
from local_gitlab.site import DEVELOPER, REPORTER, access_level, settings_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from local_gitlab.site import Site
    from local_gitlab.store import Row

TITLE_MAX = 255
TEXT_MAX = 1_048_576
NOTE_MAX = 1_000_000
DEFAULT_COLOR = "#6699cc"


def find(site: Site, project: Row, iid: int) -> Row:
    """Return a merge request.

    Raises ApiError 404 when there is none with this number.
    """
    row = site.store.one("SELECT * FROM merge_requests WHERE project_id = ? AND iid = ?", project["id"], iid)
    if row is None:
        raise not_found()
    return row


def _again(site: Site, merge_request: Row) -> Row:
    return site.store.get("merge_requests", merge_request["id"])


# --- opening


def create(site: Site, project: Row, user: Row, values: dict[str, Any]) -> Row:
    """Open a merge request.

    Raises ApiError in GitLab's words when it cannot be opened.
    """
    source, target = str(values["source_branch"]), str(values["target_branch"])
    title = _valid_title(values["title"])
    if source == target:
        raise unprocessable(["You can't use same project/branch for source and target"])
    repository = site.repository(project)
    if repository.branch(source) is None:
        raise bad_request({"source_branch": ["does not exist"]})
    if repository.branch(target) is None:
        raise bad_request({"target_branch": ["does not exist"]})
    description, commands = extract(_valid_description(values.get("description")) or "")
    with site.lock(project), site.store.transaction():
        _refuse_second(site, project, source, target)
        merge_request = _insert(site, project, user, values, title=title, description=description)
        refresh_head(site, project, merge_request, first=True)
        set_labels(site, project, merge_request, user, add=values.get("labels") or (), quiet=True)
        set_people(site, merge_request, "assignee", values.get("assignee_ids"), values.get("assignee_id"))
        set_people(site, merge_request, "reviewer", values.get("reviewer_ids"), None)
        record_event(site, project, user, "opened", merge_request)
        apply_commands(site, project, merge_request, user, commands, created=True)
    merge_request = _again(site, merge_request)
    deliver(site, project, merge_request, user, "open")
    return merge_request


def _insert(site: Site, project: Row, user: Row, values: dict[str, Any], *, title: str, description: str) -> Row:
    iid = 1 + site.store.count("SELECT max(iid) FROM merge_requests WHERE project_id = ?", project["id"])
    settings = settings_of(project)
    remove = values.get("remove_source_branch")
    squash = values.get("squash")
    moment = now()
    row_id = site.store.insert(
        "merge_requests",
        project_id=project["id"],
        iid=iid,
        title=title,
        description=description or None,
        state="opened",
        author_id=user["id"],
        source_branch=values["source_branch"],
        target_branch=values["target_branch"],
        created_at=moment,
        updated_at=moment,
        remove_source_branch=settings["remove_source_branch_after_merge"] if remove is None else bool(remove),
        squash=settings["squash_option"] in {"always", "default_on"} if squash is None else bool(squash),
    )
    return site.store.get("merge_requests", row_id)


def _refuse_second(site: Site, project: Row, source: str, target: str) -> None:
    other = site.store.one(
        "SELECT iid FROM merge_requests WHERE project_id = ? AND source_branch = ? AND target_branch = ? "
        "AND state = 'opened'",
        project["id"],
        source,
        target,
    )
    if other:
        raise conflict([f"Another open merge request already exists for this source branch: !{other['iid']}"])


def _valid_title(title: object) -> str:
    text = str(title)
    if len(text) > TITLE_MAX:
        raise bad_request({"title": [f"is too long (maximum is {TITLE_MAX} characters)"]})
    if not text.strip():
        raise bad_request({"title": ["can't be blank"]})
    return text


def _valid_description(description: object) -> str | None:
    text = None if description is None else str(description)
    if text is not None and len(text) > TEXT_MAX:
        raise bad_request({"description": [f"is too long (maximum is {TEXT_MAX} characters)"]})
    return text


# --- the head


def refresh_head(site: Site, project: Row, merge_request: Row, *, first: bool = False) -> bool:
    """Make the merge request follow its branch; tell whether its head moved."""
    repository = site.repository(project)
    head = repository.branch(merge_request["source_branch"])
    target = repository.branch(merge_request["target_branch"])
    if head is None or target is None:
        return False
    base = repository.merge_base(target, head) or target
    moved: bool = head != merge_request["head_sha"]
    changes = {"head_sha": head, "base_sha": base, "start_sha": target}
    if not moved and base == merge_request["base_sha"] and not first:
        return False
    site.store.update("merge_requests", merge_request["id"], **changes)
    if moved or first:
        repository.update_ref(f"refs/merge-requests/{merge_request['iid']}/head", head)
        site.store.insert(
            "merge_request_versions",
            merge_request_id=merge_request["id"],
            head_sha=head,
            base_sha=base,
            start_sha=target,
            created_at=now(),
        )
    return moved


def branch_moved(site: Site, project: Row, user: Row, branch: str, old: str, new: str) -> list[Row]:
    """Tell the open merge requests of a branch that it moved; return those whose head did."""
    moved = []
    rows = site.store.all(
        "SELECT * FROM merge_requests WHERE project_id = ? AND state = 'opened' AND source_branch = ?",
        project["id"],
        branch,
    )
    for merge_request in rows:
        if new == ZERO or not refresh_head(site, project, merge_request):
            continue
        site.store.update("merge_requests", merge_request["id"], updated_at=now())
        _describe_push(site, project, merge_request, user, old, new)
        if settings_of(project)["reset_approvals_on_push"]:
            site.store.run("DELETE FROM approvals WHERE merge_request_id = ?", merge_request["id"])
        moved.append(_again(site, merge_request))
        deliver(site, project, moved[-1], user, "update")
    _notice_merged_by_push(site, project, user, branch)
    return moved


def _describe_push(site: Site, project: Row, merge_request: Row, user: Row, old: str, new: str) -> None:
    repository = site.repository(project)
    if old == ZERO or not repository.is_ancestor(old, new):
        system_note(site, merge_request, user, f"force pushed the branch to {new[:8]}")
        return
    commits = repository.log(f"{old}..{new}")
    lines = "".join(f"<li>{commit.sha[:8]} - {commit.title}</li>" for commit in commits[:100])
    word = "commit" if len(commits) == 1 else "commits"
    system_note(site, merge_request, user, f"added {len(commits)} {word}\n\n<ul>{lines}</ul>")


def _notice_merged_by_push(site: Site, project: Row, user: Row, branch: str) -> None:
    """Mark merge requests whose head has come into their target some other way as merged, as GitLab does."""
    rows = site.store.all(
        "SELECT * FROM merge_requests WHERE project_id = ? AND state = 'opened' AND target_branch = ?",
        project["id"],
        branch,
    )
    repository = site.repository(project)
    for merge_request in rows:
        head = merge_request["head_sha"]
        was_ahead = head and head != merge_request["base_sha"]
        if was_ahead and repository.branch(branch) and repository.is_ancestor(head, f"refs/heads/{branch}"):
            moment = now()
            site.store.update(
                "merge_requests",
                merge_request["id"],
                state="merged",
                merged_at=moment,
                updated_at=moment,
                merge_user_id=user["id"],
                merge_commit_sha=None,
            )
            record_event(site, project, user, "accepted", merge_request)


# --- changing


def update(site: Site, project: Row, merge_request: Row, user: Row, values: dict[str, Any]) -> Row:
    """Change a merge request the way `PUT` asks."""
    if access_level(site, project, user) < DEVELOPER and merge_request["author_id"] != user["id"]:
        raise ApiError(403, {"message": "403 Forbidden"})
    with site.lock(project), site.store.transaction():
        merge_request = _again(site, merge_request)
        _change_text(site, project, merge_request, user, values)
        _change_target(site, project, merge_request, user, values.get("target_branch"))
        if any(values.get(name) is not None for name in ("labels", "add_labels", "remove_labels")):
            set_labels(
                site,
                project,
                merge_request,
                user,
                replace=values.get("labels"),
                add=values.get("add_labels") or (),
                remove=values.get("remove_labels") or (),
            )
        set_people(site, merge_request, "assignee", values.get("assignee_ids"), values.get("assignee_id"))
        set_people(site, merge_request, "reviewer", values.get("reviewer_ids"), None)
        flags = {
            name: bool(values[name])
            for name in ("squash", "remove_source_branch", "discussion_locked")
            if values.get(name) is not None
        }
        site.store.update("merge_requests", merge_request["id"], updated_at=now(), **flags)
        event = values.get("state_event")
        if event:
            change_state(site, project, _again(site, merge_request), user, str(event))
    merge_request = _again(site, merge_request)
    deliver(site, project, merge_request, user, "update")
    return merge_request


def _change_text(site: Site, project: Row, merge_request: Row, user: Row, values: dict[str, Any]) -> None:
    if values.get("title") is not None:
        set_title(site, merge_request, user, _valid_title(values["title"]))
    if "description" not in values:
        return
    text = _valid_description(values["description"])
    description, commands = extract(text or "")
    if description != (merge_request["description"] or ""):
        site.store.update("merge_requests", merge_request["id"], description=description or None)
        system_note(site, merge_request, user, "changed the description")
    apply_commands(site, project, merge_request, user, commands)


def set_title(site: Site, merge_request: Row, user: Row, title: str) -> None:
    """Change the title; a word in front of it makes it a draft."""
    old = merge_request["title"]
    if title == old:
        return
    site.store.update("merge_requests", merge_request["id"], title=title)
    system_note(site, merge_request, user, f"changed title from **{old}** to **{title}**")


def _change_target(site: Site, project: Row, merge_request: Row, user: Row, target: object) -> None:
    old = merge_request["target_branch"]
    if target is None or target == old:
        return
    if site.repository(project).branch(str(target)) is None:
        raise bad_request({"target_branch": ["does not exist"]})
    _refuse_second(site, project, merge_request["source_branch"], str(target))
    site.store.update("merge_requests", merge_request["id"], target_branch=str(target))
    refresh_head(site, project, _again(site, merge_request))
    system_note(site, merge_request, user, f"changed target branch from `{old}` to `{target}`")


def change_state(site: Site, project: Row, merge_request: Row, user: Row, event: str) -> None:
    """Close or reopen; what is merged stays merged."""
    if event not in {"close", "reopen"}:
        raise ApiError(400, {"error": "state_event does not have a valid value"})
    moment = now()
    if event == "close" and merge_request["state"] == "opened":
        site.store.update(
            "merge_requests",
            merge_request["id"],
            state="closed",
            closed_at=moment,
            closed_by_id=user["id"],
            updated_at=moment,
        )
        system_note(site, merge_request, user, "closed")
        record_event(site, project, user, "closed", merge_request)
        deliver(site, project, _again(site, merge_request), user, "close")
    elif event == "reopen" and merge_request["state"] == "closed":
        _refuse_second(site, project, merge_request["source_branch"], merge_request["target_branch"])
        site.store.update(
            "merge_requests",
            merge_request["id"],
            state="opened",
            closed_at=None,
            closed_by_id=None,
            updated_at=moment,
        )
        refresh_head(site, project, _again(site, merge_request))
        system_note(site, merge_request, user, "reopened")
        record_event(site, project, user, "reopened", merge_request)
        deliver(site, project, _again(site, merge_request), user, "reopen")


def set_people(site: Site, merge_request: Row, role: str, ids: object, one: object) -> None:
    """Assign users, or ask them for a review; `0` or an empty list means nobody."""
    if ids is None and one is None:
        return
    wanted = ids if isinstance(ids, list) else [one if ids is None else ids]
    site.store.run(
        "DELETE FROM merge_request_people WHERE merge_request_id = ? AND role = ?",
        merge_request["id"],
        role,
    )
    for user_id in wanted:
        if str(user_id).isdigit() and site.store.one("SELECT id FROM users WHERE id = ?", int(str(user_id))):
            site.store.run(
                "INSERT OR IGNORE INTO merge_request_people VALUES (?, ?, ?)",
                merge_request["id"],
                int(str(user_id)),
                role,
            )


# --- labels


def find_label(site: Site, project: Row, name: str) -> Row | None:
    """Return a label by its name."""
    return site.store.one("SELECT * FROM labels WHERE project_id = ? AND name = ?", project["id"], name)


def _label(site: Site, project: Row, user: Row, name: str) -> Row | None:
    """Return a label, made at its first use by anyone who may make labels."""
    existing = find_label(site, project, name)
    if existing is not None or access_level(site, project, user) < REPORTER:
        return existing
    label_id = site.store.insert("labels", project_id=project["id"], name=name, color=DEFAULT_COLOR)
    return site.store.get("labels", label_id)


def set_labels(
    site: Site,
    project: Row,
    merge_request: Row,
    user: Row,
    *,
    replace: object = None,
    add: object = (),
    remove: object = (),
    quiet: bool = False,
) -> None:
    """Give and take labels in one step and say so in one note."""
    before = entities.label_names(site, merge_request)
    wanted = [*(before if replace is None else _names(replace)), *_names(add)]
    dropped = set(_names(remove))
    after: dict[str, Row] = {}
    for name in wanted:
        row = None if name in dropped else _label(site, project, user, name)
        if row is not None:
            after[name] = row
    site.store.run("DELETE FROM merge_request_labels WHERE merge_request_id = ?", merge_request["id"])
    for row in after.values():
        site.store.run("INSERT INTO merge_request_labels VALUES (?, ?)", merge_request["id"], row["id"])
    _record_labels(
        site, project, merge_request, user, added=after.keys() - set(before), gone=set(before) - after.keys()
    )
    if not quiet or after:
        site.store.update("merge_requests", merge_request["id"], updated_at=now())


def _record_labels(
    site: Site,
    project: Row,
    merge_request: Row,
    user: Row,
    *,
    added: Iterable[str],
    gone: Iterable[str],
) -> None:
    for action, label_names in (("add", sorted(added)), ("remove", sorted(gone))):
        for name in label_names:
            row = find_label(site, project, name)
            if row is not None:
                site.store.insert(
                    "label_events",
                    merge_request_id=merge_request["id"],
                    user_id=user["id"],
                    label_id=row["id"],
                    action=action,
                    created_at=now(),
                )


def _names(value: object) -> list[str]:
    parts = value if isinstance(value, (list, tuple)) else str(value).split(",")
    return [str(part).strip() for part in parts if str(part).strip()]


# --- approving


def may_approve(site: Site, project: Row, merge_request: Row, user: Row | None) -> bool:
    """Tell whether the user's approval would be accepted."""
    if user is None or merge_request["state"] != "opened" or access_level(site, project, user) < DEVELOPER:
        return False
    if merge_request["author_id"] == user["id"] and not settings_of(project)["merge_requests_author_approval"]:
        return False
    return not _approved_by(site, merge_request, user)


def _approved_by(site: Site, merge_request: Row, user: Row) -> bool:
    row = site.store.one(
        "SELECT 1 FROM approvals WHERE merge_request_id = ? AND user_id = ?",
        merge_request["id"],
        user["id"],
    )
    return row is not None


def check_sha(merge_request: Row, sha: object) -> None:
    """Refuse to act on anything but the head that the caller has judged."""
    if sha and str(sha) != merge_request["head_sha"]:
        raise conflict(f"SHA does not match HEAD of source branch: {merge_request['head_sha']}")


def approve(site: Site, project: Row, merge_request: Row, user: Row, sha: object = None) -> None:
    """Approve the head.

    Raises ApiError 409 when `sha` is not the head, 401 when this user's approval is not accepted.
    """
    with site.lock(project), site.store.transaction():
        merge_request = _again(site, merge_request)
        check_sha(merge_request, sha)
        if not may_approve(site, project, merge_request, user):
            raise unauthorized()
        site.store.run(
            "INSERT INTO approvals VALUES (?, ?, ?, ?)",
            merge_request["id"],
            user["id"],
            merge_request["head_sha"],
            now(),
        )
        site.store.update("merge_requests", merge_request["id"], updated_at=now())
        system_note(site, merge_request, user, "approved this merge request")
        record_event(site, project, user, "approved", merge_request)
    deliver(site, project, _again(site, merge_request), user, "approved")


def unapprove(site: Site, project: Row, merge_request: Row, user: Row) -> None:
    """Take one's approval back.

    Raises ApiError 404 when there is none.
    """
    with site.lock(project), site.store.transaction():
        gone = site.store.run(
            "DELETE FROM approvals WHERE merge_request_id = ? AND user_id = ?",
            merge_request["id"],
            user["id"],
        )
        if not gone:
            raise not_found()
        site.store.update("merge_requests", merge_request["id"], updated_at=now())
        system_note(site, merge_request, user, "unapproved this merge request")
    deliver(site, project, _again(site, merge_request), user, "unapproved")


# --- merging


def merge(site: Site, project: Row, merge_request: Row, user: Row, values: dict[str, Any]) -> Row:
    """Merge.

    Raises ApiError 401 without the right, 405 in the wrong state, 409 on another head, 422 on conflicts.
    """
    with site.lock(project):
        merge_request = _again(site, merge_request)
        if not protection.may_merge(site, project, user, merge_request["target_branch"]):
            raise unauthorized()
        if obstacle(site, project, merge_request):
            raise not_allowed()
        if has_conflicts(site, project, merge_request):
            raise unprocessable("Branch cannot be merged")
        check_sha(merge_request, values.get("sha"))
        repository = site.repository(project)
        target_ref = f"refs/heads/{merge_request['target_branch']}"
        old = repository.branch(merge_request["target_branch"]) or ZERO
        commits = _merge_commits(project, repository, merge_request, user, values, old)
        repository.update_ref(target_ref, commits["tip"], old)
        with site.store.transaction():
            _mark_merged(site, project, merge_request, user, commits)
    merge_request = _again(site, merge_request)
    from local_gitlab.pushes import branch_updated, remove_branch  # noqa: PLC0415  # a merge is a push too

    branch_updated(site, project, user, target_ref, old, commits["tip"], quiet=True)
    remove = values.get("should_remove_source_branch")
    if merge_request["remove_source_branch"] if remove is None else remove:
        remove_branch(site, project, user, merge_request["source_branch"])
    deliver(site, project, merge_request, user, "merge")
    return merge_request


def _merge_commits(
    project: Row,
    repository: Repository,
    merge_request: Row,
    user: Row,
    values: dict[str, Any],
    old: str,
) -> dict[str, str]:
    """Write the commits that the project's way of merging needs."""
    settings = settings_of(project)
    person = Person(name=user["name"], email=user["email"])
    head = merge_request["head_sha"]
    asked = values.get("squash")
    squash = bool(merge_request["squash"] if asked is None else asked) and settings["squash_option"] != "never"
    found: dict[str, str] = {}
    if squash:
        message = values.get("squash_commit_message") or merge_request["title"]
        head = repository.commit_tree(repository.tree_of(head), [merge_request["base_sha"]], str(message), person)
        found["squash"] = head
    if settings["merge_method"] != "merge":
        if not repository.is_ancestor(old, head):
            raise not_allowed()  # GitLab asks for a rebase, which this server does not offer
        return {**found, "tip": head}
    tree = repository.merge_tree(old, head)
    if tree is None:
        raise unprocessable("Branch cannot be merged")
    message = values.get("merge_commit_message") or default_merge_message(project, merge_request)
    found["merge"] = repository.commit_tree(tree, [old, head], str(message), person)
    return {**found, "tip": found["merge"]}


def default_merge_message(project: Row, merge_request: Row) -> str:
    """Return the message GitLab gives a merge commit."""
    return (
        f"Merge branch '{merge_request['source_branch']}' into '{merge_request['target_branch']}'\n\n"
        f"{merge_request['title']}\n\n"
        f"See merge request {project['path_with_namespace']}!{merge_request['iid']}"
    )


def _mark_merged(site: Site, project: Row, merge_request: Row, user: Row, commits: dict[str, str]) -> None:
    moment = now()
    site.store.update(
        "merge_requests",
        merge_request["id"],
        state="merged",
        merged_at=moment,
        updated_at=moment,
        merge_user_id=user["id"],
        merge_commit_sha=commits.get("merge"),
        squash_commit_sha=commits.get("squash"),
        merge_error=None,
    )
    system_note(site, merge_request, user, "merged")
    record_event(site, project, user, "accepted", merge_request)


# --- notes


def add_note(site: Site, project: Row, merge_request: Row, user: Row, body: str, **values: Any) -> Row | None:  # noqa: ANN401  # as posted
    """Write a note, carrying out the quick actions in it; return nothing when it held nothing else."""
    valid_note(body)
    text, commands = extract(body)
    with site.lock(project), site.store.transaction():
        row = None
        if text.strip():
            row = _insert_note(site, merge_request, user, text, **values)
            record_event(site, project, user, "commented on", merge_request)
        apply_commands(site, project, merge_request, user, commands, merge_sha=values.get("merge_sha"))
    if row is not None:
        payload = {
            "object_kind": "note",
            "event_type": "note",
            "object_attributes": entities.note(site, row),
            "merge_request": {"iid": merge_request["iid"], "title": merge_request["title"]},
        }
        send(site, project, user, "note_events", payload)
    return row


def valid_note(body: object) -> str:
    """Return the text of a note.

    Raises ApiError 400 when it is empty or longer than GitLab takes.
    """
    text = str(body)
    if not text.strip():
        raise bad_request({"note": ["can't be blank"]})
    if len(text) > NOTE_MAX:
        raise bad_request({"note": [f"is too long (maximum is {NOTE_MAX} characters)"]})
    return text


def _insert_note(
    site: Site,
    merge_request: Row,
    user: Row,
    body: str,
    *,
    system: bool = False,
    internal: bool = False,
    discussion_id: str = "",
    thread: bool = False,
    **_: object,
) -> Row:
    moment = now()
    note_id = site.store.insert(
        "notes",
        project_id=merge_request["project_id"],
        merge_request_id=merge_request["id"],
        author_id=user["id"],
        body=body,
        system=system,
        internal=internal,
        discussion_id=discussion_id or secrets.token_hex(20),
        type="DiscussionNote" if thread else None,
        resolved=0 if thread else None,
        created_at=moment,
        updated_at=moment,
    )
    site.store.update("merge_requests", merge_request["id"], updated_at=moment)
    return site.store.get("notes", note_id)


def system_note(site: Site, merge_request: Row, user: Row, body: str) -> None:
    """Record in the merge request that somebody did something."""
    _insert_note(site, merge_request, user, body, system=True)


# --- quick actions


def apply_commands(
    site: Site,
    project: Row,
    merge_request: Row,
    user: Row,
    commands: Sequence[Command],
    *,
    created: bool = False,
    merge_sha: object = None,
) -> None:
    """Carry out quick actions with the rights of whoever wrote them; what is not allowed does nothing."""
    for command in commands:
        try:
            _apply(site, project, _again(site, merge_request), user, command, created=created, merge_sha=merge_sha)
        except (ApiError, sqlite3.IntegrityError):
            continue  # GitLab says so in the answer at most; the note stands


def _apply(  # noqa: C901  # one case for each command
    site: Site,
    project: Row,
    merge_request: Row,
    user: Row,
    command: Command,
    *,
    created: bool,
    merge_sha: object,
) -> None:
    may_edit = access_level(site, project, user) >= DEVELOPER or merge_request["author_id"] == user["id"]
    title = merge_request["title"]
    match command.name:
        case "approve":
            approve(site, project, merge_request, user)
        case "unapprove":
            unapprove(site, project, merge_request, user)
        case "merge" if not created and merge_sha:
            merge(site, project, merge_request, user, {"sha": merge_sha})
        case "label" | "labels" | "relabel" if may_edit:
            # A quick action gives labels that exist; it makes none.
            found = [name for name in labels_in(command.value) if find_label(site, project, name)]
            replace = found if command.name == "relabel" else None
            set_labels(site, project, merge_request, user, replace=replace, add=found)
        case "unlabel" | "remove_label" if may_edit:
            gone = labels_in(command.value) or entities.label_names(site, merge_request)
            set_labels(site, project, merge_request, user, remove=gone)
        case "close" | "reopen" if may_edit:
            change_state(site, project, merge_request, user, command.name)
        case "title" if may_edit and command.value:
            set_title(site, merge_request, user, _valid_title(command.value))
        case "draft" if may_edit and not entities.is_draft(title):
            set_title(site, merge_request, user, f"Draft: {title}")
        case "ready" if may_edit and entities.is_draft(title):
            set_title(site, merge_request, user, title.partition(":")[2].strip() or title)
        case "target_branch" if may_edit and command.value:
            _change_target(site, project, merge_request, user, command.value)
        case _:
            pass  # the other commands change nothing that this server keeps


# --- events and hooks


def record_event(site: Site, project: Row, user: Row, action: str, merge_request: Row) -> None:
    """Write down who did what, for the events API."""
    site.store.insert(
        "events",
        project_id=project["id"],
        author_id=user["id"],
        action_name=action,
        target_type="MergeRequest",
        target_id=merge_request["id"],
        target_iid=merge_request["iid"],
        target_title=merge_request["title"],
        created_at=now(),
    )
    site.store.update("projects", project["id"], last_activity_at=now())


def deliver(site: Site, project: Row, merge_request: Row, user: Row, action: str) -> None:
    """Tell the project's hooks about a merge request."""
    payload = {
        "object_kind": "merge_request",
        "event_type": "merge_request",
        "object_attributes": {
            "id": merge_request["id"],
            "iid": merge_request["iid"],
            "title": merge_request["title"],
            "description": merge_request["description"],
            "state": merge_request["state"],
            "action": action,
            "source_branch": merge_request["source_branch"],
            "target_branch": merge_request["target_branch"],
            "last_commit": {"id": merge_request["head_sha"]},
            "url": site.web(project, "merge_requests", merge_request["iid"]),
        },
        "labels": [{"title": name} for name in entities.label_names(site, merge_request)],
    }
    send(site, project, user, "merge_requests_events", payload)


def send(site: Site, project: Row, user: Row, event: str, payload: dict[str, Any]) -> None:
    """Hand an event to the project's hooks."""
    whole = {
        **payload,
        "user": entities.user_basic(site, user),
        "project": {
            "id": project["id"],
            "path_with_namespace": project["path_with_namespace"],
            "web_url": site.web(project),
            "git_http_url": f"{site.web(project)}.git",
            "default_branch": project["default_branch"],
        },
    }
    site.deliveries.send(project, event, whole)
