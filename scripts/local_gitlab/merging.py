"""Merging: a merge request's head comes into its target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local_gitlab import protection
from local_gitlab.activity import again, deliver, record_event, system_note
from local_gitlab.clock import now
from local_gitlab.errors import not_allowed, unauthorized, unprocessable
from local_gitlab.git import ZERO, Person, Repository
from local_gitlab.mergeability import has_conflicts, is_squashed, obstacle
from local_gitlab.pipelines import FINISHED, head_pipeline
from local_gitlab.pushes import branch_updated, remove_branch
from local_gitlab.refreshing import check_sha
from local_gitlab.site import settings_of, source_of

if TYPE_CHECKING:
    from local_gitlab.site import Site
    from local_gitlab.store import Row


def merge(site: Site, project: Row, merge_request: Row, user: Row, values: dict[str, Any]) -> Row:
    """Merge.

    Raises ApiError 401 without the right, 405 in the wrong state, 422 on conflicts, 409 on another head: in this order,
    that of GitLab 18's API. Later ones ask for the head before anything but the right, and answer conflicts with 405.
    """
    with site.lock(project):
        merge_request = again(site, merge_request)
        if not protection.may_merge(site, project, user, merge_request["target_branch"]):
            raise unauthorized()
        automatic = values.get("auto_merge") or values.get("merge_when_pipeline_succeeds")
        if automatic and _is_active(site, merge_request):
            return _merge_later(site, project, merge_request, user, values)
        if obstacle(site, project, merge_request):
            raise not_allowed()
        if has_conflicts(site, project, merge_request):
            raise unprocessable("Branch cannot be merged")
        check_sha(merge_request, values.get("sha"))
        if values.get("squash"):  # a false one changes nothing
            site.store.update("merge_requests", merge_request["id"], squash=True)
            merge_request = again(site, merge_request)
        repository = site.repository(project)
        target_ref = f"refs/heads/{merge_request['target_branch']}"
        old = repository.branch(merge_request["target_branch"]) or ZERO
        commits = _merge_commits(project, repository, merge_request, user, values, old)
        repository.update_ref(target_ref, commits["tip"], old)
        with site.store.transaction():
            _mark_merged(site, project, merge_request, user, commits)
    merge_request = again(site, merge_request)
    branch_updated(site, project, user, target_ref, old, commits["tip"], quiet=True)
    remove = values.get("should_remove_source_branch")
    if merge_request["remove_source_branch"] if remove is None else remove:
        _remove_source(site, user, merge_request)
    deliver(site, project, merge_request, user, "merge")
    return merge_request


def _is_active(site: Site, merge_request: Row) -> bool:
    """Tell whether the pipeline of the head is not over."""
    pipeline = head_pipeline(site, merge_request)
    return pipeline is not None and pipeline["status"] not in FINISHED


def _merge_later(site: Site, project: Row, merge_request: Row, user: Row, values: dict[str, Any]) -> Row:
    """Keep a merge request open until its pipeline has succeeded; `carry_on` merges it then.

    Raises ApiError 405, 422 or 409 where it could not be merged even then.
    """
    if obstacle(site, project, merge_request, skip_pipeline=True):
        raise not_allowed()
    if has_conflicts(site, project, merge_request):
        raise unprocessable("Branch cannot be merged")
    check_sha(merge_request, values.get("sha"))
    site.store.update("merge_requests", merge_request["id"], auto_merge_by=user["id"], updated_at=now())
    system_note(site, merge_request, user, "enabled an automatic merge when all merge checks pass")
    return again(site, merge_request)


def carry_on(site: Site, project: Row) -> None:
    """Merge what was to be merged when its pipeline has succeeded: this server looks when merge requests are read."""
    rows = site.store.all(
        "SELECT * FROM merge_requests WHERE project_id = ? AND state = 'opened' AND auto_merge_by IS NOT NULL",
        project["id"],
    )
    for merge_request in rows:
        pipeline = head_pipeline(site, merge_request)
        if pipeline is not None and pipeline["status"] == "success" and not obstacle(site, project, merge_request):
            merge(site, project, merge_request, site.store.get("users", merge_request["auto_merge_by"]), {})


def _remove_source(site: Site, user: Row, merge_request: Row) -> None:
    """Remove the branch that was merged, as far as this user may and no rule protects it."""
    source = source_of(site, merge_request)
    branch = merge_request["source_branch"]
    if source is None or protection.protection(site, source, branch).protected:
        return
    if protection.may_push(site, source, user, branch):
        remove_branch(site, source, user, branch)


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
    found: dict[str, str] = {}
    if is_squashed(project, merge_request):
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
